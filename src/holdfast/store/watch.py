# SPDX-License-Identifier: Apache-2.0
"""Alarms about what the tables show: raised while it is so, cleared once it is not, each in one transaction.

It looks at how things stand, not at who changed them: whoever died between a change and its alarm is made
up for in the next round.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from holdfast.match.unscreened import unscreened_subject
from holdfast.store.alarms import PostgresAlarms

UNSCREENED_OVERDUE: Final = "unscreened_overdue"
_BATCH: Final = 100
_SYSTEM: Final = "system:worker"
_OVERDUE: Final = """
select u.id, u.owner from unscreened u
where u.state = 'overdue' and not exists (
    select from alarm a where a.about = 'unscreened:' || u.id and a.kind = %s and a.state <> 'cleared'
) order by u.due limit %s
"""
_SETTLED: Final = """
select a.about from alarm a join unscreened u on a.about = 'unscreened:' || u.id
where a.kind = %s and a.state <> 'cleared' and u.state <> 'overdue' order by a.id limit %s
"""


def watch_holds(alarms: PostgresAlarms, at: datetime) -> int:
    """Alarm the owners of unscreened holds that are overdue, and clear alarms of those that are settled.

    At most a batch of each; returns how many alarms were raised or cleared.
    """
    with transaction.atomic(durable=True):
        raised = [
            alarms.call(UNSCREENED_OVERDUE, unscreened_subject(hold), owner, actor=_SYSTEM, at=at)
            for hold, owner in _found(_OVERDUE)
        ]
        cleared = [
            alarms.clear(about, "the item was screened", actor=_SYSTEM, at=at, kinds=[UNSCREENED_OVERDUE])
            for (about,) in _found(_SETTLED)
        ]
    return sum(one is not None for one in raised) + sum(cleared)


def _found(query: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [UNSCREENED_OVERDUE, _BATCH])
        return list(cursor.fetchall())
