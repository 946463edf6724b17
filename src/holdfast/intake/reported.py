# SPDX-License-Identifier: Apache-2.0
"""One thing that a report names, and whether it was found at the platform. What was not found stays as work.

An address is asked of the platform until the answer is known. None, or several, is no end: a person looks,
and whoever reported is told that help is needed. A description, and a hash without a picture, are for a person.

`decide_reported` and `evolve_reported` are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import InvalidRequest, Refusal
from holdfast.intake.reporter import ItemKind, UploaderIs
from holdfast.log.event import Event, event
from holdfast.log.text import check_story
from holdfast.sealed.text import PrivateText

LONGEST_ADDRESS: Final = 2000


class ReportedState(StrEnum):
    """Whether it was found."""

    NAMED = "named"
    """The platform is being asked."""
    RESOLVED = "resolved"
    """It is this version of this item, which belongs to a case."""
    AMBIGUOUS = "ambiguous"
    """It may be any of several; a person says which."""
    UNRESOLVED = "unresolved"
    """The platform knows nothing by it; a person helps."""
    FOR_PERSON = "for_person"
    """Only a person can find it: it was described, or is a hash."""
    ELSEWHERE = "elsewhere"
    """It is on another platform."""
    GONE = "gone"
    """It was found, and is not there any more."""


OPEN: Final = frozenset(
    {ReportedState.NAMED, ReportedState.AMBIGUOUS, ReportedState.UNRESOLVED, ReportedState.FOR_PERSON}
)
"""Somebody has to do something before it is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One thing that a report names."""

    report: str
    kind: ItemKind
    uploader_is: UploaderIs
    state: ReportedState
    content: str | None = None
    version: str | None = None
    case: str | None = None


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class NameItem:
    """Name it."""

    report: str
    kind: ItemKind
    address: str
    """An address, a reference, a hash, or a description, as it was typed."""
    uploader_is: UploaderIs = UploaderIs.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveItem:
    """It is this."""

    content: str
    version: str
    case: str


@dataclass(frozen=True, slots=True)
class FindAmbiguous:
    """It may be any of so many."""

    candidates: int


@dataclass(frozen=True, slots=True)
class FindNowhere:
    """The platform knows nothing by it."""


@dataclass(frozen=True, slots=True)
class LeaveToPerson:
    """No machine can find it."""


@dataclass(frozen=True, slots=True)
class MarkElsewhere:
    """It is on another platform."""


@dataclass(frozen=True, slots=True)
class FindItemGone:
    """It was found, and is not there any more."""


ReportedCommand = (
    NameItem | ResolveItem | FindAmbiguous | FindNowhere | LeaveToPerson | MarkElsewhere | FindItemGone
)  # fmt: skip


# --- events


@event("reported.named")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemNamed(Event):
    """A report names something. How it is named is sealed: an address can hold a person's name."""

    report: str
    kind: ItemKind
    address: PrivateText
    uploader_is: UploaderIs


@event("reported.resolved")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResolved(Event):
    """The platform says which version of which item it is; it belongs to this case."""

    content: str
    version: str
    case: str


@event("reported.ambiguous")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAmbiguous(Event):
    """It may be any of several; a person says which."""

    candidates: int


@event("reported.unresolved")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUnresolved(Event):
    """The platform knows nothing by it. A person helps; it is not dropped."""


@event("reported.for_person")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemForPerson(Event):
    """Only a person can find it."""


@event("reported.elsewhere")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemElsewhere(Event):
    """It is on another platform."""


@event("reported.gone")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemGone(Event):
    """It was found, and is not there any more."""


# --- the table: (state before, command) -> state after; None is "does not exist yet"

