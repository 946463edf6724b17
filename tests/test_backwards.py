# SPDX-License-Identifier: Apache-2.0
"""What a bank begins to match is looked for in the archive at once: all of it is found, once, and only then blocked."""

from __future__ import annotations

import dataclasses
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.two_people import Actor
from holdfast.backwards import Backwards
from holdfast.bootstrap import System
from holdfast.later import TakenOver
from holdfast.match import wanted
from holdfast.match.backwards import SearchProven, SearchState, WithdrawSearch, search_subject
from holdfast.match.bank import Action, Bank, BankKind, ChangeAction, ChangeThreshold, DisableBank, EnableBank
from holdfast.match.bankline import Line
from holdfast.match.entry import DisableEntry, EnableEntry, RemoveEntry
from holdfast.match.found_copies import FoundCopy
from holdfast.match.sheet import Sheet
from holdfast.match.signal import InVideo, Signal, SignalType
from holdfast.match.wanted import Near, Wanted
from tests.archived import (
    TINY,
    brute_force,
    carry_out,
    copies,
    empty,
    fill,
    flipped,
    keep_sheets,
    searching,
    the_search,
    with_folder,
    with_searches,
)
from tests.store.making import ACTOR, NOW, STORIES, TWO, add, create, md5, pdq

OVER = timedelta(seconds=-1)
"""A lease that is over at once."""


@pytest.fixture
def place(system: System, tmp_path: Path) -> System:
    """The system with a folder of sheets of its own."""
    return with_folder(system, tmp_path / "sheets")


# --- what is found


def test_what_was_screened_before_its_picture_was_known_is_found_and_the_entry_blocked(place: System) -> None:
    fill([("a", [pdq(1), pdq(2)]), ("b", [pdq(3)]), ("c", [md5(4)]), ("d", [md5(5), pdq(6)])])
    create(place)
    entry = add(place, flipped(pdq(2), 20), md5(4))
    carry_out(place)
    found = copies(place, entry.id)
    assert {(one.content, one.entry, one.signal, one.distance, one.verdict) for one in found} == {
        ("a", entry.id, SignalType.PDQ, 20, "no_match"),
        ("c", entry.id, SignalType.MD5, 0, "no_match"),
    }
    search_id, search = the_search(place, entry.id)
    assert (search.items, search.copies) == (4, 2)
    told = [one.happened.tag for one in place.journal.read(search_subject(search_id))]
    assert told == [f"archive.search.{word}" for word in ("owed", "begun", "found", "ended", "proven", "shown")]


@st.composite
def archives(draw: st.DrawFn) -> tuple[int, list[list[Signal]], list[list[Signal]]]:
    """A threshold, entries, and items: strangers, pictures near an entry by so many bits, and equal digests."""
    threshold = draw(st.integers(0, 64))
    kinds = st.sampled_from([[pdq], [md5], [pdq, md5], [pdq, pdq]])
    seeds = iter(range(10_000))
    entries = [[make(next(seeds)) for make in draw(kinds)] for _ in range(draw(st.integers(1, 4)))]
    signals = [signal for entry in entries for signal in entry]
    items = []
    for _ in range(draw(st.integers(0, 12))):
        item: list[Signal] = []
        for bits in draw(st.lists(st.integers(-1, threshold + 2), max_size=3)):
            like = signals[draw(st.integers(0, len(signals) - 1))]
            near = like if like.type.is_exact else flipped(like, max(bits, 0), draw(st.integers(0, 256 - 70)))
            item.append(pdq(next(seeds)) if bits < 0 else near)
        items.append([one for one in item if one.type is SignalType.PDQ] + [x for x in item if x.type.is_exact][:1])
    return threshold, entries, items


