# SPDX-License-Identifier: Apache-2.0
"""Which pictures of a file are kept: the first, and each that does not look like one kept before.

How long a picture is shown plays no part: one that flashes up for 10 ms is looked at like any
other. Two pictures look alike when few of the 256 signs of their low frequencies differ, which is
what their PDQ hashes will be made of, and when the kept one has as much contrast, so that a pale
forerunner never stands for the picture it fades into. If more differ than can be kept, the measure
grows coarser, up to half of the distance at which a match is told; beyond that the rest is missed,
and said to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holdfast.media.plane import MOST_BYTES, MOST_KEPT, MOST_WALKED, Frame, Luma, Plane
from holdfast.media.reason import NotDecoded, Reason, Unreadable

ALIKE: Final = (4, 12)  # bits of 256, fine and coarse: together half of the 31 at which a match is told
_SIDE: Final = 32  # shows every frequency that counts
_FREQUENCIES: Final = 16
_SAME: Final = 2  # grey levels: no cell of the thumbnail differs by more, so nothing that anyone sees does
_PALER: Final = 1.25  # how much more contrast a picture may have than the one that stands for it

_AT: Final = np.arange(_SIDE)[None, :]
_WAVES: Final = np.cos(np.pi / (2 * _SIDE) * np.arange(1, _FREQUENCIES + 1)[:, None] * (2 * _AT + 1)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """A picture at a glance: small, its signs, and its contrast, for each of its planes."""

    small: NDArray[np.int16]
    signs: NDArray[np.bool_]
    contrast: NDArray[np.float64]

    @classmethod
    def at(cls, planes: tuple[Plane, ...]) -> Glance:
        """What these planes look like."""
        small = np.stack([_thumbnail(plane.luma) for plane in planes])
        low = (_WAVES @ small.astype(np.float32) @ _WAVES.T).reshape(len(planes), -1)
        contrast = np.abs(np.diff(small, axis=1)).mean((1, 2)) + np.abs(np.diff(small, axis=2)).mean((1, 2))
        return cls(small, low > _middle_of(low), contrast)

    def covers(self, other: Glance, bits: int) -> bool:
        """Whether looking this one up finds what looking the other up would."""
        if self.small.shape != other.small.shape:
            return False
        if np.abs(self.small - other.small).max() <= _SAME:
            return True
        near = np.count_nonzero(self.signs != other.signs, axis=1) <= bits
        return bool(near.all() and (other.contrast <= _PALER * self.contrast).all())


@dataclass(slots=True)
class Keeper:
    """Takes the pictures of a file in their order, and keeps those that differ."""

    frames: list[Frame] = field(default_factory=list)
    glances: list[Glance] = field(default_factory=list)
    coarseness: int = 0

    def offer(self, number: int, planes: tuple[Plane, ...]) -> None:
        """Keep it, unless one that is kept looks the same.

        Raises Unreadable if there are more pictures than can be kept or looked at.
        """
        if number >= MOST_WALKED:
            raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, f"more than {MOST_WALKED}"))
        if not self.frames:  # most files hold no second picture to compare it with
            self.frames.append(Frame(number, planes))
            return
        if not self.glances:
            self.glances.append(Glance.at(self.frames[0].planes))
        glance = Glance.at(planes)
        while not self._covered(glance):
            if self._has_room(planes):
                self.frames.append(Frame(number, planes))
                self.glances.append(glance)
                return
            self._look_less_closely()

    def _covered(self, glance: Glance) -> bool:
        return any(kept.covers(glance, ALIKE[self.coarseness]) for kept in reversed(self.glances))

    def _has_room(self, planes: tuple[Plane, ...]) -> bool:
        held = sum(plane.luma.size for frame in self.frames for plane in frame.planes)
        return len(self.frames) < MOST_KEPT and held + sum(plane.luma.size for plane in planes) <= MOST_BYTES

    def _look_less_closely(self) -> None:
        """Let go of what looks alike by a coarser measure; every picture so far stays covered by a kept one."""
        if self.coarseness == len(ALIKE) - 1:
            raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, f"more than {MOST_KEPT} that differ"))
        self.coarseness += 1
        frames, glances = self.frames, self.glances
        self.frames, self.glances = [], []
        for frame, glance in zip(frames, glances, strict=True):
            if not self._covered(glance):
                self.frames.append(frame)
                self.glances.append(glance)


def _middle_of(low: NDArray[np.float32]) -> NDArray[np.float32]:
    """The lower of the two middle values: `np.median` would load a module when no file can be opened any more."""
    rank = low.shape[1] // 2 - 1
    return np.partition(low, rank, axis=1)[:, rank : rank + 1]


def _thumbnail(luma: Luma) -> NDArray[np.int16]:
    small = Image.fromarray(luma).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(small).astype(np.int16)
