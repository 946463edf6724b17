# SPDX-License-Identifier: Apache-2.0
"""Clocks: what must have happened by when, who answers for it, and the law or house rule that says so.

A legal clock starts when the first report arrives, whether or not it is complete; it stops when the item
and every copy that was found are confirmed out of reach; it never pauses. Nothing here does anything by
time: a clock alarms, first before its target and again before its limit, and then says that it was missed.

The table is data. Each row names the day on which somebody last compared it with its source; a lawyer
must confirm what applies to a platform before anybody relies on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.intake.reporter import Category, ReporterKind, concerns_a_minor, speaks_for_the_depicted

CHECKED: Final = date(2026, 11, 22)
_ALARMS_AT: Final = (0.5, 0.75, 44 / 48)
_BEFORE_TARGET: Final = 0.75
_SHORT: Final = timedelta(minutes=15)
"""A clock that is over within this has one alarm before its end: more would only bury it."""


class Moment(StrEnum):
    """What starts or stops a clock."""

    REPORT_RECEIVED = "report_received"
    PROOF_RECEIVED = "proof_received"
    HOLD_PLACED = "hold_placed"
    COPY_QUEUED = "copy_queued"
    FIRST_FINDING = "first_finding"
    CONTESTED = "contested"
    APPEALED = "appealed"
    ASKED_REPORTER = "asked_reporter"
    DECIDED = "decided"
    NOTICE_GIVEN = "notice_given"
    OUT_OF_REACH = "out_of_reach"
    """The item and every copy that was found, confirmed at every location."""
    LOOKED_AT = "looked_at"
    SETTLED = "settled"
    ANSWERED = "answered"
    RECEIPT_GIVEN = "receipt_given"
    TOLD = "told"


class Place(StrEnum):
    """Whose law applies to a platform."""

    EU = "eu"
    UK = "uk"
    US = "us"
    AU = "au"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What decides which clocks apply to a report."""

    category: Category
    reporter: ReporterKind
    places: frozenset[Place]
    notice_of_regulator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One duty: from `starts` to `stops` within `target` if all goes well, within `limit` at the latest.

    Without a limit the source says "without delay" and gives no number; the target is then the house's own.
    """

    code: str
    what: str
    starts: Moment
    stops: Moment
    target: timedelta
    limit: timedelta | None
    owner: str
    deputy: str
    source: str
    legal: bool
    pages: bool = False
    """Whether a person is called at once and every five minutes: somebody may be in danger."""
    checked_on: date = CHECKED

    @property
    def alarms(self) -> tuple[timedelta, ...]:
        """When, after its start, its owner is alarmed: of 48 hours at 24, 36 and 44.

        Also before its target, if that is nearer than all of these; and at once, if it pages.
        """
        whole = self.limit or self.target
        found = tuple(whole * share for share in (_ALARMS_AT if whole > _SHORT else _ALARMS_AT[:1]))
        if self.pages:
            return (timedelta(0), *found)
        return (self.target * _BEFORE_TARGET, *found) if self.target < found[0] else found


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    ALARMED = "alarmed"
    """The first alarm before the end is over; there is still time."""
    MISSED = "missed"
    STOPPED = "stopped"
    STOPPED_LATE = "stopped_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One clock of one case."""

    clock: Clock
    started: datetime
    stopped: datetime | None = None

    @property
    def due(self) -> datetime:
        """When it ends."""
        return self.started + (self.clock.limit or self.clock.target)

    def state(self, now: datetime) -> ClockState:
        """How it stands at `now`."""
        if self.stopped is not None:
            return ClockState.STOPPED if self.stopped <= self.due else ClockState.STOPPED_LATE
        if now > self.due:
            return ClockState.MISSED
        return ClockState.ALARMED if now >= self.started + self.clock.alarms[0] else ClockState.RUNNING

    @property
    def alarm_at(self) -> tuple[datetime, ...]:
        """When its owner is alarmed."""
        return tuple(self.started + after for after in self.clock.alarms)

    def alarms_due(self, now: datetime, *, given: int) -> int:
        """How many alarms should have been given by `now` and were not, the missed end among them."""
        if self.stopped is not None:
            return 0
        over = sum(now >= self.started + after for after in self.clock.alarms) + (now > self.due)
        return max(0, over - given)


def places_of(text: str) -> frozenset[Place]:
    """The places that HOLDFAST_PLACES names. Raises ValueError for one that is none."""
    return frozenset(map(Place, text.split(",")))


def clocks_for(about: About) -> list[Clock]:
    """The clocks that apply, the nearest end first."""
    found = [clock for clock, applies in _TABLE if applies(about)]
    return sorted(found, key=lambda clock: (clock.limit or clock.target, clock.code))


def started_at(moment: Moment) -> list[Clock]:
    """The clocks that this moment starts wherever a platform is, and whatever is reported."""
    return [clock for clock in every_clock() if clock.starts is moment and not clock.legal]


def started_by(clocks: Iterable[Clock], moment: Moment, at: datetime) -> list[Running]:
    """Those of the clocks that this moment starts."""
    return [Running(clock=clock, started=at) for clock in clocks if clock.starts is moment]


def every_clock() -> list[Clock]:
    """The whole table."""
    return [clock for clock, _ in _TABLE]


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)


def _intimate_of_subject(about: About) -> bool:
    return about.category is Category.INTIMATE and speaks_for_the_depicted(about.reporter)


