# SPDX-License-Identifier: Apache-2.0
"""How 256 bits are cut into slices, and how far each slice must be searched to miss nothing.

The generalised pigeonhole principle: if two hashes differ in at most r bits and are cut into m
slices, write r = s*m + a with 0 <= a < m. Then among the first a+1 slices one differs in at most s
bits, or among the others one differs in at most s-1 (if neither held, they would differ in at least
(a+1)(s+1) + (m-a-1)s = r+1 bits). So the slices may be looked up nearly exactly in tables, and
recall stays 1.0. (Norouzi, Punjani and Fleet, "Fast Exact Search in Hamming Space with Multi-Index
Hashing", 2014.)

Looked up one bit further than that, one slice alone can no longer be near: if m-1 slices differed in more
than s bits each, and (m-1)(s+1) > r, the hashes would differ in more than r. So whoever is within r is found
in two slices at least, and only what is found a second time need be compared. That is cheaper wherever
comparing costs more than the further looks, because what was found once fits a processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

BITS: Final = 256
_FEWEST: Final = 11  # slices of at most 24 bits: a table of 2^24 starts is already 64 MB
_MOST: Final = 64
_USUAL_RADIUS: Final = 31
# Nanoseconds as measured on one core: a look into a table, a candidate compared, a row scanned.
_PROBE_NS: Final = 15.0
_CANDIDATE_NS: Final = 20.0
_COUNT_NS: Final = 1.5
_FORGET_NS: Final = 0.004  # per row: one bit of memory for each
_SCAN_NS: Final = 2.5
_MOST_IN_LIST: Final = 512  # on average: rows of much longer ones stay out of the tables
_ROW_BYTES: Final = 40  # the hash and its label
_MOST_BYTES: Final = 125


@dataclass(frozen=True, slots=True)
class Plan:
    """How far each slice is searched, -1 not at all, and in how many slices at least a row is then found."""

    radii: tuple[int, ...]
    hits: int


@dataclass(frozen=True, slots=True)
class Cut:
    """256 bits in `len(widths)` slices, the wider ones first; slice i begins at bit `offsets[i]`."""

    widths: tuple[int, ...]

    @property
    def offsets(self) -> tuple[int, ...]:
        """The first bit of each slice."""
        return tuple(int(at) for at in np.cumsum((0, *self.widths[:-1])))

    def radii(self, radius: int) -> tuple[int, ...]:
        """How many bits of each slice may differ; -1 where a slice need not be looked at."""
        whole, rest = divmod(radius, len(self.widths))
        return tuple(whole if at <= rest else whole - 1 for at in range(len(self.widths)))

    def plans(self, radius: int) -> list[Plan]:
        """The ways to miss nothing within `radius`: compare what is found, or what is found twice."""
        count, plans = len(self.widths), [Plan(self.radii(radius), 1)]
        return [*plans, Plan((radius // (count - 1),) * count, 2)] if count > 1 else plans

    def nanoseconds(self, plan: Plan, rows: int) -> float:
        """What one query is expected to cost, if slices are evenly spread."""
        parts = list(zip(self.widths, plan.radii, strict=True))
        looks = sum(_ball(width, near) for width, near in parts) * _PROBE_NS
        found = sum(_ball(width, near) * rows / (1 << width) for width, near in parts)
        if plan.hits == 1:
            return looks + found * _CANDIDATE_NS
        twice = found * found / 2 / max(rows, 1)
        return looks + found * _COUNT_NS + twice * _CANDIDATE_NS + rows * _FORGET_NS

    def best(self, radius: int, rows: int) -> Plan:
        """The cheapest of them."""
        return min(self.plans(radius), key=lambda plan: self.nanoseconds(plan, rows))

    def bytes_per_row(self, rows: int) -> float:
        """What one row takes, tables and all."""
        tables = 4 * sum((1 << width) + 1 for width in self.widths)
        return _ROW_BYTES + 4 * len(self.widths) + tables / max(rows, 1)


@lru_cache(maxsize=1024)
def worth_searching(cut: Cut, radius: int, rows: int) -> Plan | None:
    """How to search, or None if comparing with every row is cheaper."""
    plan = cut.best(radius, rows)
    return None if cut.nanoseconds(plan, rows) > rows * _SCAN_NS else plan


@lru_cache(maxsize=64)
def best_cut(rows: int) -> Cut:
    """The cheapest cut for so many rows at the usual radius that takes no more memory than is promised."""
    cuts = [even_cut(count) for count in range(_FEWEST, _MOST + 1)]
    cuts = [cut for cut in cuts if rows >> min(cut.widths) <= _MOST_IN_LIST] or cuts[:1]
    small = [cut for cut in cuts if cut.bytes_per_row(rows) <= _MOST_BYTES]
    if not small:
        return min(cuts, key=lambda cut: cut.bytes_per_row(rows))
    return min(small, key=lambda cut: cut.nanoseconds(cut.best(_USUAL_RADIUS, rows), rows))


def even_cut(count: int) -> Cut:
    """256 bits in `count` slices as even as can be."""
    narrow, wider = divmod(BITS, count)
    return Cut(tuple(narrow + 1 if at < wider else narrow for at in range(count)))


@lru_cache(maxsize=256)
def masks(width: int, near: int) -> NDArray[np.uint32]:
    """Every pattern of at most `near` bits of a slice, the nearest first."""
    patterns = [
        sum(1 << bit for bit in bits) for count in range(near + 1) for bits in combinations(range(width), count)
    ]
    return np.array(patterns, np.uint32)


def _ball(width: int, near: int) -> int:
    return sum(comb(width, count) for count in range(near + 1))
