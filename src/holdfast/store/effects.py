# SPDX-License-Identifier: Apache-2.0
"""The outbox in PostgreSQL: owed in the caller's transaction, leased head by head, acknowledged with a fence.

The promises: what a transaction owes is owed exactly if it commits; of one line (an item at a location)
one effect is in somebody's hands at a time, in the order in which they were owed; whoever's lease is over
is not listened to; and what does not succeed ends with its owner being alarmed. An effect may be carried
out more than once, always under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.alarm.telling import TELLS, channel_subject
from holdfast.effect.backoff import pause
from holdfast.effect.effect import (
    LOST,
    EffectCommand,
    EffectQuarantined,
    EffectState,
    FailEffect,
    FinishEffect,
    LeaseEffect,
    LoseEffect,
    MarkEffectLate,
    Order,
    OvertakeEffect,
    RefuseEffect,
    decide_effect,
    effect_subject,
    evolve_effect,
)
from holdfast.effect.handler import LEASE, Done, Failed, Leased, Outcome, Refused
from holdfast.log.event import is_kept
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.bank_changes import allowed
from holdfast.store.effect_rows import (
    CANDIDATES,
    HEADS,
    UPDATE,
    Change,
    effect_of,
    leased_of,
    update_values,
)
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import EffectRow
from holdfast.store.outbox import Outbox

_LATE_BATCH: Final = 100
_SYSTEM: Final = "system:worker"


class PostgresEffects:
    """Everything owed to the world outside."""

    def __init__(
        self,
        journal: PostgresJournal,
        alarms: PostgresAlarms,
        outbox: Outbox,
        clock: Callable[[], datetime],
    ) -> None:
        """Owe through `outbox`; use `clock` for the time of events."""
        self._journal = journal
        self._alarms = alarms
        self._outbox = outbox
        self._clock = clock

    def enqueue(self, orders: Sequence[Order], *, actor: str, at: datetime) -> list[str]:
        """Owe these from the moment when the open transaction commits: see `Outbox.enqueue`."""
        return self._outbox.enqueue(orders, actor=actor, at=at)

    def lease(
        self, kinds: Iterable[str], *, most: int, lasting: timedelta = LEASE, now: datetime | None = None
    ) -> list[Leased]:
        """Take at most `most` heads of lines into the caller's hands, of these kinds, for so long.

        `now` is the database's clock unless given. Effects whose worker was lost are taken over, or
        quarantined once their tries are used up.
        """
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(CANDIDATES, {"now": now, "kinds": list(kinds), "most": most})
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                return []
            cursor.execute(HEADS, {"now": now, "ids": ids})
            heads = cursor.fetchall()
            rows = EffectRow.objects.in_bulk([row[0] for row in heads])
            changes = [self._taken(rows[key], at + lasting, overtaken=over, at=at) for key, over, at in heads]
            self._write(changes, actor=_SYSTEM, at=heads[0][2] if heads else self._clock())
        return [leased_of(change) for change in changes if change.effect.state is EffectState.LEASED]

    def settle(self, outcomes: Sequence[tuple[Leased, Outcome]], *, now: datetime | None = None) -> list[bool]:
        """Write how these tries ended, in one transaction; for each, whether the holder was listened to.

        Not listened to is whoever's lease is over, or was taken by another: what it did will be done again.
        """
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("select coalesce(%s, clock_timestamp())", [now])
            at = cursor.fetchone()[0]
            ids = [leased.id for leased, _ in outcomes]
            rows = {row.id: row for row in EffectRow.objects.select_for_update().filter(id__in=ids).order_by("id")}
            heard, changes = [], []
            for leased, outcome in outcomes:
                row = rows.get(leased.id)
                heard.append(row is not None and _holds(row, leased, at))
                if row is not None and heard[-1]:
                    changes.append(self._ended(rows.pop(leased.id), outcome, at))
            self._write(changes, actor=_SYSTEM, at=at)
        return heard

    def mark_late(self, now: datetime | None = None) -> list[str]:
        """Alarm the owners of effects whose deadline is over, at most a batch; returns the effects' ids."""
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("select coalesce(%s, statement_timestamp())", [now])
            at = cursor.fetchone()[0]
            rows = EffectRow.objects.filter(state__in=["waiting", "leased"], late=False, deadline__lte=at)
            late = list(rows.order_by("deadline").select_for_update(skip_locked=True)[:_LATE_BATCH])
            self._write([self._changed(row, MarkEffectLate(), at) for row in late], actor=_SYSTEM, at=at)
            for row in late:
                self._alarm(row, late=True, at=at)
        return [row.id for row in late]

    # --- one effect, step by step

    def _taken(self, row: EffectRow, until: datetime, *, overtaken: bool, at: datetime) -> Change:
        """A head in the caller's hands, or quarantined if it must not be tried."""
        change = Change(row, effect_of(row), [])
        if change.effect.state is EffectState.LEASED:
            _decide(change, LoseEffect(), at)
            row.fault = LOST
        if change.effect.state is EffectState.WAITING:
            _decide(change, OvertakeEffect() if overtaken else LeaseEffect(), at)
        row.fence += 1
        row.ready_at = until
        return change

    def _ended(self, row: EffectRow, outcome: Outcome, at: datetime) -> Change:
        match outcome:
            case Done():
                row.fault = None
                return self._changed(row, FinishEffect(), at)
            case Failed(fault=fault, retry_at=retry_at):
                row.fault, row.ready_at = fault, retry_at or at + pause(row.tries, row.id)
                return self._changed(row, FailEffect(fault), at)
            case Refused(fault=fault):
                row.fault = fault
                return self._changed(row, RefuseEffect(fault), at)

    def _changed(self, row: EffectRow, command: EffectCommand, at: datetime) -> Change:
        change = Change(row, effect_of(row), [])
        _decide(change, command, at)
        return change

    def _write(self, changes: Sequence[Change], *, actor: str, at: datetime) -> None:
        """The rows, their events, and an alarm for each that was quarantined; what is done needs none any more."""
        if not changes:
            return
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, update_values(changes))
        told = [(effect_subject(one.row.id), one.row.version, one.events) for one in changes if one.events]
        if told:
            self._journal.append_many(told, actor=actor, at=at)
        for change in changes:
            if any(isinstance(happened, EffectQuarantined) for happened in change.events):
                self._alarm(change.row, late=False, at=at)
            if change.effect.state is EffectState.DONE:
                self._clear(change, at)

    def _alarm(self, row: EffectRow, *, late: bool, at: datetime) -> None:
        """Alarm its owner. If it is itself a message about an alarm, one alarm stands for its whole channel."""
        if row.kind in TELLS:
            about = channel_subject(row.location)
            self._alarms.call(AlarmKind.CHANNEL_SILENT, about, row.owner, actor=_SYSTEM, at=at)
        elif late:
            self._alarms.call(AlarmKind.EFFECT_LATE, effect_subject(row.id), row.owner, actor=_SYSTEM, at=at)
        else:
            self._alarms.call(AlarmKind.EFFECT_QUARANTINED, effect_subject(row.id), row.owner, actor=_SYSTEM, at=at)

    def _clear(self, change: Change, at: datetime) -> None:
        """What is done needs no alarm any more, and a channel that took a message is not silent."""
        if change.row.kind in TELLS:
            self._alarms.clear(channel_subject(change.row.location), "a message was taken", actor=_SYSTEM, at=at)
        elif change.effect.late:
            self._alarms.clear(effect_subject(change.row.id), "it was done", actor=_SYSTEM, at=at)


def _holds(row: EffectRow, leased: Leased, at: datetime) -> bool:
    """Whether this lease is the present one, and still runs."""
    return row.state == EffectState.LEASED and row.fence == leased.fence and at < row.ready_at


def _decide(change: Change, command: EffectCommand, at: datetime) -> None:
    """Carry out one command on a row that is locked."""
    for happened in allowed(decide_effect(change.effect, command, at)):
        change.effect = evolve_effect(change.effect, happened)
        if is_kept(happened):
            change.events.append(happened)
