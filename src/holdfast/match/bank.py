# SPDX-License-Identifier: Apache-2.0
"""A bank: a named set of entries with a source, a meaning, a threshold and an action.

`decide` and `evolve` are pure; time and identity are passed in. A bank is told apart by its name,
an entry by its id. Nothing is ever deleted: what leaves a bank is *removed* by an event, and
adding it again makes a new entry.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.errors import InvalidName, InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.match.signal import Signal

DEFAULT_THRESHOLD: Final = 31  # of 256 bits, at most: the operating point PDQ's authors recommend
HIGHEST_THRESHOLD: Final = 64
LONGEST_TEXT: Final = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Action(StrEnum):
    """What a match with the bank leads to."""

    HOLD = "hold"
    """Not published."""
    REVIEW = "review"
    """Not published until a person has looked."""
    IGNORE = "ignore"
    """Recorded only; the answer is as if the bank were not there."""


class BankState(StrEnum):
    """Whether a bank takes part in screening."""

    ACTIVE = "active"
    DISABLED = "disabled"


class EntryState(StrEnum):
    """Whether an entry takes part in screening."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A named set of signals, where they come from and what a match means."""

    name: str
    meaning: str
    source: str
    threshold: int
    action: Action
    state: BankState


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One known item: its signals, and where the knowledge comes from."""

    id: str
    bank: str
    signals: tuple[Signal, ...]
    provenance: str
    state: EntryState


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBank:
    """Make a bank."""

    name: str
    meaning: str
    source: str
    threshold: int = DEFAULT_THRESHOLD
    action: Action = Action.HOLD


@dataclass(frozen=True, slots=True)
class DisableBank:
    """Take the whole bank out of screening."""


@dataclass(frozen=True, slots=True)
class EnableBank:
    """Put the bank back into screening."""


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


BankCommand = CreateBank | DisableBank | EnableBank
EntryCommand = AddEntry | DisableEntry | EnableEntry | RemoveEntry


# --- events


@event("bank.created")
@dataclass(frozen=True, slots=True, kw_only=True)
class BankCreated(Event):
    """A bank was made; it is active at once."""

    name: str
    meaning: str
    source: str
    threshold: int
    action: Action


@event("bank.disabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class BankDisabled(Event):
    """A bank was taken out of screening; its entries no longer match. This weakens protection."""


@event("bank.enabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class BankEnabled(Event):
    """A bank was put back into screening."""


@event("bank.entry.added")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAdded(Event):
    """A known item was added to a bank, with its signals and where the knowledge comes from."""

    bank: str
    signals: tuple[Signal, ...]
    provenance: str


@event("bank.entry.disabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDisabled(Event):
    """An entry was taken out of screening for now. This weakens protection."""


@event("bank.entry.enabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEnabled(Event):
    """A disabled entry was put back into screening."""


@event("bank.entry.removed")
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRemoved(Event):
    """An entry was taken out of its bank for good. This weakens protection."""

    because: str


# --- the tables: (state before, command) -> state after; None is "does not exist yet"

BANK_TRANSITIONS: Final[Mapping[tuple[BankState | None, type], BankState]] = {
    (None, CreateBank): BankState.ACTIVE,
    (BankState.ACTIVE, DisableBank): BankState.DISABLED,
    (BankState.DISABLED, EnableBank): BankState.ACTIVE,
}

ENTRY_TRANSITIONS: Final[Mapping[tuple[EntryState | None, type], EntryState]] = {
    (None, AddEntry): EntryState.ACTIVE,
    (EntryState.ACTIVE, DisableEntry): EntryState.DISABLED,
    (EntryState.DISABLED, EnableEntry): EntryState.ACTIVE,
    (EntryState.ACTIVE, RemoveEntry): EntryState.REMOVED,
    (EntryState.DISABLED, RemoveEntry): EntryState.REMOVED,
}


# --- deciders


def decide_bank(bank: Bank | None, command: BankCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the bank as it stands.

    Raises InvalidName or InvalidRequest for a command that could never be carried out.
    """
    if (bank and bank.state, type(command)) not in BANK_TRANSITIONS:
        if bank and isinstance(command, CreateBank):
            return Refusal("bank.exists", f"there is already a bank named {bank.name}")
        return _not_in_this_state("bank", bank.state if bank else None)
    match command:
        case CreateBank():
            _check_new_bank(command)
            return [
                BankCreated(
                    name=command.name,
                    meaning=command.meaning.strip(),
                    source=command.source.strip(),
                    threshold=command.threshold,
                    action=command.action,
                )
            ]
        case DisableBank():
            return [BankDisabled()]
        case EnableBank():
            return [BankEnabled()]


