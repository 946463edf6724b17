# SPDX-License-Identifier: Apache-2.0
"""Sheets of the archive as files: written once, mapped, never changed, and never relied on to be there.

A manifest names the sheets in the order of their places, from which place to which each reaches without a gap,
how many items it has and when it was last compared with the table, and the mark that all of them rest on. A
folder that is damaged, foreign or gone is the same as none: the table is walked instead, which is slower and
finds the same. What is in it is sensitive, so the folder is for its owner alone.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from holdfast.adapters import array_file
from holdfast.adapters.array_file import FAULTS, Damaged
from holdfast.match.sheet import START, Place, Sheet

_MAGIC: Final = b"HFSHEET1"
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_log = structlog.get_logger("archive")


@dataclass(frozen=True, slots=True)
class Ground:
    """The mark that sheets rest on: its token, its cluster, and the horizon up to which they may reach."""

    token: str
    cluster: str
    horizon: int


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One sheet in its place: everything from `lower` on and before `upper`."""

    lower: Place
    upper: Place
    sheet: Sheet
    seen: float
    """When it was last compared with the table: seconds since 1970."""


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """Every sheet there is, one after the other from the very first place on, and what they rest on."""

    ground: Ground
    leaves: tuple[Leaf, ...]

    @property
    def upto(self) -> Place:
        """The first place that none of them reaches."""
        return self.leaves[-1].upper if self.leaves else START

    @property
    def items(self) -> int:
        """How many items they have."""
        return sum(len(leaf.sheet) for leaf in self.leaves)

    def leaf_at(self, place: Place) -> Leaf | None:
        """The sheet that reaches over `place`; None behind the last."""
        return next((leaf for leaf in self.leaves if leaf.lower <= place < leaf.upper), None)


class ArchiveFolder:
    """One folder of sheets."""

    def __init__(self, path: Path) -> None:
        """Use `path`, which is made when something is first written."""
        self.path = path
        self._mapped: dict[str, Sheet] = {}
        self._stamp: tuple[int, int] | None = None
        self._shelf: Shelf | None = None

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process is keeping this folder; none begins to until the block ends."""
        self._make()
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def read(self) -> Shelf | None:
        """What the folder holds, verified when it is mapped; None if that is nothing, or not sound, which is logged."""
        stamp = self._stamped()
        if stamp is None or stamp != self._stamp:
            self._stamp, self._shelf = stamp, self._read() if stamp else None
        return self._shelf

    def write(self, ground: Ground, leaves: Sequence[Leaf]) -> Shelf:
        """Put these sheets, which MUST follow each other, in place of what the folder held. Raises OSError."""
        self._make()
        names = [self._write_sheet(leaf.sheet) for leaf in leaves]
        body: dict[str, Any] = {"format": _FORMAT, "token": ground.token, "cluster": ground.cluster}
        body |= {"horizon": ground.horizon, "sheets": [_told(*pair) for pair in zip(names, leaves, strict=True)]}
        array_file.write_json(self.path / _MANIFEST, body)
        self._forget_all_but(set(names))
        self._mapped = {name: leaf.sheet for name, leaf in zip(names, leaves, strict=True)}
        self._stamp, self._shelf = self._stamped(), Shelf(ground, tuple(leaves))
        return self._shelf

    def clear(self) -> None:
        """Forget everything."""
        (self.path / _MANIFEST).unlink(missing_ok=True)
        if self.path.exists():
            self._forget_all_but(set())
        self._mapped, self._stamp, self._shelf = {}, None, None

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _stamped(self) -> tuple[int, int] | None:
        try:
            found = (self.path / _MANIFEST).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _read(self) -> Shelf | None:
        try:
            body = array_file.read_json(self.path / _MANIFEST, _FORMAT)
            told, before = body["sheets"], self._mapped
            self._mapped = {one["name"]: before.get(one["name"]) or self._open(one["name"]) for one in told}
            leaves = [_leaf(one, self._mapped[one["name"]]) for one in told]
            _insist_on_no_gap(leaves)
            return Shelf(Ground(body["token"], body["cluster"], int(body["horizon"])), tuple(leaves))
        except FAULTS as fault:
            self._mapped = {}
            _log.error("archive_folder_damaged", because=str(fault), what_to_do="none: it is made anew from the table")
            return None

    def _open(self, name: str) -> Sheet:
        _, arrays = array_file.open_arrays(self.path / name, _MAGIC)
        return Sheet.of_arrays(arrays)

    def _write_sheet(self, sheet: Sheet) -> str:
        """Write a sheet, unless this process has read it from, or written it to, that very file."""
        known = next((name for name, one in self._mapped.items() if one is sheet), None)
        if known and (self.path / known).exists():
            return known
        name = f"{_digest(sheet)}.sheet"
        array_file.write_arrays(self.path / name, _MAGIC, {}, sheet.arrays)
        return name

    def _forget_all_but(self, names: set[str]) -> None:
        """Remove files that the manifest no longer names; whoever has them mapped keeps them."""
        for path in self.path.iterdir():
            if path.suffix in (".sheet", ".new") and path.name not in names:
                path.unlink(missing_ok=True)


def _told(name: str, leaf: Leaf) -> dict[str, Any]:
    return {"name": name, "lower": [*leaf.lower], "upper": [*leaf.upper], "items": len(leaf.sheet), "seen": leaf.seen}


def _leaf(told: dict[str, Any], sheet: Sheet) -> Leaf:
    if len(sheet) != told["items"]:
        message = f"{told['name']} has not as many items as the manifest says"
        raise Damaged(message)
    return Leaf(Place(*told["lower"]), Place(*told["upper"]), sheet, float(told["seen"]))


def _insist_on_no_gap(leaves: Sequence[Leaf]) -> None:
    ends = [START, *(leaf.upper for leaf in leaves)]
    if any(leaf.lower != end for leaf, end in zip(leaves, ends[:-1], strict=True)):
        message = "the sheets do not follow each other"
        raise Damaged(message)


def _digest(sheet: Sheet) -> str:
    """A name that says what is inside."""
    whole = hashlib.blake2b(digest_size=16)
    for array in sheet.arrays.values():
        whole.update(array.data.cast("B") if array.size else b"")
        whole.update(b"/")
    return whole.hexdigest()
