# SPDX-License-Identifier: Apache-2.0
"""Watching videos: against vpdq in processor time, how far apart the hashes are, and a clip that it misses.

Ours runs as the decoder's child does, in this process and without the sandbox around it.
"""

from __future__ import annotations

import importlib
import math
import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.errors import BenchError
from bench.films import FPS, PIECE, Insert, drifting, long_film, scenes, stored
from bench.peer import distance
from bench.report import tell
from bench.row import Row, Value, speed_row
from bench.timing import cpu_ms, one_core
from holdfast.media import video
from holdfast.media.filetype import HEAD_LENGTH, FileType, recognise
from holdfast.media.pdq import MINIMUM_QUALITY, Family, PdqHashes, hash_plane
from holdfast.media.plane import Plane
from holdfast.media.reason import Reason

RADIUS: Final = 31
SIZES: Final = {"480p": ((854, 480), 24), "720p": ((1280, 720), 24), "1080p": ((1920, 1080), 8)}
"""Width and height, and how many seconds: each costs about as much to watch."""
ROUNDS: Final = 2
TARGET: Final = 1.7
_CODING: Final = {"preset": "medium", "crf": "23"}


@dataclass
class Reel:
    """Hashes every frame that is to be looked at, as the trusted side does."""

    frames: list[tuple[float, PdqHashes]] = field(default_factory=list)
    missed: Reason | None = None

    def begin(self, seconds: float | None, tracks: int) -> None:
        """Nothing to do."""

    def frame(self, seconds: float, track: int, planes: tuple[Plane, ...]) -> None:  # noqa: ARG002  # as `video.Reel`
        """Hash it."""
        self.frames += [(seconds, hash_plane(plane)) for plane in planes]

    def end(self, seconds: float, missed: Reason | None) -> None:  # noqa: ARG002  # as `video.Reel`
        """Note why."""
        self.missed = missed


def video_rows() -> list[Row]:
    """Each size against vpdq at one hash a second, all of them together, and a clip that it does not find."""
    rows, ours, theirs = [], 0.0, 0.0
    for name, (size, seconds) in SIZES.items():
        tell(f"video {name}: making it")
        path = stored(f"scenes {size} {seconds}", partial(scenes, size, seconds, every=4, seed=7, options=_CODING))
        tell(f"video {name}: watching it in turns")
        row, took, took_peer = _against_vpdq(name, path, seconds)
        rows.append(row)
        ours, theirs = ours + took, theirs + took_peer
    detail: dict[str, Value] = {"unit": "video seconds per CPU second", "of": ", ".join(SIZES)}
    total = sum(seconds for _, seconds in SIZES.values()) * 1000
    every = Row(
        "video, all sizes",
        round(total / ours, 1),
        round(total / theirs, 1),
        round(theirs / ours, 2),
        TARGET,
        theirs / ours >= TARGET,
        detail,
    )
    return [*rows, every, _embedded()]


