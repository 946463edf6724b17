# SPDX-License-Identifier: Apache-2.0
"""`fsck` for the log: makes every leaf anew from its journal row and compares with everything that was written down.

Three things are held against each other: the journal, the table of leaves, and what was signed and
published outside the database. Whichever was changed, the place is named, and which of the three
parts from the two others. Reads only; nothing here mends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import psycopg

from holdfast.adapters.log_folder import LogFolder, checked_head
from holdfast.errors import HoldfastError, LogDiverged, LogElsewhere
from holdfast.log.check import Checked
from holdfast.log.check import Difference as Told
from holdfast.log.checkpoint import Checkpoint
from holdfast.log.keys import Keys
from holdfast.log.merkle import HASH_BYTES, node_hash, root
from holdfast.log.tile import WIDTH, Tile, bundle_of, entries_path, node_reader, over
from holdfast.store.log_rows import Cursor, Leaf, count_leaves, leaves_between

_PAGE: Final = 40 * WIDTH
_MOST_MISSING: Final = 100
_TRIES: Final = 10
_TRY_SECONDS: Final = 0.5
_UNLOGGED: Final = """
select j.id, j.subject, j.version from journal j
where not exists (select 1 from log_leaf l where l.journal_id = j.id) order by j.id
"""
_STILL: Final = """
select j.id, j.subject, j.version from journal j
where j.id = any(%s) and not exists (select 1 from log_leaf l where l.journal_id = j.id) order by j.id
"""
_HEADS: Final = "select size, note from log_head order by size"


class Part(StrEnum):
    """What is not as the others say."""

    JOURNAL = "journal"
    LEAVES = "leaves"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two of the three part: at which entry of the log if at one, which of them is off, and in words."""

    part: Part
    index: int | None
    says: str


def checked(url: str, folder: LogFolder) -> Checked:
    """The whole check as one of `holdfast fsck`, to its first difference.

    Over a connection of its own and not in one snapshot: what is signed meanwhile is younger than any snapshot.
    """
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        first = next(check_log(cursor, folder), None)
        return Checked("log", count_leaves(cursor), _as_told(first) if first else None)


def _as_told(found: Difference) -> Told:
    key = "" if found.index is None else str(found.index)
    return Told(check="log", table=f"log ({found.part})", key=key, column="leaf", journal="", found=found.says)


def check_log(
    cursor: Cursor, folder: LogFolder, *, pause: Callable[[float], object] = time.sleep
) -> Iterator[Difference]:
    """Every difference, in the order of the log; nothing if all agree. `pause` waits for a sequencer at work."""
    cursor.execute(_UNLOGGED)
    unlogged = [values[0] for values in cursor.fetchall()]
    try:
        last, published, keys = _own_files(folder)
    except HoldfastError as fault:
        yield Difference(Part.SIGNED, None, f"the log's own files: {fault}")
        return
    signed = _Signed(folder, last[0] if last else None)
    cursor.execute(_HEADS)
    heads, bad = _heads(cursor.fetchall(), keys)
    yield from bad
    if last is not None:
        heads.append(last[0])
        if published != last[1]:
            yield Difference(Part.SIGNED, None, "the published checkpoint is not the one that was signed last")
    elif heads:
        yield Difference(Part.SIGNED, None, "the head that was signed last is gone from the data directory")
    yield from _walk(cursor, signed, heads)
    yield from _left_out(cursor, unlogged, pause)


def _own_files(folder: LogFolder) -> tuple[tuple[Checkpoint, str] | None, str | None, Keys | None]:
    """The last signed head, the published one, and the log's keys, while nobody signs."""
    if not folder.exists():
        return None, None, None
    with folder.alone():
        return folder.last_signed(), folder.published(), folder.identity().keys


@dataclass(slots=True)
class _Signed:
    """What stands outside the database, and the hashes above the leaves as the database has them."""

    folder: LogFolder
    head: Checkpoint | None
    uppers: list[list[bytes]] = field(default_factory=lambda: [[]])

    @property
    def size(self) -> int:
        return self.head.size if self.head else 0

    def begins(self, path: str, expected: bytes) -> bool:
        """Whether a published file is just this; where a full one has taken a partial one's place, its beginning."""
        whole = path.partition(".p/")[0]
        for name in dict.fromkeys((path, whole)):
            with suppress(OSError):
                data = self.folder.read(name)
                return data == expected or (name != path and data.startswith(expected))
        return False

    def hashes(self, number: int) -> bytes:
        """The published hashes of one tile of leaves, as far as they were signed; empty if they are gone or cut."""
        width = min(WIDTH, self.size - number * WIDTH)
        with suppress(LogDiverged, OSError):
            return self.folder.tile(Tile(0, number, width))
        return b""

    def grow(self, hashes: Sequence[bytes]) -> None:
        """One more complete tile of leaves: its root, and the roots of all tiles that it completes."""
        reached, level = node_hash(*over(list(hashes))[-1]), 0
        while True:
            self.uppers[level].append(reached)
            if len(self.uppers[level]) % WIDTH:
                return
            reached = node_hash(*over(self.uppers[level][-WIDTH:])[-1])
            level += 1
            if level == len(self.uppers):
                self.uppers.append([])


