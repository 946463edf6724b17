# SPDX-License-Identifier: Apache-2.0
"""An entry changes only along its transition table, and an exchange's entry only by the exchange."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.log.event import Event
from holdfast.log.text import LONGEST_TEXT
from holdfast.match.entry import (
    AddEntry,
    DisableEntry,
    EnableEntry,
    Entry,
    EntryCommand,
    EntryState,
    GiveOpinion,
    Opinion,
    RemoveEntry,
    decide_entry,
    evolve_entry,
)
from holdfast.match.signal import Signal, SignalType
from tests.match.deciding import UNWRITABLE, decided, named, refused

SIGNAL = Signal(SignalType.MD5, "0123456789abcdef" * 2)
OTHER = Signal(SignalType.SHA1, "0123456789abcdef" * 2 + "01234567")
ENTRY = Entry(id="1", bank="b", signals=(SIGNAL,), provenance="p", state=EntryState.ACTIVE)
ADD = AddEntry(id="1", bank="b", signals=(SIGNAL,), provenance="p")
DISPUTE = GiveOpinion(opinion=Opinion.DISPUTED, because="not what it says")
COMMANDS: tuple[EntryCommand, ...] = (ADD, DisableEntry(), EnableEntry(), RemoveEntry(because="wrong"), DISPUTE)
ENTRIES: tuple[Entry | None, ...] = (None, *(replace(ENTRY, state=state) for state in EntryState))


@pytest.mark.parametrize("command", COMMANDS[1:], ids=named)
@pytest.mark.parametrize("read_only", [False, True])
def test_an_entry_that_is_not_there_is_called_unknown(command: EntryCommand, read_only: bool) -> None:
    assert refused(decide_entry(None, command, read_only=read_only)).code == "entry.unknown"


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_a_refusal_for_a_removed_entry_names_the_state(command: EntryCommand) -> None:
    refusal = refused(decide_entry(replace(ENTRY, state=EntryState.REMOVED), command))
    assert refusal.code == "entry.not_in_this_state"
    assert "removed" in refusal.because


@pytest.mark.parametrize("command", COMMANDS, ids=named)
@pytest.mark.parametrize("before", ENTRIES, ids=named)
def test_people_may_give_an_opinion_on_what_an_exchange_keeps_and_nothing_else(
    before: Entry | None, command: EntryCommand
) -> None:
    outcome = decide_entry(before, command, read_only=True)
    if command is DISPUTE:
        assert outcome == decide_entry(before, command)
    elif before or command is ADD:
        assert refused(outcome).code == "bank.read_only"


@given(st.lists(st.sampled_from(Opinion), min_size=1, max_size=6))
def test_the_latest_opinion_counts(opinions: list[Opinion]) -> None:
    entry = ENTRY
    for opinion in opinions:
        (happened,) = decided(decide_entry(entry, GiveOpinion(opinion=opinion, because="x")))
        entry = evolve_entry(entry, "1", happened)
    assert entry == replace(ENTRY, opinion=opinions[-1])


def say(field: str, text: str) -> Event:
    """What is decided when this text stands in this field."""
    if field == "provenance":
        (happened,) = decided(decide_entry(None, replace(ADD, provenance=text)))
    elif field == "because":
        (happened,) = decided(decide_entry(ENTRY, RemoveEntry(because=text)))
    else:
        field = "because"
        (happened,) = decided(decide_entry(ENTRY, replace(DISPUTE, because=text)))
    return happened


TEXT_FIELDS = ["provenance", "because", "because of an opinion"]


@pytest.mark.parametrize("field", TEXT_FIELDS)
@given(length=st.integers(1, LONGEST_TEXT), space=st.text(" \t\n", max_size=5))
def test_a_text_is_kept_without_the_space_around_it(field: str, length: int, space: str) -> None:
    assert getattr(say(field, space + "ß" * length + space), field.split(maxsplit=1)[0]) == "ß" * length


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("text", ["", "   ", "\t\n", "x" * (LONGEST_TEXT + 1), *UNWRITABLE], ids=ascii)
def test_a_text_that_cannot_be_used_is_refused_by_its_name(field: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=field.split(maxsplit=1)[0]):
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
    assert refused(decide_entry(None, RemoveEntry(because=""))).code == "entry.unknown"
