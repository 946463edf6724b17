# SPDX-License-Identifier: Apache-2.0
"""Nothing of Commons outlives the process it was started by: a thread watches whether that one is still there.

Granian's workers go on serving when their main process is killed, so each of them watches it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

MAIN: Final = "COMMONS_MAIN_PROCESS"
"""The variable in which the main process tells its workers its number."""
_LOOK_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 5.0


def watch(parent: int, then: Callable[[], None]) -> None:
    """Call `then` once the process `parent`, which started this one, is gone. Returns at once."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        then()

    threading.Thread(target=look, name="lifeline", daemon=True).start()


def end_at_once() -> None:
    """For a worker: nothing is lost, as nothing is kept in memory that the disk does not have."""
    os._exit(1)


def end_without_clearing_up() -> None:
    """For a worker: when it has served, end the process without taking Python apart.

    Granian's threads still wait for Python then; Python ends such threads in a way that Rust answers by aborting.
    """

    def end() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    atexit.register(end)


def end_gently() -> None:
    """For the main process: its workers end too. Whatever hangs is not waited for."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
