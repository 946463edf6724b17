# SPDX-License-Identifier: Apache-2.0
"""The peers: python-threatexchange's PDQ, and the C++ reference's, which resizes first.

Both come from requirements/bench.lock and are imported on first use, so that the rest of the bench,
and its tests, need neither.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError

NEAREST_SIDE: Final = 512

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PeerHash:
    """A PDQ hash as 64 hexadecimal digits, and the picture's quality, 0-100."""

    value: str
    quality: int


def threatexchange_hash(picture: bytes) -> PeerHash:
    """What python-threatexchange, and HMA with it, makes of the bytes of a file."""
    value, quality = _load("threatexchange.signal_type.pdq.pdq_hasher").pdq_from_bytes(picture)
    return PeerHash(str(value), int(quality))


def full_hash(pixels: Pixels) -> PeerHash:
    """PDQ of RGB pixels at their own size."""
    bits, quality = _load("pdqhash").compute(pixels)
    return PeerHash(np.packbits(bits).tobytes().hex(), int(quality))


def nearest_512_hash(pixels: Pixels) -> PeerHash:
    """PDQ as the C++ reference computes it: a picture beyond 512 is resized to 512 x 512 by nearest neighbour."""
    height, width = pixels.shape[:2]
    if max(height, width) <= NEAREST_SIDE:
        return full_hash(pixels)
    at = np.arange(NEAREST_SIDE)
    return full_hash(np.ascontiguousarray(pixels[at * height // NEAREST_SIDE][:, at * width // NEAREST_SIDE]))


def distance(one: str, other: str) -> int:
    """How many of the 256 bits differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _load(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        message = f"{missing.name} is not installed: install requirements/bench.lock"
        raise BenchError(message) from missing
