# SPDX-License-Identifier: Apache-2.0
"""Nothing is erased by one person, nor while a hold stands; and the whole table is walked."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access import sealed_rules as _rules  # noqa: F401  # what takes two is registered there
from holdfast.access.two_people import Agreed, acting
from holdfast.errors import InvalidRequest, Refusal, SecondPersonNeeded
from holdfast.log.event import Event
from holdfast.sealed.subject import (
    SEALED_TRANSITIONS,
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
    decide_sealed,
    evolve_sealed,
)

NOW = datetime(2026, 7, 1, tzinfo=UTC)
HOLD = Preserved(id="hld_1", until=None)
ERASE = EraseSealed(because="asked to")
COMMANDS: tuple[SealedCommand, ...] = (
    ReadSealed(reader="anna", role="identity", fields=("uploader",), because="a report"),
    PreserveSealed(hold="hld_2", until=NOW + timedelta(days=90), because="police"),
    LiftPreservation(hold="hld_1", because="over"),
    ERASE,
    RepeatErasure(proposal="pro_1"),
)


def standing(state: SealedState, *, held: bool) -> SealedSubject:
    return SealedSubject(state=state, holds=(HOLD,) if held else ())


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


@given(
    until=st.none() | st.timedeltas(timedelta(0), timedelta(days=400)).map(lambda days: NOW + days), ago=st.integers(1)
)
def test_nothing_is_erased_while_a_hold_stands(until: datetime | None, ago: int) -> None:
    subject = SealedSubject(holds=(Preserved(id="h", until=until),))
    before = (until or NOW) - timedelta(microseconds=min(ago, 10**15))
    assert refused(subject, ERASE, before) == "sealed.preserved"
    if until is None:
        assert refused(subject, ERASE, NOW + timedelta(days=36_500)) == "sealed.preserved"
    else:
        assert decided(subject, ERASE, until)


@pytest.mark.parametrize("command", [ERASE, COMMANDS[2]], ids=["erase", "lift"])
def test_what_makes_something_disappear_takes_two(command: SealedCommand) -> None:
    subject = standing(SealedState.SEALED, held=True)
    with pytest.raises(SecondPersonNeeded):
        acting("cli:anna", command, subject, subject="sealed:sub_1", version=0)
    assert acting(Agreed("pro_1"), command, subject, subject="sealed:sub_1", version=0) == "proposal:pro_1"


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
    without = dataclasses.replace(command, because="  ")  # type: ignore[arg-type]  # those that have one
    with pytest.raises(InvalidRequest, match="because"):
        decide_sealed(standing(SealedState.SEALED, held=isinstance(command, LiftPreservation)), without, NOW)
