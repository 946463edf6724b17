# SPDX-License-Identifier: Apache-2.0
"""CPU time of two ways to do the same work, on one core, side by side.

Promises a fair comparison on a busy machine: both sides alternate within one run, so whatever slows
the machine slows both; CPU seconds are counted, not wall time; the best of several tries is kept,
because noise only ever adds. Imports nothing that starts threads.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

THREAD_LIMITS: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def ensure_single_threads() -> None:
    """Start this process anew with one thread per library, unless it was started so.

    The libraries read the limit once, when they are loaded; setting it later has no effect.
    """
    if any(os.environ.get(name) != value for name, value in THREAD_LIMITS.items()):
        anew = [sys.executable, "-m", "bench", *sys.argv[1:]]
        os.execve(sys.executable, anew, os.environ | THREAD_LIMITS)  # noqa: S606  # ourselves


@contextmanager
def one_core() -> Iterator[int]:
    """Keep this process on one core, so that no side gains from a second one; yields the core's number."""
    before = os.sched_getaffinity(0)
    core = max(before)  # interrupts tend to be served by the first
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


def interleaved(*sides: Callable[[], object], tries: int) -> list[float]:
    """The least CPU milliseconds of each side, taken in turns."""
    best = [float("inf")] * len(sides)
    for _ in range(tries):
        for at, side in enumerate(sides):
            begun = cpu_ms()
            side()
            best[at] = min(best[at], cpu_ms() - begun)
    return best


def cpu_ms() -> float:
    """The CPU milliseconds this process has used so far."""
    return time.process_time_ns() / 1e6
