# SPDX-License-Identifier: Apache-2.0
"""A segment: very many hashes in flat arrays that never change, so that processes can share them as a mapped file.

Only which of its rows are alive belongs to the process that uses it. Rows are in the order of their
labels. A row whose value of some slice is shared by very many others (a repetitive or hostile list)
stays out of the tables and is scanned: at the very worst a segment costs what looking at every row costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from holdfast.match.loop import PADDING
from holdfast.match.probe import LONGEST_LIST, Found, Tables, search, slice_values
from holdfast.match.slices import Cut, best_cut, worth_searching

Hashes = NDArray[np.uint64]  # shape (n, 4)
Labels = NDArray[np.int64]
Arrays = Mapping[str, NDArray[Any]]
_HALF_TELLS: Final = 48
_BLOCK: Final = 65_536  # rows scanned at a time: fits the processor's cache


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Hashes and their labels (ascending), the tables over them, the rows the tables leave out, and who is alive."""

    labels: Labels
    tables: Tables
    left_out: NDArray[np.uint32]
    cut: Cut
    alive: NDArray[np.bool_]

    @classmethod
    def build(cls, labels: Labels, hashes: Hashes) -> Segment:
        """A segment of these rows, all alive."""
        order = np.argsort(labels, kind="stable")
        words, cut = np.ascontiguousarray(hashes[order]), best_cut(len(labels))
        left_out = _crowded(words, cut)
        starts, ids = _lists(words, cut, left_out)
        parts: Arrays = {"labels": labels[order], "words": words, "starts": starts, "ids": ids, "left_out": left_out}
        return cls.of_arrays(parts, cut)

    @classmethod
    def of_arrays(cls, arrays: Arrays, cut: Cut) -> Segment:
        """The segment that `arrays` came from, all its rows alive."""
        arrays = {name: _unchanging(array) for name, array in arrays.items()}
        rows = len(arrays["labels"])
        sizes, listed = [2**width + 1 for width in cut.widths], rows - len(arrays["left_out"])
        tables = Tables(
            words=arrays["words"].reshape(rows, 4),
            starts=arrays["starts"],
            ids=arrays["ids"],
            starts_at=np.cumsum([0, *sizes[:-1]]),
            ids_at=np.arange(len(sizes)) * listed,
            offsets=np.array(cut.offsets),
            widths=np.array(cut.widths),
        )
        return cls(arrays["labels"], tables, arrays["left_out"], cut, np.ones(rows, np.bool_))

    @property
    def arrays(self) -> Arrays:
        """Everything in it that never changes."""
        tables: Arrays = {"words": self.tables.words, "starts": self.tables.starts, "ids": self.tables.ids}
        return {"labels": self.labels, **tables, "left_out": self.left_out}

    def __len__(self) -> int:
        """How many rows it has, dead ones too."""
        return len(self.labels)

    def query(self, hashes: Hashes, radius: int) -> Found:
        """Every living row within `radius` of one of `hashes`; a row may be named more than once."""
        listed = len(self) - len(self.left_out)
        plan = worth_searching(self.cut, radius, listed)
        if plan is None:
            found = scan(self.tables.words, None, hashes, radius)
        else:
            found = search(self.tables, hashes, radius, plan)
            if len(self.left_out):
                found = _both(found, scan(self.tables.words, self.left_out, hashes, radius))
        living = self.alive[found.rows]
        return found if living.all() else Found(*(part[living] for part in found))

    def rows_of(self, labels: Labels) -> NDArray[np.int64]:
        """The rows, dead or alive, under these labels; for each, the label's rows one after the other."""
        first = np.searchsorted(self.labels, labels, "left")
        last = np.searchsorted(self.labels, labels, "right")
        counts = last - first
        return np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())


def scan(words: Hashes, rows: NDArray[np.uint32] | None, hashes: Hashes, radius: int) -> Found:
    """Every row within `radius` (of all rows, or of those given), by looking at each."""
    parts = [Found(*(np.empty(0, np.int64) for _ in range(3)))]
    for start in range(0, len(words) if rows is None else len(rows), _BLOCK):
        block = words[start : start + _BLOCK] if rows is None else words[rows[start : start + _BLOCK]]
        for number, wanted in enumerate(hashes):
            near, distances = within(block.T, wanted, radius)
            found = near + start if rows is None else rows[near + start].astype(np.int64)
            parts.append(Found(np.full(len(found), number), found, distances))
    return Found(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def within(columns: Hashes, wanted: Hashes, radius: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of `columns` (shape (4, n)) lie within `radius` of one hash, and how far; half of each is read first.

    Unrelated hashes are 64 bits apart in a half, give or take 6: beyond a radius of half that, halves tell little.
    """
    half = np.bitwise_count(columns[0] ^ wanted[0])
    half += np.bitwise_count(columns[1] ^ wanted[1])
    if radius > _HALF_TELLS:
        half = (
            half.astype(np.uint16) + np.bitwise_count(columns[2] ^ wanted[2]) + np.bitwise_count(columns[3] ^ wanted[3])
        )
    near = np.flatnonzero(half <= radius)
    distances = np.bitwise_count(columns[:, near] ^ wanted[:, None]).sum(axis=0, dtype=np.int64)
    return near[distances <= radius], distances[distances <= radius]


def _unchanging(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False  # mapped files are so too, and the compiled loop is made for one kind
    return view


def _both(one: Found, other: Found) -> Found:
    return Found(*(np.concatenate(parts) for parts in zip(one, other, strict=True)))


def _crowded(words: Hashes, cut: Cut) -> NDArray[np.uint32]:
    """The rows that share a slice's value with more than LONGEST_LIST others."""
    crowded = np.zeros(len(words), np.bool_)
    for offset, width in zip(cut.offsets, cut.widths, strict=True):
        values = slice_values(words, offset, width)
        crowded |= (np.bincount(values, minlength=2**width) > LONGEST_LIST)[values]
    return np.flatnonzero(crowded).astype(np.uint32)


def _lists(words: Hashes, cut: Cut, left_out: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Per slice, the rows in the order of their values, and where each value's rows begin."""
    listed = np.delete(np.arange(len(words), dtype=np.uint32), left_out)
    starts, ids = [], []
    for offset, width in zip(cut.offsets, cut.widths, strict=True):
        values = slice_values(words[listed] if len(left_out) else words, offset, width)
        ids.append(listed[np.argsort(values, kind="stable")])
        counts = np.bincount(values, minlength=2**width)
        starts.append(np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32))
    return np.concatenate(starts), np.concatenate([*ids, np.zeros(PADDING, np.uint32)])
