# SPDX-License-Identifier: Apache-2.0
"""The life of a review, with somebody inside who does whatever one person may do, as often as they like."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import Refusal
from holdfast.intake.proof import NotUpheld
from holdfast.review.eligible import Turn
from holdfast.review.finding import Circumstances, Ground, Verdict
from holdfast.review.review import (
    AFTERTHOUGHT,
    About,
    AskPerson,
    Find,
    FindNobodyLeft,
    GiveBack,
    OpenReview,
    Review,
    ReviewConcluded,
    ReviewState,
    StepBack,
    TakeBack,
    decide_review,
    evolve_review,
)
from holdfast.review.weighing import Weighed
from tests.review.making import ALL, NAMES, NOW, finding

HOUR: Final = timedelta(hours=1)
INSIDER: Final = "eve"


def after(review: Review | None, command: Any, at: datetime = NOW) -> Review:
    """The review after a command that must be allowed."""
    events = decide_review(review, command, at)
    assert isinstance(events, list), events
    for happened in events:
        review = evolve_review(review, happened)
    assert review
    return review


def refused(review: Review, command: Any, at: datetime = NOW) -> str:
    refusal = decide_review(review, command, at)
    assert isinstance(refusal, Refusal)
    return refusal.code


def opened() -> Review:
    return after(None, OpenReview(case="cas_1", content="post-1", version="1", about=About.HELD))


def find(by: str, verdict: Verdict) -> Find:
    ground = Ground.SEEN if verdict is Verdict.REMOVE else None
    reason = NotUpheld.NOT_INTIMATE if verdict is Verdict.NOT_UPHELD else None
    return Find(by=by, verdict=verdict, seen=ALL, known=Circumstances(), words="because", ground=ground, reason=reason)


def found(review: Review, by: str, verdict: Verdict, at: datetime = NOW) -> Review:
    """Asked, and found."""
    return after(after(review, AskPerson(person=by, until=at + HOUR), at), find(by, verdict), at)


def test_one_person_removes_and_at_once() -> None:
    review = found(opened(), "ada", Verdict.REMOVE)
    assert (review.state, review.outcome, review.effective_at) == (ReviewState.CONCLUDED, Weighed.REMOVE, NOW)


def test_one_person_who_does_not_uphold_a_report_changes_nothing_but_whose_turn_it_is() -> None:
    review = found(opened(), "ada", Verdict.NOT_UPHELD)
    assert (review.state, review.turn, review.outcome) == (ReviewState.WAITING, Turn.SECOND, None)


def test_two_who_do_not_uphold_it_settle_it_and_nothing_follows_for_ten_minutes() -> None:
    review = found(found(opened(), "ada", Verdict.NOT_UPHELD), "ben", Verdict.NOT_UPHELD, NOW + HOUR)
    assert (review.outcome, review.effective_at) == (Weighed.NOT_UPHELD, NOW + HOUR + AFTERTHOUGHT)


def test_where_two_do_not_say_the_same_it_is_a_third_persons_turn_and_then_settled_or_goes_outside() -> None:
    two = found(found(opened(), "ada", Verdict.NOT_UPHELD), "ben", Verdict.UNSURE)
    assert (two.state, two.turn) == (ReviewState.WAITING, Turn.THIRD)
    assert found(two, "cleo", Verdict.REMOVE).outcome is Weighed.REMOVE
    assert found(two, "cleo", Verdict.NOT_UPHELD).outcome is Weighed.NOT_UPHELD
    outside = found(two, "cleo", Verdict.UNSURE)
    assert outside.state is ReviewState.NEEDS_OUTSIDE
    assert found(outside, "dora", Verdict.REMOVE).outcome is Weighed.REMOVE


def test_nobody_is_asked_twice_nor_who_stepped_back_or_decided_before() -> None:
    review = found(opened(), "ada", Verdict.UNSURE)
    assert refused(review, AskPerson(person="ada", until=NOW + HOUR)) == "review.spoke_before"
    review = after(review, StepBack("ben"))
    assert refused(review, AskPerson(person="ben", until=NOW + HOUR)) == "review.recused"
    about = OpenReview(case="cas_1", content="post-1", version="1", about=About.APPEAL, spoke=("cleo",))
    assert refused(after(None, about), AskPerson(person="cleo", until=NOW + HOUR)) == "review.spoke_before"


def test_only_who_is_asked_may_find_and_only_in_their_time() -> None:
    review = after(opened(), AskPerson(person="ada", until=NOW + HOUR))
    assert refused(review, find("ben", Verdict.REMOVE)) == "review.not_asked"
    assert refused(review, find("ada", Verdict.REMOVE), NOW + HOUR) == "review.turn_over"


def test_who_gives_it_back_is_not_blamed_and_may_be_asked_again() -> None:
    review = after(after(opened(), AskPerson(person="ada", until=NOW + HOUR)), GiveBack("ada"))
    assert (review.state, review.asked, review.spoke, review.recused) == (
        ReviewState.WAITING,
        None,
        frozenset(),
        frozenset(),
    )
    assert after(review, AskPerson(person="ada", until=NOW + HOUR)).asked == "ada"


def test_where_nobody_is_left_it_waits_for_somebody_from_outside_and_stays_held() -> None:
    review = after(found(opened(), "ada", Verdict.NOT_UPHELD), FindNobodyLeft())
    assert (review.state, review.outcome) == (ReviewState.NEEDS_OUTSIDE, None)


def test_a_word_toward_release_is_taken_back_in_time_and_a_word_toward_protection_only_for_ten_minutes() -> None:
    released = found(found(opened(), "ada", Verdict.NOT_UPHELD), "ben", Verdict.NOT_UPHELD)
    back = after(released, TakeBack("ben"), NOW + timedelta(days=30))
    assert (back.state, back.outcome, back.turn) == (ReviewState.WAITING, None, Turn.SECOND)
    removed = found(opened(), "ada", Verdict.REMOVE)
    assert refused(removed, TakeBack("ada"), NOW + AFTERTHOUGHT) == "review.too_late"
    assert after(removed, TakeBack("ada"), NOW + AFTERTHOUGHT - timedelta(seconds=1)).turn is Turn.FIRST


def test_what_others_found_settles_it_still_when_one_of_them_takes_theirs_back() -> None:
    review = found(found(found(opened(), "ada", Verdict.UNSURE), "ben", Verdict.REMOVE), "cleo", Verdict.REMOVE)
    assert after(review, TakeBack("ada")).outcome is Weighed.REMOVE


def test_taking_back_what_removed_nothing_does_not_undo_what_somebody_else_removed() -> None:
    two = found(found(opened(), "eve", Verdict.UNSURE), "ada", Verdict.NOT_UPHELD)
    removed = found(two, "cleo", Verdict.REMOVE)
    assert refused(removed, TakeBack("eve"), NOW + timedelta(days=30)) == "review.settled"


def test_whoever_is_asked_keeps_their_turn_when_another_takes_theirs_back() -> None:
    asked = after(found(opened(), "eve", Verdict.UNSURE), AskPerson(person="ben", until=NOW + HOUR))
    still = after(asked, TakeBack("eve"))
    assert (still.state, still.asked, still.turn) == (ReviewState.ASKED, "ben", Turn.FIRST)
    assert after(still, find("ben", Verdict.REMOVE)).outcome is Weighed.REMOVE


def test_that_a_child_asked_is_all_that_is_said_only_where_nothing_was_found() -> None:
    def removed(*grounds: Ground) -> ReviewConcluded:
        review = after(opened(), AskPerson(person="ada", until=NOW + HOUR))
        others = tuple(finding(Verdict.REMOVE, by, ground=one) for by, one in zip(NAMES[1:], grounds[1:], strict=False))
        events = decide_review(
            replace(review, findings=others), replace(find("ada", Verdict.REMOVE), ground=grounds[0]), NOW
        )
        assert isinstance(events, list)
        (concluded,) = (one for one in events if isinstance(one, ReviewConcluded))
        return concluded

    assert removed(Ground.ASKED_BY_CHILD).ground is Ground.ASKED_BY_CHILD
    assert removed(Ground.ASKED_BY_CHILD, Ground.SEEN).ground is Ground.SEEN
    assert removed(Ground.LIST_MATCH, Ground.ASKED_BY_CHILD).by == ("ben", "ada")


def test_nobody_takes_back_what_another_found() -> None:
    assert refused(found(opened(), "ada", Verdict.REMOVE), TakeBack("ben")) == "review.nothing_found"


steps = st.lists(
    st.one_of(
        st.builds(find, st.just(INSIDER), st.sampled_from(Verdict)),
        st.builds(
            find, st.sampled_from(NAMES), st.sampled_from([Verdict.REMOVE, Verdict.UNSURE, Verdict.CANNOT_ASSESS])
        ),
        st.builds(AskPerson, person=st.sampled_from([INSIDER, *NAMES]), until=st.just(NOW + 100 * HOUR)),
        st.builds(StepBack, st.just(INSIDER)),
        st.builds(GiveBack, st.sampled_from([INSIDER, *NAMES])),
        st.builds(TakeBack, st.sampled_from([INSIDER, *NAMES])),
        st.just(FindNobodyLeft()),
    ),
    max_size=30,
)


@given(steps, st.lists(st.integers(0, 40), min_size=30, max_size=30))
def test_one_insider_lets_nothing_be_seen_again_whatever_they_do_and_whatever_honest_people_cannot_say(
    story: list[Any], minutes: list[int]
) -> None:
    review, now = opened(), NOW
    for command, passed in zip(story, minutes, strict=False):
        now += timedelta(minutes=passed)
        events = decide_review(review, command, now)
        for happened in events if isinstance(events, list) else ():
            review = evolve_review(review, happened)
        assert review.outcome is not Weighed.NOT_UPHELD


@pytest.mark.parametrize("verdict", Verdict)
def test_every_word_is_refused_without_a_turn(verdict: Verdict) -> None:
    assert refused(opened(), find("ada", verdict)) == "review.not_in_this_state"


def test_a_turn_ends_where_what_the_others_found_settles_it_once_one_of_them_takes_theirs_back() -> None:
    pair = found(found(opened(), "ada", Verdict.UNSURE), "ben", Verdict.REMOVE)
    asked = after(pair, AskPerson(person="cleo", until=NOW + HOUR))
    settled = after(asked, TakeBack("ada"))
    assert (settled.state, settled.outcome, settled.asked) == (ReviewState.CONCLUDED, Weighed.REMOVE, None)
