# SPDX-License-Identifier: Apache-2.0
"""What is near is found, all of it and nothing else, however few or many hashes are looked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from holdfast.match import wanted
from holdfast.match.bank import HIGHEST_THRESHOLD
from holdfast.match.sheet import Sheet
from holdfast.match.wanted import Wanted, compare, compare_plainly

Words = NDArray[np.uint64]


def brute_force(queries: Words, items: list[Words], radius: int) -> set[tuple[int, int, int]]:
    """Every (item, query, least distance) by looking at each bit."""
    found = set()
    for number, hashes in enumerate(items):
        for query, one in enumerate(queries):
            apart = [sum(int(word).bit_count() for word in one ^ other) for other in hashes]
            if apart and min(apart) <= radius:
                found.add((number, query, min(apart)))
    return found


def near_to(random: np.random.Generator, one: Words, bits: int) -> Words:
    """A hash at exactly this distance."""
    flipped = np.unpackbits(one.view(np.uint8))
    flipped[random.permutation(256)[:bits]] ^= 1
    return np.packbits(flipped).view(np.uint64)


def sheet_of(items: list[Words]) -> Sheet:
    return Sheet.build([(7, f"{number:04}", one.tobytes()) for number, one in enumerate(items)])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Words, list[Words], int]:
    """Hashes to look for, items with some of their hashes planted around these, and a radius."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    queries = random.integers(0, 2**64, (draw(st.integers(1, 12)), 4), np.uint64)
    radius = draw(st.integers(0, HIGHEST_THRESHOLD))
    items = []
    for planted in draw(st.lists(st.lists(st.integers(-1, radius + 2), max_size=4), max_size=20)):
        own = [
            random.integers(0, 2**64, 4, np.uint64)
            if bits < 0
            else near_to(random, queries[random.integers(len(queries))], bits)
            for bits in planted
        ]
        items.append(np.array(own, np.uint64).reshape(-1, 4))
    return queries, items, radius


@pytest.mark.parametrize("most", [0, 10**9], ids=["looked up", "compared"])
@given(case=cases(), ends=st.tuples(st.integers(0, 20), st.integers(0, 20)))
def test_it_finds_what_looking_at_every_pair_finds(
    most: int, case: tuple[Words, list[Words], int], ends: tuple[int, int]
) -> None:
    queries, items, radius = case
    begin, end = sorted(min(end, len(items)) for end in ends)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wanted, "MOST_COMPARED", most)
        near = Wanted(queries, radius).near(sheet_of(items), begin, end)
    told = list(zip(*(part.tolist() for part in near), strict=True))
    expected = {(begin + item, *rest) for item, *rest in brute_force(queries, items[begin:end], radius)}
    assert len(told) == len(set(told))
    assert set(told) == expected


@given(case=cases())
def test_the_compiled_loop_and_the_plain_one_find_the_same(case: tuple[Words, list[Words], int]) -> None:
    queries, items, radius = case
    columns = sheet_of(items).words
    assert sorted(map(tuple, compare(columns, queries, radius).tolist())) == sorted(
        map(tuple, compare_plainly(columns, queries, radius).tolist())
    )


def test_very_many_that_are_near_are_all_told() -> None:
    one = np.random.default_rng(3).integers(0, 2**64, 4, np.uint64)
    items = [np.array([one, one], np.uint64) for _ in range(3000)]
    near = Wanted(one.reshape(1, 4), 0).near(sheet_of(items), 0, len(items))
    assert near.items.tolist() == list(range(3000))
    assert set(near.distances.tolist()) == {0}


def test_where_numba_cannot_run_it_is_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Any:
        raise ImportError("numba")

    monkeypatch.setattr(wanted, "compiled_tile", fails)
    wanted._compiled.cache_clear()
    try:
        one = np.random.default_rng(4).integers(0, 2**64, 4, np.uint64)
        assert Wanted(one.reshape(1, 4), 31).near(sheet_of([one.reshape(1, 4)]), 0, 1).items.tolist() == [0]
    finally:
        wanted._compiled.cache_clear()


def test_nothing_wanted_or_nothing_there_is_nothing_found() -> None:
    empty, one = np.empty((0, 4), np.uint64), np.ones((1, 4), np.uint64)
    assert len(Wanted(empty, 31).near(sheet_of([one]), 0, 1).items) == 0
    assert len(Wanted(one, 31).near(sheet_of([empty]), 0, 1).items) == 0


def test_few_are_compared_in_pieces_that_take_a_fraction_of_a_second() -> None:
    few, more = Wanted(np.ones((2, 4), np.uint64), 31), Wanted(np.ones((5000, 4), np.uint64), 31)
    assert few.piece > more.piece >= 1024
