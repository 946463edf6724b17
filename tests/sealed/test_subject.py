# SPDX-License-Identifier: Apache-2.0
"""Nothing is erased by one person, nor while a hold stands; and the whole table is walked."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event
from holdfast.sealed.subject import (
    SEALED_TRANSITIONS,
    AskErasure,
    EraseSealed,
    LiftPreservation,
    Preserved,
    PreserveSealed,
    ReadSealed,
    RepeatErasure,
    SealedCommand,
    SealedErased,
    SealedState,
    SealedSubject,
    WithdrawErasure,
    decide_sealed,
    evolve_sealed,
)

NOW = datetime(2026, 7, 1, tzinfo=UTC)
HOLD = Preserved(id="hld_1", until=None)
COMMANDS: tuple[SealedCommand, ...] = (
    ReadSealed(reader="anna", role="identity", fields=("uploader",), because="a report"),
    PreserveSealed(hold="hld_2", until=NOW + timedelta(days=90), because="police"),
    LiftPreservation(hold="hld_1", asked_by="anna", agreed_by="ben", because="over"),
    AskErasure(asked_by="anna", because="asked to"),
    WithdrawErasure(by="ben", because="no"),
    EraseSealed(asked_by="anna", agreed_by="ben"),
    RepeatErasure(asked_by="anna", agreed_by="ben"),
)
HELD = {SealedState.SEALED: (HOLD,), SealedState.ERASING: (), SealedState.ERASED: ()}
PEOPLE = st.sampled_from(["anna", "ben", "cleo"])


def standing(state: SealedState, *, held: bool) -> SealedSubject:
    asked_by = "anna" if state is not SealedState.SEALED else None
    return SealedSubject(state=state, holds=(HOLD,) if held else (), asked_by=asked_by)


def decided(subject: SealedSubject, command: SealedCommand, now: datetime = NOW) -> list[Event]:
    events = decide_sealed(subject, command, now)
    assert not isinstance(events, Refusal), events
    return events


def refused(subject: SealedSubject, command: SealedCommand, now: datetime = NOW) -> str:
    refusal = decide_sealed(subject, command, now)
    assert isinstance(refusal, Refusal)
    return refusal.code


@pytest.mark.parametrize("state", SealedState)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
def test_every_state_and_command_is_as_the_table_says(state: SealedState, command: SealedCommand) -> None:
    subject = standing(state, held=isinstance(command, LiftPreservation))
    expected = SEALED_TRANSITIONS.get((state, type(command)))
    if expected is None:
        assert refused(subject, command) == "sealed.not_in_this_state"
        return
    (happened,) = decided(subject, command)
    assert evolve_sealed(subject, happened).state is expected


@pytest.mark.parametrize("state", SealedState)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
def test_an_event_that_cannot_have_happened_is_refused_when_folded(state: SealedState, command: SealedCommand) -> None:
    origin = next(before for before, kind in SEALED_TRANSITIONS if kind is type(command))
    (happened,) = decided(standing(origin, held=isinstance(command, LiftPreservation)), command)
    if (state, type(command)) in SEALED_TRANSITIONS or (isinstance(happened, SealedErased) and state != "erased"):
        assert evolve_sealed(standing(state, held=False), happened)
        return
    with pytest.raises(ValueError, match="no sealed subject"):
        evolve_sealed(standing(state, held=False), happened)


@given(PEOPLE, PEOPLE, PEOPLE)
def test_erasure_takes_the_one_who_asked_and_another(asked: str, claimed: str, agreed: str) -> None:
    asked_for = evolve_sealed(SealedSubject(), decided(SealedSubject(), AskErasure(asked_by=asked, because="x"))[0])
    outcome = decide_sealed(asked_for, EraseSealed(asked_by=claimed, agreed_by=agreed), NOW)
    assert isinstance(outcome, list) == (claimed == asked and agreed != asked)


@pytest.mark.parametrize("state", [SealedState.SEALED, SealedState.ERASING])
@given(
    until=st.none() | st.timedeltas(timedelta(0), timedelta(days=400)).map(lambda days: NOW + days), ago=st.integers(1)
)
def test_nothing_is_asked_for_or_erased_while_a_hold_stands(
    state: SealedState, until: datetime | None, ago: int
) -> None:
    subject = dataclasses.replace(standing(state, held=False), holds=(Preserved(id="h", until=until),))
    command = AskErasure(asked_by="anna", because="x") if state is SealedState.SEALED else COMMANDS[5]
    before = (until or NOW) - timedelta(microseconds=min(ago, 10**15))
    assert refused(subject, command, before) == "sealed.preserved"
    if until is None:
        assert refused(subject, command, NOW + timedelta(days=36_500)) == "sealed.preserved"
    else:
        assert decided(subject, command, until)


def test_a_hold_may_be_placed_even_after_erasure_was_asked_for() -> None:
    asked = standing(SealedState.ERASING, held=False)
    held = evolve_sealed(asked, decided(asked, COMMANDS[1])[0])
    assert refused(held, COMMANDS[5]) == "sealed.preserved"


def test_one_person_alone_lifts_no_hold() -> None:
    alone = LiftPreservation(hold="hld_1", asked_by="anna", agreed_by="anna", because="x")
    assert refused(standing(SealedState.SEALED, held=True), alone) == "sealed.same_person"


def test_a_hold_is_placed_once_and_lifted_only_if_it_stands() -> None:
    held = standing(SealedState.SEALED, held=True)
    assert refused(held, PreserveSealed(hold="hld_1", until=None, because="x")) == "sealed.unchanged"
    assert refused(standing(SealedState.SEALED, held=False), COMMANDS[2]) == "sealed.not_preserved"


def test_a_hold_that_is_over_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="until"):
        decide_sealed(SealedSubject(), PreserveSealed(hold="h", until=NOW, because="x"), NOW)


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if hasattr(one, "because")], ids=lambda one: str(type(one))
)
def test_a_reason_is_asked_for(command: SealedCommand) -> None:
    state = SealedState.ERASING if isinstance(command, WithdrawErasure) else SealedState.SEALED
    without = dataclasses.replace(command, because="  ")  # type: ignore[arg-type]  # those that have one
    with pytest.raises(InvalidRequest, match="because"):
        decide_sealed(standing(state, held=isinstance(command, LiftPreservation)), without, NOW)
