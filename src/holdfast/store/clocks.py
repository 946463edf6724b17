# SPDX-License-Identifier: Apache-2.0
"""Running clocks in PostgreSQL: started and stopped in the transaction of what starts and stops them.

A worker looks at them every second; which of several does, the locks of the rows decide. What is alarmed is
alarmed in the transaction that tells the journal, so that no end passes unsaid, whatever dies between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.clock import Clock, ClockState, Moment, Running
from holdfast.case.running_clock import (
    AlarmClock,
    ClockCommand,
    ClockCounts,
    ClockItem,
    ClockStarted,
    MissClock,
    RunningClock,
    StartClock,
    StopClock,
    Terms,
    clock_subject,
    decide_clock,
    evolve_clock,
    terms_of,
)
from holdfast.errors import Refusal
from holdfast.log.event import encode
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import ClockRow

_BATCH: Final = 100
_SYSTEM: Final = "system:worker"
_NEARING: Final = (AlarmKind.CLOCK_NEAR, AlarmKind.CLOCK_SHORT)
# Of two that start the same clock at once, the second waits here for the first, and then starts none.
_START: Final = """
with wanted as (
    select * from jsonb_to_recordset(%(clocks)s::jsonb) as w (
        number int, id text, code text, due timestamptz, stops text, alarm_at jsonb, owner text, deputy text,
        pages boolean, next_at timestamptz, told jsonb
    )
), started as (
    insert into clock (id, subject, code, state, started_at, due, stops, alarm_at, owner, deputy, pages,
        alarms_given, next_at, version)
    select id, %(subject)s::text, code, 'running', %(at)s::timestamptz, due, stops, alarm_at, owner, deputy, pages,
        0, next_at, 1
    from wanted order by number
    on conflict (subject, code) where stopped_at is null do nothing returning id
), told as (
    insert into journal (subject, version, tag, schema, body, actor, at)
    select 'clock:' || w.id, 1, %(tag)s::text, %(schema)s::smallint, w.told, %(actor)s::text, %(at)s::timestamptz
    from wanted w join started using (id) order by w.number
)
select id from started
"""


class PostgresClocks:
    """What must have happened by when, for every subject."""

    def __init__(self, journal: PostgresJournal, alarms: PostgresAlarms, new_id: Callable[[str], str]) -> None:
        """Alarm owners through `alarms`; use `new_id` for ids."""
        self._journal = journal
        self._alarms = alarms
        self._new_id = new_id

    def start(self, subject: str, clocks: Iterable[Clock], *, at: datetime, actor: str) -> list[str]:
        """Start these for a subject in the transaction that is open; the ids of those started.

        One that runs already for this subject is left as it is: a duty that began is not begun anew. Raises
        RuntimeError outside a transaction, InvalidRequest for a subject that cannot be.
        """
        if not connection.in_atomic_block:
            raise RuntimeError("clocks are started inside the transaction of what starts them")
        wanted = [terms_of(Running(clock=clock, started=at), subject) for clock in clocks]
        rows = [self._row(number, terms, at) for number, terms in enumerate(wanted)]
        about: dict[str, Any] = {
            "subject": subject,
            "tag": ClockStarted.tag,
            "schema": ClockStarted.schema,
            "actor": actor,
            "at": at,
        }
        with connection.cursor() as cursor:
            cursor.execute(_START, {**about, "clocks": json.dumps(rows)})
            return [clock_id for (clock_id,) in cursor.fetchall()]

    def stop(
        self, subject: str, moment: Moment, *, at: datetime, actor: str, codes: Collection[str] | None = None
    ) -> list[str]:
        """Stop those of a subject's clocks that this moment stops, or those of some codes; the ids of those stopped.

        In the transaction that is open. Alarms about them are cleared.
        """
        found = ClockRow.objects.filter(subject=subject, stops=moment, stopped_at__isnull=True)
        if codes is not None:
            found = found.filter(code__in=list(codes))
        rows = list(found.select_for_update(no_key=True).order_by("id"))
        for row in rows:
            row.stopped_at = at
            self._apply(row, StopClock(at), at, actor)
            self._alarms.clear(clock_subject(row.id), "what it waited for has happened", actor=actor, at=at)
        return [row.id for row in rows]

    def mark_due(self, now: datetime) -> list[ClockItem]:
        """Alarm the owners of clocks that near their end or missed it, at most a batch; returns those clocks."""
        with transaction.atomic(durable=True):
            due = ClockRow.objects.filter(next_at__lte=now).order_by("next_at", "id")
            rows = list(due.select_for_update(skip_locked=True, no_key=True)[:_BATCH])
            marked = [row for row in rows if self._looked_at(row, now)]
        return [_item(row) for row in marked]

    def of(self, subject: str) -> list[ClockItem]:
        """All clocks of a subject, stopped ones too, in the order of their starts."""
        return [_item(row) for row in ClockRow.objects.filter(subject=subject).order_by("started_at", "due", "code")]

    def running(self, *, limit: int) -> list[ClockItem]:
        """The clocks that were not stopped, the nearest end first; so what was missed comes first."""
        rows = ClockRow.objects.filter(stopped_at__isnull=True).order_by("due", "id")[:limit]
        return [_item(row) for row in rows]

    def count_running(self) -> ClockCounts:
        """How many were not stopped, and how many of those are over."""
        rows = ClockRow.objects.filter(stopped_at__isnull=True)
        return ClockCounts(rows.count(), rows.filter(state=ClockState.MISSED).count())

    # --- one clock

    def _row(self, number: int, terms: Terms, at: datetime) -> dict[str, Any]:
        """One clock as _START takes it."""
        (told,) = allowed(decide_clock(None, StartClock(terms), at))
        body = encode(told)
        next_at = evolve_clock(None, told).next_at
        assert next_at is not None
        about = {"number": number, "id": self._new_id("clk"), "next_at": next_at.isoformat(), "told": body}
        return {**body, **about}

    def _looked_at(self, row: ClockRow, now: datetime) -> bool:
        """Alarm its owner if that is due. A row that only says so is put right: it must keep no other waiting."""
        command = MissClock() if now > row.due else AlarmClock()
        if isinstance(decide_clock(clock_of(row), command, now), Refusal):
            row.next_at = clock_of(row).next_at
            row.save()
            return False
        self._apply(row, command, now, _SYSTEM)
        self._call(row, now)
        return True

    def _apply(self, row: ClockRow, command: ClockCommand, at: datetime, actor: str) -> None:
        clock = clock_of(row)
        events = allowed(decide_clock(clock, command, at))
        for happened in events:
            clock = evolve_clock(clock, happened)
        self._journal.append(clock_subject(row.id), after=row.version, events=events, actor=actor, at=at)
        row.state, row.alarms_given, row.next_at = clock.state, clock.alarms_given, clock.next_at
        row.version += len(events)
        row.save()

    def _call(self, row: ClockRow, at: datetime) -> None:
        """Its owner; once it was missed, the alarm for that stands for those before."""
        about = clock_subject(row.id)
        if row.state == ClockState.MISSED:
            self._alarms.call(AlarmKind.CLOCK_MISSED, about, row.owner, actor=_SYSTEM, at=at)
            self._alarms.clear(about, "it was missed", actor=_SYSTEM, at=at, kinds=_NEARING, quietly=True)
        else:
            nearing = AlarmKind.CLOCK_SHORT if row.pages else AlarmKind.CLOCK_NEAR
            self._alarms.renew(nearing, about, row.owner, actor=_SYSTEM, at=at)


def clock_of(row: ClockRow) -> RunningClock:
    """The clock that a row holds."""
    terms = Terms(
        subject=row.subject,
        code=row.code,
        stops=Moment(row.stops),
        due=row.due,
        alarm_at=tuple(map(datetime.fromisoformat, row.alarm_at)),
        owner=row.owner,
        deputy=row.deputy,
        pages=row.pages,
    )
    return RunningClock(terms=terms, state=ClockState(row.state), alarms_given=row.alarms_given)


def _item(row: ClockRow) -> ClockItem:
    return ClockItem(id=row.id, started_at=row.started_at, stopped_at=row.stopped_at, clock=clock_of(row))
