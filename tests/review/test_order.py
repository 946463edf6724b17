# SPDX-License-Identifier: Apache-2.0
"""In which order people look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.review.order import Urgency, magnitude, rank, standing

NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
PLAIN: Final = Urgency(due=NOW + timedelta(hours=24), since=NOW)
FIRST_TO_LAST: Final = (
    replace(PLAIN, imminent=True),
    replace(PLAIN, own=True),
    replace(PLAIN, verified=True),
    replace(PLAIN, views_per_hour=1000),
    replace(PLAIN, views_per_hour=10),
    replace(PLAIN, due=NOW + timedelta(hours=1)),
    replace(PLAIN, contested=True),
    replace(PLAIN, since=NOW - timedelta(hours=1)),
    PLAIN,
)
BACKWARDS: Final = tuple(reversed(FIRST_TO_LAST))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds it
urgencies = st.builds(
    Urgency,
    imminent=st.booleans(),
    own=st.booleans(),
    verified=st.booleans(),
    views_per_hour=st.floats(0, 1e9),
    due=moments,
    contested=st.booleans(),
    since=moments,
)


def test_each_sign_of_danger_comes_before_all_that_are_less() -> None:
    assert sorted(BACKWARDS, key=rank) == list(FIRST_TO_LAST)


@given(st.lists(urgencies), urgencies)
def test_nothing_comes_before_whom_danger_is_imminent(others: list[Urgency], one: Urgency) -> None:
    calm = [replace(other, imminent=False) for other in others]
    assert min([*calm, replace(one, imminent=True)], key=rank).imminent


@pytest.mark.parametrize(("views", "digits"), [(0, 0), (0.9, 0), (1, 1), (9.9, 1), (10, 2), (999, 3), (1000, 4)])
def test_views_count_by_their_magnitude(views: float, digits: int) -> None:
    assert magnitude(views) == digits


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_what_stands_for_a_rank_orders_as_the_rank_does(a: bool, b: bool, c: bool, d: bool, e: bool, f: bool) -> None:
    first, second = replace(PLAIN, imminent=a, own=b, verified=c), replace(PLAIN, imminent=d, own=e, verified=f)
    numbers = standing(imminent=a, own=b, verified=c), standing(imminent=d, own=e, verified=f)
    assert (rank(first) < rank(second)) == (numbers[0] < numbers[1])