_UNFOUND: Final = (*sorted(OPEN), ReportedState.ELSEWHERE)
REPORTED_TRANSITIONS: Final[Mapping[tuple[ReportedState | None, type], ReportedState]] = {
    (None, NameItem): ReportedState.NAMED,
    **{(state, ResolveItem): ReportedState.RESOLVED for state in _UNFOUND},
    **{(state, FindAmbiguous): ReportedState.AMBIGUOUS for state in (ReportedState.NAMED, ReportedState.UNRESOLVED)},
    **{(state, FindNowhere): ReportedState.UNRESOLVED for state in (ReportedState.NAMED, ReportedState.AMBIGUOUS)},
    (ReportedState.NAMED, LeaveToPerson): ReportedState.FOR_PERSON,
    **{(state, MarkElsewhere): ReportedState.ELSEWHERE for state in sorted(OPEN)},
    (ReportedState.RESOLVED, FindItemGone): ReportedState.GONE,
}


def decide_reported(reported: Reported | None, command: ReportedCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the thing named. Raises InvalidRequest for an address that cannot be kept."""
    if (reported and reported.state, type(command)) not in REPORTED_TRANSITIONS:
        state = reported.state if reported else "not there"
        return Refusal("reported.not_in_this_state", f"what was named is {state}, and this cannot be done then")
    return [_event(command)]


def evolve_reported(reported: Reported | None, happened: Event) -> Reported:
    """The thing named after `happened`. Raises ValueError for an event that it cannot have in this state."""
    if reported is None and isinstance(happened, ItemNamed):
        return Reported(
            report=happened.report,
            kind=happened.kind,
            uploader_is=happened.uploader_is,
            state=ReportedState.NAMED,
        )
    if reported is None or (reported.state, type(happened)) not in _POSSIBLE:
        message = f"nothing named can have {happened.tag!r} here"
        raise ValueError(message)
    if isinstance(happened, ItemResolved):
        content, version, case = happened.content, happened.version, happened.case
        return replace(reported, state=ReportedState.RESOLVED, content=content, version=version, case=case)
    return replace(reported, state=_ENDS[type(happened)])


def reported_subject(reported_id: str) -> str:
    """The journal's subject for one thing that a report names."""
    return f"reported:{reported_id}"


_ENDS: Final[Mapping[type[Event], ReportedState]] = {
    ItemAmbiguous: ReportedState.AMBIGUOUS,
    ItemUnresolved: ReportedState.UNRESOLVED,
    ItemForPerson: ReportedState.FOR_PERSON,
    ItemElsewhere: ReportedState.ELSEWHERE,
    ItemGone: ReportedState.GONE,
}
_PLAIN: Final[Mapping[type, type[Event]]] = {
    FindNowhere: ItemUnresolved,
    LeaveToPerson: ItemForPerson,
    MarkElsewhere: ItemElsewhere,
    FindItemGone: ItemGone,
}


def _event(command: ReportedCommand) -> Event:
    match command:
        case NameItem():
            return _named(command)
        case ResolveItem(content=content, version=version, case=case):
            return ItemResolved(content=content, version=version, case=case)
        case FindAmbiguous(candidates=candidates):
            return ItemAmbiguous(candidates=candidates)
    return _PLAIN[type(command)]()


def _named(command: NameItem) -> ItemNamed:
    check_story("items", command.address)
    if command.kind is not ItemKind.DESCRIPTION and not 0 < len(command.address.strip()) <= LONGEST_ADDRESS:
        message = f"items: an address has between 1 and {LONGEST_ADDRESS:,} characters"
        raise InvalidRequest(message)
    return ItemNamed(
        report=command.report,
        kind=command.kind,
        address=command.address.strip(),
        uploader_is=command.uploader_is,
    )


_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    NameItem: ItemNamed,
    ResolveItem: ItemResolved,
    FindAmbiguous: ItemAmbiguous,
    **_PLAIN,
}
_POSSIBLE: Final = frozenset((state, _TOLD_BY[command]) for state, command in REPORTED_TRANSITIONS if state)

for _command, _told in _TOLD_BY.items():
    register(_command, _told)
