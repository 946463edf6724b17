# SPDX-License-Identifier: Apache-2.0
"""An import is nothing until it is published, everything at once then, and nothing again once rolled back."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.two_people import Wanted
from holdfast.bootstrap import System
from holdfast.errors import (
    BankUnknown,
    EntryUnknown,
    ImportUnknown,
    InvalidBankFile,
    InvalidRequest,
    Refused,
    SecondPersonNeeded,
)
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match import importing
from holdfast.match.bankfile import Form, read, write
from holdfast.match.bankline import BadLine, Line
from holdfast.match.importing import MOST_BAD_LINES, ImportState
from holdfast.match.index import LayeredIndex
from holdfast.match.known import Known
from holdfast.match.signal import Signal
from holdfast.match.vpdqfile import frames_text
from tests.match.frames import video
from tests.store.making import ACTOR, STORIES, TWO, add, all_rows, create, found, md5, pdq, together

if TYPE_CHECKING:
    from holdfast.store.imports import Taken

NONE = timedelta(0)
"""The patience of a worker that came much later."""


def lines(*signals: Signal, group: str = "") -> list[Line | BadLine]:
    return [Line(number, group, "", (one,)) for number, one in enumerate(signals, start=1)]


def run(
    system: System, what: Iterable[Line | BadLine], *, name: str = "bank", actor: str = ACTOR, ours: bool = False
) -> Taken:
    return system.imports.run(name, what, source="a.csv", provenance="a file", actor=actor, from_exchange=ours)


def by_two(system: System, what: Iterable[Line | BadLine], *, name: str) -> None:
    """Import, and let two people publish it if that weakens."""
    try:
        run(system, what, name=name)
    except SecondPersonNeeded as needed:
        wanted = cast("Wanted", needed.wanted)
        import_id = wanted.subject.removeprefix("import:")
        system.imports.publish_agreed(name, import_id, wanted.command.contents, actor=TWO)


def counted(system: System, name: str = "bank") -> int:
    """How many entries the list of banks says."""
    (summary,) = [one for one in system.banks.all_banks() if one.bank.name == name]
    return summary.entries


def state_of(system: System, import_id: str | None) -> ImportState:
    (one,) = [one for one in system.imports.of("bank") if one.found.id == import_id]
    return one.found.state


@pytest.fixture
def short(system: System, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  # Django is configured then
    """Batches of two lines."""
    monkeypatch.setattr("holdfast.store.staging.LINES", 2)


# --- visible at once, and not before


@pytest.mark.usefixtures("short")
def test_nothing_of_an_import_can_be_seen_while_it_is_staged(system: System) -> None:
    create(system)
    system.known.follow()
    fresh = Known(LayeredIndex, system.banks)
    seen: list[int] = []

    def look(taken: Taken) -> None:
        seen.append(taken.entries)
        assert found(system, md5(1)) == found(system, pdq(1)) == []
        assert counted(system) == 0
        assert list(system.banks.entries("bank")) == []
        assert system.banks.newest_change() == 1
        fresh.follow()
        assert len(fresh) == 0

    what = lines(md5(1), pdq(1), md5(2), pdq(2), md5(3))
    taken = system.imports.run("bank", what, source="a.csv", provenance="a file", actor=ACTOR, progress=look)
    assert seen == [2, 4, 5]
    assert system.banks.newest_change() == 2, "one short commit for all of it"
    assert found(system, md5(1))
    assert found(system, pdq(1))
    assert counted(system) == len(list(system.banks.entries("bank"))) == taken.entries == 5
    fresh.follow()
    assert len(fresh) == 2


@pytest.mark.usefixtures("short")
def test_the_journal_commits_to_what_was_published(system: System) -> None:
    create(system)
    signals = [pdq(2), md5(1), pdq(1)]
    taken = run(system, [*lines(*signals), BadLine(9, "input.line", "x")])
    text = "".join(sorted(f"{one.type} {one.value}\n" for one in signals))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert (taken.entries, taken.signals, taken.refused, taken.digest) == (3, 3, 1, digest)
    told = [row.happened for row in system.journal.read(f"import:{taken.id}")]
    assert told == [
        importing.ImportBegun(bank="bank", source="a.csv", from_exchange=False),
        importing.ImportPublished(entries=3, signals=3, refused=1, digest=digest),
    ]
    state = None
    for happened in told:
        state = importing.evolve_import(state, taken.id or "", happened)
    (summary,) = system.imports.of("bank")
    assert summary.found == state
    assert (summary.entries, summary.signals, summary.refused, summary.digest) == (3, 3, 1, digest)
    assert all_rows(system)["journal"] == 4, "and a search is owed"


@pytest.mark.usefixtures("short")
def test_an_import_that_is_rolled_back_is_gone_as_a_whole_and_stays_so(system: System) -> None:
    create(system)
    mine = add(system, md5(9))
    taken = run(system, lines(md5(1), pdq(1), md5(2)))
    assert taken.id
    system.known.follow()
    before = system.banks.newest_change()
    after = system.imports.roll_back("bank", taken.id, because="a wrong file", actor=TWO)
    assert after.state is ImportState.ROLLED_BACK
    assert system.banks.newest_change() == before + 1
    assert found(system, md5(1)) == found(system, pdq(1)) == []
    assert len(system.known) == 0
    assert [one.id for one in system.banks.entries("bank")] == [mine.id]
    assert counted(system) == 1
    with pytest.raises(Refused) as refused:
        system.imports.roll_back("bank", taken.id, because="again", actor=TWO)
    assert refused.value.stable_code == "import.not_in_this_state"
    assert system.banks.newest_change() == before + 1
    again = run(system, lines(md5(1), md5(2), md5(9)))
    assert (again.entries, again.refused) == (3, 0), "what was rolled back may come again"
    assert found(system, md5(1))


def test_an_entry_of_an_import_can_be_changed_by_itself_and_its_story_begins_there(system: System) -> None:
    create(system)
    taken = run(system, lines(md5(1), md5(2)))
    one, other = system.banks.entries("bank")
    dispute = entries.GiveOpinion(opinion=entries.Opinion.DISPUTED, because="not that")
    system.banks.change_entry("bank", one.id, dispute, actor=TWO)
    system.banks.change_entry("bank", one.id, entries.DisableEntry(), actor=TWO)
    assert [(row.version, row.happened.tag) for row in system.journal.read(f"entry:{one.id}")] == [
        (1, "bank.entry.opinion_given"),
        (2, "bank.entry.disabled"),
    ]
    assert found(system, one.signals[0]) == []
    assert found(system, other.signals[0])
    system.imports.roll_back("bank", taken.id or "", because="x", actor=TWO)
    with pytest.raises(EntryUnknown):
        system.banks.change_entry("bank", other.id, entries.DisableEntry(), actor=TWO)


# --- what the bank has already


@pytest.mark.usefixtures("short")
def test_an_import_stands_by_itself_and_leaves_out_only_what_stands_twice_in_its_file(system: System) -> None:
    create(system)
    add(system, md5(1))
    gone = add(system, md5(2))
    system.banks.change_entry("bank", gone.id, entries.RemoveEntry(because="x"), actor=TWO)
    taken = run(system, lines(md5(1), md5(3), md5(2), md5(3), md5(4), md5(3)))
    assert [(one.number, one.because) for one in taken.bad] == [
        (4, "the same signal stands earlier in the file"),
        (6, "the same signal stands earlier in the file"),
    ]
    assert (taken.entries, taken.signals, taken.refused) == (4, 4, 2)
    for number in (1, 2, 3, 4):
        assert len(found(system, md5(number))) == 1


def test_what_a_later_import_also_says_stays_when_an_earlier_one_is_rolled_back(system: System) -> None:
    create(system)
    first = run(system, lines(md5(1), pdq(1)))
    run(system, lines(md5(1), pdq(1), md5(2)))
    system.imports.roll_back("bank", first.id or "", because="superseded", actor=TWO)
    for one in (md5(1), pdq(1), md5(2)):
        assert len(found(system, one)) == 1


@pytest.mark.parametrize("off", [entries.DisableEntry(), entries.RemoveEntry(because="x")], ids=str)
def test_an_import_brings_back_what_was_taken_out_by_hand(system: System, off: entries.EntryCommand) -> None:
    create(system)
    mine = add(system, md5(1))
    run(system, lines(md5(2)))
    theirs = next(one for one in system.banks.entries("bank") if one.id != mine.id)
    for entry in (mine, theirs):
        system.banks.change_entry("bank", entry.id, off, actor=TWO)
    run(system, lines(md5(1)))
    assert found(system, md5(1))
    run(system, lines(md5(2)))
    assert found(system, md5(2)), "the same file again, for what it said counted no longer"
    assert run(system, lines(md5(2))).id is None


@pytest.mark.usefixtures("short")
def test_what_leaves_the_bank_while_a_file_is_staged_is_in_the_bank_once_it_is_published(system: System) -> None:
    create(system)
    first = run(system, lines(md5(1), pdq(1)))
    mine = add(system, md5(2), pdq(2))

    def undone() -> Iterator[Line | BadLine]:
        yield from lines(md5(1), pdq(1), md5(2), pdq(2))
        yield from lines(md5(3))
        system.imports.roll_back("bank", first.id or "", because="x", actor=TWO)
        system.banks.change_entry("bank", mine.id, entries.RemoveEntry(because="x"), actor=TWO)

    run(system, undone())
    for one in (md5(1), pdq(1), md5(2), pdq(2), md5(3)):
        assert len(found(system, one)) == 1


def test_what_many_imports_say_is_told_once_by_the_firmest_entry(system: System) -> None:
    create(system)
    create(system, "fine", kind=banks.BankKind.BENIGN, action=None)
    for name in ("bank", "fine"):
        for number in range(3):
            by_two(system, lines(md5(1), pdq(1), md5(10 + number)), name=name)
    dispute = entries.GiveOpinion(opinion=entries.Opinion.DISPUTED, because="not that")
    told = {(one.bank, one.entry) for same in (md5(1), pdq(1)) for one in found(system, same)}
    assert len(told) == 4
    for bank, entry in told:
        system.banks.change_entry(bank, entry, dispute, actor=TWO)
    for same in (md5(1), pdq(1)):
        opinions = [(one.bank, one.opinion) for one in found(system, same)]
        assert sorted(opinions) == [("bank", None), ("fine", entries.Opinion.DISPUTED)]


@pytest.mark.usefixtures("short")
def test_the_same_file_again_takes_nothing_and_nothing_of_it_stays(system: System) -> None:
    create(system)
    run(system, lines(md5(1), md5(2), md5(3)))
    before = all_rows(system)
    taken = run(system, [*lines(md5(3), md5(2), md5(1)), BadLine(2, "input.line", "x")])
    assert (taken.id, taken.entries, taken.signals, taken.refused, taken.digest) == (None, 0, 0, 4, None)
    assert [(one.number, one.code) for one in taken.bad] == [
        (1, "input.duplicate"),
        (2, "input.line"),
        (2, "input.duplicate"),
        (3, "input.duplicate"),
    ]
    while system.imports.abandon_stale() or all_rows(system)["entry"] > before["entry"]:
        pass
    # That it was tried stays in the journal.
    assert all_rows(system) == {**before, "bank_import": 2, "journal": before["journal"] + 2}
    assert {one.found.state for one in system.imports.of("bank")} == {ImportState.PUBLISHED, ImportState.ABANDONED}


def test_an_import_without_a_good_line_changes_nothing(system: System) -> None:
    create(system)
    before = all_rows(system)
    taken = run(system, [BadLine(2, "input.line", "x")])
    assert (taken.id, taken.entries, taken.refused) == (None, 0, 1)
    assert all_rows(system) == before


@pytest.mark.usefixtures("short")
def test_lines_of_one_group_make_one_entry_however_far_apart(system: System) -> None:
    create(system)
    what = [
        Line(1, "a", "first", (md5(1),)),
        *lines(md5(2), md5(3)),
        Line(4, "b", "", (md5(4),)),
        Line(5, "a", "second", (md5(1), md5(5))),
    ]
    run(system, what)
    told = {(frozenset(one.signals), one.provenance) for one in system.banks.entries("bank")}
    assert told == {
        (frozenset({md5(1), md5(5)}), "first"),
        (frozenset({md5(2)}), "a file"),
        (frozenset({md5(3)}), "a file"),
        (frozenset({md5(4)}), "a file"),
    }


def test_the_same_group_in_two_files_makes_two_entries(system: System) -> None:
    create(system)
    run(system, [Line(1, "a", "", (md5(1),))])
    run(system, [Line(1, "a", "", (md5(2),))])
    assert counted(system) == 2


def test_only_the_first_bad_lines_are_kept_and_all_are_counted(system: System) -> None:
    create(system)
    bad = [BadLine(number, "input.line", "x") for number in range(MOST_BAD_LINES + 5)]
    taken = run(system, [*bad, *lines(md5(1))])
    assert (len(taken.bad), taken.refused) == (MOST_BAD_LINES, MOST_BAD_LINES + 5)


def test_two_imports_of_the_same_file_at_once_do_not_make_every_entry_twice(system: System) -> None:
    create(system)
    what = lines(*map(md5, range(300)))
    together([lambda: run(system, what)] * 3)
    assert counted(system) == 300
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(distinct value) from entry_signal s join entry e on e.id = s.entry_id"
            " join bank_import i on i.id = e.import_id where i.state = 'published'"
        )
        assert cursor.fetchone() == (300, 300)


# --- what does not get to its end


@pytest.mark.usefixtures("short")
def test_a_file_that_breaks_in_the_middle_leaves_nothing_that_counts(system: System) -> None:
    create(system)

    def breaking() -> Iterator[Line | BadLine]:
        yield from lines(md5(1), md5(2), md5(3), md5(4))
        raise InvalidBankFile

    with pytest.raises(InvalidBankFile):
        run(system, breaking())
    (one,) = system.imports.of("bank")
    assert (one.found.state, one.entries) == (ImportState.ABANDONED, 4)
    assert counted(system) == 0
    assert found(system, md5(1)) == []
    with pytest.raises(ImportUnknown):
        system.imports.roll_back("bank", one.found.id, because="x", actor=TWO)
    assert run(system, lines(md5(1))).entries == 1


@pytest.mark.usefixtures("short")
def test_rows_of_an_abandoned_import_are_cleared_away_bit_by_bit(system: System) -> None:
    create(system)

    def breaking() -> Iterator[Line | BadLine]:
        yield from lines(md5(1), md5(2), md5(3), md5(4))
        raise InvalidBankFile

    with pytest.raises(InvalidBankFile):
        run(system, breaking())
    mine = add(system, md5(9))
    left = []
    for _ in range(3):
        assert system.imports.abandon_stale() == []
        left.append(all_rows(system)["entry"])
    assert left == [3, 1, 1]
    assert [one.id for one in system.banks.entries("bank")] == [mine.id]


_DYING = """
import os, sys
from holdfast.bootstrap import running
from holdfast.match.bankline import Line
from holdfast.match.signal import parse
from holdfast.settings import Settings

