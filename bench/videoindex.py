# SPDX-License-Identifier: Apache-2.0
"""One video of 60 frames looked up among 5,000 of 60: our index and judgement against vPDQ's `VPDQIndex`.

The peer is python-threatexchange's, a flat faiss index with the videos' frames counted in Python. Both find
the same video or the bench fails. Ours looks the upright frames up, as the peer does; what all eight
forms cost, which the peer cannot find, stands beside it.
"""

from __future__ import annotations

import importlib
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.report import tell
from bench.row import Row, Value, speed_row
from bench.timing import interleaved, one_core
from holdfast.match.again import seen_again
from holdfast.match.index import LayeredIndex, Neighbour
from holdfast.match.segment import Segment
from holdfast.match.video import USUAL, Film, KnownVideo, Moment, Near, Part, Strength
from holdfast.media.pdq import to_hex

VIDEOS: Final = 5_000
FRAMES: Final = 60
RADIUS: Final = 31
ROUNDS: Final = 10
FORMS: Final = 8
TARGET: Final = 30.0
_APART: Final = 9  # bits that re-encoding turned over in each frame of the query
_WANTED: Final = 3_333
Hashes = NDArray[np.uint64]


def videoindex_rows() -> list[Row]:
    """CPU milliseconds for one video of 60 frames."""
    random = np.random.default_rng(60)
    hashes = random.integers(0, 2**64, (VIDEOS * FRAMES, 4), np.uint64)
    query = _re_encoded(hashes[_WANTED * FRAMES : (_WANTED + 1) * FRAMES], random)
    tell(f"videoindex: building both, {VIDEOS:,} videos of {FRAMES} frames")
    with one_core():
        index = LayeredIndex([Segment.build(np.arange(len(hashes)), hashes)])
        peer, asked = _peer(hashes), _as_text(query)
        _insist_on_the_same(_ours(index, query, hashes), peer.query(asked))
        tell("videoindex: looking up in turns")
        ours, theirs, turned, search = interleaved(
            lambda: _ours(index, query, hashes),
            lambda: peer.query(asked),
            lambda: index.query(_with_forms(query, random), RADIUS),
            lambda: index.query(query, RADIUS),
            tries=ROUNDS,
        )
    detail: dict[str, Value] = {
        "unit": "CPU milliseconds per query video on one core, the best of some rounds in turns",
        "ours": "LayeredIndex.query of the upright frames, and seen_again: which part of which video",
        "peer": "threatexchange.extensions.vpdq VPDQIndex.query (faiss IndexBinaryFlat)",
        "videos": VIDEOS,
        "frames": FRAMES,
        "results": "the same video",
        "ours_search_alone_ms": round(search, 3),
        f"ours_search_of_all_{FORMS}_forms_ms": round(turned, 3),
    }
    return [speed_row("videoindex", ours=ours, peer=theirs, target=TARGET, detail=detail)]


def _re_encoded(frames: Hashes, random: np.random.Generator) -> Hashes:
    bits = np.unpackbits(frames.view(np.uint8).reshape(len(frames), -1), axis=1)
    for row in bits:
        row[random.permutation(256)[:_APART]] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64)


def _with_forms(query: Hashes, random: np.random.Generator) -> Hashes:
    """As many more hashes as the turned forms make, which lie near nothing."""
    return np.concatenate([query, random.integers(0, 2**64, ((FORMS - 1) * len(query), 4), np.uint64)])


def _ours(index: LayeredIndex, query: Hashes, hashes: Hashes) -> dict[int, Part]:
    """For each known video that is near, the part that was seen again."""
    film = Film(tuple(Moment(number, number, number + 1) for number in range(len(query))), len(query))
    near: dict[int, list[Neighbour]] = {}
    for found in index.query(query, RADIUS):
        near.setdefault(found.label // FRAMES, []).append(found)
    return {
        video: seen_again([Near(*one) for one in some], _known(video, hashes), film, USUAL)
        for video, some in near.items()
    }


def _known(video: int, hashes: Hashes) -> KnownVideo:
    rows = range(video * FRAMES, (video + 1) * FRAMES)
    return KnownVideo(rows, [1000 * number for number in range(FRAMES)], hashes[rows.start : rows.stop])


def _peer(hashes: Hashes) -> Any:  # noqa: ANN401  # it has no types
    try:
        kind = importlib.import_module("threatexchange.extensions.vpdq.vpdq_index").VPDQIndex
    except ModuleNotFoundError as missing:
        message = f"{missing.name} is not installed: install requirements/bench.lock"
        raise BenchError(message) from missing
    videos = hashes.reshape(VIDEOS, FRAMES, 4)
    return kind.build((_as_text(frames), number) for number, frames in enumerate(videos))


def _as_text(frames: Hashes) -> str:
    return json.dumps([f"{to_hex(words)},100,{number}.0" for number, words in enumerate(frames)])


def _insist_on_the_same(ours: dict[int, Part], theirs: list[Any]) -> None:
    firm = {video for video, part in ours.items() if part.strength is Strength.FIRM}
    if firm != {_WANTED} or {found.metadata for found in theirs} != firm:
        message = "the two indexes do not find the same video"
        raise BenchError(message)
