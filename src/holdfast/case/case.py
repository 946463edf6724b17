# SPDX-License-Identifier: Apache-2.0
"""A case: what belongs together because it is about the same content, whoever reported it.

It is opened by the first report of an item that no case holds yet, or by a backwards search that finds one.
Later reports of the same item join it, each with its own receipt: joining never shows one reporter what
another said. A case keeps the strictest category of its reports, and is handled as a child's unless
something verified says otherwise.

`decide_case` and `evolve_case` are pure; time and identity are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import Refusal
from holdfast.intake.age import AgeBasis, ClaimStatus
from holdfast.intake.reporter import Category
from holdfast.log.event import Event, event
from holdfast.sealed.text import PrivateText


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    """Something that was named is not decided yet."""
    DECIDED = "decided"
    """Everything that was named in it is decided; it opens again when anything joins, or is decided anew."""


STRICTEST: Final = (
    Category.DANGER,
    Category.CSAM,
    Category.SEXTORTION,
    Category.GROOMING,
    Category.TRAFFICKING,
    Category.ASKED_BY_CHILD,
    Category.INTIMATE,
    Category.OTHER_ILLEGAL,
    Category.OTHER,
)
"""The strictest first: of several reports the case takes the first of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it stands."""

    category: Category
    state: CaseState


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenViews:
    """How often one location had been opened at some moment, by the platform's counter."""

    hold: str
    views: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseItem:
    """An item in the version in which it belongs to a case."""

    content: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCopy:
    """An item that looks like one of the case, `distance` PDQ bits apart, and that a person is to look at."""

    content: str
    version: str
    exact: bool
    distance: int


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Open it, for a report or for what a backwards search found."""

    report: str | None = None
    search: str | None = None
    category: Category


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeReport:
    """Another report is about the same."""

    report: str
    category: Category


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeItems:
    """Items belong to it: named in a report, or copies of one that was."""

    items: tuple[CaseItem, ...]
    are_copies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAge:
    """What is said or follows about somebody's age when an item was made."""

    item: str
    person: str
    lower: int
    upper: int
    basis: AgeBasis
    status: ClaimStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadViews:
    """The platform's counters were read."""

    views: tuple[SeenViews, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCopies:
    """Items that look alike wait for a person: they lie beyond what the report reaches."""

    copies: tuple[QueuedCopy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFacts:
    """The platform keeps what it knows of an upload, and says it."""

    content: str
    facts: str


@dataclass(frozen=True, slots=True)
class DecideCase:
    """Everything that was named in it is decided."""


@dataclass(frozen=True, slots=True)
class ReopenCase:
    """Something in it is not decided any more."""


CaseCommand = (
    OpenCase | TakeReport | TakeItems | ClaimAge | ReadViews | QueueCopies | KeepFacts | DecideCase | ReopenCase
)


# --- events


@event("case.opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened(Event):
    """A report named something that no case was about yet, or a backwards search found it."""

    report: str | None = None
    search: str | None = None
    category: Category


@event("case.report_joined")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReportJoined(Event):
    """Another report is about the same. Nothing that one reporter said is shown to another."""

    report: str
    category: Category


@event("case.items_joined")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseItemsJoined(Event):
    """Items belong to the case, each in this version."""

    items: tuple[CaseItem, ...]
    are_copies: bool


@event("case.age_claimed")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAgeClaimed(Event):
    """Somebody in an item was between so many full years old when it was made, says this basis."""

    item: str
    person: str
    lower: int
    upper: int
    basis: AgeBasis
    status: ClaimStatus


@event("case.views_read")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseViewsRead(Event):
    """The platform's counters of the case's locations were read."""

    views: tuple[SeenViews, ...]


@event("case.copies_queued")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCopiesQueued(Event):
    """Items beyond the report's reach wait for a person: how far each is from what was named."""

    copies: tuple[QueuedCopy, ...]


@event("case.facts_kept")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFactsKept(Event):
    """The platform keeps what it knows of an upload (times, addresses, ports), and said it. Sealed."""

    content: str
    facts: PrivateText


@event("case.decided")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecided(Event):
    """Everything that was named in the case is decided."""


@event("case.reopened")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReopened(Event):
    """Something in the case is not decided any more."""


# --- the table: (state before, command) -> state after; None is "does not exist yet"

_JOINS: Final = (TakeReport, TakeItems, QueueCopies)
_TELLS: Final = (ClaimAge, ReadViews, KeepFacts)
_LATER: Final = (*_JOINS, *_TELLS)
CASE_TRANSITIONS: Final[Mapping[tuple[CaseState | None, type], CaseState]] = {
    (None, OpenCase): CaseState.OPEN,
    **dict.fromkeys(((CaseState.OPEN, command) for command in _LATER), CaseState.OPEN),
    **dict.fromkeys(((CaseState.DECIDED, command) for command in _JOINS), CaseState.OPEN),
    **dict.fromkeys(((CaseState.DECIDED, command) for command in _TELLS), CaseState.DECIDED),
    (CaseState.OPEN, DecideCase): CaseState.DECIDED,
    (CaseState.DECIDED, ReopenCase): CaseState.OPEN,
}


def decide_case(case: Case | None, command: CaseCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the case as it stands."""
    if (case and case.state, type(command)) not in CASE_TRANSITIONS:
        return Refusal("case.not_in_this_state", f"the case is {case.state if case else 'not there'}")
    kind = _TOLD_BY[type(command)]
    return [kind(**{name: getattr(command, name) for name in command.__dataclass_fields__})]


def evolve_case(case: Case | None, happened: Event) -> Case:
    """The case after `happened`. Raises ValueError for an event that no case in this state can have."""
    if case is None and isinstance(happened, CaseOpened):
        return Case(category=happened.category, state=CaseState.OPEN)
    if case is None or (case.state, type(happened)) not in _POSSIBLE:
        message = f"no case can have {happened.tag!r} here"
        raise ValueError(message)
    after = replace(case, state=_POSSIBLE[case.state, type(happened)])
    if isinstance(happened, CaseReportJoined):
        return replace(after, category=stricter(case.category, happened.category))
    return after


def stricter(one: Category, other: Category) -> Category:
    """The stricter of two categories."""
    return min(one, other, key=STRICTEST.index)


def case_subject(case_id: str) -> str:
    """The journal's subject for a case."""
    return f"case:{case_id}"


_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    OpenCase: CaseOpened,
    TakeReport: CaseReportJoined,
    TakeItems: CaseItemsJoined,
    ClaimAge: CaseAgeClaimed,
    ReadViews: CaseViewsRead,
    QueueCopies: CaseCopiesQueued,
    KeepFacts: CaseFactsKept,
    DecideCase: CaseDecided,
    ReopenCase: CaseReopened,
}
_POSSIBLE: Final = {
    (state, _TOLD_BY[command]): after for (state, command), after in CASE_TRANSITIONS.items() if state is not None
}

for _command, _told in _TOLD_BY.items():
    register(_command, _told)
