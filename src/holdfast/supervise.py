# SPDX-License-Identifier: Apache-2.0
"""`serve`: one process that starts the others, restarts what dies, and takes everything with it when it goes.

It is single-threaded and does nothing else. Database first, then tables, decoders, and the parent of web, worker
and screener; the other way round at the end. Every child is tied to it by the kernel, so that after kill -9
nothing is left running, and the next start recovers.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

from holdfast.channels import require_fit_for_production
from holdfast.errors import DatabaseUnavailable, HoldfastError, PortTaken
from holdfast.settings import Settings
from holdfast.start import clock, embedded, launch_decoder, with_urls

_TICK_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 15.0
_TAKE_OVER_SECONDS: Final = 30.0
_PORT_SECONDS: Final = 2.0
_RESTART_PAUSE_SECONDS: Final = 1.0
_log = structlog.get_logger("serve")


@dataclass(slots=True)
class _Part:
    """One child: how to start it, and the running process."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]
    started_at: float = field(default_factory=time.monotonic)


class Supervisor:
    """The children of one `serve`, in the order in which they were started."""

    def __init__(self, settings: Settings) -> None:
        """Prepare to run `settings`; nothing is started yet."""
        self.settings = settings
        self._parts: list[_Part] = []
        self._stopping = False

    @contextmanager
    def running(self) -> Iterator[Settings]:
        """Start everything; yields the settings with which clients in this process can reach it. Stops it after.

        Raises ConfigurationError or DependencyError in words if something cannot start here.
        """
        require_fit_for_production(self.settings, clock)
        require_free_port(self.settings.listen)
        signal.signal(signal.SIGTERM, _interrupt)  # so that what was started so far is stopped
        with ExitStack() as stack:
            ready = self._start_database(stack)
            stack.callback(self._stop)  # registered after the database's own end, so it runs before it
            _migrate(ready)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-")))
            self._start("decoder", lambda: launch_decoder(ready, folder))
            ready = ready.model_copy(update={"decoder_socket": folder / "decoder.sock"})
            self._start("background", lambda: _python("holdfast.background", ready))
            yield ready

    def watch(self) -> None:
        """Restart what dies until a signal to stop arrives."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stopping:
            self.tend()
            time.sleep(_TICK_SECONDS)

    def tend(self) -> None:
        """Restart every child that has died."""
        for part in self._parts:
            status = part.process.poll()
            if status is None:
                continue
            _log.error("part_died", part=part.name, status=status)
            if time.monotonic() - part.started_at < _RESTART_PAUSE_SECONDS:
                time.sleep(_RESTART_PAUSE_SECONDS)  # what dies at once must not spin
            try:
                part.process, part.started_at = part.start(), time.monotonic()
            except HoldfastError as fault:
                _log.error("part_not_started", part=part.name, code=fault.stable_code, detail=str(fault))  # tried again

    def _start_database(self, stack: ExitStack) -> Settings:
        if self.settings.database_url:
            return self.settings
        server = embedded(self.settings)
        stack.callback(server.stop)
        urls = server.start(wait_seconds=_TAKE_OVER_SECONDS)
        self._parts.append(_Part("database", server.restart, server.process))
        return with_urls(self.settings, urls)

    def _start(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._parts.append(_Part(name, start, start()))

    def _stop(self) -> None:
        """Tell children to end, last started first; the database is stopped by its own owner."""
        for part in reversed([part for part in self._parts if part.name != "database"]):
            part.process.terminate()
            try:
                part.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  # the form of a handler
        self._stopping = True


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the form of a handler
    raise KeyboardInterrupt


def _python(module: str, settings: Settings) -> subprocess.Popen[bytes]:
    """A process of ours with these settings; of the owner's URL it knows nothing."""
    own = {name: value for name, value in settings.as_environment().items() if name != "DATABASE_OWNER_URL"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "DATABASE_"))}
    # One thread per process for linear algebra: the hashes are small and the cores are shared.
    environment = {**inherited, **own, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", module, str(os.getpid())], env=environment, start_new_session=True)


def _migrate(settings: Settings) -> None:
    """In a process of its own: this one stays free of Django and its connections."""
    environment = {**os.environ, **settings.as_environment()}
    done = subprocess.run([sys.executable, "-m", "holdfast.tables"], env=environment, check=False)
    if done.returncode:
        raise DatabaseUnavailable("the tables could not be brought up to date")


def require_free_port(listen: str) -> None:
    """Raise PortTaken if something else listens at `listen`, and goes on doing so.

    After kill -9 the processes of the last `serve` are gone within a moment; a restart must not trip over them.
    """
    patience = time.monotonic() + _PORT_SECONDS
    while fault := _taken(listen):
        if time.monotonic() > patience:
            message = f"{listen}: {fault.strerror}"
            raise PortTaken(message) from fault
        time.sleep(_TICK_SECONDS)


def _taken(listen: str) -> OSError | None:
    host, _, port = listen.rpartition(":")
    address = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, int(port)))
        except OSError as fault:
            return fault
    return None