def _against_vpdq(name: str, path: Path, length: int) -> tuple[Row, float, float]:
    best, best_peer = float("inf"), float("inf")
    with one_core():
        for _ in range(ROUNDS):
            began = cpu_ms()
            reel = watched(path)
            best = min(best, cpu_ms() - began)
            began = cpu_ms()
            features = _vpdq(path, 1.0)
            best_peer = min(best_peer, cpu_ms() - began)
    good = [feature for feature in features if feature.quality >= MINIMUM_QUALITY]
    nearest = [_nearest(feature.hex, reel) for feature in good]
    same = [
        (distance(feature.hex, hashed.of(Family.FULL)), hashed.quality[Family.FULL] - feature.quality)
        for feature in good
        for seconds, hashed in reel.frames
        if abs(seconds - feature.timestamp) < 1 / FPS / 2
    ]
    apart = [bits for bits, _ in same]
    detail: dict[str, Value] = {
        "unit": "video seconds per CPU second, one core; best of the rounds, in turns",
        "ours": "PyAV, brightness as decoded, a frame a second and at scene changes; 16 hashes each",
        "peer": "vpdq 0.2.5, seconds_per_hash=1",
        "frames": {"ours": len(reel.frames), "peer": len(features), "peer_of_quality_50": len(good)},
        "peer_frames_within_31": f"{sum(bits <= RADIUS for bits in nearest)} of {len(nearest)}",
        "nearest_distance": {"mean": round(float(np.mean(nearest)), 2), "max": max(nearest)},
        "distance_of_the_same_frame": {
            "frames": len(apart),
            "mean": round(float(np.mean(apart)), 2),
            "max": max(apart),
        },
        "quality_of_the_same_frame_more_by": round(float(np.mean([more for _, more in same])), 2),
        "missed": reel.missed,
    }
    row = speed_row(f"video {name}", ours=best, peer=best_peer, target=TARGET, detail=detail)
    met = row.met and all(bits <= RADIUS for bits in nearest) and bool(nearest)
    whole = length * 1000
    return (
        Row(row.name, round(whole / best, 1), round(whole / best_peer, 1), row.ratio, TARGET, met, detail),
        best,
        best_peer,
    )


def _embedded() -> Row:
    """A known clip of 60 frames, from the fifth second on, in an upload of 600, and who finds it."""
    tell("video: a known clip in a longer upload")
    insert = Insert(seed=400, at=5.3, seconds=60 / FPS)
    path = stored("embedded", lambda: long_film(2 * PIECE, insert, seed=300))
    first = math.ceil(insert.at * FPS)
    known = [known_hash(insert, first + number) for number in range(60)]
    reel = watched(path)
    ours = [at for at, hashed in reel.frames if any(near(hashed, one) for one in known)]
    every = [feature.hex for feature in _vpdq(path, 1.0) if feature.quality >= MINIMUM_QUALITY]
    found = {value for value in every if any(distance(value, one) <= RADIUS for one in known)}
    share = 100 * len(found) / len(set(every))
    detail: dict[str, Value] = {
        "ours": "frames looked at that match the known clip",
        "peer": "percent of the upload's frames that match; a match by vpdq's default needs 80",
        "peer_matches_by_default": share >= 80,
        "seconds_found": ", ".join(f"{at:.2f}" for at in ours),
    }
    return Row(
        "video: 60 known frames in 600", len(ours), round(share, 1), None, 1, len(ours) >= 1 and share < 80, detail
    )


def watched(path: Path) -> Reel:
    """Watch a file to its end."""
    reel = Reel()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        kind = recognise(os.pread(descriptor, HEAD_LENGTH, 0))
        assert isinstance(kind, FileType)
        limits = video.VideoLimits(64_000_000, 3600.0)
        video.watch(video.Descriptor(descriptor, path.stat().st_size), kind, limits, reel)
    finally:
        os.close(descriptor)
    return reel


def known_hash(insert: Insert, number: int) -> str:
    """The hash of one frame of an insert, before it was coded."""
    luma = drifting(insert.seed, number) @ np.array([0.299, 0.587, 0.114])
    plain = np.asarray(np.rint(luma), np.uint8)
    return hash_plane(Plane(plain, *plain.shape)).of(Family.FULL)


def near(hashed: PdqHashes, known: str) -> bool:
    """Whether they are within the radius, in either family."""
    return any(distance(hashed.of(family), known) <= RADIUS for family in Family)


def _nearest(known: str, reel: Reel) -> int:
    return min(distance(hashed.of(family), known) for _, hashed in reel.frames for family in Family)


def _vpdq(path: Path, seconds: float) -> list[Any]:
    try:
        vpdq = importlib.import_module("vpdq")
    except ModuleNotFoundError as missing:
        message = (
            "vpdq is not installed: install requirements/bench.lock (built from source, with libav*-dev and cmake)"
        )
        raise BenchError(message) from missing
    return list(vpdq.computeHash(str(path), seconds_per_hash=seconds))
