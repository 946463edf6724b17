# SPDX-License-Identifier: Apache-2.0
"""A sealed subject: whose personal data some sealed records hold, and how it comes to an end.

It can be read, preserved and erased. Preserving (a hold: until a day, or until it is lifted) may be done
by one person; lifting a hold and erasing take two, as all that weakens does. Nothing is erased while a
hold stands on it. Erasure is for good: the data key and every salt
are destroyed, and what the journal committed to stays provable and opens nothing.

`decide_sealed` and `evolve_sealed` are pure; time and identity are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText


class SealedState(StrEnum):
    """Where a sealed subject stands."""

    SEALED = "sealed"
    """Its records can be opened by whoever may."""
    ERASED = "erased"
    """Key and salts are destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preserved:
    """A hold on a record: it must not be erased before `until`, or, without one, before it is lifted."""

    id: str
    until: datetime | None

    def stands(self, now: datetime) -> bool:
        """Whether it forbids erasure at `now`."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSubject:
    """Whose data it is, as it stands."""

    state: SealedState = SealedState.SEALED
    holds: tuple[Preserved, ...] = ()

    def held(self, now: datetime) -> tuple[Preserved, ...]:
        """The holds that stand at `now`."""
        return tuple(hold for hold in self.holds if hold.stands(now))


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSealed:
    """Open records, as someone whose role has to be recorded."""

    reader: str
    role: str
    fields: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreserveSealed:
    """Forbid erasure, until a day or until it is lifted."""

    hold: str
    until: datetime | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftPreservation:
    """End a hold."""

    hold: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseSealed:
    """Destroy everything of this subject."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatErasure:
    """Destroy again what two people, by `proposal`, had destroyed before: it came back with a restored database."""

    proposal: str


SealedCommand = ReadSealed | PreserveSealed | LiftPreservation | EraseSealed | RepeatErasure


# --- events


@event("sealed.read")
@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRead(Event):
    """Sealed records were about to be opened by someone whose role is recorded; written before anything is shown."""

    reader: str
    role: str
    fields: tuple[str, ...]
    because: PrivateText


@event("sealed.preserved")
@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPreserved(Event):
    """A hold was placed: nothing of the subject may be erased before `until`, or before it is lifted."""

    hold: str
    until: datetime | None
    because: PrivateText


@event("sealed.preservation_lifted")
@dataclass(frozen=True, slots=True, kw_only=True)
class PreservationLifted(Event):
    """A hold was ended."""

    hold: str
    because: PrivateText


@event("sealed.erased")
@dataclass(frozen=True, slots=True, kw_only=True)
class SealedErased(Event):
    """The subject's data key and salts were destroyed. `again`: by the proposal that had it destroyed before."""

    again: str | None


# --- the table: (state before, command) -> state after. A subject is born sealed, with its first record.

SEALED_TRANSITIONS: Final[Mapping[tuple[SealedState, type], SealedState]] = {
    (SealedState.SEALED, ReadSealed): SealedState.SEALED,
    (SealedState.SEALED, PreserveSealed): SealedState.SEALED,
    (SealedState.SEALED, LiftPreservation): SealedState.SEALED,
    (SealedState.SEALED, EraseSealed): SealedState.ERASED,
    (SealedState.SEALED, RepeatErasure): SealedState.ERASED,
}


def decide_sealed(subject: SealedSubject, command: SealedCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the subject as it stands at `now`.

    Raises InvalidRequest for a command that could never be carried out.
    """
    if (subject.state, type(command)) not in SEALED_TRANSITIONS:
        return Refusal("sealed.not_in_this_state", f"the subject is {subject.state}, and this cannot be done then")
    refusal = _refusal(subject, command, now)
    return refusal if refusal is not None else [_event(command, now)]


def evolve_sealed(subject: SealedSubject, happened: Event) -> SealedSubject:
    """The subject after `happened`.

    Raises ValueError for an event that no subject in this state can have.
    """
    match subject.state, happened:
        case SealedState.SEALED, SealedRead():
            return subject
        case SealedState.SEALED, SealedPreserved(hold=hold, until=until):
            return replace(subject, holds=(*subject.holds, Preserved(id=hold, until=until)))
        case SealedState.SEALED, PreservationLifted(hold=hold):
            return replace(subject, holds=tuple(one for one in subject.holds if one.id != hold))
        case SealedState.SEALED, SealedErased():
            return replace(subject, state=SealedState.ERASED, holds=())
    message = f"no sealed subject can have {happened.tag!r} here"
    raise ValueError(message)


def sealed_subject(subject_id: str) -> str:
    """The journal's subject for a sealed subject."""
    return f"sealed:{subject_id}"


def _refusal(subject: SealedSubject, command: SealedCommand, now: datetime) -> Refusal | None:
    """Which rule says no, if one does."""
    standing = {one.id for one in subject.holds}
    match command:
        case PreserveSealed() if command.hold in standing:
            return Refusal("sealed.unchanged", "this hold stands on it already")
        case LiftPreservation() if command.hold not in standing:
            return Refusal("sealed.not_preserved", "no such hold stands on it")
        case EraseSealed() if held := subject.held(now):
            until = ", ".join(one.until.isoformat() if one.until else "it is lifted" for one in held)
            return Refusal("sealed.preserved", f"a hold stands on it until {until}")
    return None


def _event(command: SealedCommand, now: datetime) -> Event:
    match command:
        case ReadSealed():
            reason = _words(command.because)
            return SealedRead(reader=command.reader, role=command.role, fields=command.fields, because=reason)
        case PreserveSealed():
            if command.until is not None and command.until <= now:
                raise InvalidRequest("until: a time that is still to come")
            return SealedPreserved(hold=command.hold, until=command.until, because=_words(command.because))
        case LiftPreservation():
            return PreservationLifted(hold=command.hold, because=_words(command.because))
        case EraseSealed():
            _words(command.because)  # the proposal keeps them: of the subject nothing stays
            return SealedErased(again=None)
        case RepeatErasure():
            return SealedErased(again=command.proposal)


def _words(text: str) -> str:
    check_text("because", text)
    return text.strip()
