# SPDX-License-Identifier: Apache-2.0
"""A clock that runs for one subject: started, alarmed, missed, stopped.

It keeps the terms on which it started: when the table of clocks changes, what runs already is not moved.
It never pauses and nothing stops it but the moment that its row names; that it was missed does not stop it.

`decide_clock` and `evolve_clock` are pure; time and identity are passed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from holdfast.access.two_people import register
from holdfast.case.clock import ClockState, Moment, Running
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text

_SUBJECT: Final = re.compile(r"[a-z]+:[^\s]{1,255}")
_CODE: Final = re.compile(r"[a-z]+(-[a-z]+)*")
_MOMENT_AFTER: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a clock starts with. `subject` is the journal's subject that it runs for; times are absolute, UTC."""

    subject: str
    code: str
    stops: Moment
    due: datetime
    alarm_at: tuple[datetime, ...]
    owner: str
    deputy: str
    pages: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningClock:
    """A clock as it stands. `alarms_given`: how many of the times in `alarm_at` its owner was alarmed for."""

    terms: Terms
    state: ClockState
    alarms_given: int = 0

    @property
    def next_at(self) -> datetime | None:
        """When its owner is alarmed next; None if never again."""
        if self.state not in (ClockState.RUNNING, ClockState.ALARMED):
            return None
        left = self.terms.alarm_at[self.alarms_given :]
        return left[0] if left else self.terms.due + _MOMENT_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockItem:
    """A clock with its id, and when it started and was stopped."""

    id: str
    started_at: datetime
    stopped_at: datetime | None
    clock: RunningClock


@dataclass(frozen=True, slots=True)
class ClockCounts:
    """How many clocks run, and how many of them are over."""

    running: int
    missed: int


# --- commands


@dataclass(frozen=True, slots=True)
class StartClock:
    """Start it."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class AlarmClock:
    """Look whether its owner has to be alarmed before its end."""


@dataclass(frozen=True, slots=True)
class MissClock:
    """Look whether its end is over."""


@dataclass(frozen=True, slots=True)
class StopClock:
    """The moment that stops it came at `at`."""

    at: datetime


ClockCommand = StartClock | AlarmClock | MissClock | StopClock


# --- events


@event("clock.started")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStarted(Event):
    """A clock runs for `subject` until the moment `stops`; its owner is alarmed at each of `alarm_at`."""

    subject: str
    code: str
    stops: Moment
    due: datetime
    alarm_at: tuple[datetime, ...]
    owner: str
    deputy: str
    pages: bool


@event("clock.alarmed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAlarmed(Event):
    """The owner was alarmed before the clock's end: so many of the times set for that are over."""

    given: int
    owner: str


