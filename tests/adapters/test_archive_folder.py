# SPDX-License-Identifier: Apache-2.0
"""Sheets survive in files as they were, for their owner alone; what is not as it was is as good as none."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.archive_folder import ArchiveFolder, Ground, Leaf, Shelf
from holdfast.match.sheet import START, Place, Sheet

GROUND = Ground("0f7e5a2c-0000-4000-8000-000000000001", "7400000000000000001", 90)


def sheet(first: int, count: int) -> Sheet:
    random = np.random.default_rng(first)
    rows = [(first + number, f"scr_{number}", random.bytes(32 * (number % 3))) for number in range(count)]
    return Sheet.build(rows)


def shelf(*lengths: int) -> list[Leaf]:
    """Sheets of so many items, ten transactions apart."""
    ends = [START, *(Place(10 * number, "") for number in range(1, len(lengths) + 1))]
    return [
        Leaf(ends[number], ends[number + 1], sheet(10 * number, count), 5.0) for number, count in enumerate(lengths)
    ]


def contents(found: Shelf | None) -> list[tuple[Place, Place, list[Place], bytes]]:
    assert found is not None
    return [
        (one.lower, one.upper, [one.sheet.place(item) for item in range(len(one.sheet))], one.sheet.words.tobytes())
        for one in found.leaves
    ]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "sheets"


@pytest.fixture
def full(place: Path) -> Path:
    ArchiveFolder(place).write(GROUND, shelf(6, 4))
    return place


def test_what_was_written_is_read_by_another_process_as_it_was(full: Path) -> None:
    found = ArchiveFolder(full).read()
    assert contents(found) == contents(Shelf(GROUND, tuple(shelf(6, 4))))
    assert found is not None
    assert (found.ground, found.items, found.upto) == (GROUND, 10, Place(20, ""))


def test_nothing_written_is_nothing_read(place: Path) -> None:
    assert ArchiveFolder(place).read() is None


def test_it_is_for_its_owner_alone(full: Path) -> None:
    assert stat.S_IMODE(full.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in full.iterdir()} == {0o600}


def test_a_sheet_that_stays_is_not_written_again_and_one_that_goes_is_removed(full: Path) -> None:
    folder = ArchiveFolder(full)
    found = folder.read()
    assert found is not None
    before = {path.name: path.stat().st_ino for path in full.glob("*.sheet")}
    folder.write(GROUND, [found.leaves[0], Leaf(Place(10, ""), Place(30, ""), sheet(11, 9), 5.0)])
    after = {path.name: path.stat().st_ino for path in full.glob("*.sheet")}
    assert len(before.items() & after.items()) == 1
    assert len(after) == 2


def test_what_another_process_wrote_is_read_as_soon_as_it_is_asked_for(full: Path) -> None:
    mine = ArchiveFolder(full)
    assert mine.read() is mine.read()
    ArchiveFolder(full).write(GROUND, shelf(3))
    assert contents(mine.read()) == contents(Shelf(GROUND, tuple(shelf(3))))


def test_what_is_cleared_is_gone(full: Path) -> None:
    folder = ArchiveFolder(full)
    folder.clear()
    assert folder.read() is None
    assert [path.name for path in full.iterdir() if path.suffix == ".sheet"] == []


@given(
    where=st.floats(0, 1, exclude_max=True), which=st.sampled_from(["manifest.json", "*.sheet"]), bit=st.integers(0, 7)
)
def test_a_bit_that_is_not_as_it_was_is_noticed_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, *, where: float, which: str, bit: int
) -> None:
    place = tmp_path_factory.mktemp("folder")
    ArchiveFolder(place).write(GROUND, shelf(6, 4))
    whole = contents(ArchiveFolder(place).read())
    path = min(place.glob(which))
    raw = bytearray(path.read_bytes())
    raw[int(where * len(raw))] ^= 1 << bit
    path.write_bytes(raw)
    found = ArchiveFolder(place).read()
    assert found is None or contents(found) == whole


@pytest.mark.parametrize("fault", ["cut", "gone", "replaced", "gap", "fewer", "other form", "no json"])
def test_a_folder_that_is_not_whole_is_the_same_as_none(full: Path, fault: str) -> None:
    manifest, (first, second) = full / "manifest.json", sorted(full.glob("*.sheet"))
    body = json.loads(manifest.read_text())["body"]
    if fault == "cut":
        first.write_bytes(first.read_bytes()[: first.stat().st_size // 2])
    elif fault == "gone":
        first.unlink()
    elif fault == "replaced":
        first.write_bytes(second.read_bytes())
    elif fault == "no json":
        manifest.write_text("{")
    else:
        body["format"] += fault == "other form"
        body["sheets"][1]["lower"] = [11, ""] if fault == "gap" else body["sheets"][1]["lower"]
        body["sheets"][1]["items"] -= fault == "fewer"
        write(manifest, body)
    assert ArchiveFolder(full).read() is None


def write(manifest: Path, body: dict[str, object]) -> None:
    from holdfast.adapters.array_file import write_json

    write_json(manifest, body)


@pytest.mark.parametrize(
    ("asked", "leaf"),
    [
        (START, 0),
        (Place(9, "z"), 0),
        (Place(10, ""), 1),
        (Place(19, "z"), 1),
        (Place(20, ""), None),
        (Place(99, ""), None),
    ],
)
def test_a_place_lies_in_the_sheet_that_reaches_over_it(asked: Place, leaf: int | None) -> None:
    found = Shelf(GROUND, tuple(shelf(6, 4)))
    assert found.leaf_at(asked) is (None if leaf is None else found.leaves[leaf])


def test_only_one_process_keeps_a_folder(place: Path) -> None:
    with ArchiveFolder(place).alone() as one, ArchiveFolder(place).alone() as other:
        assert (one, other) == (True, False)
    with ArchiveFolder(place).alone() as again:
        assert again


def test_a_process_that_died_while_writing_leaves_what_was_there(full: Path) -> None:
    (full / f"abc.sheet.{os.getpid()}.new").write_bytes(b"half a sheet")
    assert len(contents(ArchiveFolder(full).read())) == 2
    ArchiveFolder(full).write(GROUND, shelf(3))
    assert not list(full.glob("*.new"))
