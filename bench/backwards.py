# SPDX-License-Identifier: Apache-2.0
"""From the commit of a new entry until its stored copies are found and it is proven to be blocked.

The peer is what Holdfast did before: `PostgresArchive.search`, a walk over every row, on the same archive in the same
run. Archives are made of random hashes with copies planted at every distance, and whatever is found is compared with a
plain look at all of them. BENCH_ITEMS says how many items (a million), of two kinds in turns: pictures that each left
all sixteen hashes, which is the most that one can, and a mixture as it was measured on the bench's own corpus.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
from django.db import connection, connections, transaction
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.nursery import nursery
from bench.report import tell
from bench.row import Row, Value
from holdfast.adapters.archive_folder import ArchiveFolder
from holdfast.backwards import Backwards
from holdfast.bootstrap import System, new_id
from holdfast.keep_archive import ArchiveKeeper, Sizes
from holdfast.match.backwards import SearchState
from holdfast.match.bank import CreateBank
from holdfast.match.bankline import Line
from holdfast.match.entry import Entry
from holdfast.match.signal import Signal, SignalType
from holdfast.media import pdq

ITEMS: Final = 1_000_000
TARGET_SECONDS: Final = 5.0
TRIES: Final = 5
IMPORTED: Final = 2000
KINDS: Final = {
    "pictures": "every item a picture with all 16 hashes: two families, eight orientations",
    "mixed": "98 % pictures (92 % of them with 16 hashes, 2 % with 14, 6 % with none: the corpus at three sizes "
    "leaves 14.6 to 15.1 on average), 2 % videos of a minute or so with 1,000 each",
}
_BATCH: Final = 10_000
_NEAR: Final = 40  # planted for each entry, at 0 to so many bits
_EQUAL: Final = 5
_BLOCK: Final = 65_536
_PATIENCE: Final = 600.0
_COPY: Final = """
copy archive (screening, content_id, content_version, surface, verdict, md5, sha1, sha256, hashes, at)
from stdin (format binary)
"""
_TYPES: Final = ["text"] * 5 + ["bytea"] * 4 + ["timestamptz"]
Words = NDArray[np.uint64]


@dataclass(slots=True)
class _Archive:
    """What was put in: the hashes of every item one after the other, where each item's begin, and who is a copy."""

    words: Words
    first: NDArray[np.int64]
    digests: dict[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.first) - 1


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An entry to be: two hashes, as a picture has in its two families, and a digest."""

    words: Words
    md5: bytes

    @property
    def signals(self) -> tuple[Signal, ...]:
        return (
            *(Signal(SignalType.PDQ, pdq.to_hex(one)) for one in self.words),
            Signal(SignalType.MD5, self.md5.hex()),
        )


def backwards_rows() -> list[Row]:
    """One row for each kind of archive."""
    items = int(os.environ.get("BENCH_ITEMS", str(ITEMS)))
    return [_row(kind, items) for kind in KINDS]


def _row(kind: str, items: int) -> Row:
    tell(f"backwards: {items:,} items, {kind}, in a process of its own")
    done = subprocess.run(
        [sys.executable, "-m", "bench.backwards", kind, str(items)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        message = f"backwards: the process that measures ended with {done.returncode}"
        raise BenchError(message)
    told: dict[str, Any] = json.loads(done.stdout)
    ours, peer = told.pop("ours"), told.pop("peer")
    exact = told["recall"] == 1.0 and told["found_and_not_there"] == 0
    detail: dict[str, Value] = {
        "unit": "seconds from the commit of an entry until it is proven to be blocked, the slowest of all tries",
        "peer": "PostgresArchive.search, one walk over the same archive, in the same run; it proves nothing",
        "items": f"{items:,}: {KINDS[kind]}",
        **told,
    }
    met = exact and ours <= TARGET_SECONDS
    return Row(f"backwards, {kind}", round(ours, 3), round(peer, 2), round(peer / ours, 1), TARGET_SECONDS, met, detail)


# --- in a process of its own


def measured(kind: str, items: int) -> dict[str, Any]:
    """Everything that is measured on one archive."""
    random = np.random.default_rng(items)
    archive = _made(kind, items, random)
    wanted = [_planted(archive, random) for _ in range(TRIES + 2)]
    with nursery() as given:
        system = given.system
        filling = _timed(lambda: _fill(archive))
        system.banks.change_bank("b", CreateBank(name="b", meaning="m", source="bench"), actor="cli:bench")
        building = _timed(lambda: _keep(system))
        system.known.follow()
        with _worker(system):
            _search(system, wanted[0])  # the first compiles and maps
            tries = [_search(system, one) for one in wanted[1:-1]]
        walked = _walked(system, [try_[1] for try_ in tries[:2]])
        bare = _without_sheets(system, wanted[-1])
        imported, size = _imported(system, random), _bytes(system)
        found = [_compared(system, archive, one, entry) for one, (_, entry) in zip(wanted[1:-1], tries, strict=True)]
    return {
        "ours": max(seconds for seconds, _ in tries),
        "peer": median(walked),
        "median": round(median(seconds for seconds, _ in tries), 3),
        "tries": TRIES,
        "without_sheets": round(bare, 2),
        f"import_of_{IMPORTED}_entries": round(imported, 2),
        "recall": min(recall for recall, _ in found),
        "found_and_not_there": sum(wrong for _, wrong in found),
        "compared_with": "a plain look at every hash and every digest",
        "hashes": len(archive.words),
        "making_all_sheets_seconds": round(building, 1),
        "sheet_bytes_per_hash": round(size / max(1, len(archive.words)), 1),
        "filling_seconds": round(filling, 1),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
    }


def _made(kind: str, items: int, random: np.random.Generator) -> _Archive:
    """Random hashes, as many for each item as its kind says."""
    counts = np.full(items, 16)
    if kind == "mixed":
        counts = random.choice([16, 14, 0, 1000], items, p=[0.98 * 0.92, 0.98 * 0.02, 0.98 * 0.06, 0.02])
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return _Archive(random.integers(0, 2**64, (int(first[-1]), 4), np.uint64), first)


def _planted(archive: _Archive, random: np.random.Generator) -> _Wanted:
    """An entry whose copies are put in place of strangers: one at each distance, and some with an equal digest."""
    words = random.integers(0, 2**64, (2, 4), np.uint64)
    for bits in range(_NEAR + 1):
        row = int(random.integers(len(archive.words)))
        flipped = np.unpackbits(words[bits % 2].view(np.uint8))
        flipped[random.permutation(256)[:bits]] ^= 1
        archive.words[row] = np.packbits(flipped).view(np.uint64)
    digest = random.bytes(16)
    archive.digests.update({int(item): digest for item in random.integers(0, len(archive), _EQUAL)})
    return _Wanted(words, digest)


def _fill(archive: _Archive) -> None:
    """Write it by COPY, ten thousand items a transaction."""
    now, random = _now(), np.random.default_rng(1)
    for start in range(0, len(archive), _BATCH):
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for item in range(start, min(start + _BATCH, len(archive))):
                hashes = archive.words[archive.first[item] : archive.first[item + 1]].tobytes()
                digests = (archive.digests.get(item, random.bytes(16)), random.bytes(20), random.bytes(32))
                copy.write_row((new_id("scr"), f"item-{item}", "1", "photos", "no_match", *digests, hashes, now))
    with connection.cursor() as cursor:
        cursor.execute("analyze archive")


def _keep(system: System) -> None:
    """Make every sheet, as the worker does from nothing."""
    keeper = ArchiveKeeper(system.archive_folder, sizes=Sizes(least=1))
    while keeper.step():
        pass


@contextmanager
def _worker(system: System) -> Iterator[None]:
    """The worker's own thread: it is woken by bank changes."""
    stopping = threading.Event()
    keeper = ArchiveKeeper(system.archive_folder)
    connections.close_all()
    thread = threading.Thread(target=Backwards(system).for_ever, args=(keeper, stopping.is_set))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _search(system: System, wanted: _Wanted) -> tuple[float, Entry]:
    """(seconds from the commit until it is blocked, the entry)."""
    (entry,) = system.banks.add_entries("b", [(wanted.signals, "bench")], actor="cli:bench")
    began = time.perf_counter()
    while _state(system, entry) is not SearchState.BLOCKED:
        if time.perf_counter() - began > _PATIENCE:
            raise BenchError("the entry does not become blocked")
        time.sleep(0.002)
    return time.perf_counter() - began, entry


