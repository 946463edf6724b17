# SPDX-License-Identifier: Apache-2.0
"""An address shows one picture to one person, once and soon; steps are taken in order; a day has a budget."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import Refusal
from holdfast.review.look import (
    ADDRESS_LIVES,
    COST,
    NOTHING_HERE,
    QUARTERS,
    Address,
    Picture,
    ShowPicture,
    Viewing,
    ViewingShown,
    affordable,
    check_order,
    day_of,
    decide_viewing,
    evolve_viewing,
    seen_of,
    session_digest,
)
from holdfast.review.viewing import Seen, Step

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
STEPS = st.sampled_from([Step.BLURRED, Step.GREY, Step.CLEAR])


def picture(number: int = 0, step: Step = Step.BLURRED, *, of: int = 3, lasts_ms: int = 0) -> Picture:
    return Picture(
        case="c", review="r", content="post-1", version="1", step=step, number=number, of=of, lasts_ms=lasts_ms
    )


def opening(**changes: object) -> ShowPicture:
    address = Address(picture=picture(), person="ann", session="s", until=NOW + ADDRESS_LIVES)
    plain = ShowPicture(address=address, by="ann", session="s", reached=Step.NOTHING)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def shown(*pictures: Picture) -> list[Viewing]:
    return [Viewing(person="ann", session="s", picture=one) for one in pictures]


def test_whoever_was_given_an_address_is_shown_what_it_says() -> None:
    told = decide_viewing(None, opening(), NOW)
    assert isinstance(told, list)
    (happened,) = told
    assert isinstance(happened, ViewingShown)
    assert (happened.person, happened.step, happened.number, happened.of) == ("ann", Step.BLURRED, 0, 3)
    assert evolve_viewing(None, happened).picture == picture()


@pytest.mark.parametrize(
    ("command", "at"),
    [
        (opening(by="bob"), NOW),
        (opening(session="another"), NOW),
        (opening(by="bob", session="another"), NOW),
        (opening(), NOW + ADDRESS_LIVES),
        (opening(), NOW + timedelta(days=1)),
    ],
    ids=["somebody else", "another session", "both", "at its end", "late"],
)
def test_an_address_that_does_not_open_says_the_same_whatever_keeps_it_shut(command: ShowPicture, at: datetime) -> None:
    assert decide_viewing(None, command, at) == NOTHING_HERE


def test_an_address_is_good_to_its_last_moment() -> None:
    last = NOW + ADDRESS_LIVES - timedelta(microseconds=1)
    assert isinstance(decide_viewing(None, opening(), last), list)


@given(step=STEPS, reached=st.sampled_from(Step))
def test_a_picture_is_shown_only_if_it_was_seen_at_the_step_before(step: Step, reached: Step) -> None:
    address = dataclasses.replace(opening().address, picture=picture(step=step))
    outcome = decide_viewing(None, opening(address=address, reached=reached), NOW)
    order = list(Step)
    if order.index(reached) >= order.index(step) - 1:
        assert isinstance(outcome, list)
    else:
        assert isinstance(outcome, Refusal)
        assert outcome.code == "viewing.step_order"


def test_a_page_is_refused_if_one_of_its_pictures_was_not_seen_before() -> None:
    assert check_order(Step.GREY, [Step.BLURRED, Step.GREY]) is None
    assert check_order(Step.GREY, [Step.BLURRED, Step.NOTHING]) is not None


# --- what somebody has seen


def test_who_was_shown_nothing_has_seen_nothing() -> None:
    assert seen_of([]) == Seen()


def test_one_picture_seen_clearly_and_two_blurred_are_one() -> None:
    found = seen_of(shown(*(picture(n) for n in range(3)), picture(1, Step.GREY)))
    assert found == Seen(step=Step.GREY, pictures=1, of=3)


def test_the_same_picture_twice_is_one() -> None:
    assert seen_of(shown(picture(), picture())).pictures == 1


def test_how_many_there_are_is_what_was_known_last() -> None:
    assert seen_of(shown(picture(of=3), picture(1, of=0))).of == 0


def test_the_seconds_of_a_video_are_those_that_its_pictures_stand_for() -> None:
    found = seen_of(shown(picture(0, lasts_ms=1500), picture(1, lasts_ms=2000), picture(1, lasts_ms=2000)))
    assert found.seconds == 3.5


@given(st.lists(st.tuples(st.integers(0, 9), STEPS), max_size=40))
def test_nobody_has_seen_more_pictures_than_they_were_shown(given: list[tuple[int, Step]]) -> None:
    found = seen_of(shown(*(picture(number, step, of=10) for number, step in given)))
    assert found.pictures <= len({number for number, _ in given}) <= 10
    assert all(found.step.reaches(step) for _, step in given)


# --- the budget


@given(step=STEPS, spent=st.integers(0, 2000), budget=st.integers(1, 500))
def test_what_a_budget_affords_stays_within_it_and_one_more_does_not(step: Step, spent: int, budget: int) -> None:
    more = affordable(step, spent, budget)
    assert more >= 0
    assert more == 0 or spent + more * COST[step] <= budget * QUARTERS
    assert spent + (more + 1) * COST[step] > budget * QUARTERS


def test_the_day_of_a_budget_is_one_of_utc_wherever_somebody_is() -> None:
    late = datetime(2026, 7, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert day_of(late) == datetime(2026, 7, 1, tzinfo=UTC)


def test_what_stands_for_a_session_does_not_hold_it() -> None:
    assert "secret" not in session_digest("secret")
    assert session_digest("secret") == session_digest("secret") != session_digest("another")
