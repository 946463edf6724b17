# SPDX-License-Identifier: Apache-2.0
"""Long screenings in PostgreSQL: taken up row by row, so that no two processes work on the same one.

Leases are by the database's clock, which all processes share. A renewed lease is a row's alone; what
the journal is told is who received it, each taking, and how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q

from holdfast.alarm.kinds import AlarmKind
from holdfast.effect.webhook import Announcement, webhook_order
from holdfast.errors import Refusal
from holdfast.intake.content import Content
from holdfast.intake.upload import Digests
from holdfast.later import Arrived, Taken, TakenOver
from holdfast.log.event import Event
from holdfast.match.archive import ArchivedItem
from holdfast.match.known import Level
from holdfast.match.long_screening import (
    ALARMING,
    AnswerLong,
    HoldLongForPerson,
    LongCommand,
    LongScreening,
    LongState,
    PutBackLong,
    ReceiveLong,
    TakeUpLong,
    decide_long,
    evolve_long,
    long_subject,
)
from holdfast.match.screen import NotScreened
from holdfast.media.reason import Reason
from holdfast.pipeline import Answered, FirstAnswer, Once, Recorded
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.effects import PostgresEffects
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import IdempotencyRow, LongScreeningRow
from holdfast.store.screenings import PostgresScreenings
from holdfast.store.uploaders import uploader_subject

OPEN: Final = (LongState.WAITING.value, LongState.RUNNING.value)
_SYSTEM: Final = "system:screener"
_ACCEPTED: Final = 202
_CLAIM: Final = """
insert into idempotency (api_key, idempotency_key, request_digest, status, body, at) values (%s, %s, %s, %s, %s, %s)
on conflict (api_key, idempotency_key) do nothing
"""
_RENEW: Final = """
update long_screening
set free_from = statement_timestamp() + make_interval(secs => %s), seconds_seen = %s, seconds_total = %s
where id = %s and taken = %s and state = 'running'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongStanding:
    """How a long screening stands, for whoever asks."""

    id: str
    state: LongState
    received_at: datetime
    due: datetime
    seconds_seen: float
    seconds_total: float | None
    taken: int
    body: dict[str, Any]
    """The whole answer, once there is one."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Who is told that a long screening has ended: by a webhook if there is one, and by an alarm."""

    effects: PostgresEffects
    alarms: PostgresAlarms
    owner: str
    webhook: bool


