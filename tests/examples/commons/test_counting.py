# SPDX-License-Identifier: Apache-2.0
"""Every view is counted once, by the second, whoever counted it and however often it is added up."""

from __future__ import annotations

import tempfile
from pathlib import Path

from commons.counting import Views, views_until
from commons.database import Database
from hypothesis import given, settings
from hypothesis import strategies as st

NOON = 1_800_000_000
OPENED = st.lists(st.tuples(st.sampled_from(["page:post-1", "media:post-1"]), st.integers(0, 9000)), max_size=30)


def database(folder: Path) -> Database:
    made = Database(folder / "commons.sqlite3")
    made.prepare()
    return made


def fold(counted: Database, views: Views, now: float) -> None:
    with counted.writing() as transaction:
        views.fold(transaction, now)


@settings(max_examples=40)
@given(OPENED, st.integers(0, 9000), st.integers(1, 5))
def test_views_until_a_moment_are_those_of_the_seconds_before_it(
    opened: list[tuple[str, int]], at: int, every: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        counted, processes = database(Path(name)), [Views(Path(name) / "views") for _ in range(2)]
        for number, (location, second) in enumerate(opened):
            processes[number % 2].count(location, NOON + second + 0.25)
            if number % every == 0:
                fold(counted, processes[0], 0)
        fold(counted, processes[1], 0)
        for location in ("page:post-1", "media:post-1", "page:post-2"):
            mine = [second for where, second in opened if where == location]
            whole = views_until(counted.reading, location, None, NOON + 10_000.5)
            assert whole == (len(mine), NOON + 10_000.5)
            past = views_until(counted.reading, location, NOON + at + 0.9, NOON + 10_000)
            assert past == (sum(second < at for second in mine), NOON + at)
            assert views_until(counted.reading, location, NOON + 20_000, NOON + 10_000) == (len(mine), NOON + 10_000)


def test_half_a_line_is_left_until_it_is_whole(tmp_path: Path) -> None:
    counted, views = database(tmp_path), Views(tmp_path / "views")
    views.count("page:post-1", NOON)
    (path,) = (tmp_path / "views").iterdir()
    with path.open("ab") as file:
        file.write(f"{NOON} page:po".encode())
    fold(counted, views, NOON)
    assert views_until(counted.reading, "page:post-1", None, NOON + 1)[0] == 1
    assert views.waits(counted.reading)
    with path.open("ab") as file:
        file.write(b"st-1\n")
    fold(counted, views, NOON)
    assert views_until(counted.reading, "page:post-1", None, NOON + 1)[0] == 2
    assert not views.waits(counted.reading)


def test_a_file_that_was_added_up_goes_and_its_views_stay(tmp_path: Path) -> None:
    counted, views = database(tmp_path), Views(tmp_path / "views")
    views.count("page:post-1", NOON)
    (path,) = (tmp_path / "views").iterdir()
    later = path.stat().st_mtime + 3 * 3600
    fold(counted, views, later)
    assert path.exists()
    fold(counted, views, later)
    assert not path.exists()
    assert views_until(counted.reading, "page:post-1", None, NOON + 1)[0] == 1
