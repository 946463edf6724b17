# SPDX-License-Identifier: Apache-2.0
"""Every process becomes level by itself, maps what one of them built, and knows when it is not level."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from holdfast import follow
from holdfast.adapters.index_folder import IndexFolder
from holdfast.adapters.listener import Listener
from holdfast.bootstrap import System
from holdfast.follow import Follower
from holdfast.match import bank as banks
from holdfast.match.entry import DisableEntry, RemoveEntry
from holdfast.match.index import LayeredIndex
from holdfast.match.known import CHANNEL, Known
from holdfast.media.pdq import from_hex
from holdfast.store.processes import ThisProcess
from tests.conftest import superuser
from tests.store.making import ACTOR, TWO, add, create, pdq


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def place(system: System, tmp_path: Path) -> System:
    """The system with an index folder of its own."""
    return dataclasses.replace(system, index_folder=IndexFolder(tmp_path / "index"))


def another(system: System) -> tuple[System, Follower]:
    """Another process on the same machine."""
    own = dataclasses.replace(
        system, known=Known(LayeredIndex, system.banks), index_folder=IndexFolder(system.index_folder.path)
    )
    return own, Follower(own, ThisProcess("web"))


def finds(system: System, seed: int, *, off_by: int = 20) -> bool:
    """Whether a disguise of the picture is found: never only the picture itself, which any radius finds."""
    disguised = int(pdq(seed).value, 16) ^ ((1 << off_by) - 1)
    _, near = system.known.near(from_hex(f"{disguised:064x}").reshape(1, 4))
    return bool(near)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments are worth building from three hashes on."""
    monkeypatch.setattr(follow, "LEAST_SEGMENT", 3)


def segments(system: System) -> list[int]:
    assert isinstance(system.known.index, LayeredIndex)
    return [len(one) for one in system.known.index.segments]


@pytest.mark.usefixtures("few")
def test_what_one_process_built_the_others_map_and_nothing_is_missing(place: System) -> None:
    create(place)
    entries = [add(place, pdq(seed)) for seed in range(5)]
    keeper = Follower(place, ThisProcess("worker"))
    keeper.round()
    assert keeper.keep_segments()
    add(place, pdq(5))
    place.banks.change_entry("bank", entries[0].id, RemoveEntry(because="test"), actor=TWO)

    other, follower = another(place)
    follower.round()
    assert segments(other) == [5]
    assert [finds(other, seed) for seed in range(7)] == [False, True, True, True, True, True, False]
    assert len(other.known) == 5


@pytest.mark.usefixtures("few")
def test_a_process_started_after_the_last_change_searches_as_widely_as_the_banks_ask(place: System) -> None:
    """Nothing has changed since the segments were written, so nothing but them can tell it how wide that is."""
    create(place, threshold=40)
    for seed in range(4):
        add(place, pdq(seed))
    keeper = Follower(place, ThisProcess("worker"))
    keeper.round()
    assert keeper.keep_segments()
    other, follower = another(place)
    follower.round()
    assert segments(other) == [4]
    assert all(finds(other, seed, off_by=40) for seed in range(4))
    assert not finds(other, 0, off_by=41)


def test_before_the_banks_say_how_wide_a_process_searches_as_widely_as_any_may() -> None:
    from holdfast.match.bank import HIGHEST_THRESHOLD
    from holdfast.match.known import _State

    assert _State(LayeredIndex()).radius == HIGHEST_THRESHOLD


@pytest.mark.usefixtures("few")
def test_a_process_that_runs_maps_new_segments_as_they_come(place: System) -> None:
    create(place)
    other, follower = another(place)
    follower.round()
    for seed in range(4):
        add(place, pdq(seed))
    follower.round()
    assert segments(other) == []
    keeper = Follower(place, ThisProcess("worker"))
    keeper.round()
    assert keeper.keep_segments()
    follower.round()
    assert segments(other) == [4]
    assert all(finds(other, seed) for seed in range(4))


@pytest.mark.usefixtures("few")
def test_nothing_is_built_where_little_has_changed(place: System) -> None:
    create(place)
    keeper = Follower(place, ThisProcess("worker"))
    assert not keeper.keep_segments(), "before anything is known"
    for seed in range(2):
        add(place, pdq(seed))
        keeper.round()
        assert not keeper.keep_segments()
    add(place, pdq(3))
    keeper.round()
    assert keeper.keep_segments()
    keeper.round()
    assert not keeper.keep_segments()


@pytest.mark.usefixtures("few")
def test_only_one_process_of_a_machine_builds(place: System) -> None:
    create(place)
    for seed in range(4):
        add(place, pdq(seed))
    keeper = Follower(place, ThisProcess("worker"))
    keeper.round()
    with place.index_folder.alone():
        assert not keeper.keep_segments()
    assert keeper.keep_segments()


