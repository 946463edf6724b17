# SPDX-License-Identifier: Apache-2.0
"""The tail of the index: what was added since the last segment was built, found by looking at every row.

One thread writes, many read, without locks: rows are filled in before the count that readers look
at first is raised, a full table is copied into a larger one before it takes its place, and a
removed row is marked dead in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.match.segment import Hashes, Labels, within

_BLOCK: Final = 65_536  # rows compared at a time: fits the processor's cache
_FIRST_CAPACITY: Final = 1024


@dataclass(slots=True)
class _Table:
    words: Hashes  # shape (4, capacity): column layout, so half of a hash can be read alone
    labels: Labels
    alive: NDArray[np.bool_]
    count: int

    @classmethod
    def empty(cls, capacity: int) -> _Table:
        return cls(np.zeros((4, capacity), np.uint64), np.zeros(capacity, np.int64), np.zeros(capacity, np.bool_), 0)

    def living(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.alive[: self.count])

    def grown(self, capacity: int) -> _Table:
        """A larger copy of the living rows."""
        keep = self.living()
        larger = _Table.empty(max(capacity, len(keep)))
        larger.words[:, : len(keep)] = self.words[:, keep]
        larger.labels[: len(keep)] = self.labels[keep]
        larger.alive[: len(keep)] = True
        larger.count = len(keep)
        return larger


class Tail:
    """Hashes under labels, compared one by one."""

    def __init__(self) -> None:
        """Begin empty."""
        self._table = _Table.empty(_FIRST_CAPACITY)

    def __len__(self) -> int:
        """How many hashes can be found."""
        return len(self._table.living())

    def query(self, hashes: Hashes, radius: int) -> list[tuple[int, int, int]]:
        """Every (query, label, distance) within the radius."""
        table, found = self._table, []
        count = table.count
        for start in range(0, count, _BLOCK):
            columns = table.words[:, start : min(start + _BLOCK, count)]
            for number, wanted in enumerate(hashes):
                rows, distances = within(columns, wanted, radius)
                # Looked at once: the writer may mark a row dead between any two lines.
                alive = table.alive[start + rows]
                labels = table.labels[start + rows[alive]]
                found += [(number, *one) for one in zip(labels.tolist(), distances[alive].tolist(), strict=True)]
        return found

    def add(self, labels: Labels, hashes: Hashes) -> None:
        """Make `hashes[i]` findable under `labels[i]`."""
        if self._table.count + len(labels) > self._table.labels.size:
            # Only the living move, so a table that changes for ever does not grow for ever.
            self._table = self._table.grown(max(_FIRST_CAPACITY, 2 * (len(self) + len(labels))))
        table = self._table
        rows = slice(table.count, table.count + len(labels))
        table.words[:, rows] = hashes.T
        table.labels[rows] = labels
        table.alive[rows] = True
        table.count = rows.stop

    def remove(self, labels: Sequence[int] | Labels) -> None:
        """Make everything under these labels unfindable."""
        table = self._table
        rows = table.living()
        table.alive[rows[np.isin(table.labels[rows], labels)]] = False

    def living(self) -> tuple[Labels, Hashes]:
        """Labels and hashes of everything that can be found."""
        rows = self._table.living()
        return self._table.labels[rows], np.ascontiguousarray(self._table.words[:, rows].T)
