# SPDX-License-Identifier: Apache-2.0
"""The longest run of pairs that keeps to the order of two videos: patience sorting, forward and back."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Pairs = Sequence[tuple[int, int]]


def longest_chain(pairs: Pairs) -> list[tuple[int, int]]:
    """The longest run through (upload, known) pairs that only goes forward in both, or forward and back.

    Of two with as many different frames on both sides, the one with more pairs: one frame of the upload
    may stand for many of the known video, and the other way round.
    """
    forward = _climb(pairs, strict=True)
    if len(forward) == len(pairs):
        return forward
    turned = [(at, -place) for at, place in pairs]
    back = [[(at, -place) for at, place in _climb(turned, strict=strict)] for strict in (True, False)]
    return max(forward, _climb(pairs, strict=False), *back, key=_length)


def _length(chain: Pairs) -> tuple[int, int]:
    return min(len({at for at, _ in chain}), len({place for _, place in chain})), len(chain)


def _climb(pairs: Iterable[tuple[int, int]], *, strict: bool) -> list[tuple[int, int]]:
    """The longest choice of pairs in which neither number falls, or (`strict`) both always rise: patience sorting."""
    rows = sorted(pairs, key=lambda pair: (pair[0], -pair[1] if strict else pair[1]))
    pile_of = bisect_left if strict else bisect_right
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(rows):
        pile = pile_of(tops, place)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [place]
        ends[pile : pile + 1] = [index]
    chain, index = [], ends[-1] if ends else -1
    while index >= 0:
        chain.append(rows[index])
        index = before[index]
    return chain[::-1]
