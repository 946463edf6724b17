# SPDX-License-Identifier: Apache-2.0
"""A sheet: what very many archived items left behind, in flat arrays that never change.

Items stand in the order of their places in the archive. Nothing is in it but their hashes, their places
and the ids of their screenings: what an item was is read from the table, which is the truth, once it was
found here. An item without a perceptual hash has a place all the same, so that items can be counted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

HASH_BYTES: Final = 32
Words = NDArray[np.uint64]
Arrays = Mapping[str, NDArray[Any]]


class Place(NamedTuple):
    """Where an item stands in the archive: the transaction that wrote it, then its screening's id, byte by byte."""

    xact: int
    screening: str


START: Final = Place(0, "")


def behind(place: Place) -> Place:
    """The first place after this one: no text in the database holds a zero byte."""
    return Place(place.xact, f"{place.screening}\x01")


Archived = tuple[int, str, bytes]
"""One row of the archive: its place (transaction, screening), and its hashes as bytes, 32 each. A million of these are
read in a row, so it is no more than a tuple."""


def place_of(row: Archived) -> Place:
    """Where a row stands."""
    return Place(row[0], row[1])


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Hashes in columns, shape (4, n); the first hash of each item, and behind the last; places, ids one by one."""

    words: Words
    first: NDArray[np.int64]
    xacts: NDArray[np.int64]
    ids: NDArray[np.uint8]
    ids_first: NDArray[np.int64]

    @classmethod
    def build(cls, rows: Sequence[Archived]) -> Sheet:
        """A sheet of these rows, which MUST stand in the order of their places."""
        xacts, screenings, hashes = zip(*rows, strict=True) if rows else ((), (), ())
        names = [name.encode() for name in screenings]
        whole = np.frombuffer(b"".join(hashes), np.uint64).reshape(-1, 4)
        return cls.of_arrays(
            {
                "words": np.ascontiguousarray(whole.T),
                "first": _ends([len(one) // HASH_BYTES for one in hashes]),
                "xacts": np.array(xacts, np.int64),
                "ids": np.frombuffer(b"".join(names), np.uint8),
                "ids_first": _ends([len(name) for name in names]),
            }
        )

    @classmethod
    def of_arrays(cls, arrays: Arrays) -> Sheet:
        """The sheet that `arrays` came from."""
        parts = {name: _unchanging(array) for name, array in arrays.items()}
        return cls(parts["words"].reshape(4, -1), parts["first"], parts["xacts"], parts["ids"], parts["ids_first"])

    @property
    def arrays(self) -> Arrays:
        """Everything in it."""
        names: Arrays = {"first": self.first, "xacts": self.xacts, "ids": self.ids, "ids_first": self.ids_first}
        return {"words": self.words, **names}

    def __len__(self) -> int:
        """How many items it has."""
        return len(self.xacts)

    @property
    def hashes(self) -> int:
        """How many hashes they have."""
        return int(self.words.shape[1])

    def screening(self, item: int) -> str:
        """The id of an item's screening."""
        return bytes(self.ids[self.ids_first[item] : self.ids_first[item + 1]]).decode()

    def place(self, item: int) -> Place:
        """Where an item stands in the archive."""
        return Place(int(self.xacts[item]), self.screening(item))

    def item_from(self, place: Place) -> int:
        """The first item that does not stand before `place`; how many items there are if all do."""
        begin = int(np.searchsorted(self.xacts, place.xact, "left"))
        end = int(np.searchsorted(self.xacts, place.xact, "right"))
        return bisect_left(range(end), place.screening, lo=begin, key=self.screening)

    def items_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Whose these hashes are, by their numbers."""
        return np.searchsorted(self.first, rows, "right") - 1


def _ends(lengths: Sequence[int]) -> NDArray[np.int64]:
    """Where each of so many things of these lengths begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)


def _unchanging(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False  # as mapped files are: the compiled loop is made for one kind
    return view