class PostgresLongScreenings:
    """See `holdfast.later.LongScreenings`."""

    def __init__(
        self,
        journal: PostgresJournal,
        screenings: PostgresScreenings,
        outgoing: Outgoing,
        clock: Callable[[], datetime],
        *,
        patience: timedelta,
        lease: timedelta,
    ) -> None:
        """Alarm somebody after `patience`; let what was not heard of for `lease` be taken over."""
        self._journal = journal
        self._screenings = screenings
        self._outgoing = outgoing
        self._clock = clock
        self._patience = patience
        self._lease = lease

    def receive(self, arrived: Arrived, once: Once | None, body: dict[str, Any]) -> FirstAnswer | None:
        """Write it down, or give the first answer to its key: see `LongScreenings`."""
        with transaction.atomic(durable=True):
            if once and not _claim(once, body, arrived.at):
                return self._screenings.first_answer(once)
            command = ReceiveLong(
                content=arrived.content.id,
                content_version=arrived.content.version,
                surface=arrived.content.surface,
                size=arrived.size,
                due=arrived.at + self._patience,
            )
            events = _decided(None, command, arrived.at)
            self._journal.append(
                long_subject(arrived.id), after=0, events=events, actor=arrived.asked_by, at=arrived.at
            )
            row = _row(arrived, once, due=command.due, version=len(events))
            row.uploader_subject = uploader_subject(arrived.content.uploader, self._journal.sealer)
            row.save(force_insert=True)
        return None

    def take_up(self, spool: str) -> Taken | None:
        """Take up the one that has waited longest of those that nobody works on and whose upload is in `spool`."""
        return self._take_first(Q(spool=spool))

    def take_up_overdue(self) -> Taken | None:
        """Take up one whose clock has run out, wherever its upload is, if nobody works on it."""
        return self._take_first(Q(due__lte=self._clock()))

    def renew(self, taken: Taken) -> bool:
        """Hold the lease for another while and show the progress; False if somebody else has it by now."""
        with connection.cursor() as cursor:
            seen, total = taken.progress.seconds_seen, taken.progress.seconds_total
            lease = self._lease.total_seconds()
            cursor.execute(_RENEW, [lease, seen, total, taken.arrived.id, taken.taking])
            return bool(cursor.rowcount)

    def put_back(self, taken: Taken, reason: Reason, pause: timedelta) -> None:
        """Let it be taken up again after `pause`: see `LongScreenings`."""
        with transaction.atomic(durable=True):
            row, now = _locked(taken.arrived.id), _now()
            command = PutBackLong(taking=taken.taking, reason=reason, free_from=now + pause)
            self._apply(row, command, now)
            row.free_from = command.free_from
            row.save()

    def end(self, taken: Taken, answered: Answered, body: dict[str, Any], level: Level, left: ArchivedItem) -> Recorded:
        """Write the answer and the end, or nothing: see `LongScreenings`."""
        with transaction.atomic(durable=True):
            row, now = _locked(taken.arrived.id), _now()
            self._apply(row, _ending(taken, answered), now)
            recorded = self._screenings.record_inside(answered, body, level, left, uploader=row.uploader_subject)
            if recorded is not Recorded.WRITTEN:
                transaction.set_rollback(True)
                return recorded
            _forget(row, answered)
            row.ended_at, row.answer = answered.at, body
            row.save()
            self._tell(answered)
        return recorded

    def announcement(self, screening: str) -> Announcement | None:
        """What may be told about one that has ended, outside; None if it has not."""
        row = LongScreeningRow.objects.filter(id=screening, ended_at__isnull=False).first()
        if row is None or row.ended_at is None:
            return None
        return Announcement(
            screening=row.id,
            content_id=row.content_id,
            content_version=row.content_version,
            status=row.state,
            answer=str((row.answer or {})["answer"]),
            at=row.ended_at,
        )

    def standing(self, screening: str) -> LongStanding | None:
        """How it stands; None if there is no long screening of that id."""
        row = LongScreeningRow.objects.filter(id=screening).first()
        if row is None:
            return None
        return LongStanding(
            id=row.id,
            state=LongState(row.state),
            received_at=row.received_at,
            due=row.due,
            seconds_seen=row.seconds_seen,
            seconds_total=row.seconds_total,
            taken=row.taken,
            body=row.answer or {},
        )

    def count_open(self) -> dict[str, int]:
        """How many wait and run."""
        return {state: LongScreeningRow.objects.filter(state=state).count() for state in OPEN}

    def files(self, spool: str, names: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Of these files of a spool, those whose screening is open and those whose screening has ended."""
        rows = LongScreeningRow.objects.filter(spool=spool, file__in=list(names)).values_list("file", "state")
        still = frozenset(file for file, state in rows if state in OPEN)
        return still, frozenset(file for file, _ in rows) - still

    def _tell(self, answered: Answered) -> None:
        """Owe the webhook, and alarm somebody if no verdict was reached for a reason that lies with us."""
        outgoing, about = self._outgoing, long_subject(answered.id)
        if outgoing.webhook:
            order = webhook_order(answered.id, answered.content.id, at=answered.at, owner=outgoing.owner)
            outgoing.effects.enqueue([order], actor=_SYSTEM, at=answered.at)
        if isinstance(answered.screening, NotScreened) and answered.screening.reason in ALARMING:
            outgoing.alarms.call(AlarmKind.LONG_SCREENING_HELD, about, outgoing.owner, actor=_SYSTEM, at=answered.at)

    def _take_first(self, which: Q) -> Taken | None:
        if not LongScreeningRow.objects.filter(which, state__in=OPEN).exists():
            return None  # nearly always, and several times a second
        with transaction.atomic(durable=True):
            now = _now()
            free = Q(free_from__isnull=True) | Q(free_from__lte=now)
            waiting = LongScreeningRow.objects.filter(which, free, state__in=OPEN).order_by("received_at", "id")
            row = waiting.select_for_update(skip_locked=True).first()
            if row is None:
                return None
            self._apply(row, TakeUpLong(lease_until=now + self._lease), now)
            row.free_from = now + self._lease
            row.seconds_seen = 0.0
            row.save()
            return _taken(row)

    def _apply(self, row: LongScreeningRow, command: LongCommand, now: datetime) -> None:
        """Decide, tell the journal, and change the row, which the caller saves. Raises TakenOver."""
        long = _long(row)
        events = _decided(long, command, now)
        for happened in events:
            long = evolve_long(long, happened)
        subject = long_subject(row.id)
        self._journal.append(subject, after=row.version, events=events, actor=_SYSTEM, at=self._clock())
        row.state, row.taken, row.free_from = long.state, long.taken, long.free_from
        row.version += len(events)


def _decided(long: LongScreening | None, command: LongCommand, now: datetime) -> list[Event]:
    decided = decide_long(long, command, now)
    if isinstance(decided, Refusal):
        raise TakenOver(decided.because)
    return decided


def _claim(once: Once, body: dict[str, Any], at: datetime) -> bool:
    """Whether the key was free and now stands for this; a request with the same key is waited for."""
    with connection.cursor() as cursor:
        told = json.dumps(body)
        cursor.execute(_CLAIM, [once.api_key, once.idempotency_key, once.request_digest, _ACCEPTED, told, at])
        return bool(cursor.rowcount)


def _ending(taken: Taken, answered: Answered) -> AnswerLong | HoldLongForPerson:
    if isinstance(answered.screening, NotScreened):
        return HoldLongForPerson(taking=taken.taking, reason=answered.screening.reason)
    return AnswerLong(taking=taken.taking, verdict=answered.verdict, answer=answered.answer.value)


def _forget(row: LongScreeningRow, answered: Answered) -> None:
    """Drop what only screening needed; free the Idempotency-Key if asking again may change the answer."""
    row.md5, row.sha1, row.sha256 = "", "", ""
    passing = isinstance(answered.screening, NotScreened) and answered.screening.reason.passes
    if passing and row.api_key is not None:
        IdempotencyRow.objects.filter(api_key=row.api_key, idempotency_key=row.idempotency_key).delete()


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("select statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _locked(screening: str) -> LongScreeningRow:
    return LongScreeningRow.objects.select_for_update().get(id=screening)


def _row(arrived: Arrived, once: Once | None, *, due: datetime, version: int) -> LongScreeningRow:
    content, digests = arrived.content, arrived.digests
    return LongScreeningRow(
        id=arrived.id,
        content_id=content.id,
        content_version=content.version,
        surface=content.surface,
        named=content.named,
        asked_by=arrived.asked_by,
        api_key=once.api_key if once else None,
        idempotency_key=once.idempotency_key if once else None,
        spool=arrived.spool,
        file=arrived.file,
        fingerprint=arrived.fingerprint,
        size=arrived.size,
        md5=digests.md5,
        sha1=digests.sha1,
        sha256=digests.sha256,
        state=LongState.WAITING,
        received_at=arrived.at,
        due=due,
        version=version,
    )


def _long(row: LongScreeningRow) -> LongScreening:
    return LongScreening(
        content=row.content_id,
        content_version=row.content_version,
        due=row.due,
        state=LongState(row.state),
        taken=row.taken,
        free_from=row.free_from,
    )


def _taken(row: LongScreeningRow) -> Taken:
    content = Content(  # who uploaded it stays sealed: nobody who screens it needs to know
        id=row.content_id,
        version=row.content_version,
        surface=row.surface,
        uploader=None,
        named=row.named,
    )
    arrived = Arrived(
        id=row.id,
        content=content,
        asked_by=row.asked_by,
        spool=row.spool,
        file=row.file,
        fingerprint=row.fingerprint,
        size=row.size,
        digests=Digests(md5=row.md5, sha1=row.sha1, sha256=row.sha256),
        at=row.received_at,
    )
    return Taken(arrived=arrived, taking=row.taken)
