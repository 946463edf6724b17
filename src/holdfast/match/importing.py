# SPDX-License-Identifier: Apache-2.0
"""An import: a file's entries, staged unseen, published by one short commit, rolled back by another.

While an import is being staged, nothing of it matches, is listed, counted or exported. The journal
does not repeat a million entries: the event of the publication carries how many there are and the
SHA-256 over their signals, sorted, so that it commits to exactly these. What happens to one entry
later is journaled under that entry, as its first event.

`decide_import` and `evolve_import` are pure; time and identity are passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

from holdfast.errors import Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.match.entry import read_only_refusal
from holdfast.sealed.text import PrivateText

PATIENCE: Final = timedelta(minutes=15)
"""A staged import without a sign of life for so long is given up; a batch takes about a second."""
MOST_BAD_LINES: Final = 1000
"""How many refused lines are told one by one; all are counted."""


class ImportState(StrEnum):
    """How far an import has come."""

    STAGING = "staging"
    """Being written; invisible."""
    PUBLISHED = "published"
    """Its entries count."""
    ROLLED_BACK = "rolled_back"
    """Its entries counted once and no longer do."""
    ABANDONED = "abandoned"
    """It did not get to its end; nothing of it ever counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file's way into one bank."""

    id: str
    bank: str
    source: str
    state: ImportState


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an import holds. `digest` is SHA-256 over the lines `type value`, sorted by bytes, each with its end.

    The frame of a video stands as `hash,number,milliseconds,quality`.
    """

    entries: int
    signals: int
    refused: int
    digest: str


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginImport:
    """Begin to stage what a file holds."""

    bank: str
    source: str
    from_exchange: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishImport:
    """Let all of it count."""

    contents: Contents


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackImport:
    """Let none of it count any more."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonImport:
    """Give up what was never published."""

    because: str


ImportCommand = BeginImport | PublishImport | RollBackImport | AbandonImport


# --- events


@event("bank.import.begun")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBegun1(Event):
    """As it is in schema 2, from before its free text was sealed."""

    bank: str
    source: str
    from_exchange: bool


@event("bank.import.begun", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBegun(Event):
    """An import began to be staged; nothing of it counts yet."""

    bank: str
    source: PrivateText
    from_exchange: bool


@event("bank.import.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPublished(Event):
    """Everything in an import became part of its bank at once. `digest` commits to its signals."""

    entries: int
    signals: int
    refused: int
    digest: str


@event("bank.import.rolled_back")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRolledBack1(Event):
    """As it is in schema 2, from before its free text was sealed."""

    because: str


@event("bank.import.rolled_back", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRolledBack(Event):
    """Everything in an import left its bank at once."""

    because: PrivateText


@event("bank.import.abandoned")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportAbandoned(Event):
    """An import did not get to its end; nothing of it ever counted."""

    because: str


# --- the table: (state before, command) -> state after; None is "does not exist yet"

IMPORT_TRANSITIONS: Final[Mapping[tuple[ImportState | None, type], ImportState]] = {
    (None, BeginImport): ImportState.STAGING,
    (ImportState.STAGING, PublishImport): ImportState.PUBLISHED,
    (ImportState.PUBLISHED, RollBackImport): ImportState.ROLLED_BACK,
    (ImportState.STAGING, AbandonImport): ImportState.ABANDONED,
}


def decide_import(found: Import | None, command: ImportCommand, *, read_only: bool = False) -> list[Event] | Refusal:
    """What happens when `command` meets the import as it stands; `read_only` if its bank is, to whoever asks.

    Raises InvalidRequest for a command that could never be carried out.
    """
    if found is None and not isinstance(command, BeginImport):
        return Refusal("import.unknown", "there is no such import")
    if (found and found.state, type(command)) not in IMPORT_TRANSITIONS:
        state = found.state if found else None
        return Refusal("import.not_in_this_state", f"the import is {state}, and this cannot be done then")
    match command:
        case BeginImport():
            return read_only_refusal() if read_only and not command.from_exchange else [_begun(command)]
        case PublishImport(contents=contents):
            return [_published(contents)]
        case RollBackImport():
            check_text("because", command.because)
            return read_only_refusal() if read_only else [ImportRolledBack(because=command.because.strip())]
        case AbandonImport():
            return [ImportAbandoned(because=command.because)]


def evolve_import(found: Import | None, import_id: str, happened: Event) -> Import:
    """The import after `happened`.

    Raises ValueError for an event that no import in this state can have.
    """
    match found, happened:
        case None, ImportBegun(bank=bank, source=source) | ImportBegun1(bank=bank, source=source):
            return Import(id=import_id, bank=bank, source=source, state=ImportState.STAGING)
        case Import(state=ImportState.STAGING), ImportPublished():
            return replace(found, state=ImportState.PUBLISHED)
        case Import(state=ImportState.PUBLISHED), ImportRolledBack() | ImportRolledBack1():
            return replace(found, state=ImportState.ROLLED_BACK)
        case Import(state=ImportState.STAGING), ImportAbandoned():
            return replace(found, state=ImportState.ABANDONED)
    message = f"no import can have {happened.tag!r} here"
    raise ValueError(message)


def import_subject(import_id: str) -> str:
    """The journal's subject for an import."""
    return f"import:{import_id}"


def digest_of(sorted_signals: Iterable[tuple[str, str]]) -> tuple[int, str]:
    """How many (type, value) there are, and what the journal keeps of them; they MUST come sorted by their bytes."""
    count, digest = 0, hashlib.sha256()
    for kind, value in sorted_signals:
        digest.update(f"{kind} {value}\n".encode())
        count += 1
    return count, digest.hexdigest()


def _begun(command: BeginImport) -> ImportBegun:
    check_text("source", command.source)
    return ImportBegun(bank=command.bank, source=command.source.strip(), from_exchange=command.from_exchange)


def _published(contents: Contents) -> ImportPublished:
    return ImportPublished(
        entries=contents.entries, signals=contents.signals, refused=contents.refused, digest=contents.digest
    )
