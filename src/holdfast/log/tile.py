# SPDX-License-Identifier: Apache-2.0
"""Tiles (C2SP tlog-tiles): the tree as files of 256 hashes that never change once they are full.

A tile (level, index) holds the hashes of 256 neighbouring subtrees of 256**level leaves; the last
of each level may hold fewer and then says how many in its name. Entries stand in bundles of 256.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from holdfast.errors import ProofInvalid
from holdfast.log.merkle import HASH_BYTES, Node, next_level

WIDTH: Final = 256
HEIGHT: Final = 8
_CACHED_TILES: Final = 64


@dataclass(frozen=True, slots=True)
class Tile:
    """Which tile: its level, its place in the level, and how many hashes it holds."""

    level: int
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """Its path below the log's address."""
        return f"tile/{self.level}/{_digits(self.index, self.width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """The path of one bundle of entries below the log's address."""
    return f"tile/entries/{_digits(index, width)}"


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """The tiles that a tree of `new` leaves has and one of `old` had not, or had with fewer hashes."""
    level = 0
    while new:
        for index in range(old // WIDTH, -(-new // WIDTH)):
            yield Tile(level, index, min(WIDTH, new - index * WIDTH))
        old, new, level = old // WIDTH, new // WIDTH, level + 1


def node_reader(read: Callable[[Tile], bytes], size: int) -> Node:
    """The nodes of a tree of `size` leaves whose tiles `read` gives."""

    @lru_cache(maxsize=_CACHED_TILES)
    def rows(level: int, index: int) -> list[list[bytes]]:
        held = (size >> (HEIGHT * level)) - index * WIDTH
        return over(split_hashes(read(Tile(level, index, min(WIDTH, held)))))

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        per_tile = WIDTH >> height
        return rows(tile_level, index // per_tile)[height][index % per_tile]

    return node


def over(hashes: list[bytes]) -> list[list[bytes]]:
    """The hashes of a tile and all complete rows above them, the lowest first."""
    rows = [hashes]
    while len(rows[-1]) > 1 and len(rows) < HEIGHT:
        rows.append(next_level(rows[-1]))
    return rows


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes in a tile's bytes. Raises ProofInvalid unless they are whole."""
    if not data or len(data) % HASH_BYTES or len(data) > WIDTH * HASH_BYTES:
        raise ProofInvalid("a tile does not hold between 1 and 256 whole hashes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def bundle_of(entries: Iterable[bytes]) -> bytes:
    """A bundle: each entry behind its length."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def entries_of(data: bytes) -> list[bytes]:
    """The entries in a bundle's bytes. Raises ProofInvalid unless they are whole."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise ProofInvalid("a bundle of entries ends within an entry")
        (length,) = struct.unpack_from(">H", data, at)
        at += 2 + length
        if at > len(data):
            raise ProofInvalid("a bundle of entries ends within an entry")
        found.append(data[at - length : at])
    return found


def _digits(index: int, width: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups) + (f".p/{width}" if width < WIDTH else "")
