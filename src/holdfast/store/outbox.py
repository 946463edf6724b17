# SPDX-License-Identifier: Apache-2.0
"""Owing effects: the one part of the outbox that everything else may call, alarms included.

What leases and settles effects raises alarms, and alarms owe effects. So owing stands by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from holdfast.effect.effect import EnqueueEffect, Order, decide_effect
from holdfast.errors import JournalConflict
from holdfast.store.bank_changes import allowed
from holdfast.store.effect_rows import ENQUEUE, LINE_LOCK, enqueue_values, lines_of
from holdfast.store.prepared import one_row
from holdfast.store.waking import Bell


class Outbox:
    """Where effects are put. See `holdfast.alarm.telling.Owing`."""

    def __init__(self, new_id: Callable[[str], str], bell: Bell) -> None:
        """Use `new_id` for ids, and ring `bell` once there is something to do."""
        self._new_id = new_id
        self.bell = bell

    def enqueue(self, orders: Sequence[Order], *, actor: str, at: datetime) -> list[str]:
        """Owe these from the moment when the open transaction commits, in this order; returns their ids.

        Holds a lock on each line until then, so that places follow commits. Raises RuntimeError outside a
        transaction, InvalidRequest for an order that could never be carried out.
        """
        if not connection.in_atomic_block:
            raise RuntimeError("effects are owed inside the transaction of what they follow from")
        if not orders:
            return []
        ids = [self._new_id("eff") for _ in orders]
        told = [allowed(decide_effect(None, EnqueueEffect(order), at))[0] for order in orders]
        # Two statements: the second sees what the first, the lock of the lines, waited for.
        one_row(LINE_LOCK, {"lines": lines_of(orders)})
        try:
            one_row(ENQUEUE, enqueue_values(list(zip(ids, orders, told, strict=True)), actor, at))
        except IntegrityError as cause:
            raise JournalConflict from cause
        transaction.on_commit(self.bell.ring)
        return ids
