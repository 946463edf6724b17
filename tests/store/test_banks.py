# SPDX-License-Identifier: Apache-2.0
"""Bank changes are numbered in commit order without gaps, all or none, and whoever follows them misses none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.two_people import Agreed
from holdfast.bootstrap import System
from holdfast.errors import (
    BankUnknown,
    EntryUnknown,
    HoldfastError,
    InvalidName,
    InvalidRequest,
    JournalConflict,
    Refused,
)
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match.bank import Action, BankState
from holdfast.match.entry import EntryState
from holdfast.match.index import LayeredIndex
from holdfast.match.known import Known
from holdfast.match.signal import Signal, SignalType
from holdfast.media.pdq import from_hex
from tests.conftest import superuser
from tests.store.making import ACTOR, STORIES, TWO, add, all_rows, create, found, insert_journal_row, md5, pdq, together

WRITERS, EACH = 6, 5


# --- numbers


def test_bank_changes_are_numbered_from_one_without_gaps(system: System) -> None:
    assert system.banks.newest_change() == 0
    create(system)
    assert system.banks.newest_change() == 1
    entry = add(system, pdq(1))
    system.banks.change_entry("bank", entry.id, entries.DisableEntry(), actor=TWO)
    system.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    assert system.banks.newest_change() == 4


def test_many_entries_added_at_once_are_one_change(system: System) -> None:
    create(system)
    system.banks.add_entries("bank", [((pdq(n), md5(n)), "tests") for n in range(1100)], actor=ACTOR)
    assert system.banks.newest_change() == 2
    assert all_rows(system)["journal"] == 1102, "and one search is owed for all of them"
    assert len(list(system.banks.entries("bank"))) == 1100
    system.known.follow()
    assert len(system.known) == 1100


def test_who_follows_while_many_write_sees_every_entry_exactly_once_and_in_order(system: System) -> None:
    create(system)
    first = system.banks.newest_level()
    steps: list[tuple[int, list[int]]] = []

    def write_some(writer: int) -> None:
        for number in range(EACH):
            add(system, pdq(100 * writer + number))

    def follow() -> None:
        level = first
        while level.number < 1 + WRITERS * EACH:
            changes = system.banks.changes_after(level)
            if changes is not None:
                assert changes.level.number > level.number
                assert not len(changes.removed_labels)
                assert not changes.whole
                steps.append((changes.level.number, list(changes.added_labels)))
                level = changes.level

    together([follow, *(lambda writer=writer: write_some(writer) for writer in range(WRITERS))])

    with connection.cursor() as cursor:
        cursor.execute(
            "select e.changed_in, s.id from entry e join entry_signal s on s.entry_id = e.id order by e.changed_in"
        )
        stored = cursor.fetchall()
    assert [number for number, _ in stored] == list(range(2, 2 + WRITERS * EACH))
    label_of = dict(stored)
    level = 1
    for number, labels in steps:
        assert sorted(labels) == sorted(label_of[one] for one in range(level + 1, number + 1))
        level = number
    assert level == system.banks.newest_change() == 1 + WRITERS * EACH


def test_of_many_that_create_the_same_bank_at_once_exactly_one_succeeds(system: System) -> None:
    def try_it() -> bool:
        try:
            create(system)
        except Refused:
            return False
        return True

    assert together([try_it] * 6).count(True) == 1
    assert system.banks.newest_change() == 1
    assert system.journal.last_version("bank:bank") == 1


# --- changes that fail


FAILING: dict[str, tuple[type[HoldfastError] | str, Callable[[System, str], object]]] = {
    "creating it again": ("bank.exists", lambda system, _: create(system)),
    "a name that cannot be": (InvalidName, lambda system, _: create(system, "no spaces")),
    "an empty meaning": (InvalidRequest, lambda system, _: create(system, "other", meaning=" ")),
    "a threshold beyond the highest": (InvalidRequest, lambda system, _: create(system, "other", threshold=65)),
    "a threshold below nothing": (InvalidRequest, lambda system, _: create(system, "other", threshold=-1)),
    "disabling an unknown bank": (
        BankUnknown,
        lambda system, _: system.banks.change_bank("nowhere", banks.DisableBank(), actor=TWO),
    ),
    "enabling an active bank": (
        "bank.not_in_this_state",
        lambda system, _: system.banks.change_bank("bank", banks.EnableBank(), actor=ACTOR),
    ),
    "an entry for an unknown bank": (BankUnknown, lambda system, _: add(system, pdq(2), name="nowhere")),
    "an entry without signals": (InvalidRequest, lambda system, _: add(system)),
    "an entry with one signal twice": (InvalidRequest, lambda system, _: add(system, pdq(2), pdq(2))),
    "an entry without provenance": (InvalidRequest, lambda system, _: add(system, pdq(2), provenance="")),
    "a good entry beside a bad one": (
        InvalidRequest,
        lambda system, _: system.banks.add_entries("bank", [((pdq(2),), "tests"), ((), "tests")], actor=ACTOR),
    ),
    "removing an unknown entry": (
        EntryUnknown,
        lambda system, _: system.banks.change_entry("bank", "ent_x", entries.RemoveEntry(because="x"), actor=TWO),
    ),
    "removing an entry of another bank": (
        EntryUnknown,
        lambda system, entry: system.banks.change_entry("empty", entry, entries.RemoveEntry(because="x"), actor=TWO),
    ),
    "removing without a reason": (
        InvalidRequest,
        lambda system, entry: system.banks.change_entry("bank", entry, entries.RemoveEntry(because=""), actor=TWO),
    ),
    "enabling an active entry": (
        "entry.not_in_this_state",
        lambda system, entry: system.banks.change_entry("bank", entry, entries.EnableEntry(), actor=ACTOR),
    ),
}


@pytest.mark.parametrize(("fault", "change"), FAILING.values(), ids=FAILING)
def test_a_change_that_fails_leaves_no_number_no_journal_row_and_no_entry(
    system: System, fault: type[HoldfastError] | str, change: Callable[[System, str], object]
) -> None:
    create(system)
    create(system, "empty")
    entry = add(system, pdq(1))
    system.known.follow()
    before, level = all_rows(system), system.banks.newest_level()
    with pytest.raises(HoldfastError if isinstance(fault, str) else fault) as failed:
        change(system, entry.id)
    if isinstance(fault, str):
        assert failed.value.stable_code == fault
    assert all_rows(system) == before
    assert system.banks.changes_after(level) is None


def test_a_text_that_the_database_cannot_hold_is_refused_in_words_and_changes_nothing(system: System) -> None:
    create(system)
    before = all_rows(system)
    for text in ("a\0b", "\0", "\ud800"):
        with pytest.raises(InvalidRequest):
            create(system, "other", meaning=text)
        with pytest.raises(InvalidRequest):
            add(system, pdq(1), provenance=text)
    assert all_rows(system) == before


def test_if_the_journal_cannot_be_written_neither_is_anything_else(system: System) -> None:
    create(system)
    entry = add(system, pdq(1))
    for subject, version in (("bank:bank", 2), (f"entry:{entry.id}", 2), ("bank:other", 1)):
        insert_journal_row(system.settings.data, subject, version)
    before = all_rows(system)
    with pytest.raises(JournalConflict):
        system.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    with pytest.raises(JournalConflict):
        system.banks.change_entry("bank", entry.id, entries.RemoveEntry(because="x"), actor=TWO)
    with pytest.raises(JournalConflict):
        create(system, "other")
    assert all_rows(system) == before
    assert system.banks.get("bank").state is BankState.ACTIVE
    assert found(system, pdq(1))


# --- what screening sees


def test_an_entry_is_found_once_it_was_added(system: System) -> None:
    create(system, threshold=20, action=Action.REVIEW)
    assert found(system, pdq(1)) == []
    entry = add(system, pdq(1), md5(1))
    near, equal = found(system, pdq(1)), found(system, md5(1))
    assert [(one.bank, one.entry, one.distance, one.threshold) for one in near] == [("bank", entry.id, 0, 20)]
    assert [(one.bank, one.entry, one.variant, one.threshold) for one in equal] == [("bank", entry.id, "bytes", 0)]
    assert {one.action for one in (*near, *equal)} == {Action.REVIEW}


def test_a_removed_entry_no_longer_matches_and_cannot_come_back(system: System) -> None:
    create(system)
    entry = add(system, pdq(1), md5(1))
    assert found(system, pdq(1))
    removed = system.banks.change_entry("bank", entry.id, entries.RemoveEntry(because="a mistake"), actor=TWO)
    assert removed.state is EntryState.REMOVED
    assert found(system, pdq(1)) == found(system, md5(1)) == []
    for command in (entries.EnableEntry(), entries.DisableEntry(), entries.RemoveEntry(because="again")):
        with pytest.raises(HoldfastError) as refused:
            system.banks.change_entry("bank", entry.id, command, actor=ACTOR)
        assert refused.value.stable_code == "entry.not_in_this_state"
    assert list(system.banks.entries("bank")) == []


def test_a_disabled_entry_does_not_match_until_it_is_enabled_again(system: System) -> None:
    create(system)
    entry = add(system, pdq(1), md5(1))
    system.banks.change_entry("bank", entry.id, entries.DisableEntry(), actor=TWO)
    assert found(system, pdq(1)) == found(system, md5(1)) == []
    assert [one.state for one in system.banks.entries("bank")] == [EntryState.DISABLED]
    system.banks.change_entry("bank", entry.id, entries.EnableEntry(), actor=ACTOR)
    assert found(system, pdq(1))
    assert found(system, md5(1))


def test_a_disabled_bank_does_not_match_until_it_is_enabled_again(system: System) -> None:
    create(system)
    entry = add(system, pdq(1), md5(1))
    off = add(system, pdq(2))
    system.banks.change_entry("bank", off.id, entries.DisableEntry(), actor=TWO)
    system.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    assert found(system, pdq(1)) == found(system, md5(1)) == []
    assert len(system.known) == 0
    system.banks.change_bank("bank", banks.EnableBank(), actor=ACTOR)
    assert [one.entry for one in found(system, pdq(1))] == [entry.id]
    assert found(system, pdq(2)) == [], "an entry that was disabled by itself stays so"


def test_an_entry_added_to_a_disabled_bank_matches_once_the_bank_is_enabled(system: System) -> None:
    create(system)
    system.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    add(system, pdq(1), md5(1))
    assert found(system, pdq(1)) == found(system, md5(1)) == []
    system.banks.change_bank("bank", banks.EnableBank(), actor=ACTOR)
    assert found(system, pdq(1))
    assert found(system, md5(1))


def test_an_entry_that_was_removed_can_be_added_anew(system: System) -> None:
    create(system)
    first = add(system, pdq(1))
    system.banks.change_entry("bank", first.id, entries.RemoveEntry(because="x"), actor=TWO)
    second = add(system, pdq(1))
    assert second.id != first.id
    assert [one.entry for one in found(system, pdq(1))] == [second.id]


def flipped(signal: Signal, bits: int) -> Signal:
    """The same hash with some bits the other way round."""
    return Signal(signal.type, f"{int(signal.value, 16) ^ ((1 << bits) - 1):064x}")


@pytest.mark.parametrize("threshold", [0, 1, 31, 64])
def test_a_hash_matches_up_to_the_threshold_of_its_bank_and_not_beyond(system: System, threshold: int) -> None:
    create(system, threshold=threshold)
    create(system, "wide", threshold=64)
    add(system, pdq(1))
    assert [one.distance for one in found(system, flipped(pdq(1), threshold))] == [threshold]
    assert found(system, flipped(pdq(1), threshold + 1)) == []


def test_one_upload_has_one_match_per_entry_with_the_nearest_of_its_hashes(system: System) -> None:
    create(system)
    entry = add(system, flipped(pdq(1), 9), flipped(pdq(1), 4), flipped(pdq(1), 20))
    assert [(one.entry, one.distance) for one in found(system, pdq(1))] == [(entry.id, 4)]


def test_a_digest_of_another_kind_with_the_same_digits_does_not_match(system: System) -> None:
    create(system)
    value = pdq(1).value
    add(system, Signal(SignalType.PDQ, value))
    assert system.banks.matches_equal([Signal(SignalType.SHA256, value)]) == []
    sha = add(system, Signal(SignalType.SHA256, value))
    assert [one.entry for one in system.banks.matches_equal([Signal(SignalType.SHA256, value)])] == [sha.id]


class Story:
    """Two banks of four pictures in names of their own, and what must be true of them after every change."""

    def __init__(self, system: System) -> None:
        run = uuid4().hex[:12]
        self.system = system
        self.names = [f"{run}-{number}" for number in (0, 1)]
        self.signals = [[pdq(int(run, 16) * 8 + 4 * bank + number) for number in range(4)] for bank in (0, 1)]
        self.banks: dict[int, BankState] = {}
        self.entries: dict[tuple[int, int], tuple[str, EntryState]] = {}
        self.follower = Known(LayeredIndex, system.banks)

    def create(self, bank: int, _: int) -> None:
        create(self.system, self.names[bank])
        self.banks[bank] = BankState.ACTIVE

    def disable_bank(self, bank: int, _: int) -> None:
        changed = self.system.banks.change_bank(self.names[bank], banks.DisableBank(), actor=TWO)
        self.banks[bank] = changed.state

    def enable_bank(self, bank: int, _: int) -> None:
        changed = self.system.banks.change_bank(self.names[bank], banks.EnableBank(), actor=ACTOR)
        self.banks[bank] = changed.state

    def add(self, bank: int, number: int) -> None:
        standing = self.entries.get((bank, number))
        if standing is None or standing[1] is EntryState.REMOVED:
            made = add(self.system, self.signals[bank][number], name=self.names[bank])
            self.entries[bank, number] = (made.id, made.state)

    def change(self, bank: int, number: int, command: entries.EntryCommand) -> None:
        if (bank, number) in self.entries:
            entry, _ = self.entries[bank, number]
            changed = self.system.banks.change_entry(self.names[bank], entry, command, actor=TWO)
            self.entries[bank, number] = (entry, changed.state)

    def disable(self, bank: int, number: int) -> None:
        self.change(bank, number, entries.DisableEntry())

    def enable(self, bank: int, number: int) -> None:
        self.change(bank, number, entries.EnableEntry())

    def remove(self, bank: int, number: int) -> None:
        self.change(bank, number, entries.RemoveEntry(because="test"))

    def follow(self, _: int, __: int) -> None:
        self.follower.follow()

    def check(self) -> None:
        """Whoever followed all along and whoever begins now know exactly the active entries of active banks."""
        expected = {
            entry
            for (bank, _), (entry, state) in self.entries.items()
            if self.banks[bank] is BankState.ACTIVE and state is EntryState.ACTIVE
        }
        newest = self.system.banks.newest_level()
        hashes = np.stack([from_hex(signal.value) for row in self.signals for signal in row])
        for known in (self.follower, Known(LayeredIndex, self.system.banks)):
            assert known.follow() == newest
            level, near = known.near(hashes)
            assert level == newest
            assert len({one.label for one in near}) == len(expected)
            matches = self.system.banks.matches_near([(one.label, "full.as_is", one.distance) for one in near])
            assert {match.entry for match in matches} == expected
        counted = {one.bank.name: one.entries for one in self.system.banks.all_banks()}
        for bank in self.banks:
            states = [state for (of, _), (_, state) in self.entries.items() if of == bank]
            assert counted[self.names[bank]] == states.count(EntryState.ACTIVE)


ACTS = (Story.create, Story.disable_bank, Story.enable_bank, Story.add, Story.disable, Story.enable, Story.remove)


@STORIES
@given(
    st.lists(
        st.tuples(st.sampled_from([*ACTS, Story.add, Story.follow]), st.integers(0, 1), st.integers(0, 3)),
        min_size=1,
        max_size=14,
    )
)
def test_memory_that_follows_any_changes_finds_exactly_the_active_entries_of_active_banks(
    system: System, acts: list[tuple[Callable[[Story, int, int], None], int, int]]
) -> None:
    story = Story(system)
    story.create(0, 0)
    for act, bank, number in acts:
        with suppress(Refused, BankUnknown):  # not in this state: then nothing has changed
            act(story, bank, number)
    story.check()


# --- in and out as files, and the story they leave


def test_changes_after_the_newest_are_none(system: System) -> None:
    assert system.banks.changes_after(system.banks.newest_level()) is None
    create(system)
    assert system.banks.changes_after(system.banks.newest_level()) is None


def test_a_database_set_back_that_reached_the_same_number_again_is_read_anew(system: System) -> None:
    """A restore loses changes; others then take their numbers. Only the token tells them apart."""
    create(system)
    lost = add(system, pdq(1))
    system.known.follow()
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("delete from bank_change where number = 2")
        connection.execute("delete from entry_signal where entry_id = %s", [lost.id])
        connection.execute("delete from entry where id = %s", [lost.id])
    kept = add(system, pdq(2))
    assert system.banks.newest_change() == system.known.ready_to == 2
    system.known.follow()
    _, near = system.known.near(np.stack([from_hex(pdq(1).value), from_hex(pdq(2).value)]))
    assert [(one.query, one.distance) for one in near] == [(1, 0)]
    assert [match.entry for match in system.banks.matches_near([(near[0].label, "", 0)])] == [kept.id]


def test_an_entry_is_told_once_for_each_picture_of_the_upload_the_nearest(system: System) -> None:
    create(system)
    add(system, pdq(1))
    system.known.follow()
    (near,) = system.known.near(from_hex(pdq(1).value).reshape(1, 4))[1]
    seen = [("full.as_is", 5), ("frame 1 full.as_is", 9), ("frame 1 nearest512.as_is", 3), ("frame 2 full.as_is", 99)]
    told = system.banks.matches_near([(near.label, variant, distance) for variant, distance in seen])
    assert {(one.frame, one.distance) for one in told} == {(0, 5), (1, 3)}


def test_an_empty_set_of_banks_is_loaded_too_so_that_answers_can_be_given(system: System) -> None:
    assert system.known.ready_to is None
    assert system.known.follow().number == 0
    assert system.known.ready_to == 0


def test_banks_are_listed_by_name_with_their_active_entries(system: System) -> None:
    create(system, "b")
    create(system, "a")
    add(system, pdq(1), name="b")
    off = add(system, pdq(2), name="b")
    system.banks.change_entry("b", off.id, entries.DisableEntry(), actor=TWO)
    assert [(one.bank.name, one.entries) for one in system.banks.all_banks()] == [("a", 0), ("b", 1)]


def test_the_journal_tells_the_whole_story_of_a_bank_and_its_entries(system: System) -> None:
    create(system)
    entry = add(system, pdq(1), provenance="  a list  ")
    system.banks.change_entry("bank", entry.id, entries.DisableEntry(), actor=Agreed("one"))
    system.banks.change_entry("bank", entry.id, entries.RemoveEntry(because="wrong"), actor=Agreed("two"))
    system.banks.change_bank("bank", banks.DisableBank(), actor=Agreed("three"))
    told = system.journal.read(f"entry:{entry.id}")
    assert [row.happened for row in told] == [
        entries.EntryAdded(bank="bank", signals=(pdq(1),), provenance="a list"),
        entries.EntryDisabled(),
        entries.EntryRemoved(because="wrong"),
    ]
    assert [row.actor for row in told] == [ACTOR, "proposal:one", "proposal:two"]
    state = None
    for row in told:
        state = entries.evolve_entry(state, entry.id, row.happened)
    assert state is not None
    assert state.state is EntryState.REMOVED
    rebuilt = None
    for row in system.journal.read("bank:bank"):
        rebuilt = banks.evolve_bank(rebuilt, row.happened)
    assert rebuilt == system.banks.get("bank")
