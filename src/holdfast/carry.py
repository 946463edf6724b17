# SPDX-License-Identifier: Apache-2.0
"""Carry effects out: lease the heads of lines, call their handlers, write how each ended.

What has ended since the last look is written together; what was leased is at most what is in hand, so
that nobody's lease runs while it only waits. Nothing here keeps an effect in memory that the
database does not have: a process that dies loses nothing but its leases.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import structlog
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DjangoDatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.adapters.listener import Listener
from holdfast.effect.handler import LEASE, Failed, Leased, Outcome, Registry
from holdfast.errors import HoldfastError
from holdfast.store.waking import CHANNEL

if TYPE_CHECKING:
    from holdfast.store.effects import PostgresEffects

HANDS: Final = 8
POLL_SECONDS: Final = 0.25
_LOOK_SECONDS: Final = 0.05
_LATE_SECONDS: Final = 1.0
_log = structlog.get_logger("effects")


class Carrier:
    """Carries effects out, as many at once as it has hands. For one thread; handlers run in others."""

    def __init__(
        self, effects: PostgresEffects, handlers: Registry, *, hands: int = HANDS, lasting: timedelta = LEASE
    ) -> None:
        """Carry out what `handlers` has kinds for; a lease ends after `lasting`."""
        self._effects = effects
        self._handlers = handlers
        self._hands = hands
        self._lasting = lasting
        self._own: list[BaseDatabaseWrapper] = []
        self._pool = ThreadPoolExecutor(hands, thread_name_prefix="effect", initializer=self._keep_own)
        self._at_work: dict[Future[Outcome], Leased] = {}

    def round(self) -> int:
        """Lease what hands are free for, and write what has ended; returns how many are at work or were written.

        Raises whatever the database raises; what had ended is then done again once its lease is over.
        """
        free = self._hands - len(self._at_work)
        taken = self._effects.lease(self._handlers, most=free, lasting=self._lasting) if free else []
        for leased in taken:
            self._at_work[self._pool.submit(self._call, leased)] = leased
        if not self._at_work:
            return 0
        ended, _ = wait(self._at_work, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        outcomes = [(self._at_work.pop(future), future.result()) for future in ended]
        if outcomes:
            for (leased, _), heard in zip(outcomes, self._effects.settle(outcomes), strict=True):
                if not heard:
                    _log.warning("lease_was_over", effect=leased.id, kind=leased.kind, what_to_do="none: it is redone")
        return len(self._at_work) + len(outcomes)

    def drain(self) -> int:
        """Rounds until nothing is to be done; returns how many rounds did something."""
        rounds = 0
        while self.round():
            rounds += 1
        return rounds

    def close(self) -> None:
        """Wait for the handlers that run, and write how they ended."""
        self._pool.shutdown()
        outcomes = [(leased, future.result()) for future, leased in self._at_work.items()]
        self._at_work.clear()
        if outcomes:
            self._effects.settle(outcomes)
        for one in self._own:
            one.close()

    def for_ever(self, url: str, stopping: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        """Round after round until told to stop; with nothing to do, wait to be woken, or a quarter of a second.

        `url` must reach PostgreSQL itself and not a pooler of transactions, else waking is lost and asking remains.
        """
        listener, looked = Listener(url, CHANNEL), clock() - _LATE_SECONDS
        while not stopping():
            try:
                if clock() - looked >= _LATE_SECONDS:
                    looked = clock()
                    self._alarm_of_late()
                if self.round():
                    continue
            except (DjangoDatabaseError, psycopg.Error, HoldfastError) as fault:
                _log.warning("effects_wait", fault=type(fault).__name__, what_to_do="none: it is tried again")
                connections.close_all()  # a broken connection is not mended by using it again
            listener.wait(POLL_SECONDS)
        listener.close()
        self.close()

    def _alarm_of_late(self) -> None:
        for effect_id in self._effects.mark_late():
            _log.error("effect_late", effect=effect_id, what_to_do="see 'holdfast effects list'; it is tried on")

    def _call(self, leased: Leased) -> Outcome:
        """One try. Whatever a handler raises is a failed try, and told in the log with its trace."""
        try:
            return self._handlers[leased.kind](leased)
        except Exception as fault:  # noqa: BLE001  # whatever it is: it is tried again, and in the end quarantined
            _log.error("handler_failed", effect=leased.id, kind=leased.kind, exc_info=fault)
            connections.close_all()  # it may be the connection that is broken
            return Failed(type(fault).__name__)

    def _keep_own(self) -> None:
        """Each hand keeps its connection, once it needs one: making one takes longer than most effects."""
        own = connections[DEFAULT_DB_ALIAS]
        own.inc_thread_sharing()  # `close` lets go of it when its thread is no more
        self._own.append(own)