def _row(  # each is one fact of one duty
    code: str,
    what: str,
    span: tuple[Moment, Moment],
    times: tuple[timedelta, timedelta | None],
    people: tuple[str, str],
    source: str,
    *,
    legal: bool = True,
) -> Clock:
    return Clock(
        code=code,
        what=what,
        starts=span[0],
        stops=span[1],
        target=times[0],
        limit=times[1],
        owner=people[0],
        deputy=people[1],
        source=source,
        legal=legal,
    )


_LEGAL, _REVIEW, _IDENTITY = ("lead", "legal"), ("reviewer", "lead"), ("identity", "lead")
_GONE: Final = (Moment.REPORT_RECEIVED, Moment.OUT_OF_REACH)
_TABLE: Final = (
    (
        replace(
            _row("danger", "a person is paged", (Moment.REPORT_RECEIVED, Moment.LOOKED_AT),
                 (timedelta(minutes=5), timedelta(minutes=5)), _REVIEW, "house rule; UK CSEA P1", legal=False),
            pages=True,
        ),
        lambda about: about.category is Category.DANGER,
    ),
    (
        _row("tida", "item and identical copies removed", _GONE, (_hours(24), _hours(48)), _LEGAL,
             "TAKE IT DOWN Act s.3 (47 USC 223a)"),
        lambda about: Place.US in about.places and _intimate_of_subject(about),
    ),
    (
        _row("uk-intimate", "item and what is substantially the same removed", _GONE, (_hours(24), _hours(48)), _LEGAL,
             "Online Safety Act 2023 s.20A"),
        lambda about: Place.UK in about.places and _intimate_of_subject(about),
    ),
    (
        _row("uk-csea", "reported to the authority without delay", (Moment.REPORT_RECEIVED, Moment.DECIDED),
             (_hours(24), None), _LEGAL, "Online Safety Act 2023 s.66"),
        lambda about: Place.UK in about.places and concerns_a_minor(about.category),
    ),
    (
        _row("us-report", "decided, so that it can be reported as soon as reasonably possible",
             (Moment.REPORT_RECEIVED, Moment.DECIDED), (_hours(24), None), _LEGAL, "18 USC 2258A(a)"),
        lambda about: Place.US in about.places and concerns_a_minor(about.category),
    ),
    (
        _row("au-notice", "removed after a regulator's notice", _GONE, (_hours(12), _hours(24)), _LEGAL,
             "Online Safety Act 2021 (Cth) ss.77, 109"),
        lambda about: Place.AU in about.places and about.notice_of_regulator,
    ),
    (
        _row("dsa-receipt", "receipt sent", (Moment.REPORT_RECEIVED, Moment.RECEIPT_GIVEN),
             (timedelta(minutes=1), None), _LEGAL, "Regulation (EU) 2022/2065 art. 16(4)"),
        lambda about: Place.EU in about.places,
    ),
    (
        _row("dsa-decision", "decided, and the reporter told", (Moment.REPORT_RECEIVED, Moment.ANSWERED),
             (_hours(24), None), _LEGAL, "Regulation (EU) 2022/2065 art. 16(5)-(6)"),
        lambda about: Place.EU in about.places,
    ),
    (
        _row("dsa-reasons", "the held person told why", (Moment.HOLD_PLACED, Moment.NOTICE_GIVEN),
             (timedelta(minutes=1), None), _LEGAL, "Regulation (EU) 2022/2065 art. 17(2)"),
        lambda about: Place.EU in about.places,
    ),
    (
        _row("dsa-threat", "police told of a threat to life", (Moment.REPORT_RECEIVED, Moment.TOLD),
             (_hours(1), None), _LEGAL, "Regulation (EU) 2022/2065 art. 18"),
        lambda about: Place.EU in about.places and about.category is Category.DANGER,
    ),
    (
        _row("first-look", "a person has looked at what is held", (Moment.HOLD_PLACED, Moment.LOOKED_AT),
             (_hours(1), _hours(12)), _REVIEW, "house rule, published", legal=False),
        lambda _: True,
    ),
    (
        _row("copies", "a person has looked at a copy that is only alike", (Moment.COPY_QUEUED, Moment.LOOKED_AT),
             (_hours(12), _hours(24)), _REVIEW, "house rule", legal=False),
        lambda _: True,
    ),
    (
        _row("proof", "a proof was looked at", (Moment.PROOF_RECEIVED, Moment.LOOKED_AT), (_hours(12), _hours(24)),
             _IDENTITY, "house rule", legal=False),
        lambda _: True,
    ),
    (
        _row("second", "a second person has decided", (Moment.FIRST_FINDING, Moment.DECIDED),
             (_hours(12), _hours(24)), _REVIEW, "house rule", legal=False),
        lambda _: True,
    ),
    (
        _row("contest", "a contested hold was looked at", (Moment.CONTESTED, Moment.ANSWERED),
             (_hours(12), _hours(24)), _REVIEW, "house rule", legal=False),
        lambda _: True,
    ),
    (
        _row("appeal", "an appeal was answered", (Moment.APPEALED, Moment.ANSWERED),
             (timedelta(days=3), timedelta(days=7)), ("lead", "legal"), "house rule; DSA art. 20(4)", legal=False),
        lambda _: True,
    ),
    (
        _row("reporter", "what the reporter was asked for is taken up without them",
             (Moment.ASKED_REPORTER, Moment.SETTLED), (timedelta(days=5), timedelta(days=7)), _REVIEW, "house rule",
             legal=False),
        lambda _: True,
    ),
)  # fmt: skip
