# SPDX-License-Identifier: Apache-2.0
"""A bell for workers: a notification outside every transaction of substance, at most one each tenth of a second.

A NOTIFY inside a transaction takes one lock for the whole database at its commit (with eight writers it
halved their rate when tried). So a process rings after its commits, in a statement of its own, and not again
for a while. What is enqueued in that while is found by asking: workers ask in between anyway.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from django.db import Error as DjangoDatabaseError
from django.db import connection

CHANNEL: Final = "holdfast_effects"
LEAST_SECONDS: Final = 0.1
_log = structlog.get_logger("effects")


class Bell:
    """One for each process; any thread may ring it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Use `clock` for seconds that only ever grow."""
        self._clock = clock
        self._lock = threading.Lock()
        self._rang_at = -LEAST_SECONDS

    def ring(self) -> bool:
        """Wake whoever listens, unless it was done a moment ago; whether it was done now. Raises nothing.

        It runs after a commit, which stands whatever happens here.
        """
        with self._lock:
            now = self._clock()
            if now - self._rang_at < LEAST_SECONDS:
                return False
            self._rang_at = now
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_notify(%s, '')", [CHANNEL])
        except DjangoDatabaseError as fault:
            _log.warning("bell_not_rung", fault=type(fault).__name__, what_to_do="none: workers ask in between")
        return True
