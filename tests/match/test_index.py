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
from holdfast.match import probe, segment, slices, tail
from holdfast.match.index import LayeredIndex, Neighbour
from holdfast.match.segment import Hashes

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
        self.index = LayeredIndex()
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
    def merge(self) -> None:
        """What background merging does: the same hashes, in other places."""
        self.index = LayeredIndex(self.index.merged())

    @rule()
    def clear(self) -> None:
        self.index.clear()
        self.known = []

    @rule(data=st.data())
    @precondition(lambda self: self.known)
    def put_back(self, data: st.DataObject) -> None:
        """As when a bank is disabled and enabled: the same hash under the same label."""
        pair = data.draw(st.sampled_from(self.known[-20:]))
        self.remove([pair[0]])
        self.index.add([pair[0]], words([pair[1]]))
        self.known.append(pair)

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
        """Whether the same hash under the same label counts once or as often as it was added is left open."""
        assert len(set(self.known)) <= len(self.index) <= len(self.known)


TestAgainstBruteForce = AgainstBruteForce.TestCase
TestAgainstBruteForce.settings = settings(stateful_step_count=25)


def test_an_empty_index_finds_nothing_at_any_radius() -> None:
    index = LayeredIndex()
    assert len(index) == 0
    assert index.query(words([0, 2**BITS - 1]), BITS) == []


def test_no_query_finds_nothing() -> None:
    index = LayeredIndex()
    index.add([1], words([5]))
    assert index.query(words([]), BITS) == []


def test_adding_and_removing_nothing_changes_nothing() -> None:
    index = LayeredIndex()
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
    index = LayeredIndex()
    index.add([9], words([flipped(number, positions)]))
    for radius in range(WIDEST + 1):
        expected = [Neighbour(0, 9, distance)] if distance <= radius else []
        assert index.query(words([number]), radius) == expected


@pytest.mark.parametrize("distance", range(WIDEST + 1))
@pytest.mark.parametrize("first", [0, 64, 128, 192], ids=lambda bit: f"from_bit_{bit}")
def test_differences_within_one_part_of_the_hash_count_like_any_other(distance: int, first: int) -> None:
    number = int.from_bytes(np.random.default_rng(distance).bytes(32), "little")
    index = LayeredIndex()
    index.add([1], words([flipped(number, list(range(first, first + distance)))]))
    assert index.query(words([number]), distance) == [Neighbour(0, 1, distance)]
    assert index.query(words([number]), distance - 1) == []


def test_the_whole_radius_finds_the_very_opposite() -> None:
    index = LayeredIndex()
    index.add([1], words([2**BITS - 1]))
    assert index.query(words([0]), BITS) == [Neighbour(0, 1, BITS)]
    assert index.query(words([0]), BITS - 1) == []


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 3000, 65_535, 65_536, 65_537, 140_000])
def test_planted_neighbours_are_found_however_large_the_index_has_grown(count: int) -> None:
    random = np.random.default_rng(count)
    index = LayeredIndex()
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
    index = LayeredIndex()
    index.add([1, 1, 2], words([0, 1, 3]))
    index.remove([1])
    assert nearest(index.query(words([0]), 8)) == {(0, 2): 2}
    index.add([1], words([7]))
    assert nearest(index.query(words([0]), 8)) == {(0, 2): 2, (0, 1): 3}


def test_a_label_with_several_hashes_within_the_radius_is_found_once() -> None:
    index = LayeredIndex()
    index.add([1, 1, 1], words([1, 3, 7]))
    assert index.query(words([0]), 31) == [Neighbour(0, 1, 1)]


def test_two_labels_with_the_same_hash_are_both_found() -> None:
    index = LayeredIndex()
    index.add([4, 5], words([77, 77]))
    assert sorted(index.query(words([77]), 0)) == [Neighbour(0, 4, 0), Neighbour(0, 5, 0)]


def test_what_is_taken_out_and_put_in_again_for_ever_takes_no_more_room() -> None:
    """An index of ten hashes that changes ten thousand times stays an index of ten hashes."""
    index = LayeredIndex()
    labels, block = list(range(10)), words(list(range(10)))
    index.add(labels, block)
    sizes = []
    for _ in range(10):
        for _ in range(1000):
            index.remove(labels)
            index.add(labels, block)
        sizes.append(room(index))
    assert max(sizes) <= 8 * min(sizes), sizes


