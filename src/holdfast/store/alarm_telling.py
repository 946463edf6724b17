# SPDX-License-Identifier: Apache-2.0
"""What is told about alarms as they stand: the message behind an effect, and again what nobody has acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Case, QuerySet, Value, When

from holdfast.alarm.alarm import AlarmState
from holdfast.alarm.kinds import URGENT
from holdfast.alarm.message import MOST_LISTED, Message, Occasion
from holdfast.alarm.telling import (
    AGAIN,
    EVERYTHING,
    TELL_AGAIN,
    TELL_CLEARED,
    URGENT_AGAIN,
    URGENT_ONLY,
    Telling,
    again_line,
    again_order,
)
from holdfast.effect.effect import EffectState
from holdfast.effect.handler import Leased
from holdfast.store.alarms import item_of
from holdfast.store.many import update_many
from holdfast.store.models import AlarmRow, EffectRow

_SYSTEM: Final = "system:worker"
_LOCK: Final = 0x484F4C44_414C4152  # "HOLDALAR"
_URGENT_FIRST: Final = Case(When(kind__in=[*URGENT], then=Value(0)), default=Value(1))


class PostgresTelling:
    """Tells what stands."""

    def __init__(self, telling: Telling, clock: Callable[[], datetime]) -> None:
        """Tell as `telling` says."""
        self._telling = telling
        self._clock = clock

    def message(self, effect: Leased) -> Message | None:
        """The message that an effect owes, as things stand; None if there is nothing to say any more."""
        if effect.kind == TELL_AGAIN:
            return self._unacknowledged(effect.payload["scope"])
        row = AlarmRow.objects.filter(id=effect.payload["alarm"]).first()
        if row is None:
            return None
        occasion = Occasion.CLEARED if effect.kind == TELL_CLEARED else Occasion.RAISED
        return Message(occasion=occasion, alarms=(item_of(row),), at=self._clock())

    def tell_again(self, now: datetime) -> int:
        """Owe a message about what nobody has acknowledged in time; returns how many alarms it is about.

        One message for all of them, so that many alarms do not drown each other: of what is urgent every five
        minutes, of everything every hour. While one is owed still, no second is: it says what stands
        when it is sent.
        """
        if not self._telling.channels:
            return 0
        with transaction.atomic(durable=True):
            if not _alone():
                return 0
            due = {*_waiting().filter(tell_again_at__lte=now).values_list("kind", flat=True)}
            scope = EVERYTHING if due - URGENT else URGENT_ONLY
            rows = list(_of(scope).select_for_update(skip_locked=True).order_by("id")) if due else []
            if not rows:
                return 0
            for row in rows:
                row.tell_again_at = now + (URGENT_AGAIN if row.kind in URGENT else AGAIN)
            update_many(rows, ("tell_again_at",))
            self._owe(scope, rows[0].owner, now)
        return len(rows)

    def _owe(self, scope: str, owner: str, now: datetime) -> None:
        line = again_line(scope)
        owed = EffectRow.objects.filter(item=line, state__in=[EffectState.WAITING, EffectState.LEASED])
        busy = {*owed.values_list("location", flat=True)}
        orders = [again_order(one, scope, owner=owner, at=now) for one in self._telling.channels if one not in busy]
        self._telling.owe(orders, actor=_SYSTEM, at=now)

    def _unacknowledged(self, scope: str) -> Message | None:
        """Everything of that scope, what is urgent first, then the oldest."""
        waiting = _of(scope).order_by(_URGENT_FIRST, "raised_at", "id")
        rows, whole = list(waiting[:MOST_LISTED]), waiting.count()
        alarms = tuple(map(item_of, rows))
        if not alarms:
            return None
        return Message(occasion=Occasion.AGAIN, alarms=alarms, more=max(0, whole - len(alarms)), at=self._clock())


def _waiting() -> QuerySet[AlarmRow]:
    """What nobody has acknowledged, of the kinds that are told."""
    return AlarmRow.objects.filter(state=AlarmState.RAISED, tell_again_at__isnull=False)


def _of(scope: str) -> QuerySet[AlarmRow]:
    return _waiting().filter(kind__in=[*URGENT]) if scope == URGENT_ONLY else _waiting()


def _alone() -> bool:
    """Whether no other worker does this just now."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
