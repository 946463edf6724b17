# SPDX-License-Identifier: Apache-2.0
"""Short things in long films: what is shown for two or three seconds, wherever it is put, and whether it is found.

Twenty films of ten minutes; with BENCH_SOAK=1 four of two hours; BENCH_FILMS says how many instead.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Final

import numpy as np

from bench.films import FPS, PIECE, Insert, long_film, stored
from bench.report import tell
from bench.row import Row, Value
from bench.timing import cpu_ms
from bench.video import known_hash, near, watched

PLACES: Final = ("random", "end", "track", "edit")
_AFTER: Final = 20.0  # seconds after the insert, from which on an edit list lets players show the film


def inserts_rows() -> list[Row]:
    """At random, at the end, on a second track, and in what an edit list hides, in turns."""
    soak = os.environ.get("BENCH_SOAK") == "1"
    count = int(os.environ.get("BENCH_FILMS", "4" if soak else "20"))
    length = 7200 if soak else 600
    random = np.random.default_rng(2026)
    lost: list[str] = []
    cpu = 0.0
    for number in range(count):
        place, insert = PLACES[number % 4], _insert(number, length, random)
        tell(f"inserts: {number + 1} of {count}, {place}, {insert.seconds:.0f} s at {insert.at:.1f}")
        path = stored(f"insert {length} {insert} {place}", partial(_film, length, insert, place))
        began = cpu_ms()
        reel = watched(path)
        cpu += cpu_ms() - began
        known = [known_hash(insert, at) for at in range(0, PIECE * FPS, 5)]
        if reel.missed or not any(near(hashed, one) for _, hashed in reel.frames for one in known):
            lost.append(f"{place} at {insert.at:.1f} ({reel.missed})")
    share = 100 * (count - len(lost)) / count
    detail: dict[str, Value] = {
        "unit": "percent of inserts found within 31 bits",
        "films": f"{count} of {length // 60} minutes, 480p, H.264, a key frame every 12 s, none at the insert",
        "places": "random, the end, a second track, what an edit list hides; 2 s and 3 s",
        "lost": ", ".join(lost),
        "video_seconds_per_cpu_second": round(length * count * 1000 / cpu, 1),
    }
    return [Row("inserts", share, None, None, 99.0, share >= 99.0, detail)]


def _insert(number: int, length: int, random: np.random.Generator) -> Insert:
    seconds = 2.0 + number // 4 % 2
    at = float(random.integers(length // PIECE - 2)) * PIECE + float(random.uniform(0, PIECE - seconds))
    return Insert(1000 + number, length - seconds if PLACES[number % 4] == "end" else at, seconds)


def _film(length: int, insert: Insert, place: str) -> bytes:
    beside = 900 if place == "track" else 0
    hidden = min(insert.at + _AFTER, length - 2.0) if place == "edit" else 0.0
    return long_film(length, insert, seed=500, beside=beside, hidden=hidden)
