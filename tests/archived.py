# SPDX-License-Identifier: Apache-2.0
"""What the tests of backwards searches make: archives, searches carried out, and what looking at every pair finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.adapters.archive_folder import ArchiveFolder
from holdfast.backwards import Backwards
from holdfast.bootstrap import System, new_id
from holdfast.keep_archive import ArchiveKeeper, Sizes
from holdfast.match.archive import packed
from holdfast.match.backwards import Search, SearchState
from holdfast.match.found_copies import FoundCopies, FoundCopy
from holdfast.match.signal import PERCEPTUAL, Signal
from holdfast.media.pdq import from_hex
from holdfast.start import clock
from tests.store.making import NOW

TINY = Sizes(least=1, most_items=4, most_hashes=1000)
"""So that few items make many sheets."""


def flipped(signal: Signal, bits: int, first: int = 0) -> Signal:
    """A signal at exactly this distance."""
    return Signal(signal.type, f"{int(signal.value, 16) ^ (((1 << bits) - 1) << first):064x}")


def fill(
    items: Iterable[tuple[str, Sequence[Signal]]], *, at: datetime = NOW, verdict: str = "no_match"
) -> dict[str, str]:
    """Put these items, each (content, signals), into the archive; the screening of each content."""
    from holdfast.store.models import ArchiveRow

    rows = []
    for content, signals in items:
        digests = {one.type.value: bytes.fromhex(one.value) for one in signals if one.type.is_exact}
        hashes = b"".join(from_hex(one.value).tobytes() for one in signals if one.type in PERCEPTUAL)
        about = {"content_id": content, "content_version": "1", "surface": "photos", "verdict": verdict, "at": at}
        none = dict.fromkeys(("md5", "sha1", "sha256"), b"")
        frames = packed([one for one in signals if one.frame is not None])
        rows.append(ArchiveRow(screening=new_id("scr"), hashes=hashes, frames=frames, **about, **{**none, **digests}))
    ArchiveRow.objects.bulk_create(rows)
    return {row.content_id: row.screening for row in rows}


def empty() -> None:
    """Forget the archive, and every search."""
    from holdfast.store.models import ArchiveHitRow, ArchiveRow, ArchiveSearchRow

    for model in (ArchiveRow, ArchiveHitRow, ArchiveSearchRow):
        model.objects.all().delete()


def with_folder(system: System, place: Path) -> System:
    """The system with a folder of sheets of its own."""
    system.known.follow()
    return dataclasses.replace(system, archive_folder=ArchiveFolder(place))


def with_searches(
    system: System, *, lease: timedelta = timedelta(minutes=1), found: FoundCopies | None = None
) -> System:
    """The system with searches whose leases last so long, and whose copies go there."""
    from holdfast.store.searches import PostgresSearches

    searches = PostgresSearches(system.journal, system.alarms, found or system.desk.found, clock, lease=lease)
    return dataclasses.replace(system, searches=searches)


def keep_sheets(system: System, sizes: Sizes = TINY) -> int:
    """Make every sheet there is to make; how many steps that took."""
    keeper, steps = ArchiveKeeper(system.archive_folder, sizes=sizes), 0
    while keeper.step():
        steps += 1
    return steps


@contextmanager
def searching(system: System, **how: Any) -> Iterator[Backwards]:
    """Whoever carries searches out, until the block ends."""
    system.known.follow()
    backwards = Backwards(system, **how)
    try:
        yield backwards
    finally:
        backwards.close()


def carry_out(system: System, **how: Any) -> int:
    """Carry out everything that can be; how many steps that took."""
    steps = 0
    with searching(system, **how) as backwards:
        while backwards.round():
            steps += 1
    return steps


def the_search(system: System, entry: str | None = None) -> tuple[str, Search]:
    """The newest search, or that for one entry."""
    item = system.search_desk.recent(entry=entry)[0]
    return item.id, item.search


def copies(system: System, entry: str | None = None) -> list[FoundCopy]:
    """What the newest search found, once its entries are blocked."""
    search_id, search = the_search(system, entry)
    assert search.state is SearchState.BLOCKED
    found = system.search_desk.copies(search_id, actor="cli:test")
    assert len(found) == search.copies
    return found


def brute_force(
    entries: dict[str, Sequence[Signal]], items: Iterable[tuple[str, Sequence[Signal]]], threshold: int
) -> dict[str, int]:
    """{content: distance to the nearest entry} of every item with an equal digest, or a hash within the threshold."""
    found = {}
    for content, signals in items:
        apart = [
            0 if one.type.is_exact and one == other else (int(one.value, 16) ^ int(other.value, 16)).bit_count()
            for one in signals
            for wanted in entries.values()
            for other in wanted
            if one == other or (one.type in PERCEPTUAL and other.type in PERCEPTUAL)
        ]
        near = [distance for distance in apart if distance <= threshold]
        if near:
            found[content] = min(near)
    return found
