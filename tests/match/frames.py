# SPDX-License-Identifier: Apache-2.0
"""Videos as the tests of matching make them: hashes as real frames could have, and their times."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np

from holdfast.match.signal import InVideo, Signal, SignalType
from holdfast.match.video import Film, KnownVideo, Moment, Near
from holdfast.media.pdq import from_hex

THRESHOLD = 31


def frame_hash(seed: int, *, flipped: int = 0) -> str:
    """A hash as a real frame could have; different seeds lie far apart, and `flipped` of its bits are turned over."""
    chosen = random.Random(seed)
    bits = {*chosen.sample(range(256), 128)}
    for bit in random.Random(seed + flipped).sample(range(256), flipped):
        bits ^= {bit}
    return f"{sum(1 << bit for bit in bits):064x}"


def video(looks: Sequence[int], step_ms: int = 1000) -> tuple[Signal, ...]:
    """The signals of a known video that shows these looks, one after the other."""
    return tuple(
        Signal(SignalType.VPDQ, frame_hash(look), InVideo(number, number * step_ms, 100))
        for number, look in enumerate(looks)
    )


def known(looks: Sequence[int], step_ms: int = 1000) -> KnownVideo:
    """The same as it is compared; the label of each frame is its place."""
    frames = video(looks, step_ms)
    return KnownVideo(
        list(range(len(frames))),
        [one.frame.at_ms for one in frames if one.frame],
        np.array([from_hex(one.value) for one in frames], np.uint64).reshape(-1, 4),
    )


def film(looks: Sequence[int], step: float = 1.0, stands_for: Mapping[int, int] | None = None) -> Film:
    """An upload that shows these looks; a place in `stands_for` lasts so many steps."""
    moments, at = [], 0.0
    for number, _ in enumerate(looks):
        lasts = (stands_for or {}).get(number, 1)
        moments.append(Moment(number, at, at + lasts * step, lasts))
        at += lasts * step
    return Film(tuple(moments), at)


def near(upload: Sequence[int], looks: Sequence[int]) -> list[Near]:
    """Every pair of a frame of the upload and one of the known video that show the same look."""
    return [
        Near(number, label, 0) for number, one in enumerate(upload) for label, other in enumerate(looks) if one == other
    ]
