# SPDX-License-Identifier: Apache-2.0
"""The index finds exactly what looking at every hash would find."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.match import index as indexes
from holdfast.match.index import Hashes, Neighbour, ScanIndex

WIDEST = 64
BITS = 256


def words(numbers: list[int]) -> Hashes:
    """Hashes as the index takes them: shape (n, 4)."""
    return np.frombuffer(b"".join(number.to_bytes(32, "little") for number in numbers), np.uint64).reshape(-1, 4)


def flipped(number: int, positions: list[int]) -> int:
    for position in positions:
        number ^= 1 << position
    return number


def nearest(found: list[Neighbour]) -> dict[tuple[int, int], int]:
    """Per query and label, how near the nearest of the label's hashes is."""
    best: dict[tuple[int, int], int] = {}
    for query, label, distance in found:
        best[query, label] = min(distance, best.get((query, label), distance))
    return best


def brute(known: list[tuple[int, int]], queries: list[int], radius: int) -> dict[tuple[int, int], int]:
    return nearest(
        [
            Neighbour(at, label, (query ^ number).bit_count())
            for at, query in enumerate(queries)
            for label, number in known
            if (query ^ number).bit_count() <= radius
        ]
    )


hashes = st.integers(0, 2**BITS - 1)
# Half of a hash is compared first, so neighbours must differ in either half as well as in both.
spots = st.one_of(st.integers(0, BITS - 1), st.integers(0, 127), st.integers(128, BITS - 1))


def close_to(numbers: list[int]) -> st.SearchStrategy[int]:
    flips = st.lists(spots, max_size=WIDEST + 6, unique=True)
    return st.one_of(hashes, st.builds(flipped, st.sampled_from(numbers), flips)) if numbers else hashes


