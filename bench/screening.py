# SPDX-License-Identifier: Apache-2.0
"""One upload from the request to the verdict, against the peer's hashing of the same file alone.

Ours is everything: HTTP, key check, idempotency, digests, a confined process that decodes, sixteen
hashes looked up among a million, the journal, the archive, the commit. The peer's is one function
call in this process, without a server, a look-up or a record. Both in turns, wall time, the median.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import fmean, median
from typing import Final
from urllib.parse import urlencode

import numpy as np

from bench.corpus import measures, origin, pictures
from bench.derive import SIZES, Size
from bench.errors import BenchError
from bench.parts import Parts, parts_of
from bench.peer import threatexchange_hash
from bench.report import tell
from bench.row import Row, Value, speed_row
from bench.served import BANK, Served, served

BANK_HASHES: Final = 1_000_000
TARGETS: Final = {"12 MP": 18.0, "2 MP": 7.0, "0.3 MP": 1.2}
TRIES: Final = {"12 MP": 2, "2 MP": 3, "0.3 MP": 5}
_PATIENCE_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class _Taken:
    """Milliseconds of every try: ours, the peer's."""

    ours: list[float]
    peer: list[float]


def screen_rows() -> list[Row]:
    """One row for each size."""
    with served() as running:
        _fill(running)
        return [_row(running, size) for size in SIZES]


def _row(running: Served, size: Size) -> Row:
    chosen = pictures(size)
    tell(f"screen {size.name}: {len(chosen)} pictures, {TRIES[size.name]} tries each")
    taken, line = _Taken([], []), _Line(running)
    for number in range(TRIES[size.name] + 1):
        for picture in chosen:
            ours = _timed(partial(line.screen, picture.jpeg, f"{size.name} {picture.name} {number}"))
            peer = _timed(partial(threatexchange_hash, picture.jpeg))
            if number:  # the first round warms both
                taken.ours.append(ours)
                taken.peer.append(peer)
    detail: dict[str, Value] = {
        "unit": "milliseconds of wall time, median of all pictures and tries",
        "ours": "POST /v1/screen to the answer: key, idempotency, sandbox, 16 variants, 1 M bank, journal, archive",
        "peer": "threatexchange pdq_from_bytes in process: hashing alone, 1 hash",
        "load": round(os.getloadavg()[0], 1),
        "ours_mean": round(fmean(taken.ours), 2),
        "ours_p95": round(float(np.percentile(taken.ours, 95)), 2),
        "parts_ms": dict(_parts(running, [picture.jpeg for picture in chosen])),
    }
    detail |= measures(chosen) | origin()
    ours, peer = median(taken.ours), median(taken.peer)
    return speed_row(f"screen {size.name}", ours=ours, peer=peer, target=TARGETS[size.name], detail=detail)


def _parts(running: Served, files: list[bytes]) -> Iterator[tuple[str, float]]:
    """Where the time goes, by the same functions called one after the other in a process of their own."""
    taken = [Parts(**one) for one in parts_of(running.environment, files)]
    for name in Parts.__dataclass_fields__:
        yield name, round(median(getattr(one, name) for one in taken), 2)


def _fill(running: Served) -> None:
    """Import a million hashes, and wait until every process searches them in segments."""
    tell(f"screen: importing {BANK_HASHES:,} hashes")
    hashes = np.random.default_rng(20).integers(0, 2**64, (BANK_HASHES, 4), np.uint64)
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
        file.write("signal_type,value\n")
        file.writelines(f"pdq,{row.tobytes().hex()}\n" for row in hashes)
    try:
        running.command("bank", "import", BANK, file.name, "--provenance", "made by a bench")
    finally:
        Path(file.name).unlink()
    folder, began = Path(running.environment["HOLDFAST_DATA"]) / "index", time.monotonic()
    while not (folder / "manifest.json").exists() or not _all_level(running):
        if time.monotonic() - began > _PATIENCE_SECONDS:
            message = "the processes do not become level"
            raise BenchError(message)
        time.sleep(0.5)


def _all_level(running: Served) -> bool:
    told = running.client.call("GET", "/processes").body
    live = [process for process in told["processes"] if not process["stale"]]
    return {process["perceptual_signals"] for process in live} == {BANK_HASHES}


class _Line:
    """A connection that is kept, as a platform keeps its own."""

    def __init__(self, running: Served) -> None:
        """Connect to the server that runs."""
        self._connection = HTTPConnection(running.client.address)
        self._headers = {"Authorization": f"Bearer {running.client.key}", "Content-Type": "application/octet-stream"}

    def screen(self, file: bytes, once: str) -> None:
        """Screen one file. Raises BenchError unless it is answered, and is not known."""
        target = f"/v1/screen?{urlencode({'content_id': once})}"
        self._connection.request("POST", target, body=file, headers={**self._headers, "Idempotency-Key": once})
        response = self._connection.getresponse()
        body = json.loads(response.read())
        # Some artworks have too little detail and are held for it; that is an answer like any other.
        if response.status != 200 or body["explanation"]["verdict"] == "matched":
            message = f"a picture of the corpus was answered {response.status} {body}"
            raise BenchError(message)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
