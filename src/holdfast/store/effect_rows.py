# SPDX-License-Identifier: Apache-2.0
"""Effects as rows: the head of each line, and how rows are written and read back as values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from holdfast.effect.effect import Effect, EffectEnqueued, EffectState, Order, PayloadId, Weight
from holdfast.effect.handler import Leased
from holdfast.log.event import Event, encode
from holdfast.store.models import EffectRow

# By the database's clock unless the caller passes one; statement_timestamp() may be compared by an index.
NOW: Final = "coalesce(%(now)s, statement_timestamp())"
_STUCK: Final = "('quarantined', 'giving_up')"
# Whether `e` is the first that may go. Nothing of its line is in anybody's hands; nothing waits before it; and
# nothing before it is quarantined. Only what protects may pass what is quarantined, and with it what that keeps
# waiting. (Plain "for update skip locked" finished 154 of 3,000 effects out of order when tried.)
_IS_HEAD: Final = f"""
not exists (
    select from effect f
    where f.item = e.item and f.location = e.location and f.id <> e.id and f.state = 'leased'
) and not exists (
    select from effect f
    where f.item = e.item and f.location = e.location and f.place < e.place and (
        (f.state in {_STUCK} and e.weight <> 'protective')
        or (f.state = 'waiting' and (e.weight <> 'protective' or f.weight = 'protective' or not exists (
            select from effect g
            where g.item = f.item and g.location = f.location and g.place < f.place and g.state in {_STUCK}
        )))
    )
)
"""  # noqa: S608  # made of constants
_OVERTAKEN: Final = """
(e.weight = 'releasing' and exists (
    select from effect f
    where f.item = e.item and f.location = e.location and f.place > e.place
        and f.weight = 'protective' and f.state in ('leased', 'done')
))
"""
_READY: Final = f"""
e.state in ('waiting', 'leased') and e.ready_at <= {NOW} and e.kind = any(%(kinds)s) and {_IS_HEAD}
"""
# What protects goes first, however much else waits: a thousand notices must not stand before one hold.
CANDIDATES: Final = f"""
with protective as (
    select e.id from effect e where {_READY} and e.weight = 'protective'
    order by e.ready_at limit %(most)s for update of e skip locked
), others as (
    select e.id from effect e where {_READY} and e.weight <> 'protective'
    order by e.ready_at limit %(most)s - (select count(*) from protective) for update of e skip locked
)
select id from protective union all select id from others
"""  # noqa: S608  # made of constants
# Asked again once the rows are locked, by a statement that sees what was committed until then: between the two
# looks another worker may have finished, and a person may have let something quarantined be tried again.
HEADS: Final = f"""
select e.id, {_OVERTAKEN}, {NOW} from effect e where e.id = any(%(ids)s) and {_IS_HEAD}
order by e.weight <> 'protective', e.ready_at
"""  # noqa: S608  # made of constants
OVERTAKEN: Final = f"select {_OVERTAKEN}, statement_timestamp() from effect e where e.id = %s"  # noqa: S608  # made of constants
LINE_LOCK: Final = "select pg_advisory_xact_lock(line) from unnest(%(lines)s::bigint[]) as line"
# Places, rows and events by one statement, which sees what the lock of the lines waited for.
ENQUEUE: Final = """
with wanted as materialized (
    select * from jsonb_to_recordset(%(orders)s::jsonb) as w (
        number int, id text, kind text, item text, location text, weight text, payload jsonb, owner text,
        most_tries int, deadline timestamptz, told jsonb
    )
), told as (
    insert into journal (subject, version, tag, schema, body, actor, at)
    select 'effect:' || id, 1, %(tag)s::text, %(schema)s::smallint, told, %(actor)s::text, %(at)s::timestamptz
    from wanted order by number
)
insert into effect (id, kind, item, location, place, weight, payload, owner, most_tries, deadline,
    state, tries, fence, ready_at, late, version, enqueued_at)
select w.id, w.kind, w.item, w.location,
    row_number() over (partition by w.item, w.location order by w.number)
        + (select coalesce(max(e.place), 0) from effect e where e.item = w.item and e.location = w.location),
    w.weight, w.payload, w.owner, w.most_tries, w.deadline,
    'waiting', 0, 0, least(%(at)s::timestamptz, statement_timestamp()), false, 1, %(at)s::timestamptz
from wanted w returning 1
"""
UPDATE: Final = """
update effect e set state = n.state, tries = n.tries, fence = n.fence, ready_at = n.ready_at, late = n.late,
    asked_by = n.asked_by, fault = n.fault, version = n.version
from unnest(
    %s::text[], %s::text[], %s::int[], %s::bigint[], %s::timestamptz[], %s::boolean[], %s::text[], %s::text[], %s::int[]
) as n (id, state, tries, fence, ready_at, late, asked_by, fault, version)
where e.id = n.id
"""


@dataclass(slots=True)
class Change:
    """One row on its way to what it will hold, and what the journal will be told."""

    row: EffectRow
    effect: Effect
    events: list[Event]
    """Those that the journal keeps."""


def lines_of(orders: Sequence[Order]) -> list[int]:
    """The locks of the lines of these orders, in one order for everybody, so that nobody waits in a ring."""
    lines = {f"{order.item}\x1f{order.location}" for order in orders}
    digests = (hashlib.blake2b(line.encode(), digest_size=8, person=b"holdfast effect").digest() for line in lines)
    return sorted(int.from_bytes(digest, signed=True) for digest in digests)


def enqueue_values(owed: Sequence[tuple[str, Order, Event]], actor: str, at: datetime) -> dict[str, Any]:
    """The parameters of ENQUEUE for (id, order, event)."""
    orders = [
        {
            "number": number,
            "id": effect_id,
            "kind": order.kind,
            "item": order.item,
            "location": order.location,
            "weight": order.weight.value,
            "payload": {one.name: one.id for one in order.payload},
            "owner": order.owner,
            "most_tries": order.most_tries,
            "deadline": order.deadline.isoformat(),
            "told": encode(told),
        }
        for number, (effect_id, order, told) in enumerate(owed)
    ]
    told = {"tag": EffectEnqueued.tag, "schema": EffectEnqueued.schema}
    return {"orders": json.dumps(orders), **told, "actor": actor, "at": at}


def update_values(changes: Sequence[Change]) -> list[list[Any]]:
    """The parameters of UPDATE."""
    rows = [
        (
            change.row.id,
            change.effect.state.value,
            change.effect.tries,
            change.row.fence,
            change.row.ready_at,
            change.effect.late,
            change.effect.asked_by,
            change.row.fault,
            change.row.version + len(change.events),
        )
        for change in changes
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def effect_of(row: EffectRow) -> Effect:
    """The effect that a row holds."""
    order = Order(
        kind=row.kind,
        item=row.item,
        location=row.location,
        payload=tuple(PayloadId(name, value) for name, value in row.payload.items()),
        weight=Weight(row.weight),
        deadline=row.deadline,
        most_tries=row.most_tries,
        owner=row.owner,
    )
    return Effect(order=order, state=EffectState(row.state), tries=row.tries, late=row.late, asked_by=row.asked_by)


def leased_of(change: Change) -> Leased:
    """What a worker gets in its hands."""
    row = change.row
    return Leased(
        id=row.id,
        kind=row.kind,
        item=row.item,
        location=row.location,
        payload=row.payload,
        weight=Weight(row.weight),
        tries=change.effect.tries,
        owner=row.owner,
        fence=row.fence,
        until=row.ready_at,
    )
