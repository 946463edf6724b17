# SPDX-License-Identifier: Apache-2.0
"""Which pictures of a file are kept: the first, and each that would not be matched as one kept before is.

How long a picture is shown plays no part: one that flashes up for 10 ms is looked at like any
other. A picture is left out only where its own hashes tell that it may be: those that would be looked
up, in every family and every form, lie within 3 bits of those of one picture that is kept, and all of
those are good enough to be matched. Nothing coarser will do: what a look from afar calls alike may be
38 bits apart. If more differ than can be kept, the rest is missed, and said to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.media.pdq import Hashes, hash_plane
from holdfast.media.plane import FLAT, MOST_BYTES, MOST_KEPT, MOST_WALKED, Frame, Plane
from holdfast.media.reason import NotDecoded, Reason, Unreadable

ALIKE: Final = 3  # bits of 256, a tenth of the 31 at which a match is told


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a picture would be matched: for each of its planes the hashes, and whether they are good enough.

    `flat`: there is nothing on the plane, and none of its hashes would be looked up.
    """

    hashes: Hashes  # shape (planes, hashes, 4)
    good: NDArray[np.bool_]
    flat: NDArray[np.bool_]

    @classmethod
    def at(cls, planes: tuple[Plane, ...]) -> Look:
        """How these planes would be matched."""
        hashed = [hash_plane(plane) for plane in planes]
        flat = [is_flat(plane) and not any(one.usable) for plane, one in zip(planes, hashed, strict=True)]
        return cls(
            np.stack([one.hashes for one in hashed]), np.array([all(one.usable) for one in hashed]), np.array(flat)
        )

    def covers(self, other: Look) -> bool:
        """Whether looking this one up finds what looking the other up would."""
        if self.hashes.shape != other.hashes.shape:
            return False
        near = np.bitwise_count(self.hashes ^ other.hashes).sum(axis=-1).max(axis=-1) <= ALIKE
        return bool(((self.good & near) | (self.flat & other.flat)).all())


@dataclass(slots=True)
class Keeper:
    """Takes the pictures of a file in their order, and keeps those that differ."""

    frames: list[Frame] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    def offer(self, number: int, planes: tuple[Plane, ...]) -> None:
        """Keep it, unless one that is kept stands for it.

        Raises Unreadable if there are more pictures than can be kept or looked at.
        """
        if number >= MOST_WALKED:
            raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, f"more than {MOST_WALKED}"))
        if not self.frames:  # most files hold no second picture to compare it with
            self.frames.append(Frame(number, planes))
            return
        if any(_equal(frame.planes, planes) for frame in (self.frames[0], self.frames[-1])):
            return  # the commonest case, for which no hash is needed
        if not self.looks:
            self.looks.append(Look.at(self.frames[0].planes))
        look = Look.at(planes)
        if not any(kept.covers(look) for kept in reversed(self.looks)):
            self._keep(Frame(number, planes), look)

    def _keep(self, frame: Frame, look: Look) -> None:
        held = sum(plane.luma.size for kept in (*self.frames, frame) for plane in kept.planes)
        if len(self.frames) >= MOST_KEPT or held > MOST_BYTES:
            raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, f"more than {MOST_KEPT} that differ"))
        self.frames.append(frame)
        self.looks.append(look)


def is_flat(plane: Plane) -> bool:
    """Whether there is nothing on it, such as the black from which a film fades in."""
    return int(plane.luma.max()) - int(plane.luma.min()) <= FLAT


def _equal(planes: tuple[Plane, ...], others: tuple[Plane, ...]) -> bool:
    return len(planes) == len(others) and all(
        (one.full_height, one.full_width) == (other.full_height, other.full_width)
        and np.array_equal(one.luma, other.luma)
        for one, other in zip(planes, others, strict=True)
    )