def told(taken):
    if taken.entries == 4:
        print("staged", flush=True)
        sys.stdin.read()

with running(Settings.from_environment()) as system:
    from holdfast.store import staging
    staging.LINES = 2
    what = [Line(n, "", "", (parse("md5", f"{n:031x}f"),)) for n in range(1, 9)]
    system.imports.run("bank", what, source="f", provenance="f", actor="cli:test", progress=told)
"""


def test_a_process_killed_between_batches_leaves_nothing_that_counts_and_is_abandoned_after_a_while(
    system: System,
) -> None:
    create(system)
    before = all_rows(system)
    environment = {**os.environ, "HOLDFAST_DATA": str(system.settings.data)}
    process = subprocess.Popen(
        [sys.executable, "-c", _DYING],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == b"staged\n"
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdin.close()
    process.stdout.close()
    (one,) = system.imports.of("bank")
    assert (one.found.state, one.entries) == (ImportState.STAGING, 4)
    assert system.banks.newest_change() == before["number"]
    assert counted(system) == 0
    assert list(system.banks.entries("bank")) == []
    assert found(system, Signal(md5(1).type, f"{1:031x}f")) == []
    assert system.imports.abandon_stale() == []
    assert system.imports.abandon_stale(NONE) == [one.found.id]
    assert state_of(system, one.found.id) is ImportState.ABANDONED
    assert [row.happened.tag for row in system.journal.read(f"import:{one.found.id}")] == [
        "bank.import.begun",
        "bank.import.abandoned",
    ]
    assert all_rows(system)["entry"] == 0


@pytest.mark.usefixtures("short")
def test_an_import_that_was_given_up_while_it_slept_does_not_go_on(system: System) -> None:
    create(system)

    def sleepy() -> Iterator[Line | BadLine]:
        yield from lines(md5(1), md5(2))
        assert len(system.imports.abandon_stale(NONE)) == 1
        yield from lines(md5(3), md5(4))

    with pytest.raises(Refused) as refused:
        run(system, sleepy())
    assert refused.value.stable_code == "import.not_in_this_state"
    assert counted(system) == 0


def test_an_import_whose_machine_has_a_wrong_clock_is_not_given_up(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(system)
    monkeypatch.setattr(system.imports, "_clock", lambda: datetime(2001, 1, 1, tzinfo=UTC))

    def watched() -> Iterator[Line | BadLine]:
        yield from lines(md5(1), md5(2))
        assert system.imports.abandon_stale() == []

    monkeypatch.setattr("holdfast.store.staging.LINES", 2)
    assert run(system, watched()).entries == 2


@pytest.mark.usefixtures("short")
def test_an_import_shows_signs_of_life_while_it_is_counted(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from holdfast.store import staging
    from holdfast.store.models import BankImportRow

    create(system)
    signs: list[datetime] = []
    count = staging.count

    def watched(import_id: str, alive: Callable[[], None]) -> tuple[int, int, str]:
        def look() -> None:
            alive()
            signs.append(BankImportRow.objects.get(id=import_id).touched_at)

        return count(import_id, look)

    monkeypatch.setattr(staging, "count", watched)
    run(system, lines(md5(1), md5(2), md5(3), md5(4)))
    assert len(set(signs)) == len(signs) == 3


# --- who may


def test_an_import_into_a_bank_that_is_not_there_reads_nothing_and_changes_nothing(system: System) -> None:
    before = all_rows(system)
    with pytest.raises(BankUnknown):
        run(system, lines(md5(1)), name="nowhere")
    with pytest.raises(BankUnknown):
        system.imports.of("nowhere")
    with pytest.raises(BankUnknown):
        system.imports.roll_back("nowhere", "imp_1", because="x", actor=TWO)
    assert all_rows(system) == before


def test_an_import_is_rolled_back_only_through_its_own_bank_and_with_a_reason(system: System) -> None:
    create(system)
    create(system, "other")
    taken = run(system, lines(md5(1)))
    before = all_rows(system)
    with pytest.raises(ImportUnknown):
        system.imports.roll_back("other", taken.id or "", because="x", actor=TWO)
    with pytest.raises(ImportUnknown):
        system.imports.roll_back("bank", "imp_x", because="x", actor=TWO)
    with pytest.raises(InvalidRequest):
        system.imports.roll_back("bank", taken.id or "", because=" ", actor=TWO)
    assert all_rows(system) == before


def test_what_an_exchange_keeps_is_written_by_the_exchange_or_by_hand_in_its_name(system: System) -> None:
    create(system, exchange="ncmec")
    before = all_rows(system)
    for attempt in (lambda: run(system, lines(md5(1))), lambda: add(system, md5(1))):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.stable_code == "bank.read_only"
    assert all_rows(system) == before
    theirs = run(system, lines(md5(1)), actor="exchange:ncmec")
    by_hand = run(system, lines(md5(2)), ours=True)
    with pytest.raises(Refused) as refused:
        system.imports.roll_back("bank", theirs.id or "", because="x", actor=TWO)
    assert refused.value.stable_code == "bank.read_only"
    system.imports.roll_back("bank", by_hand.id or "", because="x", actor=TWO)
    (entry,) = system.banks.entries("bank")
    for command in (entries.DisableEntry(), entries.RemoveEntry(because="x")):
        with pytest.raises(Refused):
            system.banks.change_entry("bank", entry.id, command, actor=ACTOR)
    dispute = entries.GiveOpinion(opinion=entries.Opinion.DISPUTED, because="x")
    assert system.banks.change_entry("bank", entry.id, dispute, actor=TWO).opinion is entries.Opinion.DISPUTED
    system.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    assert found(system, md5(1)) == []


# --- in and out


@pytest.mark.parametrize("form", Form)
def test_what_is_exported_and_imported_elsewhere_has_the_same_signals(system: System, form: Form) -> None:
    create(system)
    create(system, "copy")
    add(system, pdq(1), md5(1), provenance="a, list; of \"quotes\" & 'names' – ünï")
    off = add(system, md5(2))
    system.banks.change_entry("bank", off.id, entries.DisableEntry(), actor=TWO)
    gone = add(system, md5(3))
    system.banks.change_entry("bank", gone.id, entries.RemoveEntry(because="x"), actor=TWO)
    run(system, lines(pdq(4)))
    written = list(write(system.banks.entries("bank"), form, system.banks.get("bank")))
    assert run(system, read(written, form), name="copy").bad == []

    def told(name: str) -> set[tuple[frozenset[Signal], str]]:
        return {(frozenset(entry.signals), entry.provenance) for entry in system.banks.entries(name)}

    if form in (Form.CSV, Form.JSONL):
        assert told("copy") == told("bank")
        assert len(told("copy")) == 3
    else:
        assert {one for signals, _ in told("copy") for one in signals} == {pdq(1), md5(1), pdq(4)}


@STORIES
@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=4), st.lists(st.booleans(), max_size=4))
def test_after_any_imports_and_roll_backs_a_signal_matches_once_as_long_as_one_import_says_it(
    system: System, files: list[list[int]], rolled_back: list[bool]
) -> None:
    name = f"story-{system.banks.newest_change()}"
    create(system, name)
    standing: list[set[int]] = []
    taken = [run(system, lines(*map(md5, file)), name=name) for file in files]
    for number, file in enumerate(files):
        assert (taken[number].id is None) == (not file or set(file) in map(set, files[:number]))
        if taken[number].id and number < len(rolled_back) and rolled_back[number]:
            system.imports.roll_back(name, taken[number].id or "", because="x", actor=TWO)
        elif taken[number].id:
            standing.append(set(file))
    for number in range(10):
        here = [one for one in found(system, md5(number)) if one.bank == name]
        assert len(here) == any(number in file for file in standing)
    assert counted(system, name) == sum(map(len, standing))


# --- videos


def test_a_video_of_python_threatexchange_is_imported_matches_and_goes_out_again(system: System) -> None:
    create(system)
    frames = video(range(1000, 1010))
    listed = [f"vpdq {frames_text(frames)}\n", f"pdq {pdq(1).value}\n"]
    taken = run(system, read(listed, Form.TXT))
    assert (taken.entries, taken.signals, taken.refused) == (2, 11, 0)
    assert {frozenset(entry.signals) for entry in system.banks.entries("bank")} == {
        frozenset(frames),
        frozenset({pdq(1)}),
    }
    for form in Form:
        lines_out = list(write(system.banks.entries("bank"), form, system.banks.get("bank")))
        signals = {signal for line in read(lines_out, form) if isinstance(line, Line) for signal in line.signals}
        assert signals == {*frames, pdq(1)}


def test_videos_that_share_frames_are_imported_whole(system: System, short: None) -> None:  # noqa: ARG001
    create(system)
    one, other = video([1, 2, 3]), video([1, 2, 4])
    taken = run(system, read([f"vpdq {frames_text(some)}\n" for some in (one, other, one)], Form.TXT))
    assert (taken.entries, taken.signals) == (3, 9)


def test_the_digest_of_an_import_commits_to_the_times_of_frames(system: System) -> None:
    create(system)
    digests = set()
    for step in (1000, 2000):
        taken = run(system, read([f"vpdq {frames_text(video([1, 2, 3], step))}\n"], Form.TXT))
        digests.add(taken.digest)
    assert len(digests) == 2
    text = "".join(sorted(f"vpdq {one.value},{one.frame.number},{one.frame.at_ms},100\n" for one in video([1, 2, 3])))  # type: ignore[union-attr]
    assert hashlib.sha256(text.encode()).hexdigest() in digests
    assert run(system, read([f"vpdq {frames_text(video([1, 2, 3]))}\n"], Form.TXT)).id is None


def test_a_batch_ends_where_it_would_hold_too_many_frames(monkeypatch: pytest.MonkeyPatch, system: System) -> None:
    assert system
    monkeypatch.setattr("holdfast.store.staging._MOST_SIGNALS", 5)
    from holdfast.store import staging

    some = [Line(number, "", "", video([1, 2, 3])) for number in range(5)]
    assert [len(batch) for batch in staging.batches(some)] == [2, 2, 1]
