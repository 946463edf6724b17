# SPDX-License-Identifier: Apache-2.0
"""Go through the archive for some signals: in sheets where they reach, and else in the table.

Nothing depends on there being sheets. What is found in one is read from the table, which is the truth, and
compared once more before it counts: what is gone from there, or does not match, is not found.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holdfast.adapters.archive_folder import ArchiveFolder
from holdfast.keep_archive import sound_shelf
from holdfast.match.found_copies import FoundCopy
from holdfast.match.sheet import Place, Sheet, behind, place_of
from holdfast.match.signal import PERCEPTUAL, Signal
from holdfast.match.wanted import Near, Wanted
from holdfast.media import pdq

if TYPE_CHECKING:
    from holdfast.store.models import ArchiveRow
    from holdfast.store.search_rows import Banked

MOST_THREADS: Final = 2
_FAR: Final = 256
Queries = Mapping[str, Sequence[int]]
"""Of each screening that may be a copy, the numbers of the signals it is near to."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Items of a sheet, from `begin` up to `end`, and where the walk goes on behind them."""

    sheet: Sheet
    begin: int
    end: int
    behind: Place

    def __len__(self) -> int:
        """How many items."""
        return self.end - self.begin


class Pass:
    """What one way through the archive looks for: some signals of one search, at the threshold of its bank."""

    def __init__(self, banked: Sequence[Banked], threshold: int, *, full: bool) -> None:
        """Prepare to look for these, one at least; `full`: there may be more behind them."""
        self.banked = banked
        self.full = full
        self.perceptual = [one for one in banked if one.signal.type in PERCEPTUAL]
        words = np.array([pdq.from_hex(one.signal.value) for one in self.perceptual], np.uint64)
        self.wanted = Wanted(words, threshold)

    @property
    def last(self) -> int:
        """The highest label."""
        return self.banked[-1].label


class Walk:
    """Goes through the archive. For one thread; comparing uses two."""

    def __init__(self, folder: ArchiveFolder, piece: int | None = None) -> None:
        """Look in the sheets of `folder`; compare no more than `piece` hashes in one go, if that is given."""
        self._folder = folder
        self._piece = piece
        self._threads = min(MOST_THREADS, len(os.sched_getaffinity(0)))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="compare")

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown()

    def pieces(self, wanted: Wanted, place: Place, upto: Place) -> Iterator[tuple[Piece, Queries]]:
        """The archive from `place` on and before `upto`, piece by piece, and what may be copies in each.

        Sheets that reach beyond `upto` are gone through to their ends. Raises whatever the database raises.
        """
        most = self._piece or wanted.piece * self._threads
        for sheet, begin, after in self._sheets(place, upto):
            for piece in cut(sheet, begin, most, after):
                yield piece, self._near(piece, wanted)

    def _sheets(self, place: Place, upto: Place) -> Iterator[tuple[Sheet, int, Place]]:
        """(a sheet, its first item that is to be looked at, the place behind it), made of rows where there is none."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # needs configured Django

        shelf = sound_shelf(self._folder)
        while shelf is not None and place < upto and (leaf := shelf.leaf_at(place)):
            yield leaf.sheet, leaf.sheet.item_from(place), leaf.upper
            place = leaf.upper
        while some := rows.chunk(place, upto):
            place = behind(place_of(some[-1]))
            yield Sheet.build(some), 0, place

    def _near(self, piece: Piece, wanted: Wanted) -> Queries:
        """What is near, compared in as many parts as there are threads."""
        ends = np.linspace(piece.begin, piece.end, self._threads + 1).astype(np.int64).tolist()
        spans = [span for span in pairwise(ends) if span[0] < span[1]]
        found: dict[str, list[int]] = defaultdict(list)
        parts: Iterable[Near] = self._pool.map(lambda span: wanted.near(piece.sheet, *span), spans)
        for part in parts:
            for item, query in zip(part.items.tolist(), part.queries.tolist(), strict=True):
                found[piece.sheet.screening(item)].append(query)
        return found


def cut(sheet: Sheet, begin: int, most: int, after: Place) -> Iterator[Piece]:
    """The items of a sheet from `begin` on, in pieces of at most so many hashes, or of one item."""
    while begin < len(sheet):
        end = int(np.searchsorted(sheet.first, sheet.first[begin] + most, "right")) - 1
        end = min(max(end, begin + 1), len(sheet))
        yield Piece(sheet, begin, end, after if end == len(sheet) else sheet.place(end))
        begin = end


def equal(going: Pass, upto: Place) -> Iterator[FoundCopy]:
    """The items before `upto` with an equal digest, by the table's own indexes."""
    from holdfast.store import archive_rows as rows  # noqa: PLC0415  # needs configured Django

    entries: dict[Signal, list[str]] = defaultdict(list)
    for one in going.banked:
        if one.signal.type.is_exact:
            entries[one.signal].append(one.entry)
    for row, signal in rows.by_digest(list(entries), upto):
        yield _copy(row, min(entries[signal]), signal, distance=0, signals=1)


def checked(near: Queries, going: Pass, threshold: int, upto: Place) -> Iterator[FoundCopy]:
    """What the table says of these screenings: for each entry that is near to one, a found copy."""
    from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

    for row in rows.by_screening(near, upto):
        hashes = np.frombuffer(bytes(row.hashes), np.uint64).reshape(-1, 4)
        of_entry: dict[str, list[tuple[int, Signal]]] = defaultdict(list)
        for one in {going.perceptual[query] for query in near[row.screening]}:
            distance = _distance(pdq.from_hex(one.signal.value), hashes)
            if distance <= threshold:
                of_entry[one.entry].append((distance, one.signal))
        for entry, found in of_entry.items():
            distance, signal = min(found)
            yield _copy(row, entry, signal, distance=distance, signals=len(found))


def _distance(wanted: Any, hashes: Any) -> int:  # noqa: ANN401  # arrays of words
    """How far the nearest of these hashes is."""
    return int(np.bitwise_count(hashes ^ wanted).sum(axis=1, dtype=np.int64).min(initial=_FAR))


def _copy(row: ArchiveRow, entry: str, signal: Signal, *, distance: int, signals: int) -> FoundCopy:
    return FoundCopy(
        screening=row.screening,
        content=row.content_id,
        content_version=row.content_version,
        surface=row.surface,
        verdict=row.verdict,
        screened_at=row.at,
        entry=entry,
        signal=signal.type,
        distance=distance,
        signals=signals,
    )