@STORIES
@given(case=archives(), covered=st.integers(0, 12), many=st.booleans(), at_once=st.integers(1, 5))
def test_it_finds_what_looking_at_every_pair_finds_whatever_lies_in_sheets(
    place: System, *, case: tuple[int, list[list[Signal]], list[list[Signal]]], covered: int, many: bool, at_once: int
) -> None:
    threshold, entries, items = case
    named = [(f"post-{number}", signals) for number, signals in enumerate(items)]
    empty()
    place.archive_folder.clear()
    fill(named[:covered])
    keep_sheets(place)
    fill(named[covered:])
    bank = f"bank-{uuid4().hex}"
    create(place, bank, threshold=threshold)
    added = place.banks.add_entries(bank, [(tuple(one), "tests") for one in entries], actor=ACTOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wanted, "MOST_COMPARED", 0 if many else 10**9)
        carry_out(place, seconds=0, most_signals=at_once, piece=2)
    expected = brute_force({one.id: one.signals for one in added}, named, threshold)
    assert {one.content: one.distance for one in copies(place)} == expected


def test_a_known_video_says_how_many_of_its_frames_an_item_shows(place: System) -> None:
    frames = [Signal(SignalType.VPDQ, pdq(number).value, InVideo(number, 1000 * number, 90)) for number in range(5)]
    fill([("film", [pdq(0), pdq(1), pdq(3)]), ("title", [pdq(4)]), ("other", [pdq(9)])])
    create(place)
    add(place, *frames)
    carry_out(place)
    assert {(one.content, one.signals) for one in copies(place)} == {("film", 3), ("title", 1)}


@pytest.mark.parametrize("at_once", [100, 1])
def test_an_item_is_found_once_by_the_nearest_of_several_entries(place: System, at_once: int) -> None:
    fill([("a", [pdq(1)])])
    create(place)
    items = [((flipped(pdq(1), bits),), "tests") for bits in (20, 3, 9)]
    added = place.banks.add_entries("bank", items, actor=ACTOR)
    carry_out(place, most_signals=at_once)
    (found,) = copies(place)
    assert (found.entry, found.distance) == (added[1].id, 3)


def test_what_was_forgotten_is_not_found_though_it_still_lies_in_a_sheet(place: System) -> None:
    fill([("old", [pdq(1)])], at=NOW - timedelta(days=91))
    fill([("new", [pdq(1)])])
    keep_sheets(place)
    assert place.archive.forget_old(NOW - timedelta(days=90)) == 1
    create(place)
    add(place, pdq(1))
    carry_out(place)
    assert [one.content for one in copies(place)] == ["new"]


def test_what_is_screened_after_it_began_is_left_to_screening(place: System) -> None:
    fill([(f"post-{number}", [pdq(number)]) for number in range(6)])
    create(place)
    add(place, pdq(1))
    with searching(place, seconds=0, piece=1) as backwards:
        backwards.round()
        fill([("later", [pdq(1)])])
        while backwards.round():
            pass
    assert [one.content for one in copies(place)] == ["post-1"]


# --- whatever became of the sheets


@pytest.mark.parametrize("fault", ["gone", "damaged", "foreign", "another cluster", "of before"])
def test_sheets_that_are_not_right_cost_time_and_no_copy(place: System, fault: str) -> None:
    from holdfast.store.models import ArchiveMarkRow

    items = [(f"post-{number}", [pdq(number)]) for number in range(20)]
    fill(items)
    keep_sheets(place)
    folder = place.archive_folder.path
    if fault == "gone":
        shutil.rmtree(folder)
    elif fault == "damaged":
        for path in folder.glob("*.sheet"):
            path.write_bytes(path.read_bytes()[:-9] + bytes(9))
    elif fault == "foreign":
        ArchiveMarkRow.objects.all().delete()
    elif fault == "another cluster":
        ArchiveMarkRow.objects.update(cluster="7")
        text = (folder / "manifest.json").read_text()
        (folder / "manifest.json").write_text(text.replace('"cluster": "', '"cluster": "9'))
    else:
        empty()
        fill(items)
    place = with_folder(place, folder)
    create(place)
    add(place, pdq(3), flipped(pdq(17), 30))
    carry_out(place)
    assert {one.content for one in copies(place)} == {"post-3", "post-17"}


def test_rows_that_a_restore_brought_with_numbers_of_another_cluster_are_found(place: System) -> None:
    from django.db import connection

    fill([("a", [pdq(1)]), ("b", [pdq(2)])])
    keep_sheets(place)
    with connection.cursor() as cursor:
        cursor.execute("update archive set xact = '9000000000000'::xid8 where content_id = 'a'")
    create(place)
    add(place, pdq(1))
    carry_out(place)
    assert [one.content for one in copies(place)] == ["a"]


