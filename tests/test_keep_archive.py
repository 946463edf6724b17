# SPDX-License-Identifier: Apache-2.0
"""Sheets follow the table: they reach over all that is settled, hold what it holds, and let go of what it forgot."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.archive_folder import ArchiveFolder, Leaf
from holdfast.bootstrap import System
from holdfast.keep_archive import LOOK_EVERY_SECONDS, ArchiveKeeper, Sizes, sound_shelf, without_empty
from holdfast.match.sheet import START, Place, Sheet
from tests.archived import TINY, empty, fill, keep_sheets, with_folder
from tests.store.making import NOW, STORIES, pdq

DAY = timedelta(days=1)


@pytest.fixture
def place(system: System, tmp_path: Path) -> System:
    return with_folder(system, tmp_path / "sheets")


def held(folder: ArchiveFolder) -> list[str]:
    """The screenings in the sheets, in order."""
    shelf = sound_shelf(folder)
    leaves = shelf.leaves if shelf else ()
    return [leaf.sheet.screening(item) for leaf in leaves for item in range(len(leaf.sheet))]


def sizes(folder: ArchiveFolder) -> list[int]:
    shelf = sound_shelf(folder)
    return [len(leaf.sheet) for leaf in shelf.leaves] if shelf else []


def in_table() -> list[str]:
    from holdfast.store import archive_rows as rows

    return [row[1] for row in rows.chunk(START, rows.present())]


@STORIES
@given(
    batches=st.lists(st.integers(0, 9), min_size=1, max_size=6),
    least=st.integers(1, 4),
    most_items=st.integers(4, 9),
    most_hashes=st.integers(1, 40),
)
def test_however_rows_come_the_sheets_hold_all_that_is_there_and_are_never_too_large(
    place: System, batches: list[int], least: int, most_items: int, most_hashes: int
) -> None:
    empty()
    place.archive_folder.clear()
    limits = Sizes(least=least, most_items=most_items, most_hashes=most_hashes)
    for number, count in enumerate(batches):
        fill([(f"{number}-{one}", [pdq(one)] * (one % 3)) for one in range(count)])
        keep_sheets(place, limits)
        covered = held(place.archive_folder)
        assert covered == in_table()[: len(covered)]
        assert len(in_table()) - len(covered) < least
        assert all(size <= most_items for size in sizes(place.archive_folder))
    fresh = ArchiveFolder(place.archive_folder.path)
    assert held(fresh) == held(place.archive_folder), "another process maps the same"


def test_small_sheets_are_made_into_larger_ones(place: System) -> None:
    large = Sizes(least=2, most_items=1000, most_hashes=100_000)
    for number in range(40):
        fill([(f"{number}-{one}", [pdq(one)]) for one in range(2)])
        keep_sheets(place, large)
    assert sum(sizes(place.archive_folder)) == 80
    assert len(sizes(place.archive_folder)) <= 5


def test_few_rows_are_no_sheet(place: System) -> None:
    fill([("a", [pdq(1)])])
    assert keep_sheets(place, Sizes(least=2)) == 0
    assert held(place.archive_folder) == []


def test_while_somebody_writes_no_sheet_reaches_over_what_he_may_still_write(place: System) -> None:
    url = place.settings.database_url
    assert url
    fill([(f"{one}", [pdq(one)]) for one in range(3)])
    with psycopg.connect(url) as slow:
        slow.execute("select pg_current_xact_id()")
        fill([(f"later-{one}", [pdq(one)]) for one in range(3)])
        keep_sheets(place)
        assert len(held(place.archive_folder)) == 3
    keep_sheets(place)
    assert held(place.archive_folder) == in_table()


def test_what_the_table_forgot_leaves_the_sheets_within_the_hour(place: System) -> None:
    fill([(f"old-{one}", [pdq(one)]) for one in range(5)], at=NOW - 91 * DAY)
    fill([(f"new-{one}", [pdq(one)]) for one in range(5)])
    keep_sheets(place)
    now = [1000.0]
    keeper = ArchiveKeeper(place.archive_folder, lambda: now[0], TINY)
    while keeper.step():  # whatever was made by another clock is compared first
        pass
    assert place.archive.forget_old(NOW - 90 * DAY) == 5
    assert not keeper.step()
    assert len(held(place.archive_folder)) == 10
    now[0] += LOOK_EVERY_SECONDS
    while keeper.step():
        pass
    assert held(place.archive_folder) == in_table()
    files = {path.name for path in place.archive_folder.path.glob("*.sheet")}
    assert len(files) == len(sizes(place.archive_folder)), "what is not used any more is gone from the disk"


def test_when_everything_is_forgotten_the_sheets_are_empty_and_go_on(place: System) -> None:
    fill([(f"{one}", [pdq(one)]) for one in range(9)])
    keep_sheets(place)
    empty()
    now = [0.0]
    keeper = ArchiveKeeper(place.archive_folder, lambda: now[0], TINY)
    while keeper.step():
        pass
    assert held(place.archive_folder) == []
    fill([("a", [pdq(1)])])
    keep_sheets(place)
    assert held(place.archive_folder) == in_table()


def test_what_they_rest_on_is_renewed_before_it_is_forgotten(place: System) -> None:
    fill([("a", [pdq(1)])])
    now = [0.0]
    keeper = ArchiveKeeper(place.archive_folder, lambda: now[0], TINY)
    tokens = set()
    for _ in range(30):
        now[0] += 90_000.0
        while keeper.step():
            pass
        shelf = place.archive_folder.read()
        assert shelf is not None
        tokens.add(shelf.ground.token)
    assert len(tokens) == 30


def test_sheets_of_another_database_are_cleared_away_and_made_anew(place: System) -> None:
    from holdfast.store.models import ArchiveMarkRow

    fill([(f"{one}", [pdq(one)]) for one in range(5)])
    keep_sheets(place)
    ArchiveMarkRow.objects.all().delete()
    assert held(place.archive_folder) == []
    keep_sheets(place)
    assert held(place.archive_folder) == in_table()


def test_only_one_process_of_a_machine_keeps_them(place: System) -> None:
    fill([("a", [pdq(1)])])
    with ArchiveFolder(place.archive_folder.path).alone() as alone:
        assert alone
        assert keep_sheets(place) == 0
    assert keep_sheets(place) == 1


def test_a_keeper_that_dies_leaves_what_was_there_and_the_next_goes_on(
    place: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill([(f"{one}", [pdq(one)]) for one in range(9)])
    keeper = ArchiveKeeper(place.archive_folder, sizes=TINY)
    assert keeper.step()
    before = held(place.archive_folder)

    def fails(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr("holdfast.adapters.array_file.write_json", fails)
        with pytest.raises(OSError):  # noqa: PT011  # any
            keeper.step()
    assert held(ArchiveFolder(place.archive_folder.path)) == before
    keep_sheets(place)
    assert held(place.archive_folder) == in_table()


@given(st.lists(st.integers(0, 2), min_size=1, max_size=8))
def test_sheets_without_items_give_their_reach_to_others(lengths: list[int]) -> None:
    ends = [START, *(Place(10 * number, "") for number in range(1, len(lengths) + 1))]
    leaves = [
        Leaf(
            ends[number],
            ends[number + 1],
            Sheet.build([(10 * number + one, "x", b"") for one in range(count)]),
            0.0,
        )
        for number, count in enumerate(lengths)
    ]
    kept = without_empty(leaves)
    assert kept[0].lower == START
    assert kept[-1].upper == ends[-1]
    assert all(one.upper == other.lower for one, other in itertools.pairwise(kept))
    assert [len(one.sheet) for one in kept] == ([count for count in lengths if count] or [0])
