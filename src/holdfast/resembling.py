# SPDX-License-Identifier: Apache-2.0
"""What in the archive resembles something that was reported: encoded again, cropped a little, made smaller.

Found before anybody has looked, so that what was named is not hidden alone; how far that may reach is decided elsewhere
(`holdfast.hold.reach`). Of a film half of the pictures must be near, three at most: one alone may be any title card.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.adapters.archive_folder import ArchiveFolder
from holdfast.hold.reach import REACH
from holdfast.match.again import APART
from holdfast.match.sheet import START
from holdfast.match.signal import Signal
from holdfast.match.video import USUAL
from holdfast.match.wanted import Wanted
from holdfast.media import pdq
from holdfast.walk_archive import Walk

RADIUS: Final = max(reach.distance for reach in REACH.values())
"""PDQ bits apart: no report reaches further."""
_MOST_LOOKS: Final = 1000
"""Of very many frames evenly fewer: a quarter of an hour of scenes finds what hours find, in a part of the time."""


class Resembling:
    """Looks through the archive whose sheets lie in `folder`. A `holdfast.hold.follow_up.Resembles`; for any thread."""

    def __init__(self, folder: ArchiveFolder) -> None:
        """Nothing is opened yet."""
        self._folder = folder

    def __call__(self, looks: Sequence[Signal]) -> dict[str, int]:
        """The items of which enough is near to these looks, and how far they are, in bits.

        How far is what the farthest of so many pictures is as are asked for. Raises whatever the database raises.
        """
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # needs configured Django

        words = _that_differ(looks)
        if not len(words):
            return {}
        upto, found = rows.present(), dict[str, int]()
        for row in rows.by_screening(self._near(words), upto):
            distance = _apart(words, np.frombuffer(bytes(row.hashes), np.uint64).reshape(-1, 4))
            if distance <= RADIUS:
                found[row.content_id] = min(distance, found.get(row.content_id, RADIUS))
        return found

    def _near(self, words: NDArray[np.uint64]) -> list[str]:
        """Screenings that have anything near to any of these."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # needs configured Django

        walk = Walk(self._folder)
        try:
            pieces = walk.pieces(Wanted(words, RADIUS), START, rows.present())
            return list(dict.fromkeys(screening for _, near in pieces for screening in near))
        finally:
            walk.close()


def _that_differ(looks: Sequence[Signal]) -> NDArray[np.uint64]:
    """Their hashes as words, of frames that follow each other and look the same the first."""
    kept: list[NDArray[np.uint64]] = []
    for one in looks:
        word = np.asarray(pdq.from_hex(one.value), np.uint64)
        if not kept or int(np.bitwise_count(kept[-1] ^ word).sum(dtype=np.int64)) > APART:
            kept.append(word)
    thin = -(-len(kept) // _MOST_LOOKS) or 1
    return np.array(kept[::thin], np.uint64).reshape(-1, 4)


def _apart(words: NDArray[np.uint64], others: NDArray[np.uint64]) -> int:
    """How far the farthest of the nearest is: of so many pictures of ours as must be near."""
    least = min(USUAL.least_frames, ceil(len(words) / 2))
    nearest = [int(np.bitwise_count(others ^ word).sum(axis=1, dtype=np.int64).min(initial=256)) for word in words]
    return sorted(nearest)[least - 1]