def _heads(rows: Sequence[Any], keys: Keys | None) -> tuple[list[Checkpoint], list[Difference]]:
    """The heads that the database remembers, and what is wrong with them."""
    heads, bad = [], []
    for size, note in rows:
        try:
            if keys is None:
                raise LogElsewhere
            head = checked_head(note, keys)
            if head.size != size:
                message = f"it says {head.size}"
                raise LogDiverged(message)
            heads.append(head)
        except HoldfastError as fault:
            bad.append(Difference(Part.SIGNED, None, f"the head of {size} entries in the database: {fault}"))
    return heads, bad


def _walk(cursor: Cursor, signed: _Signed, heads: list[Checkpoint]) -> Iterator[Difference]:
    """All leaves, page by page, against their rows, the published files and the heads."""
    count, whole = count_leaves(cursor), True
    for first in range(0, count, _PAGE):
        past = min(first + _PAGE, count)
        leaves = leaves_between(cursor, first, past)
        if len(leaves) != past - first:
            whole = False
            yield from _missing(leaves, first, past)
        yield from _leaves_differ(leaves, signed)
        if whole:
            yield from _page_differs(leaves, signed, [head for head in heads if first < head.size <= past])
    for head in heads:
        if head.size > count:
            says = f"rolled back: the database holds {count} leaves, and {head.size} were signed"
            yield Difference(Part.LEAVES, count, says)
    if whole:
        yield from _upper_tiles_differ(signed)


def _missing(leaves: Sequence[Leaf], first: int, past: int) -> Iterator[Difference]:
    there = {leaf.index for leaf in leaves}
    gone = [index for index in range(first, past) if index not in there]
    for index in gone[:_MOST_MISSING]:
        yield Difference(Part.LEAVES, index, f"the leaf {index} is gone")


def _leaves_differ(leaves: Sequence[Leaf], signed: _Signed) -> Iterator[Difference]:
    """Leaves that are not what their row says, or not what was published."""
    tiles: dict[int, bytes] = {}
    for leaf in leaves:
        number, place = divmod(leaf.index, WIDTH)
        if leaf.index < signed.size and number not in tiles:
            tiles[number] = signed.hashes(number)
        published = tiles.get(number, b"")[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        if leaf.true and leaf.stored_hash == published:
            continue
        if leaf.index < signed.size or not leaf.true:
            yield _off(leaf, published)


def _off(leaf: Leaf, published: bytes) -> Difference:
    """Which of the three is off: the one that the two others contradict."""
    journal_id, subject, version = leaf.named
    where = f"{subject} {version} (journal row {journal_id}, entry {leaf.index})"
    if leaf.row is None:
        return Difference(Part.JOURNAL, leaf.index, f"{where}: the journal row is gone")
    if leaf.true:
        return Difference(Part.SIGNED, leaf.index, f"{where}: the published tile has another hash, or is gone")
    if leaf.made == published:
        return Difference(Part.LEAVES, leaf.index, f"{where}: the leaf was changed")
    if leaf.stored_hash == published:
        return Difference(Part.JOURNAL, leaf.index, f"{where}: the journal row was changed")
    return Difference(Part.LEAVES, leaf.index, f"{where}: journal row and leaf do not agree")


def _page_differs(leaves: Sequence[Leaf], signed: _Signed, heads: list[Checkpoint]) -> Iterator[Difference]:
    """The published entries of a page, and the roots of the heads that end in it."""
    first = leaves[0].index
    for at in range(0, len(leaves), WIDTH):
        page = leaves[at : at + WIDTH]
        held = [leaf for leaf in page if leaf.index < signed.size]
        if held and all(leaf.true for leaf in held):
            path = entries_path((first + at) // WIDTH, len(held))
            if not signed.begins(path, bundle_of(leaf.data or b"" for leaf in held)):
                yield Difference(Part.SIGNED, held[0].index, f"the published file {path} is gone or was changed")
        if len(page) == WIDTH:
            signed.grow([leaf.stored_hash for leaf in page])

    def read(tile: Tile) -> bytes:
        if tile.level:
            return b"".join(signed.uppers[tile.level - 1][tile.index * WIDTH :][: tile.width])
        start = tile.index * WIDTH - first
        return b"".join(leaf.stored_hash for leaf in leaves[start : start + tile.width])

    for head in heads:
        if root(head.size, node_reader(read, head.size)) != head.root:
            yield Difference(Part.LEAVES, None, f"the first {head.size} leaves are not those that were signed")


def _upper_tiles_differ(signed: _Signed) -> Iterator[Difference]:
    """The published tiles above the leaves."""
    for above, hashes in enumerate(signed.uppers, start=1):
        count = min(len(hashes), signed.size // WIDTH**above)
        for first in range(0, count, WIDTH):
            held = hashes[first : min(first + WIDTH, count)]
            path = Tile(above, first // WIDTH, len(held)).path()
            if not signed.begins(path, b"".join(held)):
                index = first * WIDTH**above
                yield Difference(Part.SIGNED, index, f"the published file {path} is gone or was changed")


def _left_out(cursor: Cursor, unlogged: list[int], pause: Callable[[float], object]) -> Iterator[Difference]:
    """Rows without a leaf, once a sequencer at work has had time to give them one."""
    still: list[Any] = []
    for tried in range(_TRIES if unlogged else 0):
        cursor.execute(_STILL, [unlogged])
        still = cursor.fetchall()
        if not still:
            return
        if tried < _TRIES - 1:
            pause(_TRY_SECONDS)
    for journal_id, subject, version in still:
        where = f"{subject} {version} (journal row {journal_id})"
        yield Difference(Part.JOURNAL, None, f"{where}: not in the log; no worker sequences, or it was slipped in")