def test_a_search_that_was_restored_into_another_cluster_begins_anew(place: System) -> None:
    from holdfast.store.models import ArchiveSearchRow

    fill([(f"post-{number}", [pdq(1)]) for number in range(5)])
    create(place)
    add(place, pdq(1))
    short = with_searches(place, lease=OVER)
    with searching(short, seconds=0, piece=1) as backwards:
        backwards.round()
        backwards.round()
    ArchiveSearchRow.objects.update(cluster="7", place_xact=9_000_000_000_000, upto=9_000_000_000_001)
    carry_out(short)
    assert len(copies(short)) == 5


# --- what owes a search


def test_nothing_is_owed_for_a_bank_that_stops_nothing(place: System) -> None:
    create(place, "watched", action=Action.IGNORE)
    add(place, pdq(1), name="watched")
    create(place, "benign", kind=BankKind.BENIGN)
    place.banks.add_entries("benign", [((pdq(2),), "tests")], actor=TWO)
    create(place, "off")
    place.banks.change_bank("off", DisableBank(), actor=TWO)
    add(place, pdq(3), name="off")
    assert place.search_desk.recent() == []


@pytest.mark.parametrize(
    ("made", "changes"),
    [
        ({"action": Action.IGNORE}, [(ChangeAction(action=Action.REVIEW, because="x"), ACTOR)]),
        ({"threshold": 5}, [(ChangeThreshold(threshold=31, because="x"), TWO)]),
        ({}, [(DisableBank(), TWO), (EnableBank(), ACTOR)]),
    ],
    ids=["made to stop things", "made wider", "switched on"],
)
def test_a_bank_that_begins_to_match_more_is_searched_for_as_a_whole(
    place: System, made: dict[str, Any], changes: Sequence[tuple[Any, Actor]]
) -> None:
    create(place, **made)
    add(place, pdq(1)), add(place, md5(2))
    carry_out(place)
    fill([("a", [flipped(pdq(1), 30)]), ("b", [md5(2)])])
    for command, actor in changes:
        place.banks.change_bank("bank", command, actor=actor)
    _, search = the_search(place)
    assert (search.target.entries, search.target.bank_import, search.target.count) == ((), None, 2)
    carry_out(place)
    assert {one.content for one in copies(place)} == {"a", "b"}


def test_an_entry_that_is_put_back_is_searched_for(place: System) -> None:
    create(place)
    entry = add(place, pdq(1))
    carry_out(place)
    place.banks.change_entry("bank", entry.id, DisableEntry(), actor=TWO)
    fill([("meanwhile", [pdq(1)])])
    place.banks.change_entry("bank", entry.id, EnableEntry(), actor=ACTOR)
    carry_out(place)
    assert [one.content for one in copies(place, entry.id)] == ["meanwhile"]


def test_an_import_owes_one_search_however_much_it_brings(place: System) -> None:
    create(place)
    fill([("a", [pdq(7)]), ("b", [md5(8)]), ("c", [pdq(99)])])
    lines = [Line(number, "", "", ((pdq if number % 2 else md5)(number),)) for number in range(40)]
    taken = place.imports.run("bank", lines, source="a.csv", provenance="p", actor=ACTOR)
    (item,) = place.search_desk.recent()
    assert (item.search.target.bank_import, item.search.target.count) == (taken.id, 40)
    carry_out(place, most_signals=9)
    assert {one.content for one in copies(place)} == {"a", "b"}
    (entry, *_) = place.banks.entries("bank")
    assert the_search(place, entry.id)[0] == item.id, "whoever asks about one of its entries is told of it"


def test_a_bank_change_that_fails_owes_nothing(place: System) -> None:
    from holdfast.errors import InvalidRequest

    create(place)
    with pytest.raises(InvalidRequest):
        place.banks.add_entries("bank", [((pdq(1),), "tests"), ((), "tests")], actor=ACTOR)
    assert place.search_desk.recent() == []


