# SPDX-License-Identifier: Apache-2.0
"""The inner loop of the index: look slices up in tables and compare the candidates found there.

Written twice: compiled by numba (`loop`), and in numpy (`probe_plainly`). They give the same rows,
the tests compare them, and where numba cannot run the plain one takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray

from holdfast.match.loop import compiled_count, compiled_scan
from holdfast.match.slices import Plan, masks

Words = NDArray[np.uint64]
LONGEST_LIST: Final = 1024  # rows under one value of one slice; `Segment` scans the rest
_HELD: Final = 8192
_FIRST_SPACE: Final = 1024
_log = structlog.get_logger("index")


class Tables(NamedTuple):
    """Where the rows with each value of each slice are: rows `ids[starts[v] : starts[v + 1]]` of slice `s`.

    `starts` and `ids` hold all slices one after the other; slice s begins at `starts_at[s]` and
    `ids_at[s]` and covers `widths[s]` bits from bit `offsets[s]`. No list is longer than LONGEST_LIST,
    and `ids` is followed by loop.PADDING more numbers that mean nothing.
    """

    words: Words
    starts: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    starts_at: NDArray[np.int64]
    ids_at: NDArray[np.int64]
    offsets: NDArray[np.int64]
    widths: NDArray[np.int64]


Search = Callable[[Tables, Words, int, Plan], "Found"]


class Found(NamedTuple):
    """Row `rows[i]` lies `distances[i]` bits from query `queries[i]`; a row may be named more than once."""

    queries: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.int64]


def slice_values(words: Words, offset: int, width: int) -> NDArray[np.uint32]:
    """The bits [offset, offset + width) of every hash, as numbers."""
    word, shift = divmod(offset, 64)
    values = words[:, word] >> np.uint64(shift)
    if shift + width > 64:  # noqa: PLR2004  # bits of a word
        values = values | (words[:, word + 1] << np.uint64(64 - shift))
    return (values & np.uint64((1 << width) - 1)).astype(np.uint32)


def search(tables: Tables, queries: Words, radius: int, plan: Plan) -> Found:
    """Every row within `radius` of a query, as far as searching the slices by `plan` finds them."""
    return (_compiled() or probe_plainly)(tables, queries, radius, plan)


def probe_plainly(tables: Tables, queries: Words, radius: int, plan: Plan) -> Found:
    """The search in numpy, which compares whatever is found: see `search`."""
    parts = [_one_plainly(tables, query, radius, plan.radii) for query in queries]
    numbers = [np.full(len(rows), number) for number, (rows, _) in enumerate(parts)]
    return Found(*(np.concatenate([np.empty(0, np.int64), *some]) for some in (numbers, *zip(*parts, strict=True))))


def _one_plainly(
    tables: Tables, query: Words, radius: int, radii: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    candidates = [np.empty(0, np.uint32)]
    for number, near in enumerate(radii):
        offset, width = int(tables.offsets[number]), int(tables.widths[number])
        wanted = slice_values(query.reshape(1, 4), offset, width) ^ masks(width, near)
        first = tables.starts[tables.starts_at[number] + wanted].astype(np.int64)
        counts = tables.starts[tables.starts_at[number] + wanted + 1].astype(np.int64) - first
        spread = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        candidates.append(tables.ids[tables.ids_at[number] + spread])
    rows = np.concatenate(candidates).astype(np.int64)
    distances = np.bitwise_count(tables.words[rows] ^ query).sum(axis=1, dtype=np.int64)
    return rows[distances <= radius], distances[distances <= radius]


@lru_cache(maxsize=1)
def _compiled() -> Search | None:
    """The search with its loop compiled; None where numba cannot run, which is said once."""
    try:
        scan, count = compiled_scan(), compiled_count()
    except (ImportError, RuntimeError, OSError) as fault:
        _log.warning("probe_not_compiled", because=str(fault), what_to_do="searches are right, and slower")
        return None

    def fast(tables: Tables, queries: Words, radius: int, plan: Plan) -> Found:
        queries = np.array(queries, np.uint64)  # writable and in a row, whatever was given
        patterns, patterns_at = _patterns(tuple(tables.widths.tolist()), plan.radii)
        held, space = np.empty(_HELD, np.uint32), _FIRST_SPACE
        room = (held,) if plan.hits == 1 else (held, _seen(len(tables.words)))
        loop = scan if plan.hits == 1 else count
        while True:
            out = np.empty((space, 3), np.int64)
            found = int(loop(*tables, patterns, patterns_at, queries, np.uint64(radius), *room, out))
            if found <= space:
                return Found(out[:found, 0], out[:found, 1], out[:found, 2])
            space = found

    return fast


def _seen(rows: int) -> NDArray[Any]:
    """A bit for each row that was found, and one for each that was told."""
    return np.empty((2, (rows >> 6) + 1), np.uint64)


@lru_cache(maxsize=64)
def _patterns(widths: tuple[int, ...], radii: tuple[int, ...]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The patterns of all slices one after the other, and where each slice's begin."""
    parts = [masks(width, near) for width, near in zip(widths, radii, strict=True)]
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)])
