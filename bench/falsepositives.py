# SPDX-License-Identifier: Apache-2.0
"""How many benign uploads a bank of a million other benign pictures would hold by mistake.

Bank and uploads are pieces of different artworks of the corpus: crops at random places and sizes,
each hashed as the product hashes an upload, and a piece without enough detail left out as the
product leaves it out. A bank of real pictures' hashes in all their forms is denser where pictures
are than chance would be, which is what makes the question worth asking.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.corpus import Picture, origin, pictures
from bench.derive import SIZES
from bench.ours import plane_of
from bench.report import tell
from bench.row import Row, Value
from holdfast.match.bank import DEFAULT_THRESHOLD
from holdfast.match.segment import Segment
from holdfast.media.pdq import MINIMUM_QUALITY, Family, hash_plane
from holdfast.media.plane import Plane

BANK_HASHES: Final = 1_000_000
UPLOADS: Final = 20_000
MOST_PER_10_000: Final = 1.0
CROP_SIDES: Final = tuple(range(128, 513, 48))  # few, so that the filters for each are made once
_SOURCE: Final = SIZES[1]
Hashes = NDArray[np.uint64]


def falsepositives_rows() -> list[Row]:
    """One row."""
    artworks = pictures(_SOURCE)
    banked = [one for one in artworks if zlib.crc32(_artwork(one).encode()) % 2]
    uploaded = [one for one in artworks if not zlib.crc32(_artwork(one).encode()) % 2]
    tell(f"falsepositives: hashing {BANK_HASHES:,} pieces of {len(banked)} artworks")
    bank = np.concatenate(list(_until(_pieces(banked, seed=1), BANK_HASHES)))[:BANK_HASHES]
    segment = Segment.build(np.arange(len(bank)), bank)
    tell(f"falsepositives: {UPLOADS:,} uploads of {len(uploaded)} others")
    pieces = _pieces(uploaded, seed=2)
    nearest = np.array([_nearest(segment, next(pieces)) for _ in range(UPLOADS)])
    held = int((nearest <= DEFAULT_THRESHOLD).sum())
    detail: dict[str, Value] = {
        "unit": f"false holds per 10,000 uploads at {DEFAULT_THRESHOLD} bits, all 16 variants looked up",
        "held": held,
        "uploads": UPLOADS,
        "at_most_per_10_000_with_95_percent_confidence": round(10_000 * (held + 3 + 1.96 * held**0.5) / UPLOADS, 2),
        "bank": f"{len(bank):,} hashes of {len(banked)} artworks; uploads from {len(uploaded)} others",
        "within_40_bits": int((nearest <= 40).sum()),
        "within_52_bits": int((nearest <= 52).sum()),
    }
    rate = 10_000 * held / UPLOADS
    return [Row("falsepositives", rate, None, None, MOST_PER_10_000, rate <= MOST_PER_10_000, detail | origin())]


def _artwork(picture: Picture) -> str:
    """What a picture is a version of: light and dark variants of one wallpaper are one artwork."""
    return picture.name.lower().split("-")[0].split("_")[0]


def _until(pieces: Iterator[Hashes], count: int) -> Iterator[Hashes]:
    made = 0
    while made < count:
        piece = next(pieces)
        made += len(piece)
        yield piece


def _pieces(artworks: list[Picture], *, seed: int) -> Iterator[Hashes]:
    """The hashes, shape (n, 4), of one random piece after another, for ever."""
    random = np.random.default_rng(seed)
    lumas = [plane_of(one.jpeg).luma for one in artworks]
    while True:
        luma = lumas[random.integers(len(lumas))]
        height, width = (int(random.choice([cut for cut in CROP_SIDES if cut <= side])) for side in luma.shape)
        top, left = (
            int(random.integers(0, side - cut + 1)) for side, cut in zip(luma.shape, (height, width), strict=True)
        )
        hashed = hash_plane(Plane(np.ascontiguousarray(luma[top : top + height, left : left + width]), height, width))
        kept = [
            number
            for number, (family, _) in enumerate(hashed.variants)
            if hashed.quality[Family(family)] >= MINIMUM_QUALITY
        ]
        if kept:
            yield np.unique(hashed.hashes[kept], axis=0)


def _nearest(segment: Segment, hashes: Hashes) -> int:
    """How near the nearest banked hash is, or 256 beyond 52 bits."""
    found = segment.query(hashes, 52)
    return int(found.distances.min()) if len(found.distances) else 256
