# SPDX-License-Identifier: Apache-2.0
"""What the worker does for the log, for ever: sequence, sign, and carry checkpoints outside.

Two threads: one leads, sequences and signs over a connection of its own; the other carries what is
signed to the place for copies and the timestamp authority, which may be slow, and holds nobody up.
Whatever goes wrong is an alarm and is tried again; a log that contradicts itself stays stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog

from holdfast.adapters.checkpoint_copy import CheckpointCopy
from holdfast.adapters.log_folder import LogFolder
from holdfast.adapters.timestamp import TimestampAuthority
from holdfast.errors import HoldfastError, TimestampUnavailable
from holdfast.log.checkpoint import parse_checkpoint
from holdfast.publish import Publisher
from holdfast.settings import Settings
from holdfast.start import clock
from holdfast.store.sequencer import Sequencer

STAMP_EVERY: Final = timedelta(minutes=55)
"""Between two timestamps while there is something new: an hour at most, with time to try again."""
_ROUND_SECONDS: Final = 0.2
_FOLLOWER_SECONDS: Final = 1.0
_STOPPED_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 5
_NEWEST: Final = "select size, at from log_timestamp order by id desc limit 1"
_STAMPED: Final = "insert into log_timestamp (size, token, at) values (%s, %s, %s)"
_log = structlog.get_logger("log")
Stopped = Callable[[], bool]


@dataclass(slots=True)
class LogKeeper:
    """Keeps the log of one database in one data directory, while no other process does."""

    settings: Settings
    folder: LogFolder
    pause: Callable[[float], object] = time.sleep
    leading: threading.Event = field(default_factory=threading.Event)
    _shipped: str | None = None

    def for_ever(self, stopped: Stopped) -> None:
        """Lead, or wait to lead, until `stopped`."""
        while not stopped():
            try:
                with self._connection() as connection:
                    self._with(connection, stopped)
            except psycopg.Error as fault:
                _log.warning("log_database_away", fault=type(fault).__name__)
                self.pause(_FOLLOWER_SECONDS)
            except HoldfastError as fault:
                _log.error("log_stopped", code=fault.stable_code, because=str(fault), what_to_do=fault.advice)
                self._wait(_STOPPED_SECONDS, stopped)
            except OSError as fault:
                _log.error("log_not_written", because=str(fault), what_to_do="see to the disk of the data directory")
                self._wait(_FOLLOWER_SECONDS, stopped)
            finally:
                self.leading.clear()

    def outside_for_ever(self, stopped: Stopped) -> None:
        """Carry checkpoints outside while this process leads, until `stopped`."""
        while not stopped():
            if self.leading.is_set():
                with suppress(psycopg.Error):  # said by the other thread
                    self.carry_outside()
            self._wait(_FOLLOWER_SECONDS, stopped)

    def carry_outside(self) -> None:
        """Leave the newest checkpoint at the place for copies, and have it stamped if an hour has passed."""
        note = self.folder.published()
        if note is None:
            return
        if self.settings.checkpoint_copy and note != self._shipped:
            self._ship(CheckpointCopy(self.settings.checkpoint_copy), note)
        if self.settings.timestamp_url and self.settings.timestamp_roots:
            self._stamp(self.settings.timestamp_url, self.settings.timestamp_roots, note)

    def _with(self, connection: psycopg.Connection[Any], stopped: Stopped) -> None:
        sequencer = Sequencer(connection)
        while not sequencer.lead():
            if stopped():
                return
            self.pause(_FOLLOWER_SECONDS)
        publisher = Publisher(connection, self.folder, clock)
        publisher.begin()
        self.leading.set()
        _log.debug("log_led", origin=self.folder.identity().log.name)
        due = time.monotonic()
        while not stopped():
            sequencer.round()
            if time.monotonic() >= due and publisher.publish():
                due = time.monotonic() + self.settings.checkpoint_seconds
            self.pause(_ROUND_SECONDS)

    def _ship(self, copy: CheckpointCopy, note: str) -> None:
        try:
            copy.put(note)
            self._shipped = note
        except (OSError, HoldfastError) as fault:
            _log.error("checkpoint_not_copied", because=str(fault), what_to_do="see HOLDFAST_CHECKPOINT_COPY")

    def _stamp(self, url: str, roots: Path, note: str) -> None:
        size = parse_checkpoint(note).size
        with self._connection() as connection:
            newest = connection.execute(_NEWEST).fetchone()
            if newest and (newest[0] == size or clock() - newest[1] < STAMP_EVERY):
                return
            try:
                stamp = TimestampAuthority(url, roots.read_bytes()).stamp(note.encode())
                connection.execute(_STAMPED, [size, stamp.token, stamp.at])
            except (TimestampUnavailable, OSError) as fault:
                _log.error("timestamp_missing", because=str(fault), what_to_do="see HOLDFAST_TIMESTAMP_URL")

    def _connection(self) -> psycopg.Connection[Any]:
        url = self.settings.database_listen_url or self.settings.database_url
        assert url
        return psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)

    def _wait(self, seconds: float, stopped: Stopped) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not stopped():
            self.pause(_ROUND_SECONDS)
