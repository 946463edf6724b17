# SPDX-License-Identifier: Apache-2.0
"""Watch other processes end, without asking again and again."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE = 30.0
"""Seconds after which an end that does not come is a failure; it is never waited out otherwise."""


def children_of(parent: int) -> set[int]:
    """The living children of a process."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, its_parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(its_parent) == parent and state != "Z":
                found.add(int(entry.name))
    return found


def facts_of(pid: int) -> dict[str, str]:
    """What the kernel says about a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether something that no event tells of comes about."""
    deadline = time.monotonic() + PATIENCE
    while not (met := condition()) and time.monotonic() < deadline:
        os.sched_yield()
    return met


class Watch:
    """Processes whose end is waited for; the kernel cannot give their pids to others meanwhile."""

    def __init__(self, handles: dict[int, int]) -> None:
        """Watch these: pid by pidfd."""
        self._handles = handles
        self.ended: set[int] = set()

    def until(self, how_many: int) -> set[int]:
        """The pids that ended, once so many have; fewer if that takes too long."""
        while len(self.ended) < how_many:
            waiting = [handle for handle, pid in self._handles.items() if pid not in self.ended]
            ready, _, _ = select.select(waiting, [], [], PATIENCE)
            if not ready:
                break
            self.ended |= {self._handles[handle] for handle in ready}
        return self.ended

    def until_all(self) -> bool:
        """Whether all of them end."""
        return len(self.until(len(self._handles))) == len(self._handles)


@contextmanager
def watching(pids: Iterable[int]) -> Iterator[Watch]:
    """Watch these processes."""
    with ExitStack() as stack:
        handles = {}
        for pid in pids:
            handle = os.pidfd_open(pid)
            stack.callback(os.close, handle)
            handles[handle] = pid
        yield Watch(handles)