def evolve_bank(bank: Bank | None, happened: Event) -> Bank:
    """The bank after `happened`.

    Raises ValueError for an event that no bank in this state can have.
    """
    match bank, happened:
        case None, BankCreated():
            return Bank(
                name=happened.name,
                meaning=happened.meaning,
                source=happened.source,
                threshold=happened.threshold,
                action=happened.action,
                state=BankState.ACTIVE,
            )
        case Bank(state=BankState.ACTIVE), BankDisabled():
            return replace(bank, state=BankState.DISABLED)
        case Bank(state=BankState.DISABLED), BankEnabled():
            return replace(bank, state=BankState.ACTIVE)
    message = f"no bank can have {happened.tag!r} here"
    raise ValueError(message)


def decide_entry(entry: Entry | None, command: EntryCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the entry as it stands.

    Raises InvalidRequest for a command that could never be carried out.
    """
    if (entry and entry.state, type(command)) not in ENTRY_TRANSITIONS:
        return _not_in_this_state("entry", entry.state if entry else None)
    match command:
        case AddEntry():
            _check_new_entry(command)
            return [EntryAdded(bank=command.bank, signals=command.signals, provenance=command.provenance.strip())]
        case DisableEntry():
            return [EntryDisabled()]
        case EnableEntry():
            return [EntryEnabled()]
        case RemoveEntry():
            _check_text("because", command.because)
            return [EntryRemoved(because=command.because.strip())]


def evolve_entry(entry: Entry | None, entry_id: str, happened: Event) -> Entry:
    """The entry after `happened`.

    Raises ValueError for an event that no entry in this state can have.
    """
    match entry, happened:
        case None, EntryAdded():
            return Entry(
                id=entry_id,
                bank=happened.bank,
                signals=happened.signals,
                provenance=happened.provenance,
                state=EntryState.ACTIVE,
            )
        case Entry(state=EntryState.ACTIVE), EntryDisabled():
            return replace(entry, state=EntryState.DISABLED)
        case Entry(state=EntryState.DISABLED), EntryEnabled():
            return replace(entry, state=EntryState.ACTIVE)
        case Entry(state=EntryState.ACTIVE | EntryState.DISABLED), EntryRemoved():
            return replace(entry, state=EntryState.REMOVED)
    message = f"no entry can have {happened.tag!r} here"
    raise ValueError(message)


def bank_subject(name: str) -> str:
    """The journal's subject for a bank."""
    return f"bank:{name}"


def entry_subject(entry_id: str) -> str:
    """The journal's subject for an entry."""
    return f"entry:{entry_id}"


def _not_in_this_state(noun: str, state: str | None) -> Refusal:
    if state is None:
        return Refusal(f"{noun}.unknown", f"there is no such {noun}")
    return Refusal(f"{noun}.not_in_this_state", f"the {noun} is {state}, and this cannot be done then")


def _check_new_bank(command: CreateBank) -> None:
    if not _NAME.fullmatch(command.name):
        message = "a bank's name"
        raise InvalidName(message)
    _check_text("meaning", command.meaning)
    _check_text("source", command.source)
    if not 0 <= command.threshold <= HIGHEST_THRESHOLD:
        message = f"threshold: between 0 and {HIGHEST_THRESHOLD} of 256 bits"
        raise InvalidRequest(message)


def _check_new_entry(command: AddEntry) -> None:
    _check_text("provenance", command.provenance)
    if not command.signals:
        message = "signals: an entry needs at least one"
        raise InvalidRequest(message)
    if len(set(command.signals)) != len(command.signals):
        message = "signals: the same one twice"
        raise InvalidRequest(message)


def _check_text(field: str, text: str) -> None:
    fault = fault_in(text)
    if fault:
        message = f"{field}: {fault}"
        raise InvalidRequest(message)


def fault_in(text: str) -> str | None:
    """What makes a text unusable as a meaning, source, reason or provenance; None if nothing does."""
    if not 0 < len(text.strip()) <= LONGEST_TEXT:
        return f"between 1 and {LONGEST_TEXT} characters"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text.strip()):
        return "no control characters"
    return None