class AgainstBruteForce(RuleBasedStateMachine):
    """Adds, removes and queries in any order, beside a list that is searched item by item."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.index = ScanIndex()
        self.known: list[tuple[int, int]] = []

    def _some(self, data: st.DataObject, most: int) -> list[int]:
        return data.draw(st.lists(close_to([number for _, number in self.known[-20:]]), max_size=most))

    @rule(data=st.data())
    def add(self, data: st.DataObject) -> None:
        numbers = self._some(data, 8)
        labels = data.draw(st.lists(st.integers(0, 30), min_size=len(numbers), max_size=len(numbers)))
        self.index.add(labels, words(numbers))
        self.known += zip(labels, numbers, strict=True)

    @rule(seed=st.integers(0, 2**32), count=st.integers(500, 1200))
    @precondition(lambda self: len(self.known) < 4000)
    def add_many(self, seed: int, count: int) -> None:
        block = np.random.default_rng(seed).integers(0, 2**64, (count, 4), np.uint64)
        labels = [100 + at % 700 for at in range(count)]
        self.index.add(labels, block)
        self.known += zip(labels, (int.from_bytes(row.tobytes(), "little") for row in block), strict=True)

    @rule(labels=st.lists(st.one_of(st.integers(0, 30), st.integers(100, 900), st.integers(-5, 10**9)), max_size=6))
    def remove(self, labels: list[int]) -> None:
        self.index.remove(labels)
        self.known = [pair for pair in self.known if pair[0] not in labels]

    @rule()
    def remove_most(self) -> None:
        labels = sorted({label for label, _ in self.known})[2:]
        self.index.remove(labels)
        self.known = [pair for pair in self.known if pair[0] not in labels]

    @rule(data=st.data(), radius=st.integers(0, WIDEST))
    def query(self, data: st.DataObject, radius: int) -> None:
        wanted = self._some(data, 4)
        found = self.index.query(words(wanted), radius)
        assert nearest(found) == brute(self.known, wanted, radius)
        for number, label, distance in found:
            assert distance in {(wanted[number] ^ known).bit_count() for owner, known in self.known if owner == label}

    @invariant()
    def the_length_is_how_many_can_be_found(self) -> None:
        assert len(self.index) == len(self.known)


TestAgainstBruteForce = AgainstBruteForce.TestCase
TestAgainstBruteForce.settings = settings(stateful_step_count=25)


def test_an_empty_index_finds_nothing_at_any_radius() -> None:
    index = ScanIndex()
    assert len(index) == 0
    assert index.query(words([0, 2**BITS - 1]), BITS) == []


def test_no_query_finds_nothing() -> None:
    index = ScanIndex()
    index.add([1], words([5]))
    assert index.query(words([]), BITS) == []


def test_adding_and_removing_nothing_changes_nothing() -> None:
    index = ScanIndex()
    index.add([], words([]))
    index.remove([])
    index.remove([7])
    assert len(index) == 0


@given(number=hashes, data=st.data())
def test_a_neighbour_at_any_distance_is_found_from_its_distance_on_and_not_before(
    number: int, data: st.DataObject
) -> None:
    distance = data.draw(st.integers(0, WIDEST))
    positions = data.draw(st.permutations(range(BITS)).map(lambda order: list(order)[:distance]))
    index = ScanIndex()
    index.add([9], words([flipped(number, positions)]))
    for radius in range(WIDEST + 1):
        expected = [Neighbour(0, 9, distance)] if distance <= radius else []
        assert index.query(words([number]), radius) == expected


@pytest.mark.parametrize("distance", range(WIDEST + 1))
@pytest.mark.parametrize("first", [0, 64, 128, 192], ids=lambda bit: f"from_bit_{bit}")
def test_differences_within_one_part_of_the_hash_count_like_any_other(distance: int, first: int) -> None:
    number = int.from_bytes(np.random.default_rng(distance).bytes(32), "little")
    index = ScanIndex()
    index.add([1], words([flipped(number, list(range(first, first + distance)))]))
    assert index.query(words([number]), distance) == [Neighbour(0, 1, distance)]
    assert index.query(words([number]), distance - 1) == []


def test_the_whole_radius_finds_the_very_opposite() -> None:
    index = ScanIndex()
    index.add([1], words([2**BITS - 1]))
    assert index.query(words([0]), BITS) == [Neighbour(0, 1, BITS)]
    assert index.query(words([0]), BITS - 1) == []


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 3000, 65_535, 65_536, 65_537, 140_000])
def test_planted_neighbours_are_found_however_large_the_index_has_grown(count: int) -> None:
    random = np.random.default_rng(count)
    index = ScanIndex()
    block = random.integers(0, 2**64, (count, 4), np.uint64)
    at = sorted({0, count // 3, count // 2, max(0, count - 2), count - 1})
    for start in range(0, count, 50_000):
        index.add(range(start, min(start + 50_000, count)), block[start : start + 50_000])
    for distance, row in enumerate(at, start=5):
        number = int.from_bytes(block[row].tobytes(), "little")
        positions = random.permutation(BITS)[:distance].tolist()
        assert index.query(words([flipped(number, positions)]), 31) == [Neighbour(0, row, distance)]
    index.remove(at)
    assert index.query(block[at], 31) == []
    assert len(index) == count - len(at)


def test_a_removed_label_can_be_added_again() -> None:
    index = ScanIndex()
    index.add([1, 1, 2], words([0, 1, 3]))
    index.remove([1])
    assert nearest(index.query(words([0]), 8)) == {(0, 2): 2}
    index.add([1], words([7]))
    assert nearest(index.query(words([0]), 8)) == {(0, 2): 2, (0, 1): 3}


def test_a_label_with_several_hashes_within_the_radius_is_found_once() -> None:
    index = ScanIndex()
    index.add([1, 1, 1], words([1, 3, 7]))
    assert index.query(words([0]), 31) == [Neighbour(0, 1, 1)]


def test_two_labels_with_the_same_hash_are_both_found() -> None:
    index = ScanIndex()
    index.add([4, 5], words([77, 77]))
    assert sorted(index.query(words([77]), 0)) == [Neighbour(0, 4, 0), Neighbour(0, 5, 0)]


def test_what_is_taken_out_and_put_in_again_for_ever_takes_no_more_room() -> None:
    """An index of ten hashes that changes ten thousand times stays an index of ten hashes."""
    index = ScanIndex()
    labels, block = list(range(10)), words(list(range(10)))
    index.add(labels, block)
    sizes = []
    for _ in range(10):
        for _ in range(1000):
            index.remove(labels)
            index.add(labels, block)
        sizes.append(room(index))
    assert max(sizes) <= 8 * min(sizes), sizes


def room(index: ScanIndex) -> int:
    """Bytes in all the arrays that an index holds."""
    held = [getattr(index._table, name) for name in ("words", "labels", "alive")]  # there is no other way
    return sum(array.nbytes for array in held)


def removing(index: ScanIndex) -> None:
    index.remove([1])


def adding(index: ScanIndex) -> None:
    index.add([8], words([0]))


def growing(index: ScanIndex) -> None:
    index.add([8] * 2000, words([2**BITS - 1] * 1999 + [0]))


def removing_and_growing(index: ScanIndex) -> None:
    removing(index)
    growing(index)


def replacing(index: ScanIndex) -> None:
    removing(index)
    index.add([1], words([2**BITS - 1]))


Change = Callable[[ScanIndex], None]


@pytest.mark.parametrize("change", [removing, adding, growing, removing_and_growing, replacing])
def test_a_change_at_any_moment_of_a_query_never_breaks_it_nor_hides_what_stays(change: Change) -> None:
    """The writer runs between any two lines of the reader: the reader sees the one or the other."""
    moment = 0
    while True:
        moment += 1
        index = ScanIndex()
        index.add([0, 1, 2], words([0, 0, 0]))
        interrupted, found = query_interrupted(index, moment, change)
        if not interrupted:
            break
        labels = {label for _, label, _ in found}
        assert {0, 2} <= labels <= {0, 1, 2, 8}
        assert all(distance == 0 for _, _, distance in found)
    assert moment > 5  # it did interrupt


def query_interrupted(index: ScanIndex, moment: int, change: Change) -> tuple[bool, list[Neighbour]]:
    """Query for 0, letting `change` happen before the reader's line number `moment`, as another thread might."""
    seen = 0

    def on_line(_frame: FrameType, event: str, _argument: Any) -> Any:  # sys.settrace's own
        nonlocal seen
        seen += event == "line"
        if event == "line" and seen == moment:
            sys.settrace(None)
            change(index)
        return on_line

    def on_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return on_line if frame.f_code.co_filename == indexes.__file__ and seen < moment else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        found = index.query(words([0]), 31)
    finally:
        sys.settrace(before)
    return seen >= moment, found
