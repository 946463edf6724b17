# SPDX-License-Identifier: Apache-2.0
"""An entry: one known item of a bank, its signals, and what people think of it.

Nothing is ever deleted: what leaves a bank is *removed* by an event, and adding it again makes a
new entry. Entries of an exchange are read-only to people, who may still give an opinion: a match
with a disputed entry leads to review instead of hold.

`decide_entry` and `evolve_entry` are pure; time and identity are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.match.signal import Signal
from holdfast.sealed.text import PrivateText


class EntryState(StrEnum):
    """Whether an entry takes part in screening."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


class Opinion(StrEnum):
    """What somebody who looked thinks of an entry; the latest one counts."""

    CONFIRMED = "confirmed"
    """It is what the bank means: matches lead to what the bank says."""
    DISPUTED = "disputed"
    """It may not be: matches lead to review at most, and in a benign bank excuse nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One known item: its signals, where the knowledge comes from, and the latest opinion on it."""

    id: str
    bank: str
    signals: tuple[Signal, ...]
    provenance: str
    state: EntryState
    opinion: Opinion | None = None


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEntry:
    """Add one known item."""

    id: str
    bank: str
    signals: tuple[Signal, ...]
    provenance: str


@dataclass(frozen=True, slots=True)
class DisableEntry:
    """Take one entry out of screening for now."""


@dataclass(frozen=True, slots=True)
class EnableEntry:
    """Put a disabled entry back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveEntry:
    """Take one entry out for good."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveOpinion:
    """Say whether the entry is what its bank means."""

    opinion: Opinion
    because: str


EntryCommand = AddEntry | DisableEntry | EnableEntry | RemoveEntry | GiveOpinion


# --- events


@event("bank.entry.added")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAdded1(Event):
    """A known item was added to a bank. The form before there were videos, when no signal had a place in one."""

    bank: str
    signals: tuple[Signal, ...]
    provenance: str


@event("bank.entry.added", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAdded2(Event):
    """As it is in schema 3, from before its free text was sealed."""

    bank: str
    signals: tuple[Signal, ...]
    provenance: str


@event("bank.entry.added", schema=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAdded(Event):
    """A known item was added to a bank, with its signals and where the knowledge comes from."""

    bank: str
    signals: tuple[Signal, ...]
    provenance: PrivateText


@event("bank.entry.disabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDisabled(Event):
    """An entry was taken out of screening for now."""


@event("bank.entry.enabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEnabled(Event):
    """A disabled entry was put back into screening."""


@event("bank.entry.removed")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRemoved1(Event):
    """As it is in schema 2, from before its free text was sealed."""

    because: str


@event("bank.entry.removed", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRemoved(Event):
    """An entry was taken out of its bank for good."""

    because: PrivateText


@event("bank.entry.opinion_given")
@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionGiven1(Event):
    """As it is in schema 2, from before its free text was sealed."""

    opinion: Opinion
    because: str


@event("bank.entry.opinion_given", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionGiven(Event):
    """Somebody confirmed or disputed an entry. While it is disputed, its matches lead to review at most."""

    opinion: Opinion
    because: PrivateText


# --- the table: (state before, command) -> state after; None is "does not exist yet"

ENTRY_TRANSITIONS: Final[Mapping[tuple[EntryState | None, type], EntryState]] = {
    (None, AddEntry): EntryState.ACTIVE,
    (EntryState.ACTIVE, DisableEntry): EntryState.DISABLED,
    (EntryState.DISABLED, EnableEntry): EntryState.ACTIVE,
    (EntryState.ACTIVE, RemoveEntry): EntryState.REMOVED,
    (EntryState.DISABLED, RemoveEntry): EntryState.REMOVED,
    (EntryState.ACTIVE, GiveOpinion): EntryState.ACTIVE,
    (EntryState.DISABLED, GiveOpinion): EntryState.DISABLED,
}


def decide_entry(entry: Entry | None, command: EntryCommand, *, read_only: bool = False) -> list[Event] | Refusal:
    """What happens when `command` meets the entry as it stands; `read_only` if its bank is, to whoever asks.

    Raises InvalidRequest for a command that could never be carried out.
    """
    refusal = _refusal(entry, command, read_only=read_only)
    if refusal is not None:
        return refusal
    match command:
        case AddEntry():
            _check_new_entry(command)
            return [EntryAdded(bank=command.bank, signals=command.signals, provenance=command.provenance.strip())]
        case DisableEntry():
            return [EntryDisabled()]
        case EnableEntry():
            return [EntryEnabled()]
        case RemoveEntry():
            check_text("because", command.because)
            return [EntryRemoved(because=command.because.strip())]
        case GiveOpinion():
            check_text("because", command.because)
            return [OpinionGiven(opinion=command.opinion, because=command.because.strip())]


def evolve_entry(entry: Entry | None, entry_id: str, happened: Event) -> Entry:
    """The entry after `happened`.

    Raises ValueError for an event that no entry in this state can have.
    """
    match entry, happened:
        case None, EntryAdded() | EntryAdded2() | EntryAdded1():
            return _made(entry_id, happened)
        case Entry(state=EntryState.ACTIVE), EntryDisabled():
            return replace(entry, state=EntryState.DISABLED)
        case Entry(state=EntryState.DISABLED), EntryEnabled():
            return replace(entry, state=EntryState.ACTIVE)
        case Entry(state=EntryState.ACTIVE | EntryState.DISABLED), EntryRemoved() | EntryRemoved1():
            return replace(entry, state=EntryState.REMOVED)
        case Entry(state=EntryState.ACTIVE | EntryState.DISABLED), OpinionGiven() | OpinionGiven1():
            return replace(entry, opinion=happened.opinion)
    message = f"no entry can have {happened.tag!r} here"
    raise ValueError(message)


def entry_subject(entry_id: str) -> str:
    """The journal's subject for an entry."""
    return f"entry:{entry_id}"


def read_only_refusal() -> Refusal:
    """The "no" to whoever would change what an exchange keeps."""
    because = "the bank mirrors an exchange, which alone changes its entries; give an opinion, or disable the bank"
    return Refusal("bank.read_only", because)


def _made(entry_id: str, happened: EntryAdded | EntryAdded2 | EntryAdded1) -> Entry:
    return Entry(
        id=entry_id,
        bank=happened.bank,
        signals=happened.signals,
        provenance=happened.provenance,
        state=EntryState.ACTIVE,
    )


def _refusal(entry: Entry | None, command: EntryCommand, *, read_only: bool) -> Refusal | None:
    """Which rule says no, if one does."""
    if entry is None and not isinstance(command, AddEntry):
        return Refusal("entry.unknown", "there is no such entry")
    if read_only and not isinstance(command, GiveOpinion):
        return read_only_refusal()
    if (entry and entry.state, type(command)) not in ENTRY_TRANSITIONS:
        state = entry.state if entry else None
        return Refusal("entry.not_in_this_state", f"the entry is {state}, and this cannot be done then")
    return None


def _check_new_entry(command: AddEntry) -> None:
    check_text("provenance", command.provenance)
    if not command.signals:
        message = "signals: an entry needs at least one"
        raise InvalidRequest(message)
    if len(set(command.signals)) != len(command.signals):
        message = "signals: the same one twice"
        raise InvalidRequest(message)
