# SPDX-License-Identifier: Apache-2.0
"""A report: what one person says, once and for all theirs. It joins cases; it is never closed, and never a duplicate.

Whoever reports may add to it, withdraw it and ask for no more messages. Withdrawing ends what is asked of
them and what they are told; it lifts no hold and ends no case, because somebody may be made to withdraw.

`decide_report` and `evolve_report` are pure; time and identity are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import InvalidRequest, Refusal
from holdfast.intake.reporter import Category, ReporterKind
from holdfast.log.event import Event, event
from holdfast.log.text import LONGEST_TEXT, check_story
from holdfast.sealed.text import PrivateText


class ReportState(StrEnum):
    """Where a report stands."""

    RECEIVED = "received"
    WITHDRAWN = "withdrawn"
    """Whoever reported wants nothing more to do with it. What it led to stays."""


class Element(StrEnum):
    """What TAKE IT DOWN 3(a)(1)(B) and UK 20A ask of a request. What is missing never makes one be dropped."""

    SIGNATURE = "signature"
    """A name that stands for a signature, of the person depicted or of whoever acts for them."""
    WHERE = "where"
    """What the platform needs to find it."""
    WITHOUT_CONSENT = "without_consent"
    """A statement, in good faith, that it was published without consent."""
    HOW_TO_REACH = "how_to_reach"
    """How to reach whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as it stands; its words are in sealed records."""

    reporter: ReporterKind
    verified: bool
    category: Category
    state: ReportState
    elements: frozenset[Element]
    cases: tuple[str, ...] = ()
    contact_stopped: bool = False
    code_kept: bool = False
    """Whether whoever reported said that they have the code; until then it may be shown again."""

    @property
    def is_complete(self) -> bool:
        """Whether a request of the person depicted has every element that the laws name."""
        return self.elements == frozenset(Element)


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveReport:
    """Take a report."""

    reference: str
    reporter: ReporterKind
    verified: bool
    category: Category
    elements: frozenset[Element]
    words: str
    """What happened, in their words; may be empty."""
    contact: str
    """How they may be reached safely; empty for the code alone."""
    known_ages: str
    """What they say of ages, as JSON; may be empty."""
    shown: str
    """A digest of the texts that were shown to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToReport:
    """Add to it, from the receipt."""

    words: str
    elements: frozenset[Element] = frozenset()


@dataclass(frozen=True, slots=True)
class JoinReport:
    """It is about something in this case."""

    case: str


@dataclass(frozen=True, slots=True)
class KeepCode:
    """Say that they have the code: it is not shown again."""


@dataclass(frozen=True, slots=True)
class StopContact:
    """Ask for no more messages."""


@dataclass(frozen=True, slots=True)
class WithdrawReport:
    """Want nothing more to do with it."""


ReportCommand = ReceiveReport | AddToReport | JoinReport | KeepCode | StopContact | WithdrawReport


# --- events


@event("report.received")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReceived(Event):
    """Somebody reported something, and was given a receipt. What they said and how to reach them is sealed."""

    reference: str
    reporter: ReporterKind
    verified: bool
    category: Category
    elements: tuple[Element, ...]
    words: PrivateText
    contact: PrivateText
    known_ages: PrivateText
    shown: str


@event("report.added")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAdded(Event):
    """Whoever reported added to it. After a withdrawal this takes it up again."""

    words: PrivateText
    elements: tuple[Element, ...]


@event("report.joined")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportJoined(Event):
    """Something that it names belongs to this case."""

    case: str


@event("report.code_kept")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCodeKept(Event):
    """Whoever reported said that they have the code."""


@event("report.contact_stopped")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContactStopped(Event):
    """Whoever reported asked for no more messages."""