def _state(system: System, entry: Entry) -> SearchState:
    return system.search_desk.recent(entry=entry.id)[0].search.state


def _walked(system: System, entries: Sequence[Entry]) -> list[float]:
    """Seconds of the peer for each."""
    return [_timed(lambda: system.archive.search("b", entry.id, actor="cli:bench")) for entry in entries]  # noqa: B023


def _without_sheets(system: System, wanted: _Wanted) -> float:
    """Seconds where there is no folder: every row is read from the table."""
    place = system.archive_folder.path
    hidden = place.with_name("hidden")
    place.rename(hidden)
    try:
        backwards = Backwards(system)
        system.banks.add_entries("b", [(wanted.signals, "bench")], actor="cli:bench")
        return _timed(lambda: _rounds(backwards))
    finally:
        if place.exists():
            (place / "lock").unlink(missing_ok=True)
            place.rmdir()
        hidden.rename(place)


def _imported(system: System, random: np.random.Generator) -> float:
    """Seconds for so many new entries at once, strangers all."""
    hashes = random.integers(0, 2**64, (IMPORTED, 4), np.uint64)
    lines = [Line(at, "", "", (Signal(SignalType.PDQ, pdq.to_hex(one)),)) for at, one in enumerate(hashes)]
    system.imports.run("b", lines, source="bench", provenance="bench", actor="cli:bench")
    return _timed(lambda: _rounds(Backwards(system)))