def room(index: LayeredIndex) -> int:
    """Bytes in all the arrays that an index holds."""
    held = [getattr(index._tail._table, name) for name in ("words", "labels", "alive")]  # there is no other way
    return sum(array.nbytes for array in held)


def removing(index: LayeredIndex) -> None:
    index.remove([1])


def adding(index: LayeredIndex) -> None:
    index.add([8], words([0]))


def growing(index: LayeredIndex) -> None:
    index.add([8] * 2000, words([2**BITS - 1] * 1999 + [0]))


def removing_and_growing(index: LayeredIndex) -> None:
    removing(index)
    growing(index)


def replacing(index: LayeredIndex) -> None:
    removing(index)
    index.add([1], words([2**BITS - 1]))


Change = Callable[[LayeredIndex], None]


@pytest.mark.parametrize("change", [removing, adding, growing, removing_and_growing, replacing])
@pytest.mark.parametrize("merged", [False, True], ids=["tail", "segment"])
def test_a_change_at_any_moment_of_a_query_never_breaks_it_nor_hides_what_stays(change: Change, merged: bool) -> None:
    """The writer runs between any two lines of the reader: the reader sees the one or the other."""
    moment = 0
    while True:
        moment += 1
        index = LayeredIndex()
        index.add([0, 1, 2], words([0, 0, 0]))
        index = LayeredIndex(index.merged()) if merged else index
        interrupted, found = query_interrupted(index, moment, change)
        if not interrupted:
            break
        labels = {label for _, label, _ in found}
        assert {0, 2} <= labels <= {0, 1, 2, 8}
        assert all(distance == 0 for _, _, distance in found)
    assert moment > 5  # it did interrupt


def query_interrupted(index: LayeredIndex, moment: int, change: Change) -> tuple[bool, list[Neighbour]]:
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
        ours = {module.__file__ for module in (indexes, tail, segment)}
        return on_line if frame.f_code.co_filename in ours and seen < moment else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        found = index.query(words([0]), 31)
    finally:
        sys.settrace(before)
    return seen >= moment, found


def near(block: Hashes, radius: int, random: np.random.Generator) -> Hashes:
    """One hash for every distance from 0 to a little over the radius, each near some row."""
    made = []
    for distance in range(radius + 6):
        number = int.from_bytes(block[random.integers(len(block))].tobytes(), "little")
        made.append(flipped(number, random.permutation(BITS)[:distance].tolist()))
    return words(made)


@pytest.mark.parametrize("count", [1, 2, 300, 20_000, 150_000])
@pytest.mark.parametrize("radius", [0, 9, 31, 40, WIDEST])
def test_a_segment_finds_what_looking_at_every_row_finds(count: int, radius: int) -> None:
    random = np.random.default_rng(count)
    block = random.integers(0, 2**64, (count, 4), np.uint64)
    made = segment.Segment.build(np.arange(count), block)
    wanted = near(block, radius, random)
    found, brute_force = made.query(wanted, radius), segment.scan(block, None, wanted, radius)
    assert set(zip(*(part.tolist() for part in found), strict=True)) == set(
        zip(*(part.tolist() for part in brute_force), strict=True)
    )
    assert len(set(found.queries.tolist())) > min(radius, 5), "the planted ones are among them"


@pytest.mark.parametrize("rows", [5000, 60_000])
@pytest.mark.parametrize("radius", [0, 5, 15, 16, 31, 45])
def test_the_compiled_searches_and_the_plain_one_find_what_looking_at_every_row_finds(radius: int, rows: int) -> None:
    random = np.random.default_rng(7)
    block = random.integers(0, 2**64, (rows, 4), np.uint64)
    made = segment.Segment.build(np.arange(rows), block)
    wanted = near(block, radius, random)
    expected = pairs(segment.scan(block, None, wanted, radius))
    assert probe._compiled() is not None, "or this compares the plain one with itself"
    for plan in made.cut.plans(radius):
        for search in (probe.search, probe.probe_plainly):
            assert pairs(search(made.tables, wanted, radius, plan)) == expected, (plan, search)


def pairs(found: probe.Found) -> set[tuple[int, ...]]:
    return set(zip(*(part.tolist() for part in found), strict=True))


