# SPDX-License-Identifier: Apache-2.0
"""What the banks hold, in memory, and how it is kept level with the banks as committed.

Bank changes are numbered without gaps in commit order and each has a random token, so "level" is one
comparison: the change this memory has followed to against the newest one, read in the very
transaction that records the answer. An answer is therefore never given against banks that were
already older when asked. The token tells a change from another of the same number in a database
that was set back (restored, failed over) and went on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappush, heapreplace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import NotReady
from holdfast.match.bank import HIGHEST_THRESHOLD
from holdfast.match.index import HashIndex, Neighbour

CHANNEL: Final = "holdfast_banks"
"""Where a source tells that there is a new change. Following must not depend on hearing it."""


MOST_WHOLE: Final = 4096
"""Hashes that are looked up at once: more than any picture or animation has."""
MOST_OF_EACH: Final = 32
_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True)
class Level:
    """One bank change: its number, and the token that no other change has."""

    number: int
    token: str


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Everything that changed in the banks after one level, up to and including `level`.

    `added_labels[i]` is the label of `added_hashes[i]`; `radius` is the widest threshold of any bank.
    `whole`: not a difference, but everything there is; what was known before does not count.
    """

    level: Level
    radius: int
    added_labels: Sequence[int] | NDArray[np.int64]
    added_hashes: NDArray[np.uint64]
    removed_labels: Sequence[int] | NDArray[np.int64]
    whole: bool = False


class ChangeSource(Protocol):
    """Where bank changes are read."""

    def changes_after(self, level: Level | None) -> Changes | None:
        """What changed after `level`, as one consistent picture; None if nothing did.

        An adapter MUST give the whole if `level` is None or is no change of this database's history.
        A label that was added and removed since MUST appear as removed only.
        """


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    index: HashIndex
    level: Level | None = None
    radius: int = HIGHEST_THRESHOLD
    """As wide as any bank may ask, until it is known how wide they do."""


class Known:
    """The perceptual signals of all active banks, in an index; safe to share between threads."""

    def __init__(self, make_index: Callable[[], HashIndex], source: ChangeSource) -> None:
        """Begin with nothing loaded: until the first `follow` or `adopt`, there is no answer."""
        self._make_index = make_index
        self._source = source
        self._following = threading.Lock()
        self._state = _State(make_index())

    def __len__(self) -> int:
        """How many perceptual hashes are loaded."""
        return len(self._state.index)

    @property
    def index(self) -> HashIndex:
        """What is searched now."""
        return self._state.index

    @property
    def level(self) -> Level | None:
        """The bank change that was followed to; None before the first."""
        return self._state.level

    @property
    def radius(self) -> int:
        """How far around a hash is searched: the widest threshold of any active bank."""
        return self._state.radius

    @property
    def ready_to(self) -> int | None:
        """The number of that change."""
        return self.level.number if self.level else None

    def follow(self) -> Level:
        """Take in every committed change; returns what this memory is level with.

        Raises whatever the source raises if the banks cannot be read; nothing is then taken in.
        """
        with self._following:
            return self._take(self._state)

    def adopt(self, index: HashIndex, level: Level, radius: int) -> Level:
        """Search `index` from now on, which holds the banks as of `level`, after bringing it level.

        `radius` is the widest threshold as of `level`: if nothing has changed since, nobody else tells it.

        The other index answers until this one is ready. Raises as `follow` does; nothing is then changed.
        """
        with self._following:
            return self._take(_State(index, level, radius))

    def _take(self, state: _State) -> Level:
        changes = self._source.changes_after(state.level)
        if changes is not None and changes.whole:
            # A new one: whoever is searching the old one goes on with it, and will find it is not level.
            state = _State(self._make_index())
        if changes is not None:
            state.index.remove(changes.removed_labels)
            state.index.remove(changes.added_labels)
            state.index.add(changes.added_labels, changes.added_hashes)
            state = _State(state.index, changes.level, changes.radius)
        self._state = state
        assert state.level is not None  # a source gives the whole to whoever has nothing
        return state.level

    def near(self, hashes: NDArray[np.uint64]) -> tuple[Level, list[Neighbour]]:
        """(level, every neighbour of `hashes` within the widest threshold, as of `level` or later).

        Of more than MOST_WHOLE hashes, those of a film, at most MOST_OF_EACH neighbours of each label, the
        nearest: two films of one room are alike in every frame, and their pairs would be millions.

        The caller MUST compare `level` with the newest change in the transaction that records what it
        concludes. Raises NotReady if the banks are not loaded yet.
        """
        state = self._state
        if state.level is None:
            message = "the banks are still being loaded"
            raise NotReady(message)
        if len(hashes) <= MOST_WHOLE:
            return state.level, state.index.query(hashes, state.radius)
        return state.level, _nearest_of_each(state.index, hashes, state.radius)


def _nearest_of_each(index: HashIndex, hashes: NDArray[np.uint64], radius: int) -> list[Neighbour]:
    """The nearest neighbours of each label, looked up some at a time, so that no more than these are ever held."""
    nearest: dict[int, list[tuple[int, int]]] = {}
    for start in range(0, len(hashes), _AT_ONCE):
        for found in index.query(hashes[start : start + _AT_ONCE], radius):
            held, one = nearest.setdefault(found.label, []), (-found.distance, -(start + found.query))
            if len(held) < MOST_OF_EACH:
                heappush(held, one)
            elif one > held[0]:
                heapreplace(held, one)
    return [Neighbour(-query, label, -away) for label, held in nearest.items() for away, query in held]
