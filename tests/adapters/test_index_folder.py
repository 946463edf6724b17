# SPDX-License-Identifier: Apache-2.0
"""Segments survive in files as they were, and files that are not as they were are as good as none."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.adapters.index_folder import IndexFolder
from holdfast.match.index import LayeredIndex
from holdfast.match.known import Level
from holdfast.match.segment import Segment

LEVEL = Level(7, "0f7e5a2c-0000-4000-8000-000000000001")


def segment(count: int, seed: int = 1, first: int = 0) -> Segment:
    block = np.random.default_rng(seed).integers(0, 2**64, (count, 4), np.uint64)
    return Segment.build(np.arange(first, first + count), block)


def contents(one: Segment) -> tuple[list[int], list[list[int]], list[bool]]:
    return one.labels.tolist(), one.tables.words.tolist(), one.alive.tolist()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def full(place: Path) -> Path:
    """A folder of two segments, one of them with dead rows."""
    first, second = segment(500), segment(60, seed=2, first=1000)
    first.alive[[3, 499]] = False
    IndexFolder(place).write([first, second], LEVEL, 31)
    return place


def test_what_was_written_is_read_by_another_process_as_it_was(full: Path) -> None:
    stored = IndexFolder(full).read()
    assert stored is not None
    assert (stored.level, stored.radius) == (LEVEL, 31)
    expected = segment(500)
    expected.alive[[3, 499]] = False
    assert [contents(one) for one in stored.segments] == [contents(expected), contents(segment(60, 2, 1000))]
    queries = expected.tables.words[[0, 3, 499, 200]]
    found = stored.segments[0].query(queries, 31)
    assert sorted(zip(found.queries.tolist(), found.rows.tolist(), strict=True)) == [(0, 0), (3, 200)]


def test_nothing_written_is_nothing_read(place: Path) -> None:
    assert IndexFolder(place).read() is None
    assert IndexFolder(place).stamp() is None


def test_a_segment_that_stays_is_not_written_again_and_one_that_goes_is_removed(full: Path) -> None:
    before = {path.name: path.stat().st_ino for path in full.glob("*.segment")}
    folder = IndexFolder(full)
    stored = folder.read()
    assert stored is not None
    folder.write([stored.segments[0], segment(10, seed=9, first=5000)], Level(8, "x"), 31)
    after = {path.name: path.stat().st_ino for path in full.glob("*.segment")}
    assert len(before.keys() & after.keys()) == 1
    assert all(before[name] == after[name] for name in before.keys() & after.keys())
    again = IndexFolder(full).read()
    assert again is not None
    assert [len(one) for one in again.segments] == [500, 10]
    assert again.segments[0].alive.sum() == 498, "and who was dead is so still"


def test_every_write_changes_the_stamp(full: Path) -> None:
    folder = IndexFolder(full)
    before = folder.stamp()
    folder.write([], LEVEL, 31)
    assert folder.stamp() != before
    assert folder.read() is not None


def test_what_one_reader_removes_another_still_has(full: Path) -> None:
    folder = IndexFolder(full)
    one, other = folder.read(), folder.read()
    assert one is not None
    assert other is not None
    LayeredIndex(one.segments).remove([0, 1, 2])
    assert other.segments[0].alive[:3].all()


@settings(max_examples=40)
@given(st.data())
def test_a_file_with_any_bit_changed_or_cut_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("damaged") / "index"
    first = segment(40)
    first.alive[5] = False
    IndexFolder(place).write([first], LEVEL, 31)
    path = data.draw(st.sampled_from(sorted(one for one in place.iterdir() if one.name != "lock")))
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del whole[at:]
    path.write_bytes(whole)
    stored = IndexFolder(place).read()
    assert stored is None or [contents(one) for one in stored.segments] == [contents(first)], "padding may change"


@pytest.mark.parametrize("name", ["*.segment", "*.dead", "manifest.json"])
def test_a_file_that_is_gone_is_noticed(full: Path, name: str) -> None:
    next(full.glob(name)).unlink()
    assert IndexFolder(full).read() is None


def test_hashes_are_for_nobody_else_to_read(full: Path) -> None:
    assert stat.S_IMODE(full.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in full.iterdir()} <= {0o600, 0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in full.glob("*.segment")} == {0o600}


def test_only_one_process_keeps_a_folder_at_a_time(place: Path) -> None:
    with IndexFolder(place).alone() as mine, IndexFolder(place).alone() as other:
        assert mine
        assert not other
    with IndexFolder(place).alone() as mine:
        assert mine


def test_the_lock_goes_with_whoever_held_it(place: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from holdfast.adapters.index_folder import IndexFolder\n"
        "with IndexFolder(Path(sys.argv[1])).alone() as alone:\n    print(alone, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with IndexFolder(place).alone() as alone:
            assert not alone
        other.kill()
    with IndexFolder(place).alone() as alone:
        assert alone


def test_a_write_that_is_killed_at_any_file_leaves_the_old_or_the_new(full: Path) -> None:
    """The process dies right before each rename in turn: what is read is whole, at one level or the other."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from holdfast.adapters.index_folder import IndexFolder\n"
        "from holdfast.match.known import Level\n"
        "from tests.adapters.test_index_folder import segment\n"
        "left, rename = int(sys.argv[2]), Path.rename\n"
        "def dying(self, target):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if left < 0: os._exit(9)\n"
        "    return rename(self, target)\n"
        "Path.rename = dying\n"
        "made = segment(30, 5, 9000); made.alive[0] = False\n"
        "IndexFolder(Path(sys.argv[1])).write([made], Level(8, 'new'), 31)\n"
    )
    statuses, levels = [], []
    for left in range(4):
        done = subprocess.run([sys.executable, "-c", script, str(full), str(left)], check=False)
        stored = IndexFolder(full).read()
        assert stored is not None
        statuses.append(done.returncode)
        levels.append((stored.level.number, sum(map(len, stored.segments))))
    assert statuses == [9, 9, 9, 0]
    assert levels == [(7, 560)] * 3 + [(8, 30)]
    assert not list(full.glob("*.new")), "what the dead left half written is cleared away"


def test_a_folder_that_cannot_be_read_is_as_good_as_none(full: Path) -> None:
    (full / "manifest.json").unlink()
    os.mkdir(full / "manifest.json")  # noqa: PTH102
    assert IndexFolder(full).read() is None


def test_a_damaged_segment_is_replaced_by_the_next_write_of_the_same(full: Path) -> None:
    """Its name says what should be inside, so the same hashes come back under the same name."""
    (path,) = [one for one in full.glob("*.segment") if one.stat().st_size > 30_000]
    path.write_bytes(path.read_bytes()[:-100])
    assert IndexFolder(full).read() is None
    IndexFolder(full).write([segment(500), segment(60, 2, 1000)], LEVEL, 31)
    stored = IndexFolder(full).read()
    assert stored is not None
    assert [len(one) for one in stored.segments] == [500, 60]
