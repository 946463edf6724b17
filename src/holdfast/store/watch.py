# SPDX-License-Identifier: Apache-2.0
"""Alarms about what the tables show: raised while it is so, cleared once it is not, each in one transaction.

It looks at how things stand, not at who changed them: whoever died between a change and its alarm is made
up for in the next round.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from holdfast.access.safety import IN_FORCE, InForce
from holdfast.alarm.alarm import AlarmState
from holdfast.alarm.kinds import AlarmKind
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.models import AlarmRow

_BATCH: Final = 100
_SYSTEM: Final = "system:worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """A table whose rows may be overdue, the alarm about that, and why it ends."""

    kind: AlarmKind
    noun: str
    table: str
    because: str


_WATCHED: Final = (
    _Watched(kind=AlarmKind.UNSCREENED_OVERDUE, noun="unscreened", table="unscreened", because="the item was screened"),
    _Watched(kind=AlarmKind.PROPOSAL_OVERDUE, noun="proposal", table="proposal", because="it was answered"),
)
_OVERDUE: Final = """
select %(noun)s || ':' || t.id, t.owner from {table} t
where t.state = 'overdue' and not exists (
    select from alarm a where a.about = %(noun)s || ':' || t.id and a.kind = %(kind)s and a.state <> 'cleared'
) order by t.due limit %(most)s
"""
_SETTLED: Final = """
select a.about from alarm a join {table} t on a.about = %(noun)s || ':' || t.id
where a.kind = %(kind)s and a.state <> 'cleared' and t.state <> 'overdue' order by a.id limit %(most)s
"""


def watch_overdue(alarms: PostgresAlarms, at: datetime) -> int:
    """Alarm the owners of what is overdue, and clear alarms of what is settled.

    At most a batch of each; returns how many alarms were raised or cleared.
    """
    return sum(_watch(alarms, watched, at) for watched in _WATCHED)


def watch_settings(alarms: PostgresAlarms, found: InForce | None, owner: str, at: datetime) -> int:
    """Alarm `owner` while settings are weaker than two people accepted; returns how many alarms changed."""
    weakened = bool(found and found.weakened)
    standing = AlarmRow.objects.filter(about=IN_FORCE, kind=AlarmKind.SETTINGS_WEAKENED)
    if weakened == standing.exclude(state=AlarmState.CLEARED).exists():
        return 0
    with transaction.atomic(durable=True):
        if not weakened:
            return alarms.clear(IN_FORCE, "they were set right or accepted", actor=_SYSTEM, at=at)
        return int(alarms.call(AlarmKind.SETTINGS_WEAKENED, IN_FORCE, owner, actor=_SYSTEM, at=at) is not None)


def _watch(alarms: PostgresAlarms, watched: _Watched, at: datetime) -> int:
    values: dict[str, str | int] = {"noun": watched.noun, "kind": watched.kind, "most": _BATCH}
    with transaction.atomic(durable=True):
        raised = [
            alarms.call(watched.kind, about, owner, actor=_SYSTEM, at=at)
            for about, owner in _found(_OVERDUE.format(table=watched.table), values)
        ]
        cleared = [
            alarms.clear(about, watched.because, actor=_SYSTEM, at=at, kinds=[watched.kind])
            for (about,) in _found(_SETTLED.format(table=watched.table), values)
        ]
    return sum(one is not None for one in raised) + sum(cleared)


def _found(query: str, values: dict[str, str | int]) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
