# SPDX-License-Identifier: Apache-2.0
"""What was answered to everybody, kept for a while: the cache in front of the site, one in each process.

An answer is good for the epoch that was read before it was made, and for its time; the least used go first.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

Headers = list[tuple[str, str]]
Key = tuple[str, str]
MOST_BYTES: Final = 64 * 1024 * 1024
_OVERHEAD: Final = 1024


@dataclass(frozen=True, slots=True)
class Public:
    """What the site says of an answer that is the same for everybody."""

    seconds: float
    """So long it may be kept, unless the epoch ends before."""
    location: str | None = None
    """What is opened with it, to be counted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is sent."""

    status: int
    headers: Headers
    body: bytes
    public: Public | None = None


class Cache:
    """Answers by address. For one thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Keep so many bytes at most."""
        self._kept: OrderedDict[Key, tuple[int, float, Answer]] = OrderedDict()
        self._most, self._bytes = most_bytes, 0

    def get(self, key: Key, *, epoch: int, now: float) -> Answer | None:
        """What was kept in this very epoch and is not too old; None otherwise."""
        found = self._kept.get(key)
        if found is None:
            return None
        made_in, until, answer = found
        if made_in != epoch or now >= until:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return answer

    def put(self, key: Key, answer: Answer, *, epoch: int, now: float) -> None:
        """Keep an answer that was begun in `epoch`, if it is for everybody."""
        if answer.public is None or len(answer.body) > self._most:
            return
        self._drop(key)
        self._kept[key] = (epoch, now + answer.public.seconds, answer)
        self._bytes += len(answer.body) + _OVERHEAD
        while self._bytes > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        if (gone := self._kept.pop(key, None)) is not None:
            self._bytes -= len(gone[2].body) + _OVERHEAD
