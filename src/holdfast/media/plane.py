# SPDX-License-Identifier: Apache-2.0
"""What a decoder may give back: raw luma planes and small integers, and nothing else.

The bounds here hold on both sides of the wire: an honest decoder keeps them, the trusted side
checks them before it takes any memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.media.reason import NotDecoded, Reason

LONGEST_SIDE: Final = 2**20  # pixels; no picture that people see is longer
LEAST_SIDE: Final = 512  # below it the hash begins to move: 8 bits more at 128
MOST_SIDE: Final = 2 * LEAST_SIDE - 1  # what is longer is averaged down, each side by itself
MOST_PLANES: Final = 6  # over white, over black, without transparency; and the three with their colours managed
MOST_WALKED: Final = 2000  # pictures of one file that are looked at
MOST_KEPT: Final = 128  # pictures of one file that differ enough to be looked up
FLAT: Final = 3  # grey levels between the darkest and the brightest pixel of a picture that has nothing on it
MOST_BYTES: Final = 64 * 1024 * 1024  # of all planes of one file together; of a video, of one frame
MOST_TRACKS: Final = 64  # ways of watching one video: its tracks, and what an edit list hides of each
MOST_WATCHED: Final = 250_000  # frames of one video that are looked at: seventy hours at one a second
LONGEST_VIDEO: Final = 30 * 24 * 3600  # seconds; a later time makes no sense

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Lumas:
    """Every way in which a picture may show, as it is stored; `missed` is why there may be another."""

    planes: list[Luma]
    missed: NotDecoded | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One picture's brightness: uint8 of shape (height, width), upright, perhaps at a fraction of its size.

    `full_height` and `full_width` are the picture's own size in pixels, upright; the hash is
    computed as if on that size.
    """

    luma: Luma
    full_height: int
    full_width: int


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Every way in which one picture of a file may show that could be made out.

    No plane if it is none that anybody is shown. `missed` is why it may show in yet another way.
    """

    planes: tuple[Plane, ...]
    missed: NotDecoded | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a file: its number in the file, from 0, and every way in which it may show.

    Of a video: its number among the frames that were looked at; `seconds` is when it is shown, on the
    video's own timeline, and `track` which of the video's tracks it belongs to, from 0. A picture
    that no video holds has no time.
    """

    number: int
    planes: tuple[Plane, ...]
    seconds: float | None = None
    track: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The pictures of one file that differ, the first always among them.

    `missed` is why there may be others that were not seen; None if there are none.
    """

    frames: tuple[Frame, ...]
    missed: Reason | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What a video says about itself before a frame of it is seen.

    `seconds` is how long it says that it lasts, None if it does not say; `tracks` how many ways there
    are to watch it, one after the other. Both are for showing progress, and nothing rests on them.
    """

    seconds: float | None
    tracks: int


@dataclass(frozen=True, slots=True)
class Watched:
    """How much of a video was seen: so many frames, until this second of it, on so many tracks.

    `missed` is why there may be more to see; None if it was watched to its end.
    """

    frames: int
    seconds: float
    tracks: int
    missed: Reason | None = None
