# SPDX-License-Identifier: Apache-2.0
"""How long one picture takes in the formats that cannot be decoded at a fraction: our sixteen hashes, the peer's one.

The peer opens HEIC with the same decoder as we do, registered with Pillow.
"""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Final

from PIL import Image

from bench.corpus import Picture, origin, pictures
from bench.derive import QUALITY, SIZES, Size
from bench.forms import heic
from bench.ours import hashes_of
from bench.peer import threatexchange_hash
from bench.report import tell
from bench.row import Row, Value, speed_row
from bench.timing import interleaved, one_core
from holdfast.media.filetype import FileType


@dataclass(frozen=True, slots=True)
class Plan:
    """A form of file: how it is made, of which pictures, and how many times faster we are to be."""

    name: str
    kind: FileType
    size: Size
    target: float
    make: Callable[[Image.Image], bytes]


def _saved(form: str, **options: float | bool) -> Callable[[Image.Image], bytes]:
    def make(image: Image.Image) -> bytes:
        written = io.BytesIO()
        image.save(written, form, **options)
        return written.getvalue()

    return make


TRIES: Final = 3
STEP: Final = 4  # every fourth picture: making these files takes longer than hashing them
LARGE, MIDDLE = SIZES[0], SIZES[1]
PLANS: Final = (
    Plan("progressive JPEG", FileType.JPEG, LARGE, 7, _saved("JPEG", quality=QUALITY, progressive=True)),
    Plan("WebP", FileType.WEBP, MIDDLE, 4, _saved("WEBP", quality=80)),
    Plan("AVIF", FileType.AVIF, MIDDLE, 3, _saved("AVIF", quality=60, speed=8)),
    Plan("PNG", FileType.PNG, MIDDLE, 2.5, _saved("PNG")),
    Plan("HEIC", FileType.HEIC, MIDDLE, 1.8, partial(heic, quality=60)),
)
HOW: Final[dict[str, Value]] = {
    "unit": "CPU milliseconds per picture on one core",
    "ours": "bytes to 16 PDQ hashes (2 families x 8 orientations), in process, without the sandbox",
    "peer": "threatexchange pdq_from_bytes: 1 PDQ hash",
    "taken": f"best of {TRIES} per picture, interleaved; mean over every {STEP}th picture",
}


def format_rows() -> list[Row]:
    """One row for each form."""
    importlib.import_module("pi_heif").register_heif_opener()
    rows = []
    for plan in PLANS:
        files = [_made(picture, plan) for picture in pictures(plan.size)[::STEP]]
        with one_core():
            rows.append(_row(plan, files))
    return rows


def _made(picture: Picture, plan: Plan) -> bytes:
    tell(f"making {plan.name} of {picture.name}")
    with Image.open(io.BytesIO(picture.jpeg)) as image:
        return plan.make(image.convert("RGB"))


def _row(plan: Plan, files: list[bytes]) -> Row:
    tell(f"formats {plan.name}: {len(files)} pictures, best of {TRIES} each")
    times = [
        interleaved(partial(hashes_of, file, plan.kind), partial(threatexchange_hash, file), tries=TRIES)
        for file in files
    ]
    ours, peer = (fmean(column) for column in zip(*times, strict=True))
    detail = HOW | {
        "load": round(os.getloadavg()[0], 1),
        "pictures": len(files),
        "mean_bytes": round(fmean(len(file) for file in files)),
    }
    return speed_row(
        f"formats {plan.name} {plan.size.name}", ours=ours, peer=peer, target=plan.target, detail=detail | origin()
    )