@event("report.withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWithdrawn(Event):
    """Whoever reported withdrew it. No hold was lifted and no case ended by that."""


# --- the table: (state before, command) -> state after; None is "does not exist yet"

_BOTH: Final = (ReportState.RECEIVED, ReportState.WITHDRAWN)
REPORT_TRANSITIONS: Final[Mapping[tuple[ReportState | None, type], ReportState]] = {
    (None, ReceiveReport): ReportState.RECEIVED,
    **{(state, AddToReport): ReportState.RECEIVED for state in _BOTH},
    **{(state, command): state for state in _BOTH for command in (JoinReport, KeepCode, StopContact)},
    (ReportState.RECEIVED, WithdrawReport): ReportState.WITHDRAWN,
}


def decide_report(report: Report | None, command: ReportCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the report as it stands; nothing if it is so already.

    Raises InvalidRequest for words that cannot be kept.
    """
    if (report and report.state, type(command)) not in REPORT_TRANSITIONS:
        return Refusal("report.not_in_this_state", f"the report is {report.state if report else 'not there'}")
    if report is not None and _is_so(report, command):
        return []
    return [_event(command)]


def evolve_report(report: Report | None, happened: Event) -> Report:
    """The report after `happened`. Raises ValueError for an event that no report in this state can have."""
    if report is None and isinstance(happened, ReportReceived):
        return Report(
            reporter=happened.reporter,
            verified=happened.verified,
            category=happened.category,
            state=ReportState.RECEIVED,
            elements=frozenset(happened.elements),
        )
    if report is None or (report.state, type(happened)) not in _POSSIBLE:
        message = f"no report can have {happened.tag!r} here"
        raise ValueError(message)
    return _changed(report, happened)


def report_subject(report_id: str) -> str:
    """The journal's subject for a report."""
    return f"report:{report_id}"


def _is_so(report: Report, command: ReportCommand) -> bool:
    match command:
        case JoinReport(case=case):
            return case in report.cases
        case KeepCode():
            return report.code_kept
        case StopContact():
            return report.contact_stopped
    return False


def _changed(report: Report, happened: Event) -> Report:
    match happened:
        case ReportAdded(elements=elements):
            return replace(report, state=ReportState.RECEIVED, elements=report.elements | set(elements))
        case ReportJoined(case=case):
            return replace(report, cases=(*report.cases, case))
        case ReportCodeKept():
            return replace(report, code_kept=True)
        case ReportContactStopped():
            return replace(report, contact_stopped=True)
    return replace(report, state=ReportState.WITHDRAWN)


def _event(command: ReportCommand) -> Event:
    match command:
        case ReceiveReport():
            return _received(command)
        case AddToReport(words=words, elements=elements):
            check_story("words", words)
            return ReportAdded(words=words, elements=tuple(sorted(elements)))
        case JoinReport(case=case):
            return ReportJoined(case=case)
        case KeepCode():
            return ReportCodeKept()
        case StopContact():
            return ReportContactStopped()
    return ReportWithdrawn()


def _received(command: ReceiveReport) -> ReportReceived:
    for field in ("words", "contact", "known_ages"):
        check_story(field, getattr(command, field))
    if len(command.contact) > LONGEST_TEXT:
        message = f"contact: at most {LONGEST_TEXT} characters"
        raise InvalidRequest(message)
    return ReportReceived(
        reference=command.reference,
        reporter=command.reporter,
        verified=command.verified,
        category=command.category,
        elements=tuple(sorted(command.elements)),
        words=command.words,
        contact=command.contact,
        known_ages=command.known_ages,
        shown=command.shown,
    )


_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    ReceiveReport: ReportReceived,
    AddToReport: ReportAdded,
    JoinReport: ReportJoined,
    KeepCode: ReportCodeKept,
    StopContact: ReportContactStopped,
    WithdrawReport: ReportWithdrawn,
}
_POSSIBLE: Final = frozenset((state, _TOLD_BY[command]) for state, command in REPORT_TRANSITIONS if state is not None)

for _command, _told in _TOLD_BY.items():
    register(_command, _told)
