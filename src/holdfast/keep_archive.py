# SPDX-License-Identifier: Apache-2.0
"""Keep the archive's sheets: follow the table, and let go of what it has forgotten.

Each step is one bounded thing: one new sheet, or one compared with the table. A sheet is always made from
the table, whole. New rows become a sheet once there are enough of them, together with whatever sheets before
them are not four times as large. A sheet that has more items than its stretch of the table is made anew within an
hour, so that what is forgotten there is soon forgotten here. One process of each machine does it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from holdfast.adapters.archive_folder import ArchiveFolder, Ground, Leaf, Shelf
from holdfast.match.sheet import HASH_BYTES, START, Archived, Place, Sheet, behind, place_of

if TYPE_CHECKING:
    from holdfast.store.archive_rows import Mark

LOOK_EVERY_SECONDS: Final = 3600.0
"""How often a sheet is compared with the table."""
_MARK_SECONDS: Final = 86_400.0  # what a folder rests on is renewed each day: it is forgotten after thirty
_RATIO: Final = 4
_log = structlog.get_logger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many rows are worth a sheet, and how much one may hold."""

    least: int = 5000
    """Fewer rows are walked through in some hundredths of a second."""
    most_items: int = 131_072
    most_hashes: int = 2**21
    """64 MiB."""


USUAL: Final = Sizes()


class ArchiveKeeper:
    """Keeps one folder. For one thread, in a wired process."""

    def __init__(self, folder: ArchiveFolder, clock: Callable[[], float] = time.time, sizes: Sizes = USUAL) -> None:
        """Keep `folder`; `clock` gives seconds since 1970."""
        self._folder = folder
        self._clock = clock
        self._sizes = sizes
        self._marked_at = 0.0
        self._adopted = False

    def step(self) -> bool:
        """Do one thing, if there is one to do and no other process keeps the folder; whether it was done.

        Raises whatever the database or the file system raises; the folder is then as it was.
        """
        with self._folder.alone() as alone:
            if not alone:
                return False
            if self._adopt():
                return True
            shelf = sound_shelf(self._folder)
            if shelf is None:
                self._folder.clear()
            return self._grow(shelf) or (shelf is not None and self._compare(shelf))

    def _adopt(self) -> bool:
        """What a restore brought has numbers of another cluster, and would never be covered; whether there was some."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # needs configured Django

        if not self._adopted:
            self._adopted = rows.adopt_foreign() == 0
            return not self._adopted
        return False

    def _grow(self, shelf: Shelf | None) -> bool:
        """Make a sheet of what no sheet reaches, if that is enough."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

        covered, horizon = (shelf.upto if shelf else START), rows.horizon()
        if horizon <= covered or rows.count(covered, horizon, self._sizes.least) < self._sizes.least:
            return False
        began, mark = time.monotonic(), self._mark()
        waiting = rows.count(covered, mark.place, self._sizes.most_items)
        kept = self._kept(shelf.leaves if shelf else (), waiting)
        lower = kept[-1].upper if kept else START
        made = self._made(lower, mark.place, at_least=covered)
        self._folder.write(_ground(mark), [*kept, *made])
        items = sum(len(leaf.sheet) for leaf in made)
        _log.info("archive_sheet_made", items=items, seconds=round(time.monotonic() - began, 2))
        return True

    def _kept(self, leaves: Sequence[Leaf], size: int) -> list[Leaf]:
        """The sheets that stay as they are when so many rows are added behind them."""
        kept, hashes = list(leaves), 0
        while kept:
            last = kept[-1].sheet
            size, hashes = size + len(last), hashes + last.hashes
            small = len(last) < _RATIO * (size - len(last))
            if not small or size > self._sizes.most_items or hashes > self._sizes.most_hashes:
                break
            kept.pop()
        return kept

    def _made(self, lower: Place, upto: Place, *, at_least: Place) -> list[Leaf]:
        """New sheets from `lower` on: as many as it takes to reach `at_least`, and never beyond `upto`."""
        made: list[Leaf] = []
        while not made or made[-1].upper < at_least:
            place = made[-1].upper if made else lower
            sheet, upper = self._sheet(place, upto)
            made.append(Leaf(place, upper, sheet, self._clock()))
        return made

    def _sheet(self, place: Place, upto: Place) -> tuple[Sheet, Place]:
        """(one sheet of what stands from `place` on, the place behind it)."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

        taken: list[Archived] = []
        hashes = 0
        while len(taken) < self._sizes.most_items and hashes < self._sizes.most_hashes * HASH_BYTES:
            some = rows.chunk(place, upto, min(rows.CHUNK, self._sizes.most_items - len(taken)))
            if not some:
                return Sheet.build(taken), upto
            taken += some
            hashes += sum(len(row[2]) for row in some)
            place = behind(place_of(some[-1]))
        return Sheet.build(taken), place

    def _compare(self, shelf: Shelf) -> bool:
        """Compare the sheet that has waited longest with the table; make it anew if that has fewer items by now."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

        now = self._clock()
        due = [at for at, leaf in enumerate(shelf.leaves) if abs(now - leaf.seen) >= LOOK_EVERY_SECONDS]
        if not due:
            return False
        at = min(due, key=lambda one: shelf.leaves[one].seen)
        leaf = shelf.leaves[at]
        if rows.count(leaf.lower, leaf.upper) == len(leaf.sheet):
            made = [replace(leaf, seen=now)]
        else:
            made = self._made(leaf.lower, leaf.upper, at_least=leaf.upper)
        stale = now - self._marked_at >= _MARK_SECONDS
        ground = _ground(self._mark()) if stale else shelf.ground
        self._folder.write(ground, without_empty([*shelf.leaves[:at], *made, *shelf.leaves[at + 1 :]]))
        return True

    def _mark(self) -> Mark:
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

        self._marked_at = self._clock()
        return rows.mark()


def sound_shelf(folder: ArchiveFolder) -> Shelf | None:
    """What the folder holds, if it is of this very database; None is always right, and slower."""
    from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

    shelf = folder.read()
    if shelf is None:
        return None
    ground = shelf.ground
    if rows.knows(rows.Mark(ground.token, ground.cluster, ground.horizon)):
        return shelf
    _log.error("archive_folder_foreign", what_to_do="none: it is made anew from the table")
    return None


def without_empty(leaves: Sequence[Leaf]) -> list[Leaf]:
    """The same reach with fewer sheets: one without items gives its stretch to the one before, or after."""
    kept: list[Leaf] = []
    for leaf in leaves:
        if kept and not len(leaf.sheet):
            kept[-1] = replace(kept[-1], upper=leaf.upper)
        elif kept and not len(kept[-1].sheet):
            kept[-1] = replace(leaf, lower=kept[-1].lower)
        else:
            kept.append(leaf)
    return kept


def _ground(mark: Mark) -> Ground:
    return Ground(mark.token, mark.cluster, mark.horizon)
