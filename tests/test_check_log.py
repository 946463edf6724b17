# SPDX-License-Identifier: Apache-2.0
"""Whatever is changed behind the log's back, in the database or in its files, is found and its place named."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bench.tampering import found, make_edit
from holdfast.adapters.log_folder import LogFolder
from holdfast.bootstrap import System
from holdfast.check_log import Difference, Part, check_log, checked
from holdfast.log.check import Checked
from tests.conftest import superuser
from tests.store.logging import append, keeping, screened

EDITS = 60


def _signed(system: System, folder: Path, count: int = 300) -> None:
    with keeping(system, folder) as (sequencer, publisher):
        screened(sequencer.connection, 1, count)
        for version in (1, 2, 3):
            append(sequencer.connection, "bank:a-name", version)
        sequencer.round()
        publisher.publish()


def _differences(system: System, folder: Path) -> list[Difference]:
    with keeping(system, folder) as (_, publisher), publisher.connection.cursor() as cursor:
        return list(check_log(cursor, publisher.folder, pause=lambda _: None))


def test_nothing_is_found_where_nothing_was_changed(system: System, tmp_path: Path) -> None:
    assert _differences(system, tmp_path) == []
    _signed(system, tmp_path)
    assert _differences(system, tmp_path) == []


def test_each_random_edit_in_the_database_is_found_and_located(system: System, tmp_path: Path) -> None:
    _signed(system, tmp_path)
    chance = random.Random(5)
    with keeping(system, tmp_path) as (_, publisher):
        folder = publisher.folder
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        missed = []
        for _ in range(EDITS):
            with connection.transaction(force_rollback=True):
                edit = make_edit(connection, chance)
                if not found(connection, folder, edit):
                    missed.append(edit.what)
        assert missed == []


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("done", [Path.unlink, _cut, _flip])
@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/47", "tile/1/000.p/1", "tile/entries/000", "checkpoint"])
def test_a_published_file_that_is_gone_or_changed_is_found(
    system: System, tmp_path: Path, name: str, done: Callable[[Path], None]
) -> None:
    _signed(system, tmp_path)
    done(tmp_path / name)
    with psycopg.connect(superuser(system.settings.data)) as connection, connection.cursor() as cursor:
        differences = list(check_log(cursor, LogFolder(tmp_path), pause=lambda _: None))
    assert {one.part for one in differences} == {Part.SIGNED}


def test_a_row_that_no_worker_has_sequenced_is_named_and_one_that_it_sequences_meanwhile_is_not(
    system: System, tmp_path: Path
) -> None:
    _signed(system, tmp_path)
    with keeping(system, tmp_path) as (sequencer, publisher), publisher.connection.cursor() as cursor:
        screened(sequencer.connection, 1000, 1000)
        (one,) = check_log(cursor, publisher.folder, pause=lambda _: None)
        assert "not in the log" in one.says
        assert list(check_log(cursor, publisher.folder, pause=lambda _: sequencer.round())) == []


def test_fsck_tells_the_first_difference_of_the_log(system: System, tmp_path: Path) -> None:
    _signed(system, tmp_path)
    url = system.settings.database_url
    assert url
    folder = LogFolder(tmp_path)
    assert checked(url, folder) == Checked("log", 303, None)
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update journal set actor = 'nobody' where id = 7")
    first = checked(url, folder).first
    assert first
    assert (first.key, first.mends) == ("6", False)
    assert "the journal row was changed" in first.found
