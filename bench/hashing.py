# SPDX-License-Identifier: Apache-2.0
"""How long one picture takes from JPEG bytes to its hashes: our sixteen against the peer's one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Final

from bench.corpus import measures, origin, pictures
from bench.derive import SIZES, Size
from bench.ours import plane_of
from bench.peer import threatexchange_hash
from bench.report import tell
from bench.row import Row, Value, speed_row
from bench.timing import cpu_ms, interleaved, one_core
from holdfast.media.pdq import hash_plane


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each picture of a size is tried, and how many times faster we are to be."""

    tries: int
    target: float


PLANS: Final = {"12 MP": Plan(3, 20), "2 MP": Plan(5, 15), "0.3 MP": Plan(15, 4)}
HOW: Final[dict[str, Value]] = {
    "unit": "CPU milliseconds per picture on one core",
    "ours": "JPEG bytes to 16 PDQ hashes (2 families x 8 orientations), in process, without the sandbox",
    "peer": "threatexchange pdq_from_bytes: 1 PDQ hash",
}


def hash_rows() -> list[Row]:
    """One row for each size."""
    with one_core():
        return [_row(size, PLANS[size.name]) for size in SIZES]


def _row(size: Size, plan: Plan) -> Row:
    chosen = pictures(size)
    tell(f"hash {size.name}: {len(chosen)} pictures, best of {plan.tries} each")
    times = [_times(picture.jpeg, plan.tries) for picture in chosen]
    ours, peer, decoding = (fmean(column) for column in zip(*times, strict=True))
    detail = HOW | {
        "taken": f"best of {plan.tries} per picture, interleaved; mean over the pictures",
        "load": round(os.getloadavg()[0], 1),  # a busy neighbour costs the peer more: it needs more memory
        "ours_decode": round(decoding, 3),
        "ours_hash": round(ours - decoding, 3),
    }
    detail |= measures(chosen) | origin()
    return speed_row(f"hash {size.name}", ours=ours, peer=peer, target=plan.target, detail=detail)


def _times(jpeg: bytes, tries: int) -> list[float]:
    """Ours, the peer's, and of ours the decoding alone.

    Strictly in turns: the peer's work pushes ours out of the processor's caches, as other work would.
    """
    decoding: list[float] = []

    def ours() -> None:
        begun = cpu_ms()
        plane = plane_of(jpeg)
        decoding.append(cpu_ms() - begun)
        hash_plane(plane)

    return [*interleaved(ours, partial(threatexchange_hash, jpeg), tries=tries), min(decoding)]
