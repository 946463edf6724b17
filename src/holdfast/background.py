# SPDX-License-Identifier: Apache-2.0
"""The parent of web server, worker and screener: it loads what they need once, forks them, and starts again what dies.

Run as `python -m holdfast.background PARENT`. It opens no connection and starts no thread, so that what it forks
begins clean; each is a process of its own, so that nothing one does delays the other, and is tied to it as it
is tied to `serve`. What is forked is up in a fraction of the time that loading takes.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import structlog

from holdfast import screener, worker
from holdfast.bootstrap import load
from holdfast.lifeline import die_with_parent
from holdfast.observe import configure_logging
from holdfast.settings import Settings
from holdfast.web import server

PARTS: Final[Mapping[str, Callable[[Settings], None]]] = {
    "web": server.run,
    "worker": worker.run,
    "screener": screener.run,
}
_LOADED: Final = ("holdfast.web.urls", "django.core.handlers.wsgi", "django.db.backends.postgresql.base")
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
_PR_SET_NAME: Final = 15
_RESTART_PAUSE_SECONDS: Final = 1.0
_log = structlog.get_logger("serve")


@dataclass(slots=True)
class Background:
    """The parts that run, each by its process id, with when it was begun."""

    settings: Settings
    stopping: bool = False
    running: dict[int, tuple[str, float]] = field(default_factory=dict)

    def run(self) -> None:
        """Run all parts until told to stop and all have ended."""
        for number in _STOPS:
            signal.signal(number, self._on_signal)
        for name in PARTS:
            if not self.stopping:
                self._begin(name)
        while self.running:
            self._tend(*os.waitpid(-1, 0))

    def _tend(self, pid: int, status: int) -> None:
        """Start again what has died, unless it was told to."""
        name, begun = self.running.pop(pid)
        if self.stopping:
            return
        _log.error("part_died", part=name, status=os.waitstatus_to_exitcode(status))
        if time.monotonic() - begun < _RESTART_PAUSE_SECONDS:
            time.sleep(_RESTART_PAUSE_SECONDS)  # what dies at once must not spin
        if not self.stopping:
            self._begin(name)

    def _begin(self, name: str) -> None:
        parent = os.getpid()
        # Told to stop in between, the parent would miss this child, and the child would stop the others.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        pid = os.fork()
        if pid:
            self.running[pid] = (name, time.monotonic())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            return
        for number in _STOPS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        die_with_parent(parent)
        _be_called(f"hf-{name}")
        PARTS[name](self.settings)
        sys.exit()  # as any program does: its threads are waited for

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  # the form of a handler
        self.stopping = True
        for pid in self.running:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGTERM)


def _be_called(name: str) -> None:
    """What `ps -o comm` and `top` show; at most 15 bytes."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def main() -> None:
    """As a child of `serve`: tied to it."""
    configure_logging()
    die_with_parent(int(sys.argv[1]))
    settings = Settings.from_environment()
    load(settings, web=server.WEB)
    for module in _LOADED:
        importlib.import_module(module)
    gc.freeze()  # what is loaded stays shared between the parts
    Background(settings).run()


if __name__ == "__main__":
    main()
