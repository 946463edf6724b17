# SPDX-License-Identifier: Apache-2.0
"""What is signed has only grown, whatever was done to the database meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from holdfast.adapters.log_folder import LogFolder, checked_head
from holdfast.bootstrap import System
from holdfast.errors import LogDiverged
from holdfast.log.merkle import check_consistency, consistency_proof, leaf_hash
from holdfast.log.tile import Tile, entries_of, split_hashes
from holdfast.publish import Publisher
from tests.conftest import superuser
from tests.store.logging import NOW, keeping, screened


def _edit(system: System, *words: str) -> None:
    """As someone who owns the machine would: past every trigger and role."""
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for one in words:
            connection.execute(one)


def test_a_head_is_published_over_everything_sequenced_and_nothing_new_is_signed_twice(
    system: System, tmp_path: Path
) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        assert publisher.publish() is None
        screened(sequencer.connection, 1, 300)
        sequencer.round()
        head = publisher.publish()
        assert head is not None
        assert head.size == 300
        assert publisher.publish() is None
        folder = publisher.folder
        assert checked_head(folder.published() or "", folder.identity().keys) == head
        assert folder.last_signed() == (head, folder.published())


def test_entries_in_the_bundles_hash_to_the_tiles(system: System, tmp_path: Path) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        screened(sequencer.connection, 1, 300)
        sequencer.round()
        publisher.publish()
        for index, width in ((0, 256), (1, 44)):
            suffix = f".p/{width}" if width < 256 else ""
            entries = entries_of(publisher.folder.read(f"tile/entries/{index:03d}{suffix}"))
            assert [leaf_hash(one) for one in entries] == split_hashes(publisher.folder.tile(Tile(0, index, width)))


def test_every_head_is_consistent_with_every_head_before_it(system: System, tmp_path: Path) -> None:
    heads = []
    with keeping(system, tmp_path) as (sequencer, publisher):
        first = 1
        for count in (1, 2, 253, 1, 300, 700):
            screened(sequencer.connection, first, first + count - 1)
            first += count
            sequencer.round()
            heads.append(publisher.publish())
        node = publisher.folder.nodes(first - 1)
        for old in heads:
            new = heads[-1]
            assert old
            assert new
            check_consistency(old.size, new.size, old.root, new.root, consistency_proof(old.size, new.size, node))


def test_a_restored_database_signs_nothing_even_once_it_has_grown_past_the_signed_size(
    system: System, tmp_path: Path
) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        screened(sequencer.connection, 1, 20)
        sequencer.round()
        publisher.publish()
        screened(sequencer.connection, 21, 40)
        sequencer.round()
        signed = publisher.publish()
        _edit(
            system,
            "delete from log_leaf where index >= 20",
            "delete from journal where id > 20",
            "delete from log_head where size > 20",
        )
        with pytest.raises(LogDiverged):
            publisher.publish()
        screened(sequencer.connection, 1000, 1100)
        sequencer.round()
        with pytest.raises(LogDiverged):
            publisher.publish()
        with pytest.raises(LogDiverged):
            Publisher(publisher.connection, publisher.folder, lambda: NOW).begin()
        assert publisher.folder.last_signed() is not None
        assert (publisher.folder.last_signed() or (None,))[0] == signed


def _newest_leaf(system: System) -> None:
    _edit(system, "update log_leaf set leaf_hash = sha256('x') where index = (select max(index) from log_leaf)")


def _row_of_a_new_leaf(system: System) -> None:
    _edit(system, "update journal set body = '{}' where id = (select max(id) from journal)")


def _row_gone(system: System) -> None:
    _edit(system, "delete from journal where id = (select max(id) from journal)")


@pytest.mark.parametrize("done", [_newest_leaf, _row_of_a_new_leaf, _row_gone])
def test_what_was_changed_between_sequencing_and_signing_is_not_signed(
    system: System, tmp_path: Path, done: Callable[[System], None]
) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        screened(sequencer.connection, 1, 10)
        sequencer.round()
        done(system)
        with pytest.raises(LogDiverged, match="leaf 9"):
            publisher.publish()
        assert publisher.folder.published() is None


def test_an_old_leaf_changed_in_the_database_is_found_when_a_leader_begins(system: System, tmp_path: Path) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        screened(sequencer.connection, 1, 600)
        sequencer.round()
        publisher.publish()
        publisher.begin()
        _edit(system, "update log_leaf set leaf_hash = sha256('x') where index = 3")
        with pytest.raises(LogDiverged, match="not those that were signed"):
            publisher.begin()


def test_a_data_directory_without_the_head_signs_nothing_for_a_database_that_knows_of_one(
    system: System, tmp_path: Path
) -> None:
    with keeping(system, tmp_path / "one") as (sequencer, publisher):
        screened(sequencer.connection, 1, 5)
        sequencer.round()
        publisher.publish()
        elsewhere = Publisher(publisher.connection, LogFolder(tmp_path / "two"), lambda: NOW)
        with pytest.raises(LogDiverged, match="this data directory of none"):
            elsewhere.begin()
        assert not elsewhere.folder.exists()


def test_a_head_signed_but_not_shown_before_a_crash_is_shown_by_the_next_leader(system: System, tmp_path: Path) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        screened(sequencer.connection, 1, 5)
        sequencer.round()
        publisher.publish()
        shown = publisher.folder.published()
        (tmp_path / "checkpoint").unlink()
        publisher.begin()
        assert publisher.folder.published() == shown


def test_the_folder_refuses_to_sign_a_head_that_is_not_larger(system: System, tmp_path: Path) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        screened(sequencer.connection, 1, 5)
        sequencer.round()
        head = publisher.publish()
        assert head
        with pytest.raises(LogDiverged):
            publisher.folder.sign(head)


def test_after_new_keys_old_and_new_heads_are_both_believed_and_signing_goes_on(system: System, tmp_path: Path) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        folder = publisher.folder
        screened(sequencer.connection, 1, 5)
        sequencer.round()
        publisher.publish()
        before, old = folder.identity(), folder.published() or ""
        with folder.alone():
            folder.rotate(NOW)
        screened(sequencer.connection, 6, 9)
        sequencer.round()
        publisher.publish()
        after = folder.identity()
        assert after.log.private != before.log.private
        assert checked_head(old, after.keys).size == 5
        assert checked_head(folder.published() or "", after.keys).size == 9
        assert (tmp_path / "log.key").stat().st_mode & 0o077 == 0
