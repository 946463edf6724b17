# SPDX-License-Identifier: Apache-2.0
"""Keep this process level with the banks: map segments, take in changes, say so, wait for the next.

A process that has not been able to do all of it for longer than allowed is stale, and must not
screen: `silent_seconds` tells. One process of each machine also keeps the segments (`keep_segments`):
it builds them anew when enough has changed, and the others map what it wrote.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

import psycopg
import structlog
from django.db import Error as DjangoDatabaseError
from django.db import connections

from holdfast.adapters.listener import Listener
from holdfast.bootstrap import System
from holdfast.match.index import LEAST_SEGMENT, LayeredIndex
from holdfast.match.known import CHANNEL, Level
from holdfast.store.processes import ThisProcess

HEARTBEAT_SECONDS: Final = 1.0
_MAP_AT_ONCE_SECONDS: Final = 0.5
_log = structlog.get_logger("banks")


class Follower:
    """Follows the banks for one process. `round` is for one thread; `silent_seconds` for any."""

    def __init__(self, system: System, process: ThisProcess, clock: Callable[[], float] = time.monotonic) -> None:
        """Follow with `system` as `process`; `clock` gives seconds that only ever grow."""
        self._system = system
        self._process = process
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._said: tuple[int | None, float] = (None, 0.0)
        self._heard_at: float | None = None
        self._mapper = ThreadPoolExecutor(1, thread_name_prefix="map")
        self._mapping: tuple[tuple[int, int], Future[tuple[LayeredIndex, Level, int] | None]] | None = None

    @property
    def silent_seconds(self) -> float | None:
        """How long ago this process was last known to be level; None if it never was."""
        return None if self._heard_at is None else self._clock() - self._heard_at

    def round(self) -> None:
        """Map new segments, take in changes, and say how far this process is. Raises whatever the database raises."""
        self._adopt_segments()
        began = self._clock()
        ready_to = self._system.known.follow().number
        if self._said[0] != ready_to or began - self._said[1] >= HEARTBEAT_SECONDS:
            signals = len(self._system.known)
            self._system.processes.say(self._process, ready_to=ready_to, perceptual_signals=signals)
            self._said = (ready_to, began)
        self._heard_at = began

    def _adopt_segments(self) -> None:
        """Map what another process wrote. Millions take seconds: this process stays level beside it meanwhile."""
        stamp = self._system.index_folder.stamp()
        if self._mapping is None and stamp is not None and stamp != self._stamp:
            self._mapping = (stamp, self._mapper.submit(self._map))
        if self._mapping is None:
            return
        stamp, mapped = self._mapping
        if self._heard_at is not None and not wait([mapped], timeout=_MAP_AT_ONCE_SECONDS).done:
            return
        self._mapping = None
        if found := mapped.result():
            self._system.known.adopt(*found)
        self._stamp = stamp

    def _map(self) -> tuple[LayeredIndex, Level, int] | None:
        stored = self._system.index_folder.read()
        if stored is None:
            return None
        index = LayeredIndex(stored.segments)
        index.warm_up()  # no upload shall wait for it
        return index, stored.level, stored.radius

    def keep_segments(self) -> bool:
        """Build segments anew if enough has changed, and write them for everybody; whether it was done."""
        known = self._system.known
        index, level = known.index, known.level
        if level is None or not isinstance(index, LayeredIndex) or not index.worth_merging(LEAST_SEGMENT):
            return False
        with self._system.index_folder.alone() as alone:
            if alone:
                began = self._clock()
                segments = index.merged()
                LayeredIndex(segments).warm_up()  # compiled here first, and kept on disk for the others
                self._system.index_folder.write(segments, level, known.radius)
                rows = sum(map(len, segments))
                _log.info("segments_built", rows=rows, segments=len(segments), seconds=round(self._clock() - began, 2))
            return alone

    def for_ever(self, stopping: Callable[[], bool], *, keeping: bool = False) -> None:
        """Round after round until told to stop; a failure is logged and tried again, and screening fences itself."""
        settings = self._system.settings
        url = settings.database_listen_url or settings.database_url
        assert url is not None  # whoever wired the system had one
        listener = Listener(url, CHANNEL)
        while not stopping():
            try:
                self.round()
                if keeping:
                    self.keep_segments()
            except Exception as fault:  # noqa: BLE001  # whatever it is: screening fences itself, and this goes on
                ours = not isinstance(fault, (DjangoDatabaseError, psycopg.Error))
                _log.warning("banks_not_heard", fault=type(fault).__name__, exc_info=fault if ours else None)
                connections.close_all()  # a broken connection is not mended by using it again
            listener.wait(settings.bank_poll_seconds)
        listener.close()