def test_more_results_than_there_was_room_for_are_all_given() -> None:
    made = segment.Segment.build(np.arange(900), words([5] * 900))
    assert len(made.left_out) == 0
    assert len(set(made.query(words([5, 4]), 3).rows.tolist())) == 900
    assert len(made.query(words([5] * 8), 0).rows) >= 8 * 900


def test_a_list_of_hashes_that_share_their_bits_is_searched_all_the_same() -> None:
    """Rows under one value of a slice that is too common are kept out of the tables, and scanned."""
    random = np.random.default_rng(3)
    block = random.integers(0, 2**64, (6000, 4), np.uint64)
    block[:3000, 0] = 12345  # the first slices of half the list are one and the same
    made = segment.Segment.build(np.arange(6000), block)
    assert 3000 <= len(made.left_out) < 3100
    wanted = block[[0, 1500, 2999, 3000, 5999]] ^ np.uint64(0b111)
    found = made.query(wanted, 31)
    assert {(0, 0), (1, 1500), (2, 2999), (3, 3000), (4, 5999)} <= set(
        zip(found.queries.tolist(), found.rows.tolist(), strict=True)
    )


@pytest.mark.parametrize("rows", [1, 1000, 20_000, 10**5, 10**6, 10**7, 10**8])
def test_every_cut_covers_all_bits_and_takes_no_more_memory_than_is_promised(rows: int) -> None:
    cut = slices.best_cut(rows)
    assert sum(cut.widths) == BITS
    assert rows < 50_000 or cut.bytes_per_row(rows) <= 130


@given(st.integers(1, 64), st.integers(0, WIDEST), st.data())
def test_two_hashes_within_a_radius_are_within_the_radii_of_as_many_slices_as_the_plan_says(
    count: int, radius: int, data: st.DataObject
) -> None:
    """The pigeonhole itself, which recall stands on."""
    cut = slices.even_cut(count)
    different = sum(1 << bit for bit in data.draw(st.sets(st.integers(0, BITS - 1), min_size=radius, max_size=radius)))
    parts = [different >> at & (1 << width) - 1 for at, width in zip(cut.offsets, cut.widths, strict=True)]
    for plan in cut.plans(radius):
        hits = sum(part.bit_count() <= near for part, near in zip(parts, plan.radii, strict=True))
        assert hits >= plan.hits


@given(st.lists(hashes, min_size=1, max_size=5), st.integers(0, BITS - 1), st.integers(1, 30))
def test_a_slice_is_the_bits_it_says(numbers: list[int], offset: int, width: int) -> None:
    width = min(width, BITS - offset)
    expected = [number >> offset & (1 << width) - 1 for number in numbers]
    assert probe.slice_values(words(numbers), offset, width).tolist() == expected


def test_merging_leaves_large_segments_alone_until_they_are_mostly_dead() -> None:
    random = np.random.default_rng(5)
    block = random.integers(0, 2**64, (1000, 4), np.uint64)
    index = LayeredIndex([segment.Segment.build(np.arange(800), block[:800])])
    index.add(range(800, 900), block[800:900])
    once = LayeredIndex(index.merged())
    assert [len(one) for one in once.segments] == [800, 100]
    once.add(range(900, 1000), block[900:])
    twice = LayeredIndex(once.merged())
    assert [len(one) for one in twice.segments] == [800, 200]
    assert not twice.worth_merging(100)
    twice.remove(range(150, 800))
    assert twice.worth_merging(100)
    swept = LayeredIndex(twice.merged())
    assert [len(one) for one in swept.segments] == [350]
    assert not swept.worth_merging(100), "or it would be built anew for ever"


@pytest.mark.parametrize("dead", [range(500), range(500, 600), range(300), range(600)])
def test_after_merging_there_is_nothing_worth_merging(dead: range) -> None:
    block = np.random.default_rng(6).integers(0, 2**64, (600, 4), np.uint64)
    parts = [
        segment.Segment.build(np.arange(500), block[:500]),
        segment.Segment.build(np.arange(500, 600), block[500:]),
    ]
    index = LayeredIndex(parts)
    index.remove(dead)
    after = LayeredIndex(index.merged())
    assert not after.worth_merging(10)
    assert len(after) == 600 - len(dead)
