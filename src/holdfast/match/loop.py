# SPDX-License-Identifier: Apache-2.0
"""The loop that most of a search is spent in, written for a compiler: plain numbers and arrays, no objects.

Three of them. `scan` compares whatever is found: candidates are copied a few at a time whatever their number
is, and compared later, because a loop over each short list would mispredict its end every time, which costs
more than copying what is not used. `count` remembers in one bit for each row what it has found, and compares
only what it finds again: where the plan says that whoever is near is found twice. `tile` compares everything
with everything: few hashes with very many, a piece that fits the processor's cache at a time.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

COPIED: Final = 4  # ids copied per look whatever the length of the list, where lists are short
_FEW: Final = 16  # and where they are longer
PADDING: Final = 48  # ids beyond the end that are copied and not used
_WORD_BITS: Final = 64
_M1: Final = np.uint64(0x5555555555555555)
_M2: Final = np.uint64(0x3333333333333333)
_M4: Final = np.uint64(0x0F0F0F0F0F0F0F0F)
_SUM: Final = np.uint64(0x0101010101010101)
_ONE, _TWO, _FOUR, _BYTE7 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
_SIX, _LAST = np.uint64(6), np.uint64(63)
_FOUND, _TOLD = 0, 1
_TILE: Final = 1024  # rows compared with each hash in turn: 16 KiB of their first halves
_FARTHER: Final = np.uint64(256)

Array = Any  # numba's own view of an array has no type that mypy knows


def compiled_scan() -> Any:  # noqa: ANN401  # what numba returns has no type either
    """`scan`, compiled. Raises ImportError where numba is not installed and RuntimeError where it cannot run."""
    from numba import njit  # noqa: PLC0415  # takes half a second, and is wanted only where there is an index

    inlined = njit(inline="always")
    ones = inlined(_count_ones)

    def compare(
        words: Array, held: Array, count: Array, query: Array, number: int, radius: int, out: Array, found: int
    ) -> int:
        for at in range(count):
            row = np.uint64(held[np.uint64(at)])
            half = ones(words[row, 0] ^ query[0]) + ones(words[row, 1] ^ query[1])
            if half <= radius:
                whole = half + ones(words[row, 2] ^ query[2]) + ones(words[row, 3] ^ query[3])
                if whole <= radius:
                    if found < out.shape[0]:
                        out[found, 0], out[found, 1], out[found, 2] = number, row, whole
                    found += 1
        return found

    compared, value_of = inlined(compare), inlined(_slice_value)

    def scan(
        words: Array,
        starts: Array,
        ids: Array,
        starts_at: Array,
        ids_at: Array,
        offsets: Array,
        widths: Array,
        patterns: Array,
        patterns_at: Array,
        queries: Array,
        radius: int,
        held: Array,
        out: Array,
    ) -> int:
        found = 0
        for number in range(queries.shape[0]):
            query = (queries[number, 0], queries[number, 1], queries[number, 2], queries[number, 3])
            count = np.int64(0)
            for piece in range(len(offsets)):
                value = value_of(queries, number, offsets[piece], widths[piece])
                first_start, first_id = np.uint64(starts_at[piece]), np.uint64(ids_at[piece])
                for at in range(patterns_at[piece], patterns_at[piece + 1]):
                    bucket = first_start + (value ^ np.uint64(patterns[np.uint64(at)]))
                    begin, end = np.uint64(starts[bucket]), np.uint64(starts[bucket + _ONE])
                    length = np.int64(end - begin)
                    if count + length + COPIED > held.shape[0]:
                        found, count = compared(words, held, count, query, number, radius, out, found), np.int64(0)
                    for place in range(COPIED):  # always so many: see above
                        held[np.uint64(count + place)] = ids[first_id + begin + np.uint64(place)]
                    for place in range(COPIED, length):
                        held[np.uint64(count + place)] = ids[first_id + begin + np.uint64(place)]
                    count += length
            found = compared(words, held, count, query, number, radius, out, found)
        return found

    return _kept_on_disk(scan)


def compiled_count() -> Any:  # noqa: ANN401  # see above
    """`count`, compiled. Raises as `compiled_scan` does."""
    from numba import njit  # noqa: PLC0415  # see above

    inlined = njit(inline="always")
    ones, value_of = inlined(_count_ones), inlined(_slice_value)

    def note(
        words: Array,
        held: Array,
        count: Array,
        query: Array,
        number: int,
        radius: int,
        seen: Array,
        out: Array,
        found: int,
    ) -> int:
        for at in range(count):
            row = np.uint64(held[np.uint64(at)])
            word, bit = row >> _SIX, _ONE << (row & _LAST)
            before = seen[_FOUND, word]
            seen[_FOUND, word] = before | bit
            if before & bit:
                half = ones(words[row, 0] ^ query[0]) + ones(words[row, 1] ^ query[1])
                if half <= radius:
                    whole = half + ones(words[row, 2] ^ query[2]) + ones(words[row, 3] ^ query[3])
                    if whole <= radius and not seen[_TOLD, word] & bit:
                        seen[_TOLD, word] |= bit
                        if found < out.shape[0]:
                            out[found, 0], out[found, 1], out[found, 2] = number, row, whole
                        found += 1
        return found

    noted = inlined(note)

    def count(
        words: Array,
        starts: Array,
        ids: Array,
        starts_at: Array,
        ids_at: Array,
        offsets: Array,
        widths: Array,
        patterns: Array,
        patterns_at: Array,
        queries: Array,
        radius: int,
        held: Array,
        seen: Array,
        out: Array,
    ) -> int:
        found, told = 0, 0
        seen[_TOLD] = 0
        for number in range(queries.shape[0]):
            query = (queries[number, 0], queries[number, 1], queries[number, 2], queries[number, 3])
            seen[_FOUND] = 0
            if found > told:
                seen[_TOLD], told = 0, found
            count = np.int64(0)
            for piece in range(len(offsets)):
                value = value_of(queries, number, offsets[piece], widths[piece])
                first_start, first_id = np.uint64(starts_at[piece]), np.uint64(ids_at[piece])
                for at in range(patterns_at[piece], patterns_at[piece + 1]):
                    bucket = first_start + (value ^ np.uint64(patterns[np.uint64(at)]))
                    begin, end = np.uint64(starts[bucket]), np.uint64(starts[bucket + _ONE])
                    length, first = np.int64(end - begin), first_id + begin
                    if count + length + PADDING > held.shape[0]:
                        found = noted(words, held, count, query, number, radius, seen, out, found)
                        count = np.int64(0)
                    for place in range(_FEW):  # always so many: see above
                        held[np.uint64(count + place)] = ids[first + np.uint64(place)]
                    if length > _FEW:
                        for place in range(_FEW, PADDING):
                            held[np.uint64(count + place)] = ids[first + np.uint64(place)]
                        for place in range(PADDING, length):
                            held[np.uint64(count + place)] = ids[first + np.uint64(place)]
                    count += length
            found = noted(words, held, count, query, number, radius, seen, out, found)
        return found

    return _kept_on_disk(count)


def compiled_tile() -> Any:  # noqa: ANN401  # see above
    """`tile`, compiled. Raises as `compiled_scan` does."""
    from numba import njit  # noqa: PLC0415  # see above

    ones = njit(inline="always")(_count_ones)

    def tile(word0: Array, word1: Array, word2: Array, word3: Array, queries: Array, radius: int, out: Array) -> int:
        found, rows = 0, len(word0)
        for start in range(0, rows, _TILE):
            end = min(start + _TILE, rows)
            for number in range(queries.shape[0]):
                query0, query1 = queries[number, 0], queries[number, 1]
                least = _FARTHER  # without a branch, so that a compiler can do several rows at once
                for row in range(start, end):
                    least = min(least, ones(word0[row] ^ query0) + ones(word1[row] ^ query1))
                if least <= radius:
                    for row in range(start, end):
                        half = ones(word0[row] ^ query0) + ones(word1[row] ^ query1)
                        if half <= radius:
                            whole = half + ones(word2[row] ^ queries[number, 2]) + ones(word3[row] ^ queries[number, 3])
                            if whole <= radius:
                                if found < out.shape[0]:
                                    out[found, 0], out[found, 1], out[found, 2] = number, row, whole
                                found += 1
        return found

    return _kept_on_disk(tile)


def _kept_on_disk(loop: Any) -> Any:  # noqa: ANN401  # see above
    """Compiled once per machine where there is somewhere to keep it."""
    from numba import njit  # noqa: PLC0415  # see above

    try:
        return njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # there is nowhere
        return njit(nogil=True)(loop)


def _slice_value(queries: Array, number: int, offset: int, width: int) -> Any:  # noqa: ANN401
    """The bits [offset, offset + width) of one hash: `probe.slice_values` for the compiler."""
    word, shift = offset >> 6, offset & 63
    value = queries[number, word] >> np.uint64(shift)
    if shift + width > _WORD_BITS:
        value |= queries[number, word + 1] << np.uint64(_WORD_BITS - shift)
    return value & np.uint64((1 << width) - 1)


def _count_ones(word: np.uint64) -> np.uint64:
    """How many bits are set; compilers know this form and make one instruction of it."""
    word = word - ((word >> _ONE) & _M1)
    word = (word & _M2) + ((word >> _TWO) & _M2)
    word = (word + (word >> _FOUR)) & _M4
    return (word * _SUM) >> _BYTE7
