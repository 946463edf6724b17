# SPDX-License-Identifier: Apache-2.0
"""Orders for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction

from holdfast.bootstrap import System
from holdfast.effect.effect import Order, PayloadId, Weight

# Later than the database's own clock, so that whatever it stamps is due already.
NOW = datetime(2040, 1, 1, tzinfo=UTC)
LASTING = timedelta(seconds=60)
ACTOR = "cli:test"


def order(
    item: str = "post-1", *, kind: str = "test.act", weight: Weight = Weight.NEUTRAL, most_tries: int = 3
) -> Order:
    """Something to be done to an item."""
    return Order(
        kind=kind,
        item=item,
        location="eu-1",
        payload=(PayloadId("content", "post-id"),),
        weight=weight,
        deadline=NOW + timedelta(hours=1),
        most_tries=most_tries,
        owner="on-call",
    )


def owe(system: System, *orders: Order, at: datetime = NOW) -> list[str]:
    """Owe these in a transaction of their own."""
    with transaction.atomic(durable=True):
        return system.effects.enqueue(orders, actor=ACTOR, at=at)
