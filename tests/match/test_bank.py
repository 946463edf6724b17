# SPDX-License-Identifier: Apache-2.0
"""What a bank takes, and what it says of a change. Where it may be decided: tests/test_deciders.py."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidName, InvalidRequest
from holdfast.log.event import Event, decode
from holdfast.log.text import LONGEST_TEXT
from holdfast.match.bank import (
    HIGHEST_THRESHOLD,
    Action,
    ActionChanged,
    Bank,
    BankCommand,
    BankKind,
    BankState,
    ChangeAction,
    ChangeThreshold,
    ChangeVideoRule,
    CreateBank,
    DisableBank,
    EnableBank,
    ThresholdChanged,
    bank_subject,
    decide_bank,
    evolve_bank,
)
from holdfast.match.entry import entry_subject
from holdfast.match.video import MOST_FRAMES_ASKED, MOST_SECONDS_ASKED, USUAL, VideoRule
from tests.match.deciding import UNWRITABLE, decided, named, refused

BANK = Bank(name="b", meaning="m", source="s", threshold=31, action=Action.HOLD, state=BankState.ACTIVE)
STRICT = VideoRule(least_frames=10)
BENIGN = replace(BANK, kind=BankKind.BENIGN, action=None)
CREATE = CreateBank(name="b", meaning="m", source="s")
COMMANDS: tuple[BankCommand, ...] = (
    CREATE,
    DisableBank(),
    EnableBank(),
    ChangeThreshold(threshold=20, because="tests"),
    ChangeAction(action=Action.REVIEW, because="tests"),
    ChangeVideoRule(rule=STRICT, because="tests"),
)


@pytest.mark.parametrize("state", BankState)
def test_making_a_bank_that_is_there_says_so(state: BankState) -> None:
    assert refused(decide_bank(replace(BANK, state=state), CREATE)).code == "bank.exists"


@pytest.mark.parametrize("command", COMMANDS[1:], ids=named)
def test_a_bank_that_is_not_there_is_called_unknown(command: BankCommand) -> None:
    assert refused(decide_bank(None, command)).code == "bank.unknown"


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True))
def test_a_name_of_letters_digits_dashes_and_underscores_is_taken(name: str) -> None:
    (created,) = decided(decide_bank(None, replace(CREATE, name=name, exchange=name)))
    bank = evolve_bank(None, created)
    assert (bank.name, bank.exchange) == (name, name)


@pytest.mark.parametrize("field", ["name", "exchange"])
@given(
    name=st.one_of(
        st.text().filter(lambda text: not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", text)),
        st.text("abcXYZ019_-", min_size=65, max_size=80),
        st.text("abc", max_size=10).map(lambda text: "-" + text),
        st.text("abc", min_size=1, max_size=10).map(lambda text: text + "\n"),
    )
)
def test_any_other_name_is_refused(field: str, name: str) -> None:
    changed: dict[str, Any] = {field: name}
    with pytest.raises(InvalidName):
        decide_bank(None, replace(CREATE, **changed))


@given(st.integers(0, HIGHEST_THRESHOLD))
def test_a_threshold_within_the_limits_is_taken(threshold: int) -> None:
    (created,) = decided(decide_bank(None, replace(CREATE, threshold=threshold)))
    assert evolve_bank(None, created).threshold == threshold


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=HIGHEST_THRESHOLD + 1)))
def test_a_threshold_beyond_the_limits_is_refused(threshold: int) -> None:
    with pytest.raises(InvalidRequest, match="threshold"):
        decide_bank(None, replace(CREATE, threshold=threshold))
    with pytest.raises(InvalidRequest, match="threshold"):
        decide_bank(BANK, ChangeThreshold(threshold=threshold, because="x"))


# --- kinds, actions, exchanges


def test_a_known_bank_holds_unless_something_else_is_said() -> None:
    for action, expected in ((None, Action.HOLD), *((one, one) for one in Action)):
        (created,) = decided(decide_bank(None, replace(CREATE, action=action)))
        assert evolve_bank(None, created).action is expected


def test_a_benign_bank_has_no_action_and_cannot_get_one() -> None:
    (created,) = decided(decide_bank(None, replace(CREATE, kind=BankKind.BENIGN)))
    assert evolve_bank(None, created) == BENIGN
    for action in Action:
        with pytest.raises(InvalidRequest, match="action"):
            decide_bank(None, replace(CREATE, kind=BankKind.BENIGN, action=action))
        assert refused(decide_bank(BENIGN, ChangeAction(action=action, because="x"))).code == "bank.benign"


@pytest.mark.parametrize(
    "command",
    [ChangeThreshold(threshold=31, because="x"), ChangeAction(action=Action.HOLD, because="x")],
    ids=named,
)
def test_changing_to_what_is_there_already_is_refused(command: BankCommand) -> None:
    assert refused(decide_bank(BANK, command)).code == "bank.unchanged"


def test_a_change_says_what_was_before_and_why() -> None:
    (happened,) = decided(decide_bank(BANK, ChangeThreshold(threshold=20, because=" too wide ")))
    assert happened == ThresholdChanged(before=31, threshold=20, because="too wide")
    (happened,) = decided(decide_bank(BANK, ChangeAction(action=Action.IGNORE, because=" a trial ")))
    assert happened == ActionChanged(before=Action.HOLD, action=Action.IGNORE, because="a trial")


@pytest.mark.parametrize(
    ("exchange", "actor", "expected"),
    [
        (None, "cli:ann", False),
        ("ncmec", "cli:ann", True),
        ("ncmec", "key:abcdefgh", True),
        ("ncmec", "exchange:other", True),
        ("ncmec", "exchange:ncmec", False),
    ],
)
def test_what_an_exchange_keeps_is_read_only_to_everybody_else(
    exchange: str | None, actor: str, expected: bool
) -> None:
    assert replace(BANK, exchange=exchange).read_only_to(actor) is expected


def test_a_bank_journaled_before_there_were_kinds_is_one_of_known_material() -> None:
    row = {"name": "b", "meaning": "m", "source": "s", "threshold": 31, "action": "hold"}
    assert evolve_bank(None, decode("bank.created", 1, row)) == BANK


# --- texts


def say(field: str, text: str) -> Event:
    """What is decided when this text stands in this field."""
    if field == "because":
        (happened,) = decided(decide_bank(BANK, ChangeThreshold(threshold=20, because=text)))
        (other,) = decided(decide_bank(BANK, ChangeAction(action=Action.REVIEW, because=text)))
        assert getattr(happened, field) == getattr(other, field)
        return happened
    changed: dict[str, Any] = {field: text}
    (happened,) = decided(decide_bank(None, replace(CREATE, **changed)))
    return happened


TEXT_FIELDS = ["meaning", "source", "because"]


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


def test_a_refused_command_may_be_as_wrong_as_it_likes_without_raising() -> None:
    """Whether the thing is there is said first: a text is only looked at once it could be used."""
    assert refused(decide_bank(BANK, replace(CREATE, meaning=""))).code == "bank.exists"


def test_subjects_tell_banks_and_entries_apart() -> None:
    assert bank_subject("x") != entry_subject("x")


@pytest.mark.parametrize(
    "rule",
    [
        VideoRule(least_frames=0),
        VideoRule(least_frames=MOST_FRAMES_ASKED + 1),
        VideoRule(least_seconds=-0.1),
        VideoRule(least_seconds=MOST_SECONDS_ASKED + 1),
        VideoRule(least_seconds=float("nan")),
        VideoRule(query_percent=0),
        VideoRule(query_percent=101),
        VideoRule(compared_percent=-1),
        VideoRule(compared_percent=float("inf")),
    ],
    ids=str,
)
def test_a_rule_for_videos_that_nothing_or_everything_satisfies_is_refused(rule: VideoRule) -> None:
    with pytest.raises(InvalidRequest, match="video"):
        decide_bank(BANK, ChangeVideoRule(rule=rule, because="tests"))


def test_the_rule_that_stands_already_is_no_change() -> None:
    assert refused(decide_bank(BANK, ChangeVideoRule(rule=USUAL, because="tests"))).code == "bank.unchanged"
