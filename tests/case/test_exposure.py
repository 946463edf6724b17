# SPDX-License-Identifier: Apache-2.0
"""Views and minutes after notice: what was not read is not nought, and nothing is counted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.case.exposure import Reading, Visible, exposure, seen_since, views_since

NOTICE = datetime(2026, 11, 22, 10, 4, 16, tzinfo=UTC)
minutes = st.integers(-10_000, 10_000)
spans = st.lists(st.tuples(minutes, minutes).map(sorted), max_size=8)


def at(minute: float) -> datetime:
    return NOTICE + timedelta(minutes=minute)


def read(*pairs: tuple[float, int]) -> list[Reading]:
    return [Reading(at=at(minute), views=views) for minute, views in pairs]


def test_views_are_counted_from_the_last_reading_at_notice() -> None:
    assert views_since(read((-60, 100), (0, 120), (1, 125), (60, 125)), NOTICE) == 5


def test_without_a_reading_at_notice_nobody_knows() -> None:
    assert views_since([], NOTICE) is None
    assert views_since(read((1, 500)), NOTICE) is None
    known = exposure([read((0, 1), (5, 2)), []], [], notice=NOTICE, now=at(10))
    assert known.views_after_notice is None


def test_a_counter_that_was_set_back_takes_nothing_away() -> None:
    assert views_since(read((0, 100), (10, 130), (20, 7), (30, 9)), NOTICE) == 30 + 7 + 2


@given(st.lists(st.tuples(minutes, st.integers(0, 10**6)), max_size=20))
def test_a_further_reading_never_makes_it_less(pairs: list[tuple[int, int]]) -> None:
    readings = read((-20_000, 0), *sorted(pairs))
    counts = [views_since(readings[: number + 1], NOTICE) or 0 for number in range(len(readings))]
    assert counts == sorted(counts)


@given(spans)
def test_minutes_that_overlap_count_once(found: list[list[int]]) -> None:
    visible = [Visible(since=at(since), until=at(until)) for since, until in found]
    exact = len({minute for since, until in found for minute in range(max(since, 0), until)})
    assert seen_since(visible, NOTICE, at(20_000)) == timedelta(minutes=exact)


def test_what_can_still_be_reached_counts_until_now() -> None:
    found = exposure([], [[Visible(since=at(-500))]], notice=NOTICE, now=at(2))
    assert found.minutes_visible == 2


def test_what_was_hidden_before_notice_was_not_visible_after() -> None:
    assert seen_since([Visible(since=at(-500), until=at(-1))], NOTICE, at(60)) == timedelta(0)
