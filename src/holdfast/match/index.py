# SPDX-License-Identifier: Apache-2.0
"""The index: which banked PDQ hashes lie within a radius of these, exactly.

Very many hashes lie in segments, which never change and are shared between processes; what was
added since lies in a tail that is looked through. What is removed is marked dead in either. The
result equals brute force, for every radius, after any adds and removes in any order.

One thread writes, many read, without locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from holdfast.match.segment import Hashes, Labels, Segment
from holdfast.match.tail import Tail

MERGED_RATIO: Final = 4  # a segment is built anew with whatever is not so many times smaller
LEAST_SEGMENT: Final = 20_000  # fewer hashes are looked through faster than looked up


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

    def add(self, labels: Sequence[int] | Labels, hashes: Hashes) -> None:
        """Make `hashes[i]` findable under `labels[i]`. One label may have several hashes."""

    def remove(self, labels: Sequence[int] | Labels) -> None:
        """Make everything under these labels unfindable; unknown labels are of no consequence."""

    def clear(self) -> None:
        """Make everything unfindable."""

    def __len__(self) -> int:
        """How many hashes can be found."""


class LayeredIndex:
    """A `HashIndex` of segments and a tail."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        """Begin with `segments`; which of their rows are alive is from now on this index's to say."""
        self.segments = tuple(segments)
        self._tail = Tail()

    def __len__(self) -> int:
        """How many hashes can be found."""
        return len(self._tail) + sum(int(segment.alive.sum()) for segment in self.segments)

    @property
    def unsorted(self) -> int:
        """How many hashes are in no segment, and so are looked through."""
        return len(self._tail)

    def worth_merging(self, least: int) -> bool:
        """Whether at least so many hashes are only looked through, or so many dead rows are the most of a segment."""
        return self.unsorted >= least or any(_dead(one) >= least and _mostly_dead(one) for one in self.segments)

    def query(self, hashes: Hashes, radius: int) -> list[Neighbour]:
        """Every pair within the radius: see `HashIndex`."""
        nearest: dict[tuple[int, int], int] = {}
        for query, label, distance in self._found(hashes, radius):
            pair = (query, label)
            nearest[pair] = min(distance, nearest.get(pair, distance))
        return [Neighbour(query, label, distance) for (query, label), distance in nearest.items()]

    def _found(self, hashes: Hashes, radius: int) -> Iterable[tuple[int, int, int]]:
        for segment in self.segments:
            found = segment.query(hashes, radius)
            labels = segment.labels[found.rows]
            yield from zip(found.queries.tolist(), labels.tolist(), found.distances.tolist(), strict=True)
        yield from self._tail.query(hashes, radius)

    def add(self, labels: Sequence[int] | Labels, hashes: Hashes) -> None:
        """Add rows: see `HashIndex`. Rows that a segment has already are brought back to life there."""
        wanted = np.asarray(labels, np.int64)
        missing = np.ones(len(wanted), np.bool_)
        for segment in self.segments:
            missing &= ~_revive(segment, wanted, hashes)
        self._tail.add(wanted[missing], hashes[missing])

    def remove(self, labels: Sequence[int] | Labels) -> None:
        """Mark rows dead: see `HashIndex`."""
        wanted = np.asarray(labels, np.int64)
        for segment in self.segments:
            segment.alive[segment.rows_of(wanted)] = False
        self._tail.remove(wanted)

    def clear(self) -> None:
        """Forget everything: see `HashIndex`."""
        self.segments, self._tail = (), Tail()

    def warm_up(self) -> None:
        """Search once for nothing in particular, so that what is compiled on first use is compiled."""
        self.query(np.zeros((1, 4), np.uint64), 0)

    def merged(self) -> tuple[Segment, ...]:
        """Segments that hold all of this, with the tail and what is small beside it in one new segment.

        A segment that is left as it is keeps its dead rows; one that is mostly dead is never left as it is.
        """
        kept = sorted((one for one in self.segments if not _mostly_dead(one)), key=len, reverse=True)
        taken, count = [one for one in self.segments if _mostly_dead(one)], self.unsorted
        count += sum(len(one) - _dead(one) for one in taken)
        while kept and len(kept[-1]) < MERGED_RATIO * count:
            taken.append(kept.pop())
            count += len(taken[-1]) - _dead(taken[-1])
        labels, hashes = self._tail.living()
        labels = np.concatenate([labels, *(one.labels[one.alive] for one in taken)])
        hashes = np.concatenate([hashes, *(one.tables.words[one.alive] for one in taken)])
        return (*kept, Segment.build(labels, hashes)) if len(labels) else tuple(kept)


def _dead(segment: Segment) -> int:
    return len(segment) - int(segment.alive.sum())


def _mostly_dead(segment: Segment) -> bool:
    return 2 * _dead(segment) > len(segment)


def _revive(segment: Segment, labels: Labels, hashes: Hashes) -> NDArray[np.bool_]:
    """Bring the rows with just these labels and hashes to life; which of them the segment has."""
    if not len(segment) or not len(labels):
        return np.zeros(len(labels), np.bool_)
    # A label has one hash as good as always; of several only the first is looked for, the others are added anew.
    rows = np.minimum(np.searchsorted(segment.labels, labels), len(segment) - 1)
    same = np.equal(segment.tables.words[rows], hashes).all(axis=1)
    there: NDArray[np.bool_] = np.logical_and(segment.labels[rows] == labels, same)
    segment.alive[rows[there]] = True
    return there
