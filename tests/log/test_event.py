# SPDX-License-Identifier: Apache-2.0
"""An event read back from its journal row is the event that was written."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from holdfast.log.event import Event, decode, encode, event, registered
from holdfast.match.bank import (
    Action,
    ActionChanged,
    BankCreated,
    BankCreated1,
    BankDisabled,
    BankEnabled,
    BankKind,
    ThresholdChanged,
)
from holdfast.match.entry import EntryAdded, EntryDisabled, EntryEnabled, EntryRemoved, Opinion, OpinionGiven
from holdfast.match.importing import ImportAbandoned, ImportBegun, ImportPublished, ImportRolledBack
from holdfast.match.signal import Signal, SignalType
from holdfast.sealed.text import SealedText

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
SIGNALS = st.lists(st.builds(Signal, st.sampled_from(SignalType), st.text("0123456789abcdef", max_size=64)), max_size=4)
COUNT = st.integers(0, 10**12)
SEALED = st.builds(SealedText, st.just(""), record=TEXT, commitment=TEXT)
BANK_EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        BankCreated,
        name=TEXT,
        meaning=TEXT,
        source=TEXT,
        threshold=st.integers(0, 64),
        action=st.sampled_from([None, *Action]),
        kind=st.sampled_from(BankKind),
        exchange=st.none() | TEXT,
    ),
    st.builds(
        BankCreated1,
        name=TEXT,
        meaning=TEXT,
        source=TEXT,
        threshold=st.integers(0, 64),
        action=st.sampled_from(Action),
    ),
    st.builds(ThresholdChanged, before=st.integers(0, 64), threshold=st.integers(0, 64), because=SEALED),
    st.builds(ActionChanged, before=st.sampled_from(Action), action=st.sampled_from(Action), because=SEALED),
    st.builds(OpinionGiven, opinion=st.sampled_from(Opinion), because=SEALED),
    st.builds(ImportBegun, bank=TEXT, source=SEALED, from_exchange=st.booleans()),
    st.builds(ImportPublished, entries=COUNT, signals=COUNT, refused=COUNT, digest=TEXT),
    st.builds(ImportRolledBack, because=SEALED),
    st.builds(ImportAbandoned, because=TEXT),
    st.builds(BankDisabled),
    st.builds(BankEnabled),
    st.builds(EntryAdded, bank=TEXT, signals=SIGNALS.map(tuple), provenance=SEALED),
    st.builds(EntryDisabled),
    st.builds(EntryEnabled),
    st.builds(EntryRemoved, because=SEALED),
)


CREATED = BankCreated(
    name="b", meaning="m", source="s", threshold=31, action=Action.HOLD, kind=BankKind.KNOWN, exchange=None
)


@given(BANK_EVENTS)
def test_an_event_written_as_json_and_read_again_is_the_same(happened: Event) -> None:
    row = json.loads(json.dumps(encode(happened)))
    again = decode(happened.tag, happened.schema, row)
    assert again == happened
    assert type(again) is type(happened)


@pytest.mark.parametrize("tag", ["bank.painted", "", "BANK.CREATED"])
def test_an_unknown_tag_is_an_error_and_never_a_guess(tag: str) -> None:
    with pytest.raises(KeyError):
        decode(tag, 1, {})


def test_an_unknown_schema_of_a_known_tag_is_an_error() -> None:
    with pytest.raises(KeyError):
        decode("bank.disabled", 2, {})


@pytest.mark.parametrize("missing", ["name", "meaning", "source", "threshold", "action", "kind", "exchange"])
def test_a_row_that_lacks_something_is_an_error(missing: str) -> None:
    whole = CREATED
    row = {name: value for name, value in encode(whole).items() if name != missing}
    with pytest.raises(ValidationError):
        decode(whole.tag, whole.schema, row)


def test_a_row_with_an_action_nobody_knows_is_an_error() -> None:
    whole = CREATED
    with pytest.raises(ValidationError):
        decode(whole.tag, whole.schema, {**encode(whole), "action": "publish"})


@pytest.mark.parametrize(
    "tag",
    ["bank", "Bank.made", "bank.made.", ".bank.made", "a.b.c.d", "bank made", "bank.made\n", "b4nk.made"],
)
def test_a_tag_that_breaks_the_grammar_is_refused(tag: str) -> None:
    before = registered()
    with pytest.raises(ValueError, match="does not read"):
        event(tag)(type("Happened", (Event,), {}))
    assert registered() == before


def test_a_tag_that_is_taken_is_refused() -> None:
    before = registered()
    with pytest.raises(ValueError, match="twice"):
        event("bank.created")(type("Happened", (Event,), {}))
    assert registered() == before


def test_every_registered_event_carries_the_tag_it_is_registered_under() -> None:
    assert registered()
    for (tag, schema), kind in registered().items():
        assert (kind.tag, kind.schema) == (tag, schema)


def test_the_list_of_events_cannot_be_changed_through_what_is_handed_out() -> None:
    handed_out = dict(registered())
    forget: Callable[[], None] = getattr(registered(), "clear", lambda: None)
    forget()
    assert registered() == handed_out


@pytest.mark.parametrize("kind", [BankDisabled, EntryEnabled])
def test_an_event_cannot_be_changed(kind: type[Event]) -> None:
    with pytest.raises((AttributeError, TypeError)):
        kind().because = "later"  # type: ignore[attr-defined]