def _rounds(backwards: Backwards) -> None:
    while backwards.round():
        pass
    backwards.close()


def _compared(system: System, archive: _Archive, wanted: _Wanted, entry: Entry) -> tuple[float, int]:
    """(share of what is there that was found, how many were found that are not there)."""
    from holdfast.store.models import ArchiveHitRow  # noqa: PLC0415  # needs configured Django

    (search,) = system.search_desk.recent(entry=entry.id)
    found = set(ArchiveHitRow.objects.filter(search=search.id).values_list("content_id", flat=True))
    there = {f"item-{item}" for item in _brute_force(archive, wanted)}
    return len(found & there) / len(there), len(found - there)


def _brute_force(archive: _Archive, wanted: _Wanted, threshold: int = 31) -> set[int]:
    """Every item with a hash within the threshold or an equal digest, by looking at each whole hash."""
    items = {item for item, digest in archive.digests.items() if digest == wanted.md5}
    for start in range(0, len(archive.words), _BLOCK):
        block = archive.words[start : start + _BLOCK]
        for one in wanted.words:
            near = np.flatnonzero(np.bitwise_count(block ^ one).sum(axis=1, dtype=np.int64) <= threshold) + start
            items.update((np.searchsorted(archive.first, near, "right") - 1).tolist())
    return items


def _bytes(system: System) -> int:
    return sum(path.stat().st_size for path in ArchiveFolder(system.archive_folder.path).path.glob("*.sheet"))


def _now() -> Any:  # noqa: ANN401  # a moment
    with connection.cursor() as cursor:
        cursor.execute("select now()")
        return cursor.fetchone()[0]


def _timed(work: Any) -> float:  # noqa: ANN401  # a function without arguments
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print it as JSON."""
    sys.stdout.write(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))


if __name__ == "__main__":
    main()
