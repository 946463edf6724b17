# SPDX-License-Identifier: Apache-2.0
"""Which frames of a video are looked at, and when they are shown. Knows numbers and planes, no library.

A frame is looked at if it is the first one in its second of the video, if it differs from the one that
was looked at last, or if so many have gone by that the times cannot be believed. What is shown for a
second is therefore looked at, and so is what flashes up and looks unlike what was around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.media.plane import LONGEST_VIDEO, Luma

GAP: Final = 1.0  # seconds: in each, one frame at least is looked at
MOST_PASSED_OVER: Final = 64  # frames: more than a second of any film
ALIKE: Final = 0.7  # correlation of two pictures seen from afar; those of different scenes have about none
_CELLS: Final = 32  # each way
_FLAT: Final = 2.0  # grey levels from the mean; less is nothing to be seen
_BACK: Final = 1.0  # seconds; frames that are a little out of order are put in line, others begin a new reckoning
_STEP: Final = 0.04  # seconds that a frame lasts if nothing says so

Glance = NDArray[np.float32]


def glance(luma: Luma) -> Glance:
    """A picture from afar, of shape (n,): without its brightness and its contrast; zero if there is nothing on it."""
    height, width = luma.shape
    down, across = max(1, height // _CELLS), max(1, width // _CELLS)
    rows = luma[down // 2 :: down, : width // across * across]
    cells = rows.astype(np.float32).reshape(-1, across) @ np.ones(across, np.float32)
    cells -= cells.sum() / cells.size
    size = math.sqrt(float(cells @ cells))
    return cells / size if size > _FLAT * across * math.sqrt(cells.size) else np.zeros_like(cells)


def alike(one: Glance, other: Glance, least: float = ALIKE) -> bool:
    """Whether two pictures seen from afar are of one scene; of two that are empty, they are."""
    if one.shape != other.shape:
        return False
    return float(one @ other) > least or not (one.any() or other.any())


@dataclass(slots=True)
class Timeline:
    """Makes of the times in a file, which may be anything, times that never go back."""

    shift: float = 0.0
    now: float = 0.0
    begun: bool = False

    def at(self, untrusted_seconds: float | None) -> float:
        """When this frame is shown, in seconds from the start; never before the last one."""
        if untrusted_seconds is None or not abs(untrusted_seconds) <= LONGEST_VIDEO:
            shown = self.now + (_STEP if self.begun else 0.0)
        else:
            shown = untrusted_seconds + self.shift
            if self.begun and (shown < self.now - _BACK):
                self.shift += self.now + _STEP - shown
                shown = self.now + _STEP
        self.begun = True
        self.now = min(max(shown, self.now), float(LONGEST_VIDEO))
        return self.now


@dataclass(slots=True)
class Sampler:
    """Asked about every frame of one track in turn."""

    last_seconds: float | None = None
    last_glance: Glance = field(default_factory=lambda: np.zeros(0, np.float32))
    passed_over: int = 0

    def wants(self, seconds: float, seen: Glance) -> bool:
        """Whether this frame is to be looked at."""
        due = self.last_seconds is None or seconds // GAP > self.last_seconds // GAP
        if due or self.passed_over >= MOST_PASSED_OVER or not alike(seen, self.last_glance):
            self.last_seconds, self.last_glance, self.passed_over = seconds, seen, 0
            return True
        self.passed_over += 1
        return False
