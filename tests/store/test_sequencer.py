# SPDX-License-Identifier: Apache-2.0
"""The sequencer misses no committed row, keeps each subject's order, and waits for no number."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from holdfast.bootstrap import System
from holdfast.errors import LogDiverged
from holdfast.store.sequencer import HORIZON_ALARM_SECONDS, Sequencer
from tests.conftest import superuser
from tests.store.logging import app, append, keeping, leaves, screened


def _leading(connection: psycopg.Connection[Any], page: int = 10_000) -> Sequencer:
    sequencer = Sequencer(connection, page)
    assert sequencer.lead()
    return sequencer


def test_every_committed_row_gets_one_place_without_gaps(system: System) -> None:
    with app(system) as connection:
        screened(connection, 1, 25)
        sequencer = _leading(connection, page=10)
        assert sequencer.round().added == 25
        assert sequencer.round().added == 0
        screened(connection, 26, 30)
        assert sequencer.round().added == 5
        assert [index for index, _, _ in leaves(connection)] == list(range(30))


def test_a_row_that_was_rolled_back_leaves_a_hole_in_the_ids_and_none_in_the_log(system: System) -> None:
    with app(system) as connection:
        screened(connection, 1, 2)
        with connection.transaction(force_rollback=True):
            screened(connection, 3, 5)
        screened(connection, 6, 7)
        assert _leading(connection).round().added == 4


def test_a_transaction_that_stays_open_holds_nobody_up_and_is_not_missed(system: System) -> None:
    with app(system) as connection, app(system) as slow:
        sequencer = _leading(connection)
        slow.autocommit = False
        append(slow, "screening:slow", 1)
        for number in range(5):
            screened(connection, 10 * number + 1, 10 * number + 5)
            assert sequencer.round().added == 5
        slow.commit()
        assert sequencer.round().added == 1
        assert leaves(connection)[-1][1] == "screening:slow"


def test_a_new_leader_goes_on_where_the_last_one_stopped(system: System) -> None:
    with app(system) as connection, app(system) as slow:
        slow.autocommit = False
        append(slow, "screening:slow", 1)
        screened(connection, 1, 5)
        assert _leading(connection).round().added == 5
        slow.commit()
        connection.execute("select pg_advisory_unlock_all()")
        assert _leading(connection).round().added == 1


def test_there_is_one_leader_until_its_connection_ends(system: System) -> None:
    with app(system) as first, app(system) as second:
        _leading(first)
        assert not Sequencer(second).lead()
        first.close()
        other = Sequencer(second)
        while not other.lead():  # the server notices the closed connection in its own time
            threading.Event().wait(0.01)


def test_versions_written_in_the_wrong_order_of_transactions_come_in_the_right_order(system: System) -> None:
    with app(system) as early, app(system) as connection:
        early.autocommit = False
        append(early, "other:x", 1)  # its number is drawn before the next one's
        append(connection, "bank:y", 1)
        append(early, "bank:y", 2)
        early.commit()
        assert _leading(connection, page=1).round().added == 3
        assert [(s, v) for _, s, v in leaves(connection) if s == "bank:y"] == [("bank:y", 1), ("bank:y", 2)]


def test_a_subject_whose_first_row_is_gone_stops_the_log(system: System) -> None:
    with app(system) as connection:
        append(connection, "bank:y", 2)
        with pytest.raises(LogDiverged, match="not the row before it"):
            _leading(connection).round()


def test_leaves_can_be_changed_by_nobody(system: System, tmp_path: Path) -> None:
    with keeping(system, tmp_path) as (sequencer, publisher):
        screened(sequencer.connection, 1, 1)
        sequencer.round()
        publisher.publish()
        for words in ("update log_leaf set version = 2", "delete from log_head", "truncate log_leaf"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                sequencer.connection.execute(words)
            with psycopg.connect(superuser(system.settings.data)) as root, pytest.raises(psycopg.Error):
                root.execute(words)


def test_leaves_of_a_database_moved_to_another_cluster_are_looked_for_from_the_beginning(system: System) -> None:
    with app(system) as connection:
        sequencer = _leading(connection)
        screened(connection, 1, 3)
        sequencer.round()
        connection.execute("update log_cursor set xact = 9223372036854775807, cluster = 'another'")
        connection.execute("select pg_advisory_unlock_all()")
        screened(connection, 4, 5)
        assert _leading(connection).round().added == 2


def test_many_writers_at_once_lose_nothing_and_every_subject_keeps_its_order(system: System) -> None:
    writers, each = 4, 60
    done = threading.Event()

    def write(number: int) -> None:
        chance = random.Random(number)
        with app(system) as connection:
            connection.autocommit = False
            versions: dict[str, int] = {}
            for _ in range(each):
                for _ in range(chance.randint(1, 3)):
                    subject = f"case:{number}-{chance.randint(0, 5)}"
                    versions[subject] = versions.get(subject, 0) + 1
                    append(connection, subject, versions[subject])
                if chance.random() < 0.2:
                    connection.rollback()
                    held = connection.execute(
                        "select subject, max(version) from journal where subject like %s group by subject",
                        [f"case:{number}-%"],
                    )
                    versions = dict(held.fetchall())
                else:
                    connection.commit()
            connection.commit()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    with app(system) as connection:
        sequencer = _leading(connection, page=7)
        for thread in threads:
            thread.start()
        while not done.is_set():
            if not any(thread.is_alive() for thread in threads):
                done.set()
            sequencer.round()
        counted = connection.execute("select count(*) from journal").fetchone()
        found = leaves(connection)
        assert counted == (len(found),)
        reached: dict[str, int] = {}
        for _, subject, version in found:
            assert version == reached.get(subject, 0) + 1
            reached[subject] = version


def test_a_horizon_that_stands_still_raises_an_alarm_once(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with app(system) as connection, app(system) as slow:
        sequencer = Sequencer(connection, clock=lambda: now[0])
        assert sequencer.lead()
        slow.autocommit = False
        append(slow, "screening:slow", 1)
        for _ in range(4):
            screened(connection, int(now[0]) + 1, int(now[0]) + 1)
            sequencer.round()
            now[0] += HORIZON_ALARM_SECONDS
    assert capsys.readouterr().out.count("log_horizon_lags") == 1
