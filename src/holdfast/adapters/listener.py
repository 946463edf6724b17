# SPDX-License-Identifier: Apache-2.0
"""Wait for a notification from PostgreSQL on a connection of its own, or for a little time to pass.

A notification only makes following quicker. One that is lost, and a connection that is gone, cost
the interval and nothing else: whoever waits here reads by number afterwards.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import psycopg
import structlog
from psycopg import sql

_RETRY_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 5
_log = structlog.get_logger("banks")


class Listener:
    """Waits on one channel. For one thread."""

    def __init__(self, url: str, channel: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Listen to `channel` at `url`, which must reach PostgreSQL itself and not a pooler of transactions."""
        self._url = url
        self._channel = channel
        self._clock = clock
        self._connection: psycopg.Connection | None = None
        self._try_again_at = -_RETRY_SECONDS

    def wait(self, seconds: float) -> bool:
        """Return True once notified, False when `seconds` have passed. Raises nothing."""
        try:
            connection = self._connected()
            if connection is not None:
                return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error as fault:
            _log.warning("not_listening", fault=type(fault).__name__, what_to_do="none: banks are asked in between")
            self.close()
        threading.Event().wait(seconds)
        return False

    def close(self) -> None:
        """Let go of the connection; the next `wait` makes another, after a while."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._try_again_at = self._clock() + _RETRY_SECONDS

    def _connected(self) -> psycopg.Connection | None:
        if self._connection is None and self._clock() >= self._try_again_at:
            self._connection = listening(self._url, self._channel)
        return self._connection


def listening(url: str, channel: str) -> psycopg.Connection:
    """A connection that listens to `channel`. Raises psycopg.Error if there is none to be had."""
    connection = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
    return connection
