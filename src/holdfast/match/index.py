# SPDX-License-Identifier: Apache-2.0
"""The index: which banked PDQ hashes lie within a radius of these, exactly.

This one scans. It compares the first 128 bits of every hash, and only what is still within the
radius goes on (unrelated hashes are 64 apart there, give or take 6), so that one query over a
million hashes costs a few milliseconds. Whatever replaces it keeps this interface and its promise:
the result equals brute force, for every radius, after any adds and removes in any order.

One thread writes, many read, without locks: rows are filled in before the count that readers look
at first is raised, a full table is copied into a larger one before it takes its place, and a
removed row is marked dead in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]  # shape (n, 4)
WORDS: Final = 4
_BLOCK: Final = 65_536  # rows compared at a time: fits the processor's cache
_FIRST_CAPACITY: Final = 1024


class Neighbour(NamedTuple):
    """Query number `query` lies `distance` bits from the hash added under `label`."""

    query: int
    label: int
    distance: int


class HashIndex(Protocol):
    """Finds hashes by distance."""

    def query(self, hashes: Hashes, radius: int) -> list[Neighbour]:
        """Every (query, label) pair at most `radius` bits apart, once each with its least distance, in any order.

        `hashes` has shape (n, 4). An adapter MUST find all of them: recall is 1.0.
        """

    def add(self, labels: Sequence[int], hashes: Hashes) -> None:
        """Make `hashes[i]` findable under `labels[i]`. One label may have several hashes."""

    def remove(self, labels: Sequence[int]) -> None:
        """Make everything under these labels unfindable; unknown labels are of no consequence."""

    def __len__(self) -> int:
        """How many hashes can be found."""


@dataclass(slots=True)
class _Table:
    words: NDArray[np.uint64]  # shape (WORDS, capacity): column layout, so half of a hash can be read alone
    labels: NDArray[np.int64]
    alive: NDArray[np.bool_]
    count: int

    @classmethod
    def empty(cls, capacity: int) -> _Table:
        return cls(
            np.zeros((WORDS, capacity), np.uint64), np.zeros(capacity, np.int64), np.zeros(capacity, np.bool_), 0
        )

    def grown(self, capacity: int) -> _Table:
        """A larger copy of the living rows."""
        keep = np.flatnonzero(self.alive[: self.count])
        larger = _Table.empty(max(capacity, len(keep)))
        larger.words[:, : len(keep)] = self.words[:, keep]
        larger.labels[: len(keep)] = self.labels[keep]
        larger.alive[: len(keep)] = True
        larger.count = len(keep)
        return larger


class ScanIndex:
    """A `HashIndex` that looks at every hash."""

    def __init__(self) -> None:
        """Begin empty."""
        self._table = _Table.empty(_FIRST_CAPACITY)
        self._rows: dict[int, list[int]] = {}

    def __len__(self) -> int:
        """How many hashes can be found."""
        return sum(map(len, self._rows.values()))

    def query(self, hashes: Hashes, radius: int) -> list[Neighbour]:
        """Every pair within the radius: see `HashIndex`."""
        table = self._table
        count = table.count
        nearest: dict[tuple[int, int], int] = {}
        for start in range(0, count, _BLOCK):
            block = slice(start, min(start + _BLOCK, count))
            for number, wanted in enumerate(hashes):
                for label, distance in _within(table, block, wanted, radius):
                    pair = (number, label)
                    nearest[pair] = min(distance, nearest.get(pair, distance))
        return [Neighbour(number, label, distance) for (number, label), distance in nearest.items()]

    def add(self, labels: Sequence[int], hashes: Hashes) -> None:
        """Add rows: see `HashIndex`."""
        if self._table.count + len(labels) > self._table.labels.size:
            # Only the living move, so a table that changes for ever does not grow for ever.
            self._move_to(self._table.grown(max(_FIRST_CAPACITY, 2 * (len(self) + len(labels)))))
        table = self._table
        rows = slice(table.count, table.count + len(labels))
        table.words[:, rows] = hashes.T
        table.labels[rows] = labels
        table.alive[rows] = True
        for row, label in enumerate(labels, start=table.count):
            self._rows.setdefault(label, []).append(row)
        table.count = rows.stop

    def remove(self, labels: Sequence[int]) -> None:
        """Mark rows dead: see `HashIndex`."""
        for label in labels:
            self._table.alive[self._rows.pop(label, [])] = False

    def _move_to(self, table: _Table) -> None:
        self._rows = {}
        for row, label in enumerate(table.labels[: table.count].tolist()):
            self._rows.setdefault(label, []).append(row)
        self._table = table


def _within(table: _Table, block: slice, wanted: NDArray[np.uint64], radius: int) -> list[tuple[int, int]]:
    """(label, distance) of the living rows of one block within the radius of one query."""
    half = np.bitwise_count(table.words[0, block] ^ wanted[0])
    half += np.bitwise_count(table.words[1, block] ^ wanted[1])
    near = np.flatnonzero(half <= radius) + block.start
    if not near.size:
        return []
    distances = np.bitwise_count(table.words[:, near] ^ wanted[:, None]).sum(axis=0, dtype=np.int64)
    # Looked at once: the writer may mark a row dead between any two lines.
    hits = (distances <= radius) & table.alive[near]
    return list(zip(table.labels[near[hits]].tolist(), distances[hits].tolist(), strict=True))
