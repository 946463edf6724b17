# SPDX-License-Identifier: Apache-2.0
"""The wired system of this web process, and the thread that keeps its banks level."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import structlog
from django.db import connections

from holdfast.bootstrap import System
from holdfast.errors import NotReady

_log = structlog.get_logger("banks")


@dataclass(slots=True)
class _Process:
    system: System | None = None
    heard_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_process = _Process()


def install(system: System) -> None:
    """Use `system` in this process and begin to follow its banks."""
    _process.system = system
    threading.Thread(target=_follow, args=(system,), name="banks", daemon=True).start()


def system() -> System:
    """The wired system."""
    if _process.system is None:
        message = "this process is starting"
        raise NotReady(message)
    return _process.system


def loaded() -> bool:
    """Whether this process has ever read the banks. `require_fresh` says whether it may answer."""
    return _process.heard_at is not None


def require_fresh() -> None:
    """Raise NotReady if the banks are not loaded, or were not heard of for too long."""
    limit = system().settings.bank_stale_seconds
    if _process.heard_at is None:
        message = "the banks are still being loaded"
        raise NotReady(message)
    silent = time.monotonic() - _process.heard_at
    if silent > limit:
        message = f"the banks were last heard of {silent:.0f} s ago; {limit:.0f} s are allowed"
        raise NotReady(message)


def _follow(system: System) -> None:
    """Take in bank changes for ever; a failure is logged and tried again, and screening fences itself meanwhile."""
    while True:
        try:
            system.known.follow()
            _process.heard_at = time.monotonic()
        except Exception as fault:  # noqa: BLE001  # whatever it is: screening fences itself, and this goes on
            _log.warning("banks_not_heard", fault=type(fault).__name__)
            connections.close_all()  # a broken connection is not mended by using it again
        time.sleep(system.settings.bank_poll_seconds)
