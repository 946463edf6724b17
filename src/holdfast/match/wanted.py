# SPDX-License-Identifier: Apache-2.0
"""Hashes that are looked for among those of archived items: few against very many, or very many against very many.

Few are compared with every one, in a compiled loop: half a nanosecond for a pair. Many become an index of
their own, in which each archived hash is looked up: a new list of a million hashes is not a million walks. Both
find every pair, and where numba cannot run, the same is done in numpy.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray

from holdfast.match.loop import compiled_tile
from holdfast.match.segment import Segment, within
from holdfast.match.sheet import Sheet

MOST_COMPARED: Final = 20_000
"""More hashes than these are looked up faster than compared (measured: equal at about twenty thousand)."""
_PAIRS: Final = 2**29  # compared in about a quarter of a second
_LOOKED_UP: Final = 4096  # in about as long
_LEAST: Final = 1024
_FIRST_SPACE: Final = 1024
_BLOCK: Final = 65_536
_log = structlog.get_logger("archive")
Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]


class Near(NamedTuple):
    """Item `items[i]` of a sheet has a hash `distances[i]` bits from hash `queries[i]`, its nearest to that one."""

    items: Numbers
    queries: Numbers
    distances: Numbers


class Wanted:
    """Hashes to look for, of shape (n, 4), within `radius` bits."""

    def __init__(self, words: Words, radius: int) -> None:
        """Prepare to look for them; of very many this takes a second or two."""
        self._words = np.array(words, np.uint64).reshape(-1, 4)
        self._radius = radius
        many = len(self._words) > MOST_COMPARED
        self._index = Segment.build(np.arange(len(self._words)), self._words) if many else None

    def __len__(self) -> int:
        """How many there are."""
        return len(self._words)

    @property
    def piece(self) -> int:
        """How many archived hashes to look at in one go, so that it takes a fraction of a second."""
        return _LOOKED_UP if self._index else max(_LEAST, _PAIRS // max(1, len(self)))

    def near(self, sheet: Sheet, begin: int, end: int) -> Near:
        """Every pair of one of these items, from `begin` up to `end`, and one of these hashes, once."""
        first, last = int(sheet.first[begin]), int(sheet.first[end])
        if first == last or not len(self):
            return Near(*(np.empty(0, np.int64) for _ in range(3)))
        queries, rows, distances = (
            self._looked_up(sheet, first, last) if self._index else self._compared(sheet, first, last)
        )
        return _nearest(sheet.items_of(rows), queries, distances)

    def _compared(self, sheet: Sheet, first: int, last: int) -> tuple[Numbers, Numbers, Numbers]:
        found = compare(sheet.words[:, first:last], self._words, self._radius)
        return found[:, 0], found[:, 1] + first, found[:, 2]

    def _looked_up(self, sheet: Sheet, first: int, last: int) -> tuple[Numbers, Numbers, Numbers]:
        assert self._index is not None
        found = self._index.query(np.ascontiguousarray(sheet.words[:, first:last].T), self._radius)
        return self._index.labels[found.rows], found.queries + first, found.distances


def compare(columns: Words, queries: Words, radius: int) -> Numbers:
    """Every (query, column, distance) within the radius, one a row; `columns` has shape (4, n), `queries` (k, 4)."""
    loop = _compiled()
    if loop is None:
        return compare_plainly(columns, queries, radius)
    space, apart = _FIRST_SPACE, [columns[number] for number in range(4)]
    while True:
        out = np.empty((space, 3), np.int64)
        found = int(loop(*apart, queries, np.uint64(radius), out))
        if found <= space:
            return out[:found]
        space = found


def compare_plainly(columns: Words, queries: Words, radius: int) -> Numbers:
    """The same in numpy, about four times as slow."""
    parts = [np.empty((0, 3), np.int64)]
    for start in range(0, columns.shape[1], _BLOCK):
        for number, wanted in enumerate(queries):
            rows, distances = within(columns[:, start : start + _BLOCK], wanted, radius)
            parts.append(np.stack([np.full(len(rows), number), rows + start, distances], axis=1))
    return np.concatenate(parts)


def _nearest(items: Numbers, queries: Numbers, distances: Numbers) -> Near:
    """Each pair once, with its least distance."""
    order = np.lexsort((distances, queries, items))
    items, queries, distances = items[order], queries[order], distances[order]
    new = np.ones(len(items), np.bool_)
    new[1:] = (items[1:] != items[:-1]) | (queries[1:] != queries[:-1])
    return Near(items[new], queries[new], distances[new])


@lru_cache(maxsize=1)
def _compiled() -> Any:  # noqa: ANN401  # what numba returns has no type
    """The loop, compiled; None where numba cannot run, which is said once."""
    try:
        return compiled_tile()
    except (ImportError, RuntimeError, OSError) as fault:
        _log.warning("tile_not_compiled", because=str(fault), what_to_do="searches are right, and slower")
        return None
