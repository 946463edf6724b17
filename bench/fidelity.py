# SPDX-License-Identifier: Apache-2.0
"""How many bits our hashes lie from the peers' of the same picture: what a bank of their hashes would see.

We decode at a fraction of the size what they hash at full size, so a few bits are expected; a match
is 31 bits or fewer.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from PIL import Image

from bench.corpus import origin, pictures
from bench.derive import SIZES
from bench.odd import OddFile, cmyk_files, palette_files
from bench.ours import hashes_of
from bench.peer import Pixels, full_hash, nearest_512_hash, threatexchange_hash
from bench.report import tell
from bench.row import Row, Value, distance_row
from bench.tally import Tally
from holdfast.media.pdq import Family

FULL_MAX: Final = 6
NEAREST_MAX: Final = 12
NEAREST_MEAN: Final = 2
ODD_MAX: Final = 10
ODD_SIZE: Final = SIZES[1]  # large enough that being made smaller is part of what is measured
ODD_STEP: Final = 2  # every second picture: making these files takes longer than hashing them


def fidelity_rows() -> list[Row]:
    """The two families on plain pictures, then the forms of file that tools get wrong."""
    return [
        *_family_rows(),
        _odd_row("fidelity cmyk", cmyk_files),
        _odd_row("fidelity palette", palette_files),
    ]


def _family_rows() -> list[Row]:
    full, nearest = Tally(), Tally()
    for size in SIZES:
        tell(f"fidelity {size.name}")
        for picture in pictures(size):
            ours = hashes_of(picture.jpeg)
            full.add(size.name, ours.of(Family.FULL), threatexchange_hash(picture.jpeg))
            nearest.add(size.name, ours.of(Family.NEAREST_512), nearest_512_hash(_rgb(picture.jpeg)))
    return [_full_row(full), _nearest_row(nearest)]


def _full_row(tally: Tally) -> Row:
    against = "threatexchange pdq_from_bytes of the same JPEG"
    return distance_row("fidelity full", tally.every, most=FULL_MAX, detail=_detail(against, tally))


def _nearest_row(tally: Tally) -> Row:
    against = "PDQ of the same JPEG's pixels taken to 512 x 512 by nearest neighbour, as the C++ reference does"
    return distance_row(
        "fidelity nearest512", tally.every, most=NEAREST_MAX, mean=NEAREST_MEAN, detail=_detail(against, tally)
    )


def _odd_row(name: str, files: Callable[[Image.Image], Iterable[OddFile]]) -> Row:
    """Files made from every second picture; the reference is PDQ of the very pixels they were made from."""
    tell(name)
    ours, peer = Tally(), Tally()
    for picture in pictures(ODD_SIZE)[::ODD_STEP]:
        for odd in files(Image.fromarray(_rgb(picture.jpeg))):
            reference = full_hash(odd.pixels)
            ours.add(odd.form, hashes_of(odd.file, odd.kind).of(Family.FULL), reference)
            peer.add(odd.form, threatexchange_hash(odd.file).value, reference)
    detail = _detail(f"PDQ of the RGB pixels that the file shows, at {ODD_SIZE.name}", ours) | {
        "threatexchange": peer.summary()
    }
    return distance_row(name, ours.every, most=ODD_MAX, detail=detail)


def _detail(against: str, tally: Tally) -> dict[str, Value]:
    unit = "bits of 256 that differ; ours is the largest distance, target the largest allowed"
    return {"unit": unit, "against": against} | tally.summary() | origin()


def _rgb(jpeg: bytes) -> Pixels:
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB"))
