# SPDX-License-Identifier: Apache-2.0
"""How often one source may try something in a minute.

Kept in the memory of one process: nothing about anybody is written, and a restart forgets. With several web
processes a source may so try as often in each. That is enough: the words have 80 bits, and reports are kept
in order by the flood valve, not by this.
"""

from __future__ import annotations

from math import ceil
from threading import Lock
from typing import Final

MINUTE: Final = 60.0
_MOST_SOURCES: Final = 20_000


class Limit:
    """So many in a minute from each source. Safe between threads; time, in seconds, is passed in."""

    def __init__(self, most: int, *, sources: int = _MOST_SOURCES) -> None:
        """Allow `most`; remember at most so many sources, those that began last."""
        self._most = most
        self._sources = sources
        self._seen: dict[str, tuple[float, int]] = {}
        self._lock = Lock()

    def wait(self, source: str, now: float) -> int:
        """After how many seconds one more is allowed; 0: now."""
        with self._lock:
            began, count = self._current(source, now)
        return max(1, ceil(began + MINUTE - now)) if count >= self._most else 0

    def count(self, source: str, now: float) -> None:
        """One more came from there."""
        with self._lock:
            began, count = self._current(source, now)
            self._seen.pop(source, None)
            while len(self._seen) >= self._sources:
                self._seen.pop(next(iter(self._seen)))
            self._seen[source] = (began, count + 1)

    def _current(self, source: str, now: float) -> tuple[float, int]:
        """When the minute of this source began, and how many came in it."""
        began, count = self._seen.get(source, (now, 0))
        return (now, 0) if now - began >= MINUTE else (began, count)
