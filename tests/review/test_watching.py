# SPDX-License-Identifier: Apache-2.0
"""Findings toward release that are too fast, too many or always by the same two are noticed; nothing else is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.review.finding import Verdict
from holdfast.review.watching import (
    HASTY_IN_A_DAY,
    MANY_IN_A_WEEK,
    PAIRED_IN_A_MONTH,
    SECONDS_A_PICTURE,
    WATCHED_FOR,
    Found,
    Kind,
    Unusual,
    unusual,
)
from tests.review.making import NAMES, NOW

found = st.builds(
    Found,
    review=st.sampled_from([f"rev_{number}" for number in range(12)]),
    by=st.sampled_from(NAMES),
    verdict=st.sampled_from(Verdict),
    at=st.timedeltas(timedelta(days=-40), timedelta(days=1)).map(lambda ago: NOW + ago),
    looked=st.none() | st.floats(0, 600),
    pictures=st.integers(0, 40),
)


def releases(by: str, number: int = 1, **more: object) -> list[Found]:
    """So many findings toward release by one person, an hour ago, each in a review of its own."""
    given = {"verdict": Verdict.NOT_UPHELD, "at": NOW - timedelta(hours=1), "looked": 60.0, "pictures": 1, **more}
    return [Found(review=f"rev_{by}_{n}", by=by, **given) for n in range(number)]  # type: ignore[arg-type]


def removes(by: str, number: int) -> list[Found]:
    return releases(by, number, verdict=Verdict.REMOVE)


def test_three_in_a_day_said_before_anybody_can_have_looked_are_hasty() -> None:
    fast = releases("ada", HASTY_IN_A_DAY, looked=SECONDS_A_PICTURE * 4 - 0.1, pictures=4)
    assert unusual(fast, NOW) == [Unusual(kind=Kind.HASTY, people=("ada",), number=HASTY_IN_A_DAY)]
    assert unusual(fast[1:], NOW) == []


def test_whoever_took_their_time_is_not_hasty() -> None:
    assert unusual(releases("ada", 9, looked=SECONDS_A_PICTURE * 4, pictures=4), NOW) == []


def test_who_lets_go_most_of_what_they_see_while_others_do_not_is_noticed() -> None:
    others = [*removes("ben", 20), *releases("cleo", 5), *removes("dora", 5)]
    many = releases("ada", MANY_IN_A_WEEK)
    assert unusual([*many, *others], NOW) == [Unusual(kind=Kind.MANY, people=("ada",), number=MANY_IN_A_WEEK)]
    assert unusual([*many[1:], *others], NOW) == []


def test_where_all_let_much_go_or_one_works_alone_there_is_nothing_to_compare_with() -> None:
    many = releases("ada", MANY_IN_A_WEEK)
    assert unusual(many, NOW) == []
    assert unusual([*many, *releases("ben", MANY_IN_A_WEEK)], NOW) == []


def pair(number: int) -> list[Found]:
    one, other = releases("ada", number), releases("ada", number)
    return [*one, *(Found(review=f.review, by="ben", verdict=f.verdict, at=f.at) for f in other)]


def test_the_same_two_again_and_again_are_noticed_where_chance_had_others() -> None:
    others = [*removes("cleo", 9), *removes("dora", 9)]
    assert unusual([*pair(PAIRED_IN_A_MONTH), *others], NOW) == [
        Unusual(kind=Kind.PAIRED, people=("ada", "ben"), number=PAIRED_IN_A_MONTH)
    ]
    assert unusual([*pair(PAIRED_IN_A_MONTH - 1), *others], NOW) == []


def test_where_only_three_work_the_same_two_must_meet() -> None:
    assert unusual([*pair(PAIRED_IN_A_MONTH), *removes("cleo", 9)], NOW) == []


@given(st.lists(found, max_size=40))
def test_who_only_protects_is_never_noticed(findings: list[Found]) -> None:
    protecting = [one for one in findings if one.verdict is not Verdict.NOT_UPHELD]
    assert unusual(protecting, NOW) == []


@given(st.lists(found, max_size=40))
def test_what_is_older_than_a_month_or_yet_to_come_says_nothing(findings: list[Found]) -> None:
    kept = [one for one in findings if NOW - WATCHED_FOR <= one.at <= NOW]
    assert unusual(findings, NOW) == unusual(kept, NOW)


@given(st.lists(found, max_size=40), st.randoms())
def test_the_order_in_which_they_are_read_does_not_matter(findings: list[Found], chance: object) -> None:
    mixed = list(findings)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert unusual(mixed, NOW) == unusual(findings, NOW)


@pytest.mark.parametrize("kind", Kind)
def test_an_alarm_names_what_and_whom(kind: Kind) -> None:
    assert Unusual(kind=kind, people=("ada", "ben"), number=5).about == f"{kind}:ada+ben"
