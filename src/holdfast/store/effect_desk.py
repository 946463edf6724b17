# SPDX-License-Identifier: Apache-2.0
"""What people see of the outbox, and what they decide about effects that were quarantined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from holdfast.access.person import People, Who, counting
from holdfast.alarm.telling import TELLS, channel_subject
from holdfast.effect.effect import (
    OPEN,
    AskToGiveUpEffect,
    EffectCommand,
    EffectState,
    GiveUpEffect,
    RetryEffect,
    decide_effect,
    effect_subject,
    evolve_effect,
)
from holdfast.effect.listed import EffectItem, Lag
from holdfast.errors import EffectUnknown, Refusal, Refused
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.bank_changes import allowed
from holdfast.store.effect_rows import OVERTAKEN, effect_of
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import EffectRow
from holdfast.store.waking import Bell

_LAG: Final = """
select count(*) filter (where state in ('waiting', 'leased')),
    count(*) filter (where state in ('quarantined', 'giving_up')),
    count(*) filter (where state in ('waiting', 'leased') and late),
    coalesce(extract(epoch from statement_timestamp() - min(enqueued_at)
        filter (where state in ('waiting', 'leased'))), 0)
from effect where state in ('waiting', 'leased', 'quarantined', 'giving_up')
"""
_BUSY: Final = Refusal("effect.busy", "another effect of the same item and location is being carried out just now")


class EffectDesk:
    """The outbox as people have it before them."""

    def __init__(  # each is one part
        self,
        journal: PostgresJournal,
        alarms: PostgresAlarms,
        clock: Callable[[], datetime],
        bell: Bell,
        people: Callable[[], People],
    ) -> None:
        """Use `clock` for time, ring `bell` when something may be tried again; `people` are those who count."""
        self._journal = journal
        self._alarms = alarms
        self._clock = clock
        self._bell = bell
        self._people = people

    def open(self, *, limit: int, quarantined_only: bool = False) -> list[EffectItem]:
        """What is still owed, quarantined first, then the longest owed first."""
        stuck = Q(state__in=[EffectState.QUARANTINED, EffectState.GIVING_UP])
        rows = EffectRow.objects.filter(stuck if quarantined_only else Q(state__in=list(OPEN)))
        ordered = rows.order_by("enqueued_at", "id")
        first = list(ordered.filter(stuck)[:limit])
        return [_item(row) for row in (*first, *ordered.exclude(stuck)[: limit - len(first)])]

    def get(self, effect_id: str) -> EffectItem:
        """One effect. Raises EffectUnknown."""
        row = EffectRow.objects.filter(id=effect_id).first()
        if row is None:
            raise EffectUnknown(ascii(effect_id))
        return _item(row)

    def lag(self) -> Lag:
        """How far behind the outbox is, by the database's clock."""
        with connection.cursor() as cursor:
            cursor.execute(_LAG)
            waiting, quarantined, late, oldest = cursor.fetchone()
        return Lag(waiting, quarantined, late, float(oldest))

    def retry(self, effect_id: str, *, because: str, actor: str) -> EffectItem:
        """Let a quarantined effect be tried again, in its old place of its line.

        Raises EffectUnknown, InvalidRequest, or Refused: in another state, while another of its line is being
        carried out, or if it would undo something protective that went first.
        """
        with transaction.atomic(durable=True):
            row = _locked_with_line(effect_id)
            with connection.cursor() as cursor:
                cursor.execute(OVERTAKEN, [effect_id])
                overtaken, row.ready_at = cursor.fetchone()
            after = self._apply(row, RetryEffect(because, overtaken=overtaken), actor)
        self._bell.ring()
        return after

    def give_up(self, effect_id: str, *, because: str, by: Who) -> EffectItem:
        """Ask that a quarantined effect be given up or, as another person, agree to it.

        Raises EffectUnknown, InvalidRequest, PersonMissing, or Refused: in another state, or by the person who
        asked, with whatever key or account.
        """
        with transaction.atomic(durable=True):
            row = EffectRow.objects.select_for_update().filter(id=effect_id).first()
            if row is None:
                raise EffectUnknown(ascii(effect_id))
            asked, person = row.state == EffectState.GIVING_UP, counting(by, self._people())
            command = GiveUpEffect(person, because) if asked else AskToGiveUpEffect(person, because)
            after = self._apply(row, command, by.actor)
        self._bell.ring()  # what stood behind it may go
        return after

    def _apply(self, row: EffectRow, command: EffectCommand, actor: str) -> EffectItem:
        now, after, about = self._clock(), effect_of(row), effect_subject(row.id)
        events = allowed(decide_effect(after, command, now))
        for happened in events:
            after = evolve_effect(after, happened)
        self._journal.append(about, after=row.version, events=events, actor=actor, at=now)
        row.state, row.tries, row.asked_by = after.state, after.tries, after.asked_by
        row.version += len(events)
        if not isinstance(command, AskToGiveUpEffect):
            alarmed = channel_subject(row.location) if row.kind in TELLS else about
            self._alarms.clear(alarmed, "it is being tried again, or was given up", actor=actor, at=now)
        row.save()
        return _item(row)


def _locked_with_line(effect_id: str) -> EffectRow:
    """The row, with all that is open of its line kept from being leased until this transaction ends.

    Raises EffectUnknown, or Refused while one of them is in a worker's hands: two of one line must not be.
    """
    row = EffectRow.objects.filter(id=effect_id).first()
    if row is None:
        raise EffectUnknown(ascii(effect_id))
    line = EffectRow.objects.filter(item=row.item, location=row.location)
    rows = list(line.filter(Q(state__in=list(OPEN)) | Q(id=row.id)).order_by("place").select_for_update(of=("self",)))
    if any(one.state == EffectState.LEASED and one.id != row.id for one in rows):
        raise Refused(_BUSY)
    return next(one for one in rows if one.id == effect_id)


def _item(row: EffectRow) -> EffectItem:
    return EffectItem(row.id, row.enqueued_at, effect_of(row), row.fault, row.ready_at)