@event("clock.missed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMissed(Event):
    """The clock's end is over, and what should have happened has not. It runs on until that happens."""

    due: datetime
    owner: str


@event("clock.stopped")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStopped(Event):
    """What the clock waited for has happened; `late` if after its end."""

    late: bool


# --- the table: (state before, command) -> state after; None is "does not exist yet"
# StopClock leads to STOPPED_LATE instead if the moment came after the end, whether or not anybody had looked.

CLOCK_TRANSITIONS: Final[Mapping[tuple[ClockState | None, type], ClockState]] = {
    (None, StartClock): ClockState.RUNNING,
    (ClockState.RUNNING, AlarmClock): ClockState.ALARMED,
    (ClockState.ALARMED, AlarmClock): ClockState.ALARMED,
    (ClockState.RUNNING, MissClock): ClockState.MISSED,
    (ClockState.ALARMED, MissClock): ClockState.MISSED,
    (ClockState.RUNNING, StopClock): ClockState.STOPPED,
    (ClockState.ALARMED, StopClock): ClockState.STOPPED,
    (ClockState.MISSED, StopClock): ClockState.STOPPED_LATE,
}


def decide_clock(clock: RunningClock | None, command: ClockCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the clock as it stands at `now`.

    Raises InvalidRequest for a clock that could never run.
    """
    if (clock and clock.state, type(command)) not in CLOCK_TRANSITIONS:
        state = clock.state if clock else "not there"
        return Refusal("clock.not_in_this_state", f"the clock is {state}, and this cannot be done then")
    if clock is None:
        assert isinstance(command, StartClock)
        return [_started(command.terms)]
    return _decide_running(clock, command, now)


def evolve_clock(clock: RunningClock | None, happened: Event) -> RunningClock:
    """The clock after `happened`.

    Raises ValueError for an event that no clock in this state can have.
    """
    match clock, happened:
        case None, ClockStarted():
            return RunningClock(terms=_terms(happened), state=ClockState.RUNNING)
        case RunningClock(state=ClockState.RUNNING | ClockState.ALARMED), ClockAlarmed(given=given):
            return replace(clock, state=ClockState.ALARMED, alarms_given=given)
        case RunningClock(state=ClockState.RUNNING | ClockState.ALARMED), ClockMissed():
            return replace(clock, state=ClockState.MISSED)
        case RunningClock(state=ClockState.RUNNING | ClockState.ALARMED), ClockStopped(late=False):
            return replace(clock, state=ClockState.STOPPED)
        case RunningClock(state=ClockState.RUNNING | ClockState.ALARMED | ClockState.MISSED), ClockStopped():
            return replace(clock, state=ClockState.STOPPED_LATE)
    message = f"no clock can have {happened.tag!r} here"
    raise ValueError(message)


def terms_of(running: Running, subject: str) -> Terms:
    """The terms of a clock of the table that starts for `subject`."""
    clock = running.clock
    return Terms(
        subject=subject,
        code=clock.code,
        stops=clock.stops,
        due=running.due,
        alarm_at=running.alarm_at,
        owner=clock.owner,
        deputy=clock.deputy,
        pages=clock.pages,
    )


def clock_subject(clock_id: str) -> str:
    """The journal's subject for a clock."""
    return f"clock:{clock_id}"


def _decide_running(clock: RunningClock, command: ClockCommand, now: datetime) -> list[Event] | Refusal:
    terms = clock.terms
    missed = ClockMissed(due=terms.due, owner=terms.owner)
    match command:
        case AlarmClock():
            given = sum(now >= at for at in terms.alarm_at)
            return [ClockAlarmed(given=given, owner=terms.owner)] if given > clock.alarms_given else _NOT_DUE
        case MissClock():
            return [missed] if now > terms.due else _NOT_DUE
        case StopClock(at=at):
            seen = clock.state is ClockState.MISSED
            late = seen or at > terms.due
            return [*([missed] if late and not seen else []), ClockStopped(late=late)]
    raise AssertionError  # the table above has no other pair


_NOT_DUE: Final = Refusal("clock.not_due", "the clock still runs, or its owner was alarmed already")


def _started(terms: Terms) -> ClockStarted:
    _check(terms)
    return ClockStarted(
        subject=terms.subject,
        code=terms.code,
        stops=terms.stops,
        due=terms.due,
        alarm_at=terms.alarm_at,
        owner=terms.owner,
        deputy=terms.deputy,
        pages=terms.pages,
    )


def _terms(told: ClockStarted) -> Terms:
    return Terms(
        subject=told.subject,
        code=told.code,
        stops=told.stops,
        due=told.due,
        alarm_at=told.alarm_at,
        owner=told.owner,
        deputy=told.deputy,
        pages=told.pages,
    )


def _check(terms: Terms) -> None:
    """Raise InvalidRequest, naming the field, for a clock that could never run."""
    check_text("owner", terms.owner)
    check_text("deputy", terms.deputy)
    times = (*terms.alarm_at, terms.due)
    faults = {
        "subject": not _SUBJECT.fullmatch(terms.subject),
        "code": not _CODE.fullmatch(terms.code),
        "alarm_at, due": any(at.tzinfo is None for at in times) or list(times) != sorted(times),
    }
    wrong = [field for field, fault in faults.items() if fault]
    if wrong:
        message = f"{', '.join(wrong)}: not of the form that a clock takes"
        raise InvalidRequest(message)


register(StartClock, ClockStarted)
register(AlarmClock, ClockAlarmed)
register(MissClock, ClockMissed)
register(StopClock, ClockStopped)  # only the moment itself stops it, and by no person's word alone
