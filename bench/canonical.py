# SPDX-License-Identifier: Apache-2.0
"""500 pictures in 25 forms each: how many are found again, by us, by the peer, and by Thorn's perception.

The pictures are tiles of the corpus: each artwork at 12 MP is cut into a grid of 7 x 7, and of the
tiles that have a usable look the first 500 are taken, in an order that goes through all artworks
before it comes to the second tile of any. Usable is PDQ quality 60 or more: below 50 nothing is
matched, and a new encoding moves it by some points (what falls below is held). Found means: a hash of the
file is within 31 bits of the PDQ hash of the very pixels it was made from.
"""

from __future__ import annotations

import importlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from bench.corpus import origin, pictures
from bench.derive import SIZES
from bench.forms import FORMS, Subject, files_of
from bench.ours import every_hash_of
from bench.peer import distance, full_hash, threatexchange_hash
from bench.report import tell
from bench.row import Row, Value
from bench.thorn import Perception, perception
from holdfast.media.pdq import MINIMUM_QUALITY

PICTURES: Final = 500
GRID: Final = 7
RADIUS: Final = 31
TARGET: Final = 0.999
LEAST_QUALITY: Final = MINIMUM_QUALITY + 10
LARGE_EVERY: Final = 5  # one in five keeps its size, so that averaging down is part of it; the others are halved


@dataclass(frozen=True, slots=True)
class _Found:
    """How many files of each form were found, by whom."""

    ours: Counter[str]
    peer: Counter[str]
    perception: Counter[str]

    def sums(self) -> dict[str, int]:
        """The same of all forms together."""
        return {"ours": self.ours.total(), "peer": self.peer.total(), "perception": self.perception.total()}


def canonical_rows() -> list[Row]:
    """One row: the share found."""
    importlib.import_module("pi_heif").register_heif_opener()  # for the peer
    found = _Found(Counter(), Counter(), Counter())
    with perception() as thorn:
        for count, subject in enumerate(_subjects(), start=1):
            _try_forms(subject, found, thorn)
            if count % 20 == 0:
                tell(f"canonical: {count} of {PICTURES}; " + ", ".join(f"{k} {v}" for k, v in found.sums().items()))
    return [_row(count, found)]


def _try_forms(subject: Subject, found: _Found, thorn: Perception) -> None:
    reference = full_hash(np.asarray(subject.image)).value
    for name, (kind, file) in files_of(subject).items():
        found.ours[name] += any(distance(value, reference) <= RADIUS for value in every_hash_of(file, kind))
        found.peer[name] += _peer_finds(file, reference)
        other = thorn.hash_of(file)
        found.perception[name] += other is not None and distance(other, reference) <= RADIUS


def _row(count: int, found: _Found) -> Row:
    tried, ours, peer = count * len(FORMS), found.ours, found.peer
    detail: dict[str, Value] = {
        "unit": f"share of files found within {RADIUS} bits of the hash of the pixels they were made from",
        "peer": "threatexchange pdq_from_bytes, HEIC opened by pi-heif; a file that it cannot open is not found",
        "pictures": count,
        "forms": len(FORMS),
        "ours_found": sum(ours.values()),
        "peer_found": sum(peer.values()),
        "perception": "Thorn's perception, PDQHash of the bytes",
        "perception_found": sum(found.perception.values()),
        "perception_share": round(sum(found.perception.values()) / tried, 5),
        "ours_by_form": {name: ours[name] for name in FORMS},
        "peer_by_form": {name: peer[name] for name in FORMS},
        "perception_by_form": {name: found.perception[name] for name in FORMS},
        "tiles": f"{GRID} x {GRID} of each artwork at {SIZES[0].name}, of PDQ quality {LEAST_QUALITY} or more",
    }
    share, peers = sum(ours.values()) / tried, sum(peer.values()) / tried
    return Row("canonical", round(share, 5), round(peers, 5), None, TARGET, share >= TARGET, detail | origin())


def _peer_finds(file: bytes, reference: str) -> bool:
    try:
        return distance(threatexchange_hash(file).value, reference) <= RADIUS
    except Exception:  # noqa: BLE001  # whatever it raises over a file: it did not find the picture
        return False


def _subjects() -> Iterator[Subject]:
    """The first tiles of all artworks, then the second ones, until there are enough."""
    artworks = pictures(SIZES[0])
    taken, other = 0, None
    for tile in range(GRID * GRID):
        for artwork in artworks:
            image = _tile(artwork.jpeg, tile, whole=taken % LARGE_EVERY == 0)
            if full_hash(np.asarray(image)).quality < LEAST_QUALITY:
                continue
            if other is not None and taken < PICTURES:
                yield Subject(image, other.resize(image.size), taken)
                taken += 1
            other = image


def _tile(jpeg: bytes, number: int, *, whole: bool) -> Image.Image:
    with Image.open(io.BytesIO(jpeg)) as image:
        if not whole:
            image.draft("RGB", (image.width // 2, image.height // 2))
        width, height = image.width // GRID, image.height // GRID
        left, top = number % GRID * width, number // GRID * height
        return image.convert("RGB").crop((left, top, left + width, top + height))
