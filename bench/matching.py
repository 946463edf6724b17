# SPDX-License-Identifier: Apache-2.0
"""One exact search of 256-bit hashes within 31 bits: our index against the one that HMA searches with.

The peer is faiss `IndexBinaryMultiHash(256, 16, 16)` with `nflip = 1`, which is exact at this radius.
Both give the same results or the bench fails.
"""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.report import tell
from bench.row import Row, Value, speed_row
from bench.timing import cpu_ms, one_core
from holdfast.adapters.index_folder import IndexFolder
from holdfast.match.known import Level
from holdfast.match.segment import Segment

RADIUS: Final = 31
QUERIES: Final = 200
ROUNDS: Final = 3
MOST_BYTES: Final = 130
VARIANTS: Final = 16
Hashes = NDArray[np.uint64]
Made = TypeVar("Made")


def match_rows() -> list[Row]:
    """A million hashes."""
    return _rows(1_000_000, target=10.0)


def match_10m_rows() -> list[Row]:
    """Ten million hashes: asked for by name, because the peer takes a minute to build."""
    return _rows(10_000_000, target=80.0)


def _rows(count: int, *, target: float) -> list[Row]:
    random = np.random.default_rng(count)
    hashes = random.integers(0, 2**64, (count, 4), np.uint64)
    queries = _planted(hashes, random)
    tell(f"match {count:,}: building both")
    with one_core():
        segment, building = _timed(lambda: Segment.build(np.arange(count), hashes))
        peer, peer_building = _timed(lambda: _peer(hashes))
        mapped, mapping = _mapped(segment)
        _insist_on_the_same(mapped, peer, queries)
        tell(f"match {count:,}: searching in turns")
        ours, theirs, batch = _searched(mapped, peer, queries)
    size = sum(array.nbytes for array in segment.arrays.values()) / count
    detail: dict[str, Value] = {
        "unit": "CPU milliseconds per single query on one core",
        "ours": "Segment.query, mapped from its file, one hash at a time",
        "peer": "faiss IndexBinaryMultiHash(256, 16, 16), nflip=1, range_search, one hash at a time",
        "hashes": f"{count:,}, uniform; {QUERIES} queries, half of them with a neighbour planted at 0 to {RADIUS} bits",
        "results": "equal",
        f"ours_in_a_batch_of_{VARIANTS}_ms_per_query": round(batch, 4),
        "ours_bytes_per_entry": round(size, 1),
        "bytes_target_met": size <= MOST_BYTES,
        "slices": len(segment.cut.widths),
        "build_cpu_ms": {"ours": round(building), "peer": round(peer_building)},
        "map_and_verify_ms": round(mapping),
        "map_target_met": mapping < 1000 or count > 1_000_000,
    }
    return [speed_row(f"match {count // 1_000_000} M", ours=ours, peer=theirs, target=target, detail=detail)]


def _planted(hashes: Hashes, random: np.random.Generator) -> Hashes:
    """Queries of which every other one has a neighbour, at every distance in turn."""
    queries = random.integers(0, 2**64, (QUERIES, 4), np.uint64)
    for number in range(0, QUERIES, 2):
        bits = np.unpackbits(hashes[random.integers(len(hashes))].view(np.uint8))
        bits[random.permutation(256)[: (number // 2) % (RADIUS + 1)]] ^= 1
        queries[number] = np.packbits(bits).view(np.uint64)
    return queries


def _peer(hashes: Hashes) -> Any:  # noqa: ANN401  # faiss has no types
    try:
        faiss = importlib.import_module("faiss")
    except ModuleNotFoundError as missing:
        message = "faiss is not installed: install requirements/bench.lock"
        raise BenchError(message) from missing
    index = faiss.IndexBinaryMultiHash(256, 16, 16)
    index.nflip = 1
    index.add(hashes.view(np.uint8))
    return index


def _mapped(segment: Segment) -> tuple[Segment, float]:
    """The segment as a process that starts would have it, and how long that takes."""
    with tempfile.TemporaryDirectory() as place:
        IndexFolder(Path(place)).write([segment], Level(1, "bench"), RADIUS)
        began = time.perf_counter()
        stored = IndexFolder(Path(place)).read()
        took = (time.perf_counter() - began) * 1000
    assert stored is not None
    return stored.segments[0], took


def _insist_on_the_same(ours: Segment, peer: Any, queries: Hashes) -> None:  # noqa: ANN401
    found = ours.query(queries, RADIUS)
    limits, _, rows = peer.range_search(queries.view(np.uint8), RADIUS + 1)
    theirs = {(query, int(row)) for query in range(QUERIES) for row in rows[limits[query] : limits[query + 1]]}
    if set(zip(found.queries.tolist(), found.rows.tolist(), strict=True)) != theirs or len(theirs) < QUERIES // 2:
        message = "the two indexes do not find the same"
        raise BenchError(message)


def _searched(ours: Segment, peer: Any, queries: Hashes) -> tuple[float, float, float]:  # noqa: ANN401
    """CPU milliseconds per query: ours, the peer's, and ours in a batch; the best of some rounds in turns."""
    best = [float("inf")] * 3
    as_bytes = queries.view(np.uint8)
    for _ in range(ROUNDS):
        works: tuple[Callable[[], object], ...] = (
            partial(_one_by_one, lambda at: ours.query(queries[at : at + 1], RADIUS)),
            partial(_one_by_one, lambda at: peer.range_search(as_bytes[at : at + 1], RADIUS + 1)),
            lambda: [ours.query(queries[at : at + VARIANTS], RADIUS) for at in range(0, QUERIES, VARIANTS)],
        )
        best = [min(least, _timed(work)[1] / QUERIES) for least, work in zip(best, works, strict=True)]
    return best[0], best[1], best[2]


def _one_by_one(search: Callable[[int], object]) -> None:
    for at in range(QUERIES):
        search(at)


def _timed(work: Callable[[], Made]) -> tuple[Made, float]:
    began = cpu_ms()
    return work(), cpu_ms() - began
