# SPDX-License-Identifier: Apache-2.0
"""What an order may hold, how tries end, and who may decide what. Where: tests/test_deciders.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.effect.backoff import FIRST, LONGEST, pause
from holdfast.effect.effect import (
    AskToGiveUpEffect,
    Effect,
    EffectDone,
    EffectEnqueued,
    EffectFailed,
    EffectQuarantined,
    EffectState,
    EnqueueEffect,
    FailEffect,
    GiveUpEffect,
    LoseEffect,
    MarkEffectLate,
    PayloadId,
    RetryEffect,
    Weight,
    decide_effect,
    evolve_effect,
)
from holdfast.errors import InvalidRequest
from tests.effect.making import NOW, order
from tests.match.deciding import UNWRITABLE, decided, refused

LEASED = Effect(order=order(), state=EffectState.LEASED, tries=1)
STUCK = Effect(order=order(), state=EffectState.QUARANTINED, tries=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("item", text) for text in ("", "x" * 256, *UNWRITABLE)],
        *[("location", text) for text in ("", "a\nb")],
        *[("kind", text) for text in ("", "Webhook", "web hook", "1.x", "x.")],
        ("payload", (PayloadId("content", "a name with spaces"),)),
        ("payload", (PayloadId("Content", "x"),)),
        ("payload", (PayloadId("a", "x"), PayloadId("a", "y"))),
        ("most_tries", 0),
        ("deadline", NOW.replace(tzinfo=None)),
        ("owner", " "),
    ],
)
def test_an_order_that_could_never_be_carried_out_is_refused_by_its_field(field: str, value: Any) -> None:
    changed: dict[str, Any] = {field: value}
    with pytest.raises(InvalidRequest, match=field):
        decide_effect(None, EnqueueEffect(replace(order(), **changed)), NOW)


def test_what_is_owed_is_told_whole() -> None:
    (told,) = decided(decide_effect(None, EnqueueEffect(order()), NOW))
    assert isinstance(told, EffectEnqueued)
    assert evolve_effect(None, told) == Effect(order=order(), state=EffectState.WAITING)


@given(tries=st.integers(1, 9), most=st.integers(1, 9), lost=st.booleans())
def test_a_try_that_fails_or_is_lost_is_followed_by_another_until_they_are_used_up(
    tries: int, most: int, lost: bool
) -> None:
    effect = replace(LEASED, order=order(most_tries=most), tries=tries)
    (happened,) = decided(decide_effect(effect, LoseEffect() if lost else FailEffect("x"), NOW))
    assert isinstance(happened, EffectQuarantined if tries >= most else EffectFailed)


def test_a_journal_that_tells_of_no_leases_leads_to_the_same_end() -> None:
    waiting = replace(LEASED, state=EffectState.WAITING, tries=0)
    assert evolve_effect(waiting, EffectDone(tries=2)) == evolve_effect(LEASED, EffectDone(tries=2))


@pytest.mark.parametrize("weight", Weight)
def test_only_a_release_that_something_protective_passed_is_not_retried(weight: Weight) -> None:
    effect = replace(STUCK, order=order(weight=weight))
    assert decided(decide_effect(effect, RetryEffect("mended"), NOW))
    outcome = decide_effect(effect, RetryEffect("mended", overtaken=True), NOW)
    if weight is Weight.RELEASING:
        assert refused(outcome).code == "effect.overtaken"
    else:
        assert decided(outcome)


def test_nobody_gives_up_alone_what_is_owed() -> None:
    (asked,) = decided(decide_effect(STUCK, AskToGiveUpEffect("ann", "gone"), NOW))
    asking = evolve_effect(STUCK, asked)
    assert refused(decide_effect(asking, GiveUpEffect("ann", "yes"), NOW)).code == "effect.same_person"
    (given_up,) = decided(decide_effect(asking, GiveUpEffect("bob", "yes"), NOW))
    assert evolve_effect(asking, given_up).state is EffectState.GIVEN_UP


@pytest.mark.parametrize("text", ["", " ", *UNWRITABLE], ids=ascii)
def test_every_decision_of_a_person_has_a_reason_that_can_be_kept(text: str) -> None:
    asking = replace(STUCK, state=EffectState.GIVING_UP, asked_by="ann")
    for effect, command in (
        (STUCK, RetryEffect(text)),
        (STUCK, AskToGiveUpEffect("ann", text)),
        (asking, GiveUpEffect("bob", text)),
    ):
        with pytest.raises(InvalidRequest, match="because"):
            decide_effect(effect, command, NOW)


def test_an_effect_is_late_from_its_deadline_on_and_once() -> None:
    due = LEASED.order.deadline
    early = decide_effect(LEASED, MarkEffectLate(), due - timedelta(microseconds=1))
    assert refused(early).code == "effect.not_late"
    (happened,) = decided(decide_effect(LEASED, MarkEffectLate(), due))
    assert refused(decide_effect(evolve_effect(LEASED, happened), MarkEffectLate(), due)).code == "effect.not_late"


@given(tries=st.integers(1, 10_000), seed=st.text(max_size=10))
def test_a_pause_doubles_up_to_a_limit_is_never_twice_as_long_and_follows_from_its_seed(tries: int, seed: str) -> None:
    whole = min(FIRST * (1 << min(tries - 1, 32)), LONGEST)
    assert whole / 2 <= pause(tries, seed) <= whole
    assert pause(tries, seed) == pause(tries, seed)


def test_effects_that_failed_together_are_not_tried_together() -> None:
    assert len({pause(5, f"eff_{number}") for number in range(100)}) == 100
