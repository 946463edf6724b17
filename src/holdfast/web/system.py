# SPDX-License-Identifier: Apache-2.0
"""The wired system of this web process, and the thread that keeps its banks level."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from holdfast.bootstrap import System
from holdfast.errors import NotReady
from holdfast.follow import Follower
from holdfast.store.processes import ThisProcess


@dataclass(slots=True)
class _Process:
    system: System | None = None
    follower: Follower | None = None


_process = _Process()


def install(system: System) -> None:
    """Use `system` in this process and begin to follow its banks."""
    _process.system = system
    _process.follower = Follower(system, ThisProcess("web"))
    never = threading.Event()
    threading.Thread(target=_process.follower.for_ever, args=(never.is_set,), name="banks", daemon=True).start()


def system() -> System:
    """The wired system."""
    if _process.system is None:
        message = "this process is starting"
        raise NotReady(message)
    return _process.system


def loaded() -> bool:
    """Whether this process has ever read the banks. `require_fresh` says whether it may answer."""
    return _process.follower is not None and _process.follower.silent_seconds is not None


def require_fresh() -> None:
    """Raise NotReady if the banks are not loaded, or this process was not level with them for too long."""
    limit = system().settings.bank_stale_seconds
    silent = _process.follower.silent_seconds if _process.follower else None
    if silent is None:
        message = "the banks are still being loaded"
        raise NotReady(message)
    if silent > limit:
        message = f"the banks were last heard of {silent:.0f} s ago; {limit:.0f} s are allowed"
        raise NotReady(message)
