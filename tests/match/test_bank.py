# SPDX-License-Identifier: Apache-2.0
"""A bank and its entries change only along their transition tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidName, InvalidRequest, Refusal
from holdfast.log.event import Event
from holdfast.match import bank as banks
from holdfast.match.bank import (
    BANK_TRANSITIONS,
    ENTRY_TRANSITIONS,
    HIGHEST_THRESHOLD,
    LONGEST_TEXT,
    Action,
    AddEntry,
    Bank,
    BankCommand,
    BankCreated,
    BankDisabled,
    BankEnabled,
    BankState,
    CreateBank,
    DisableBank,
    DisableEntry,
    EnableBank,
    EnableEntry,
    Entry,
    EntryAdded,
    EntryCommand,
    EntryDisabled,
    EntryEnabled,
    EntryRemoved,
    EntryState,
    RemoveEntry,
    decide_bank,
    decide_entry,
    evolve_bank,
    evolve_entry,
)
from holdfast.match.signal import Signal, SignalType

SIGNAL = Signal(SignalType.MD5, "0123456789abcdef" * 2)
OTHER = Signal(SignalType.SHA1, "0123456789abcdef" * 2 + "01234567")

BANK = Bank(name="b", meaning="m", source="s", threshold=31, action=Action.HOLD, state=BankState.ACTIVE)
ENTRY = Entry(id="1", bank="b", signals=(SIGNAL,), provenance="p", state=EntryState.ACTIVE)
CREATE = CreateBank(name="b", meaning="m", source="s")
ADD = AddEntry(id="1", bank="b", signals=(SIGNAL,), provenance="p")
BANK_COMMANDS: tuple[BankCommand, ...] = (CREATE, DisableBank(), EnableBank())
ENTRY_COMMANDS: tuple[EntryCommand, ...] = (ADD, DisableEntry(), EnableEntry(), RemoveEntry(because="wrong"))
BANKS: tuple[Bank | None, ...] = (None, *(replace(BANK, state=state) for state in BankState))
ENTRIES: tuple[Entry | None, ...] = (None, *(replace(ENTRY, state=state) for state in EntryState))
CODE = re.compile(r"[a-z]+(\.[a-z_]+)+")

UNWRITABLE = ["\x00", "a\x00b", "\ud800"]
"""What PostgreSQL can hold neither as text nor as JSON."""


def named(thing: object) -> str:
    if isinstance(thing, Bank | Entry):
        return str(thing.state)
    return "none" if thing is None else type(thing).__name__


def state_of(thing: Bank | Entry | None) -> Any:
    return thing.state if thing else None


def decided(outcome: list[Event] | Refusal) -> list[Event]:
    assert isinstance(outcome, list), outcome
    return outcome


def refused(outcome: list[Event] | Refusal) -> Refusal:
    assert isinstance(outcome, Refusal), outcome
    return outcome


def test_the_walk_below_knows_every_command() -> None:
    assert {type(command) for command in BANK_COMMANDS} == set(get_args(BankCommand))
    assert {type(command) for command in ENTRY_COMMANDS} == set(get_args(EntryCommand))


@pytest.mark.parametrize("command", BANK_COMMANDS, ids=named)
@pytest.mark.parametrize("before", BANKS, ids=named)
def test_a_bank_goes_where_the_table_says_and_nowhere_else(before: Bank | None, command: BankCommand) -> None:
    outcome = decide_bank(before, command)
    expected = BANK_TRANSITIONS.get((state_of(before), type(command)))
    if expected is None:
        refusal = refused(outcome)
        assert CODE.fullmatch(refusal.code)
        assert refusal.because
        return
    after = before
    for happened in decided(outcome):
        after = evolve_bank(after, happened)
    assert after is not None
    assert after == replace(BANK, state=expected)


@pytest.mark.parametrize("command", ENTRY_COMMANDS, ids=named)
@pytest.mark.parametrize("before", ENTRIES, ids=named)
def test_an_entry_goes_where_the_table_says_and_nowhere_else(before: Entry | None, command: EntryCommand) -> None:
    outcome = decide_entry(before, command)
    expected = ENTRY_TRANSITIONS.get((state_of(before), type(command)))
    if expected is None:
        refusal = refused(outcome)
        assert CODE.fullmatch(refusal.code)
        assert refusal.because
        return
    after = before
    for happened in decided(outcome):
        after = evolve_entry(after, ENTRY.id, happened)
    assert after is not None
    assert after == replace(ENTRY, state=expected)


@given(st.lists(st.sampled_from(BANK_COMMANDS), max_size=12))
def test_any_run_of_commands_follows_the_banks_table(commands: list[BankCommand]) -> None:
    bank: Bank | None = None
    for command in commands:
        expected = BANK_TRANSITIONS.get((state_of(bank), type(command))) or state_of(bank)
        outcome = decide_bank(bank, command)
        for happened in outcome if isinstance(outcome, list) else []:
            bank = evolve_bank(bank, happened)
        assert state_of(bank) == expected


@given(st.lists(st.sampled_from(ENTRY_COMMANDS), max_size=12))
def test_any_run_of_commands_follows_the_entrys_table_and_removed_is_the_end(commands: list[EntryCommand]) -> None:
    entry: Entry | None = None
    for command in commands:
        before = entry
        expected = ENTRY_TRANSITIONS.get((state_of(entry), type(command))) or state_of(entry)
        outcome = decide_entry(entry, command)
        for happened in outcome if isinstance(outcome, list) else []:
            entry = evolve_entry(entry, "1", happened)
        assert state_of(entry) == expected
        if before and before.state is EntryState.REMOVED:
            assert entry is before


def reachable(table: Mapping[Any, str]) -> set[str | None]:
    found: set[str | None] = {None}
    while more := {after for (before, _), after in table.items() if before in found} - found:
        found |= more
    return found


def test_every_state_of_both_tables_can_be_reached() -> None:
    assert reachable(BANK_TRANSITIONS) == {None, *BankState}
    assert reachable(ENTRY_TRANSITIONS) == {None, *EntryState}


BANK_EVENTS: tuple[tuple[Event, type], ...] = (
    (BankCreated(name="b", meaning="m", source="s", threshold=31, action=Action.HOLD), CreateBank),
    (BankDisabled(), DisableBank),
    (BankEnabled(), EnableBank),
)
ENTRY_EVENTS: tuple[tuple[Event, type], ...] = (
    (EntryAdded(bank="b", signals=(SIGNAL,), provenance="p"), AddEntry),
    (EntryDisabled(), DisableEntry),
    (EntryEnabled(), EnableEntry),
    (EntryRemoved(because="wrong"), RemoveEntry),
)


@pytest.mark.parametrize(("happened", "command"), BANK_EVENTS, ids=named)
@pytest.mark.parametrize("before", BANKS, ids=named)
def test_an_event_that_no_bank_in_this_state_can_have_is_an_error(
    before: Bank | None, happened: Event, command: type
) -> None:
    if (state_of(before), command) in BANK_TRANSITIONS:
        evolve_bank(before, happened)
        return
    with pytest.raises(ValueError, match=re.escape(happened.tag)):
        evolve_bank(before, happened)


@pytest.mark.parametrize(("happened", "command"), ENTRY_EVENTS, ids=named)
@pytest.mark.parametrize("before", ENTRIES, ids=named)
def test_an_event_that_no_entry_in_this_state_can_have_is_an_error(
    before: Entry | None, happened: Event, command: type
) -> None:
    if (state_of(before), command) in ENTRY_TRANSITIONS:
        evolve_entry(before, "1", happened)
        return
    with pytest.raises(ValueError, match=re.escape(happened.tag)):
        evolve_entry(before, "1", happened)


@pytest.mark.parametrize("happened", [event for event, _ in ENTRY_EVENTS], ids=named)
def test_a_bank_cannot_have_an_entrys_event(happened: Event) -> None:
    for bank in BANKS:
        with pytest.raises(ValueError, match=re.escape(happened.tag)):
            evolve_bank(bank, happened)


@pytest.mark.parametrize("happened", [event for event, _ in BANK_EVENTS], ids=named)
def test_an_entry_cannot_have_a_banks_event(happened: Event) -> None:
    for entry in ENTRIES:
        with pytest.raises(ValueError, match=re.escape(happened.tag)):
            evolve_entry(entry, "1", happened)


@pytest.mark.parametrize("state", BankState)
def test_making_a_bank_that_is_there_says_so(state: BankState) -> None:
    assert refused(decide_bank(replace(BANK, state=state), CREATE)).code == "bank.exists"


@pytest.mark.parametrize("command", [DisableBank(), EnableBank()], ids=named)
def test_a_bank_that_is_not_there_is_called_unknown(command: BankCommand) -> None:
    assert refused(decide_bank(None, command)).code == "bank.unknown"


@pytest.mark.parametrize("command", ENTRY_COMMANDS[1:], ids=named)
def test_an_entry_that_is_not_there_is_called_unknown(command: EntryCommand) -> None:
    assert refused(decide_entry(None, command)).code == "entry.unknown"


@pytest.mark.parametrize("command", ENTRY_COMMANDS, ids=named)
def test_a_refusal_for_a_removed_entry_names_the_state(command: EntryCommand) -> None:
    refusal = refused(decide_entry(replace(ENTRY, state=EntryState.REMOVED), command))
    assert refusal.code == "entry.not_in_this_state"
    assert "removed" in refusal.because


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True))
def test_a_name_of_letters_digits_dashes_and_underscores_is_taken(name: str) -> None:
    (created,) = decided(decide_bank(None, replace(CREATE, name=name)))
    assert evolve_bank(None, created).name == name


@given(
    st.one_of(
        st.text().filter(lambda text: not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", text)),
        st.text("abcXYZ019_-", min_size=65, max_size=80),
        st.text("abc", max_size=10).map(lambda text: "-" + text),
        st.text("abc", min_size=1, max_size=10).map(lambda text: text + "\n"),
    )
)
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        decide_bank(None, replace(CREATE, name=name))


@given(st.integers(0, HIGHEST_THRESHOLD))
def test_a_threshold_within_the_limits_is_taken(threshold: int) -> None:
    (created,) = decided(decide_bank(None, replace(CREATE, threshold=threshold)))
    assert evolve_bank(None, created).threshold == threshold


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=HIGHEST_THRESHOLD + 1)))
def test_a_threshold_beyond_the_limits_is_refused(threshold: int) -> None:
    with pytest.raises(InvalidRequest, match="threshold"):
        decide_bank(None, replace(CREATE, threshold=threshold))


TEXT_FIELDS = ["meaning", "source", "provenance", "because"]


def say(field: str, text: str) -> Event:
    """What is decided when this text stands in this field."""
    match field:
        case "provenance":
            (happened,) = decided(decide_entry(None, replace(ADD, provenance=text)))
        case "because":
            (happened,) = decided(decide_entry(ENTRY, RemoveEntry(because=text)))
        case _:
            changed: dict[str, Any] = {field: text}
            (happened,) = decided(decide_bank(None, replace(CREATE, **changed)))
    return happened


@pytest.mark.parametrize("field", TEXT_FIELDS)
@given(length=st.integers(1, LONGEST_TEXT), space=st.text(" \t\n", max_size=5))
def test_a_text_is_kept_without_the_space_around_it(field: str, length: int, space: str) -> None:
    assert getattr(say(field, space + "ß" * length + space), field) == "ß" * length


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("text", ["", "   ", "\t\n", "x" * (LONGEST_TEXT + 1)], ids=["", "spaces", "lines", "long"])
def test_a_text_that_says_nothing_or_too_much_is_refused_by_its_name(field: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        say(field, text)


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("text", UNWRITABLE, ids=ascii)
def test_a_text_that_the_database_cannot_hold_is_refused_before_it_gets_there(field: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        say(field, text)


def test_an_entry_without_signals_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="at least one"):
        decide_entry(None, replace(ADD, signals=()))


def test_an_entry_with_the_same_signal_twice_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="twice"):
        decide_entry(None, replace(ADD, signals=(SIGNAL, OTHER, Signal(SignalType.MD5, SIGNAL.value))))


def test_an_entry_keeps_all_its_signals_in_order() -> None:
    (added,) = decided(decide_entry(None, replace(ADD, signals=(OTHER, SIGNAL))))
    assert evolve_entry(None, "1", added).signals == (OTHER, SIGNAL)


def test_a_refused_command_may_be_as_wrong_as_it_likes_without_raising() -> None:
    """Whether the thing is there is said first: a text is only looked at once it could be used."""
    assert refused(decide_bank(BANK, replace(CREATE, meaning=""))).code == "bank.exists"
    assert refused(decide_entry(None, RemoveEntry(because=""))).code == "entry.unknown"


def test_subjects_tell_banks_and_entries_apart() -> None:
    assert banks.bank_subject("x") != banks.entry_subject("x")
