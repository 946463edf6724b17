# SPDX-License-Identifier: Apache-2.0
"""Known videos, films as they were uploaded, and what it is worth that a part of the one is seen in the other.

vPDQ counts shares: how much of the upload is known (80 %), how much of the known video is in it (0 %). A
known minute inside a film of ten is 10 % of it, and so is missed. Here frames also count by themselves: so many
frames of the upload that show, in the order of the known video or in the reverse, so many seconds of it.
One frame alone may be any title card; nothing is concluded from it, but it is recorded.

All of it is pure. Times are milliseconds in the known video and seconds in the upload.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import InvalidRequest
from holdfast.match.signal import Signal

MOST_SHOWN_MS: Final = 2000  # what one known frame can stand for, however far away the next one is
_SHOWN_ALONE_MS: Final = 1000  # what the only frame of a known video stands for: vPDQ takes one a second
MOST_STRAYS: Final = 20  # of one upload that are recorded: the nearest
MOST_FRAMES_ASKED: Final = 1000
MOST_SECONDS_ASKED: Final = 3600
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRule:
    """When an upload counts as showing a video of a bank again: by frames and seconds, or by vPDQ's two shares."""

    least_frames: int = 3
    """Frames of the upload that differ and show the known video in its order; half of a video that has fewer."""
    least_seconds: float = 2.0
    """Seconds of the known video that they show; half of a video that is shorter."""
    query_percent: float = 80.0
    """Of the upload's frames."""
    compared_percent: float = 0.0
    """Of the known video's frames; counts together with the share above."""


USUAL: Final = VideoRule()


class Strength(StrEnum):
    """What seeing a part of a known video again is worth."""

    FIRM = "firm"
    """As much as the bank asks for, or half of the known video: it leads to what the bank says."""
    WEAK = "weak"
    """More than chance and less than that, one picture that stands still, or a still of it: review at most."""
    STRAY = "stray"
    """One frame of a film: recorded only."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One looked-up frame of an upload: its number, when it is shown (seconds), and how many frames look like it."""

    number: int
    at: float
    until: float
    stands_for: int = 1
    track: int = 0


@dataclass(frozen=True, slots=True)
class Film:
    """A video as it was uploaded: what was looked up of it, track after track, and its frames as a bank keeps them."""

    moments: tuple[Moment, ...]
    seconds: float
    upright: tuple[Signal, ...] = ()


class Near(NamedTuple):
    """Frame `number` of the upload lies `distance` bits from the known frame under `label`."""

    number: int
    label: int
    distance: int


@dataclass(frozen=True, slots=True, eq=False)
class KnownVideo:
    """The frames of a banked video in the order of their times: labels, times in milliseconds, hashes (n, 4)."""

    labels: Sequence[int]
    times: Sequence[int]
    hashes: NDArray[np.uint64]

    def shown(self) -> list[int]:
        """For how many milliseconds each frame stands: until the next one, within bounds."""
        gaps = [after - before for before, after in pairwise(self.times)]
        last = sorted(gaps)[len(gaps) // 2] if gaps else _SHOWN_ALONE_MS
        return [min(gap, MOST_SHOWN_MS) for gap in (*gaps, last)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """From when to when, in the upload and in the known video. An animation's times are not known."""

    upload: tuple[float, float] | None
    entry: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of a known video was seen again: so many frames in its order, so many looks, of so many frames."""

    frames: int
    looks: int
    of: int
    covered: float
    """Seconds of the known video."""
    seconds: Seconds
    """The longest stretch without a gap."""
    length: float | None
    """Seconds that the upload lasts; None of a picture or an animation."""
    strength: Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where in a film of so many seconds one frame is shown that matches a known picture."""

    seconds: tuple[float, float]
    length: float


def spot_of(film: Film, number: int) -> Spot:
    """Where the frame of this number is shown."""
    moment = film.moments[number]
    return Spot(seconds=(round(moment.at, 3), round(moment.until, 3)), length=round(film.seconds, 3))


def spot_body(spot: Spot | None) -> dict[str, Any] | None:
    """A spot as JSON types, as the journal has it."""
    return {"seconds": list(spot.seconds), "length": spot.length} if spot else None


def check_rule(rule: VideoRule) -> None:
    """Raise InvalidRequest for a rule that nothing, or everything, would satisfy."""
    if not (1 <= rule.least_frames <= MOST_FRAMES_ASKED and 0 <= rule.least_seconds <= MOST_SECONDS_ASKED):
        message = f"video: 1 to {MOST_FRAMES_ASKED} frames, and 0 to {MOST_SECONDS_ASKED} seconds"
        raise InvalidRequest(message)
    if not (0 < rule.query_percent <= _WHOLE and 0 <= rule.compared_percent <= _WHOLE):
        message = "video: percentages lie between 0 and 100, and the upload's is more than 0"
        raise InvalidRequest(message)


def beside_benign(part: Part, rest: Part | None) -> Part:
    """The part, of whose frames only `rest` counts: the others lie as near to something benign.

    If half of the known video is there, a person looks, however much of it is benign.
    """
    strength = rest.strength if rest else Strength.STRAY
    if strength is Strength.STRAY and part.strength is not Strength.STRAY and 2 * part.frames >= part.of:
        strength = Strength.WEAK
    return replace(part, strength=strength)


def part_body(part: Part | None) -> dict[str, Any] | None:
    """A part as JSON types, as the journal has it."""
    if part is None:
        return None
    seconds = {"upload": part.seconds.upload and list(part.seconds.upload), "entry": list(part.seconds.entry)}
    return {**asdict(part), "seconds": seconds, "strength": part.strength.value}
