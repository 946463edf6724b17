# SPDX-License-Identifier: Apache-2.0
"""Alarms in PostgreSQL: raised in the transaction of what they are about, once while it lasts.

In the same transaction each owes a message to every alarm channel; see `holdfast.alarm.telling`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from holdfast.alarm.alarm import (
    AcknowledgeAlarm,
    Alarm,
    AlarmCommand,
    AlarmItem,
    AlarmState,
    ClearAlarm,
    RaiseAlarm,
    RenewAlarm,
    alarm_subject,
    decide_alarm,
    evolve_alarm,
)
from holdfast.alarm.kinds import AlarmKind, meaning_of
from holdfast.alarm.telling import TELL, TELL_CLEARED, Telling
from holdfast.errors import AlarmUnknown
from holdfast.log.event import encode
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import AlarmRow
from holdfast.store.once import claim_key
from holdfast.store.prepared import one_row_or_none

# Of two that raise the same alarm at once, the second waits here for the first, and then raises none.
_RAISE: Final = """
with raised as (
    insert into alarm (id, kind, about, owner, state, raised_at, tell_again_at, version)
    values (%(id)s::text, %(kind)s::text, %(about)s::text, %(owner)s::text, %(state)s::text, %(at)s::timestamptz,
        %(again)s::timestamptz, 1)
    on conflict (kind, about) where not state = 'cleared' do nothing returning id
)
insert into journal (subject, version, tag, schema, body, actor, at)
select %(subject)s::text, 1, %(tag)s::text, %(schema)s::smallint, %(body)s::jsonb, %(actor)s::text, %(at)s::timestamptz
from raised returning 1
"""


class PostgresAlarms:
    """The alarms."""

    def __init__(
        self,
        journal: PostgresJournal,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        telling: Telling,
    ) -> None:
        """Use `clock` for time, `new_id` for the ids of alarms, and tell them as `telling` says."""
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._telling = telling

    def call(self, kind: AlarmKind, about: str, owner: str, *, actor: str, at: datetime) -> str | None:
        """Raise an alarm in the transaction that is open; its id, or None if the same one stands already.

        Raises InvalidRequest for a kind or an owner that cannot be.
        """
        alarm_id = self._new_id("alm")
        (told,) = allowed(decide_alarm(None, RaiseAlarm(kind=kind, about=about, owner=owner)))
        values: dict[str, Any] = {
            "id": alarm_id,
            "kind": kind,
            "about": about,
            "owner": owner,
            "state": AlarmState.RAISED.value,
            "subject": alarm_subject(alarm_id),
            "tag": told.tag,
            "schema": told.schema,
            "body": json.dumps(encode(told)),
            "actor": actor,
            "at": at,
            "again": self._telling.first_again(kind, at),
        }
        if one_row_or_none(_RAISE, values) is None:
            return None
        self._owe(TELL, alarm_id, kind, owner, actor=actor, at=at)
        return alarm_id

    def renew(self, kind: AlarmKind, about: str, owner: str, *, actor: str, at: datetime) -> None:
        """The same, and if it stands already, call its owner again: what it is about has become more pressing."""
        while not self.call(kind, about, owner, actor=actor, at=at):
            found = AlarmRow.objects.filter(about=about, kind=kind).exclude(state=AlarmState.CLEARED)
            row = found.select_for_update().first()
            if row is None:
                continue  # cleared just now
            self._apply(row, RenewAlarm(), actor, at)
            self._owe(TELL, row.id, kind, row.owner, actor=actor, at=at)
            return

    def clear(  # each says one thing about the end
        self,
        about: str,
        because: str,
        *,
        actor: str,
        at: datetime,
        kinds: Iterable[str] | None = None,
        quietly: bool = False,
    ) -> int:
        """Clear every alarm about one subject, or those of some kinds, in the transaction that is open; how many.

        `quietly`: nobody is told that it is in order again, because another alarm takes its place.
        """
        rows = AlarmRow.objects.filter(about=about).exclude(state=AlarmState.CLEARED)
        if kinds is not None:
            rows = rows.filter(kind__in=list(kinds))
        found = list(rows.select_for_update().order_by("id"))
        for row in found:
            self._apply(row, ClearAlarm(because), actor, at)
            if not quietly:
                self._owe(TELL_CLEARED, row.id, row.kind, row.owner, actor=actor, at=at)
        return len(found)

    def acknowledge(self, alarm_id: str, *, actor: str) -> AlarmItem:
        """Say that a person has seen it. Raises AlarmUnknown, or Refused if it was seen or cleared before."""
        with transaction.atomic(durable=True):
            claim_key()
            row = AlarmRow.objects.select_for_update().filter(id=alarm_id).first()
            if row is None:
                raise AlarmUnknown(ascii(alarm_id))
            after = self._apply(row, AcknowledgeAlarm(actor), actor, self._clock())
            return AlarmItem(row.id, row.raised_at, after)

    def standing(self, *, limit: int) -> list[AlarmItem]:
        """The alarms that are not cleared, the oldest first."""
        rows = AlarmRow.objects.exclude(state=AlarmState.CLEARED).order_by("raised_at", "id")[:limit]
        return [item_of(row) for row in rows]

    def _owe(self, what: str, alarm_id: str, kind: str, owner: str, *, actor: str, at: datetime) -> None:
        """Owe the messages about one alarm, if its kind is told."""
        if meaning_of(kind).told:
            self._telling.owe(self._telling.orders(what, alarm_id, owner=owner, at=at), actor=actor, at=at)

    def _apply(self, row: AlarmRow, command: AlarmCommand, actor: str, at: datetime) -> Alarm:
        after = alarm_of(row)
        events = allowed(decide_alarm(after, command))
        for happened in events:
            after = evolve_alarm(after, happened)
        self._journal.append(alarm_subject(row.id), after=row.version, events=events, actor=actor, at=at)
        row.state, row.acknowledged_by, row.version = after.state, after.acknowledged_by, row.version + len(events)
        raised = after.state is AlarmState.RAISED
        row.tell_again_at = self._telling.first_again(row.kind, at) if raised else None
        row.save()
        return after


def item_of(row: AlarmRow) -> AlarmItem:
    """The same, with its id and since when it stands."""
    return AlarmItem(row.id, row.raised_at, alarm_of(row))


def alarm_of(row: AlarmRow) -> Alarm:
    """The alarm that a row holds."""
    return Alarm(
        kind=row.kind,
        about=row.about,
        owner=row.owner,
        state=AlarmState(row.state),
        acknowledged_by=row.acknowledged_by,
    )
