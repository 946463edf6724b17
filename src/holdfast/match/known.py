# SPDX-License-Identifier: Apache-2.0
"""What the banks hold, in memory, and how it is kept level with the banks as committed.

Bank changes are numbered without gaps in commit order, so "level" is one comparison: the number
this memory has followed to against the newest number, read in the very transaction that records
the answer. An answer is therefore never given against banks that were already older when asked.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import NotReady
from holdfast.match.index import HashIndex, Neighbour


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Everything that changed in the banks after one number, up to and including `number`.

    `added_labels[i]` is the label of `added_hashes[i]`; `radius` is the widest threshold of any bank.
    """

    number: int
    radius: int
    added_labels: Sequence[int]
    added_hashes: NDArray[np.uint64]
    removed_labels: Sequence[int]


class ChangeSource(Protocol):
    """Where bank changes are read."""

    def changes_after(self, number: int) -> Changes | None:
        """What changed after `number`, as one consistent picture; None if nothing did.

        If the newest change is *below* `number`, the source was set back: an adapter MUST then give
        everything there is, under that lower number.

        A label that was added and removed since MUST appear as removed only.
        """


class Known:
    """The perceptual signals of all active banks, in an index; safe to share between threads."""

    def __init__(self, index: HashIndex, source: ChangeSource) -> None:
        """Begin with nothing loaded: until the first `follow`, there is no answer."""
        self._index = index
        self._source = source
        self._following = threading.Lock()
        self._labels: set[int] = set()
        self._radius = 0
        self.ready_to: int | None = None

    def __len__(self) -> int:
        """How many perceptual hashes are loaded."""
        return len(self._index)

    def follow(self) -> int:
        """Take in every committed change; returns the number this memory is level with.

        Raises whatever the source raises if the banks cannot be read; nothing is then taken in.
        """
        with self._following:
            changes = self._source.changes_after(-1 if self.ready_to is None else self.ready_to)
            if changes is not None and changes.number < (self.ready_to or 0):
                self._forget()  # the banks went back in time: a restored database
            if changes is not None:
                self._index.remove(changes.removed_labels)
                self._index.remove(changes.added_labels)
                self._index.add(changes.added_labels, changes.added_hashes)
                self._labels.difference_update(changes.removed_labels)
                self._labels.update(changes.added_labels)
                self._radius = changes.radius
                self.ready_to = changes.number
            return self.ready_to or 0

    def _forget(self) -> None:
        """Take out everything, for a reading from the beginning."""
        self._index.remove(list(self._labels))
        self._labels.clear()

    def near(self, hashes: NDArray[np.uint64]) -> tuple[int, list[Neighbour]]:
        """(n, every neighbour of `hashes` within the widest threshold, as of bank change n or later).

        The caller MUST compare n with the newest change in the transaction that records what it
        concludes. Raises NotReady if the banks are not loaded yet.
        """
        level = self.ready_to
        if level is None:
            message = "the banks are still being loaded"
            raise NotReady(message)
        return level, self._index.query(hashes, self._radius)