# --- dying, going on, and two at once


class Looked:
    """Which items were looked at, how often."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.times: Counter[str] = Counter()
        near = Wanted.near

        def seen(mine: Wanted, sheet: Sheet, begin: int, end: int) -> Near:
            self.times.update(sheet.screening(item) for item in range(begin, end))
            return near(mine, sheet, begin, end)

        patch.setattr(Wanted, "near", seen)


@pytest.mark.parametrize("sheets", [True, False])
def test_whoever_goes_on_looks_at_nothing_again_and_finds_nothing_twice(
    place: System, monkeypatch: pytest.MonkeyPatch, *, sheets: bool
) -> None:
    if sheets is False:
        monkeypatch.setattr("holdfast.store.archive_rows.CHUNK", 3)
    screenings = fill([(f"post-{number}", [pdq(number % 3)]) for number in range(17)])
    if sheets:
        keep_sheets(place)
    create(place)
    add(place, pdq(0), md5(1))
    handed: list[str] = []

    def found(search: str, bank: Bank, copies: Sequence[FoundCopy], *, at: datetime) -> None:
        assert (search[:3], bank.name, at.tzinfo is not None) == ("bws", "bank", True)
        handed.extend(one.content for one in copies)

    looked, short = Looked(monkeypatch), with_searches(place, lease=OVER, found=found)
    steps = 0
    while the_search(short)[1].state in (SearchState.OWED, SearchState.RUNNING):
        with searching(short, seconds=0, piece=1) as somebody_new:
            assert somebody_new.round()
        steps += 1
    assert steps > 10
    assert set(looked.times) == set(screenings.values())
    assert set(looked.times.values()) == {1}
    carry_out(short)
    expected = sorted(f"post-{number}" for number in range(0, 17, 3))
    assert sorted(handed) == expected == sorted(one.content for one in copies(short))


def test_a_step_that_fails_at_its_end_is_done_again_and_hands_nothing_on_twice(place: System) -> None:
    fill([(f"post-{number}", [pdq(0)]) for number in range(6)])
    create(place)
    add(place, pdq(0))
    handed: list[str] = []
    broken = [True, False] * 20

    def found(search: str, bank: Bank, copies: Sequence[FoundCopy], *, at: datetime) -> None:  # noqa: ARG001
        if broken.pop(0):
            raise ZeroDivisionError
        handed.extend(one.content for one in copies)

    short = with_searches(place, lease=OVER, found=found)
    pause = dataclasses.replace(short)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("holdfast.backwards._PAUSE", OVER)
        carry_out(pause, seconds=0, piece=1)
    assert sorted(handed) == sorted(f"post-{number}" for number in range(6))
    assert len(copies(short)) == 6


def test_what_one_worker_holds_another_leaves_alone_until_its_lease_is_over(place: System) -> None:
    from holdfast.store.searches import Step

    create(place)
    add(place, pdq(1))
    short = with_searches(place, lease=OVER)
    late = short.searches.take({})
    assert late is not None
    held = place.searches.take({})
    assert held is not None, "the lease of the first is over"
    assert place.searches.take({}) is None
    with searching(place) as other:
        assert not other.round()
    step = Step(place=late.place, looked_at=0, after=0)
    for say in (
        lambda: place.searches.begin(late, items=1, upto=late.upto, cluster=""),
        lambda: place.searches.advance(late, step),
        lambda: place.searches.prove(late, WithdrawSearch()),
        lambda: place.searches.put_back(late, "late", OVER),
    ):
        with pytest.raises(TakenOver):
            say()
    assert the_search(place)[1].state is SearchState.OWED
    again = place.searches.take({held.id: held.taking})
    assert again is not None
    assert again.taking == held.taking, "whoever holds it goes on"


def test_a_search_for_one_entry_does_not_wait_for_one_for_many(place: System) -> None:
    fill([(f"post-{number}", [pdq(number)]) for number in range(6)])
    create(place)
    lines = [Line(number, "", "", (pdq(100 + number),)) for number in range(30)]
    place.imports.run("bank", lines, source="a.csv", provenance="p", actor=ACTOR)
    with searching(place, seconds=0, piece=1) as backwards:
        for _ in range(3):
            assert backwards.round()
        entry = add(place, pdq(2))
        while the_search(place, entry.id)[1].state is not SearchState.BLOCKED:
            assert backwards.round()
        states = {item.search.target.count: item.search.state for item in place.search_desk.recent()}
        assert states == {1: SearchState.BLOCKED, 30: SearchState.RUNNING}
        while backwards.round():
            pass
    assert {item.search.state for item in place.search_desk.recent()} == {SearchState.BLOCKED}


def test_an_answer_that_was_begun_before_the_entry_and_written_after_it_is_waited_for(place: System) -> None:
    """Its statement looked at the banks before the entry was there: neither screening nor a hasty search would tell."""
    from holdfast.store import archive_rows

    url = place.settings.database_url
    assert url
    create(place)
    slow = """
        with gate as materialized (select pg_advisory_lock(77))
        insert into archive (screening, content_id, content_version, surface, verdict, md5, sha1, sha256, hashes, at)
        select 'scr_slow', 'slow', '1', 's', 'no_match', %s, '', '', '', now() from gate
    """

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(slow, [bytes.fromhex(md5(1).value)])

    with psycopg.connect(url, autocommit=True) as gate:
        gate.execute("select pg_advisory_lock(77)")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            while not archive_rows.writers():
                threading.Event().wait(0.01)
            entry = add(place, md5(1))
            with searching(place) as backwards:
                assert backwards.round()
                backwards.round()
                assert the_search(place, entry.id)[1].state is SearchState.OWED
                gate.execute("select pg_advisory_unlock(77)")
                writer.join()
                while the_search(place, entry.id)[1].state is not SearchState.BLOCKED:
                    backwards.round()  # it is put back for a second, so that others come first
        finally:
            gate.close()
            writer.join()
    assert [one.content for one in copies(place, entry.id)] == ["slow"]


# --- what no longer counts


def test_what_left_the_bank_before_it_was_found_is_withdrawn_and_finds_nothing(place: System) -> None:
    fill([(f"post-{number}", [pdq(1)]) for number in range(6)])
    create(place)
    entry = add(place, pdq(1))
    short = with_searches(place)
    with searching(short, seconds=0, piece=1) as backwards:
        for _ in range(3):
            backwards.round()
        before = the_search(place)[1].copies
        short.banks.change_entry("bank", entry.id, RemoveEntry(because="x"), actor=TWO)
        while backwards.round():
            pass
    _, search = the_search(place)
    assert (search.state, search.copies) == (SearchState.WITHDRAWN, before)
    assert before < 6


def test_of_many_entries_only_those_that_still_count_find_anything(place: System) -> None:
    fill([(f"post-{number}", [pdq(number)]) for number in range(6)])
    create(place)
    first, second = place.banks.add_entries("bank", [((pdq(4),), "t"), ((pdq(5),), "t")], actor=ACTOR)
    with searching(place, seconds=0, piece=1) as backwards:
        place.banks.change_entry("bank", first.id, DisableEntry(), actor=TWO)
        while backwards.round():
            pass
    assert [(one.content, one.entry) for one in copies(place)] == [("post-5", second.id)]


# --- proof


def test_what_is_not_found_when_it_is_looked_up_is_not_blocked_and_somebody_is_alarmed(place: System) -> None:
    create(place)
    entry = add(place, pdq(1))
    place.known.follow()
    place.known.index.clear()  # level, and yet without it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("holdfast.prove_blocked.AGAIN", OVER)
        with Running(place) as backwards:
            for _ in range(6):
                backwards.round()
            search_id, search = the_search(place, entry.id)
            assert search.state is SearchState.UNPROVEN
            (alarm,) = place.alarms.standing(limit=10)
            assert (alarm.alarm.kind, alarm.alarm.about) == ("search_unproven", search_subject(search_id))
            create(place, "another")  # after which the memory is followed, and the index is still without it
            place.known.adopt(*whole(place))
            while backwards.round():
                pass
    assert the_search(place, entry.id)[1].state is SearchState.BLOCKED
    assert place.alarms.standing(limit=10) == []


def whole(system: System) -> Any:
    """Everything the banks hold, as a process that starts would load it."""
    from holdfast.match.index import LayeredIndex

    changes = system.banks.changes_after(None)
    assert changes is not None
    index = LayeredIndex()
    index.add(changes.added_labels, changes.added_hashes)
    return index, changes.level, changes.radius


class Running:
    """Whoever carries searches out, with the memory as it is."""

    def __init__(self, system: System) -> None:
        self._backwards = Backwards(system)

    def __enter__(self) -> Backwards:
        return self._backwards

    def __exit__(self, *_: object) -> None:
        self._backwards.close()


def test_in_shadow_mode_nothing_is_said_to_be_blocked(place: System) -> None:
    settings = place.settings.model_copy(update={"shadow": True})
    shadowed = dataclasses.replace(place, settings=settings)
    create(place)
    entry = add(place, pdq(1))
    carry_out(shadowed)
    item = place.search_desk.recent(entry=entry.id)[0]
    assert (item.search.state, item.fault) == (SearchState.SEARCHED, "shadow_mode")


def test_the_proof_says_what_was_looked_up_and_where(place: System) -> None:
    create(place)
    add(place, pdq(1), pdq(2), md5(3))
    carry_out(place)
    proof = place.search_desk.get(the_search(place)[0]).proof
    assert proof == SearchProven(entries=1, over_http=0, list_version=place.banks.newest_change())


# --- who hears of it


def test_found_copies_alarm_somebody_until_something_is_done_about_them(place: System) -> None:
    fill([("a", [pdq(1)])])
    create(place)
    add(place, pdq(1))
    carry_out(place)
    (alarm,) = place.alarms.standing(limit=10)
    assert (alarm.alarm.kind, alarm.alarm.owner) == ("copies_found", "trust-and-safety")
    assert alarm.alarm.about == search_subject(the_search(place)[0])


def test_a_search_that_is_late_alarms_its_owner_once_and_is_cleared_when_it_ends(place: System) -> None:
    create(place)
    add(place, pdq(1))
    _, search = the_search(place)
    assert place.searches.mark_late(search.due - timedelta(seconds=1)) == []
    assert place.searches.mark_late(search.due) == [the_search(place)[0]]
    assert place.searches.mark_late(search.due) == []
    assert [one.alarm.kind for one in place.alarms.standing(limit=10)] == ["search_late"]
    carry_out(place)
    assert place.alarms.standing(limit=10) == []


def test_every_table_agrees_with_the_journal_afterwards_and_a_copy_that_is_gone_is_noticed(place: System) -> None:
    from holdfast.store.fsck import checks, run
    from holdfast.store.models import ArchiveHitRow

    fill([("a", [pdq(1)]), ("b", [pdq(2)])])
    create(place)
    for seed in (1, 2, 3):
        add(place, pdq(seed))
    carry_out(place)
    assert [one.first for one in run(checks(place.journal.sealer)) if one.first] == []
    ArchiveHitRow.objects.filter(content_id="a").delete()
    (found,) = [one.first for one in run(checks(place.journal.sealer)) if one.first]
    assert (found.table, found.column, found.journal, found.found) == ("archive_search", "hits", 1, 0)


def test_it_is_woken_by_a_bank_change_and_stops_when_told(place: System) -> None:
    from django.db import connections

    from holdfast.keep_archive import ArchiveKeeper

    create(place)
    place.known.follow()
    stopping = threading.Event()
    keeper = ArchiveKeeper(place.archive_folder, sizes=TINY)
    connections.close_all()
    thread = threading.Thread(target=Backwards(place).for_ever, args=(keeper, stopping.is_set))
    thread.start()
    try:
        fill([("a", [pdq(1)])])
        entry = add(place, pdq(1))
        while the_search(place, entry.id)[1].state is not SearchState.BLOCKED:
            threading.Event().wait(0.01)
    finally:
        stopping.set()
        thread.join(30)
    assert not thread.is_alive()
    assert [one.content for one in copies(place, entry.id)] == ["a"]