@pytest.mark.usefixtures("few")
def test_a_bank_taken_out_and_put_back_is_found_again_without_building_anew(place: System) -> None:
    create(place)
    for seed in range(4):
        add(place, pdq(seed))
    keeper = Follower(place, ThisProcess("worker"))
    keeper.round()
    keeper.keep_segments()
    keeper.round()
    place.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    keeper.round()
    assert (len(place.known), finds(place, 0)) == (0, False)
    place.banks.change_bank("bank", banks.EnableBank(), actor=ACTOR)
    keeper.round()
    assert (len(place.known), finds(place, 0)) == (4, True)
    assert segments(place) == [4]
    assert isinstance(place.known.index, LayeredIndex)
    assert place.known.index.unsorted == 0


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("damage", ["bits", "another database"])
def test_segments_that_are_damaged_or_of_another_database_are_not_believed(place: System, damage: str) -> None:
    create(place)
    for seed in range(4):
        add(place, pdq(seed))
    keeper = Follower(place, ThisProcess("worker"))
    keeper.round()
    keeper.keep_segments()
    if damage == "bits":
        (path,) = place.index_folder.path.glob("*.segment")
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes(whole)
    else:
        with psycopg.connect(superuser(place.settings.data), autocommit=True) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute("update bank_change set token = gen_random_uuid()")
    other, follower = another(place)
    follower.round()
    assert all(finds(other, seed) for seed in range(4))
    assert segments(other) == []


def test_each_process_says_how_far_it_is(place: System) -> None:
    create(place)
    one, other = another(place)[1], another(place)[1]
    one.round()
    add(place, pdq(1))
    other.round()
    seen = place.processes.heard_of(within=timedelta(minutes=1))
    assert [(process.kind, process.ready_to, process.perceptual_signals) for process in seen] == [
        ("web", 1, 0),
        ("web", 2, 1),
    ]
    assert all(0 <= process.silent_seconds < 30 for process in seen)
    one.round()
    assert {process.ready_to for process in place.processes.heard_of(within=timedelta(minutes=1))} == {2}


def test_a_process_not_heard_of_is_not_shown_and_in_the_end_forgotten(place: System) -> None:
    another(place)[1].round()
    with psycopg.connect(superuser(place.settings.data), autocommit=True) as connection:
        connection.execute("update process set heard_at = now() - interval '10 minutes'")
    assert place.processes.heard_of(within=timedelta(minutes=1)) == []
    assert place.processes.forget_silent() == 0
    with psycopg.connect(superuser(place.settings.data), autocommit=True) as connection:
        connection.execute("update process set heard_at = now() - interval '2 hours'")
    assert place.processes.forget_silent() == 1


def test_silence_is_counted_from_the_last_time_everything_was_read_and_said(
    place: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    follower = Follower(place, ThisProcess("web"), clock)
    assert follower.silent_seconds is None
    follower.round()
    clock.now += 3
    assert follower.silent_seconds == 3

    def away(*_: object, **__: object) -> None:
        raise psycopg.OperationalError

    monkeypatch.setattr(place.processes, "say", away)
    clock.now += 1
    with pytest.raises(psycopg.OperationalError):
        follower.round()
    assert follower.silent_seconds == 4, "what could not be said to the others does not count"


@pytest.fixture
def listener(system: System) -> Iterator[Listener]:
    assert system.settings.database_url is not None
    made = Listener(system.settings.database_url, CHANNEL)
    made.wait(0.01)  # connected from here on
    yield made
    made.close()


def test_a_bank_change_wakes_whoever_listens(system: System, listener: Listener) -> None:
    assert not listener.wait(0.01)
    create(system)
    assert listener.wait(30)


def test_a_change_while_nobody_waited_is_heard_at_the_next_wait(system: System, listener: Listener) -> None:
    create(system)
    assert listener.wait(30)


def test_a_listener_whose_connection_is_cut_waits_the_interval_and_listens_again_later(system: System) -> None:
    assert system.settings.database_url is not None
    clock = Clock()
    made = Listener(system.settings.database_url, CHANNEL, clock)
    made.wait(0.01)
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' or query like 'LISTEN%'"
        )
    assert not made.wait(0.01)
    create(system)
    assert not made.wait(0.01), "not connected again yet"
    clock.now += 60
    assert not made.wait(0.01)
    create(system, "other")
    assert made.wait(30)
    made.close()


def test_a_listener_that_reaches_nothing_only_waits() -> None:
    made = Listener("host=127.0.0.1 port=1 dbname=none", CHANNEL)
    assert not made.wait(0.01)
    assert not made.wait(0.01)


def test_the_round_goes_on_after_the_database_was_away(place: System, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = Follower(place, ThisProcess("web"))
    stopping, faults = threading.Event(), iter([psycopg.OperationalError(), None, None])
    rounds = []

    def round_() -> None:
        rounds.append(1)
        fault = next(faults, None)
        if len(rounds) == 3:
            stopping.set()
        if fault:
            raise fault

    monkeypatch.setattr(follower, "round", round_)
    follower.for_ever(stopping.is_set)
    assert len(rounds) == 3


def test_a_change_of_a_million_labels_is_read_as_it_is(system: System) -> None:
    """The binary form that changes are read in: labels and hashes arrive in pairs, and removed ones apart."""
    create(system)
    made = [add(system, pdq(seed)) for seed in range(30)]
    for entry in made[:10]:
        system.banks.change_entry("bank", entry.id, DisableEntry(), actor=TWO)
    changes = system.banks.changes_after(None)
    assert changes is not None
    assert changes.whole
    assert sorted(map(bytes, changes.added_hashes)) == sorted(
        from_hex(pdq(seed).value).tobytes() for seed in range(10, 30)
    )
    assert len(changes.removed_labels) == 10
    assert changes.added_hashes.dtype == np.uint64
