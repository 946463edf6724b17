# SPDX-License-Identifier: Apache-2.0
"""An import is staged, then published or given up, and only what was published is rolled back."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.log.event import Event
from holdfast.match.importing import (
    IMPORT_TRANSITIONS,
    AbandonImport,
    BeginImport,
    Contents,
    Import,
    ImportAbandoned,
    ImportBegun,
    ImportCommand,
    ImportPublished,
    ImportRolledBack,
    ImportState,
    PublishImport,
    RollBackImport,
    decide_import,
    digest_of,
    evolve_import,
)
from tests.match.deciding import CODE, UNWRITABLE, decided, named, reachable, refused, state_of

IMPORT = Import(id="1", bank="b", source="a.csv", state=ImportState.STAGING)
BEGIN = BeginImport(bank="b", source="a.csv", from_exchange=False)
CONTENTS = Contents(entries=2, signals=3, refused=1, digest="d")
COMMANDS: tuple[ImportCommand, ...] = (
    BEGIN,
    PublishImport(contents=CONTENTS),
    RollBackImport(because="a wrong file"),
    AbandonImport(because="it ended"),
)
IMPORTS: tuple[Import | None, ...] = (None, *(replace(IMPORT, state=state) for state in ImportState))
EVENTS: tuple[tuple[Event, type], ...] = (
    (ImportBegun(bank="b", source="a.csv", from_exchange=False), BeginImport),
    (ImportPublished(entries=2, signals=3, refused=1, digest="d"), PublishImport),
    (ImportRolledBack(because="x"), RollBackImport),
    (ImportAbandoned(because="x"), AbandonImport),
)


def test_the_walk_below_knows_every_command() -> None:
    assert {type(command) for command in COMMANDS} == set(get_args(ImportCommand))


@pytest.mark.parametrize("command", COMMANDS, ids=named)
@pytest.mark.parametrize("before", IMPORTS, ids=named)
def test_an_import_goes_where_the_table_says_and_nowhere_else(before: Import | None, command: ImportCommand) -> None:
    outcome = decide_import(before, command)
    expected = IMPORT_TRANSITIONS.get((state_of(before), type(command)))
    if expected is None:
        refusal = refused(outcome)
        assert CODE.fullmatch(refusal.code)
        assert refusal.because
        return
    after = before
    for happened in decided(outcome):
        after = evolve_import(after, IMPORT.id, happened)
    assert after == replace(IMPORT, state=expected)


@given(st.lists(st.sampled_from(COMMANDS), max_size=10))
def test_any_run_of_commands_follows_the_table(commands: list[ImportCommand]) -> None:
    found: Import | None = None
    for command in commands:
        expected = IMPORT_TRANSITIONS.get((state_of(found), type(command))) or state_of(found)
        outcome = decide_import(found, command)
        for happened in outcome if isinstance(outcome, list) else []:
            found = evolve_import(found, "1", happened)
        assert state_of(found) == expected


def test_every_state_can_be_reached_and_two_are_the_end() -> None:
    assert reachable(IMPORT_TRANSITIONS) == {None, *ImportState}
    left = {before for before, _ in IMPORT_TRANSITIONS}
    assert set(ImportState) - left == {ImportState.ROLLED_BACK, ImportState.ABANDONED}


@pytest.mark.parametrize(("happened", "command"), EVENTS, ids=named)
@pytest.mark.parametrize("before", IMPORTS, ids=named)
def test_an_event_that_no_import_in_this_state_can_have_is_an_error(
    before: Import | None, happened: Event, command: type
) -> None:
    if (state_of(before), command) in IMPORT_TRANSITIONS:
        evolve_import(before, "1", happened)
        return
    with pytest.raises(ValueError, match=re.escape(happened.tag)):
        evolve_import(before, "1", happened)


def test_what_an_exchange_keeps_is_imported_only_from_the_exchange() -> None:
    assert refused(decide_import(None, BEGIN, read_only=True)).code == "bank.read_only"
    assert decided(decide_import(None, replace(BEGIN, from_exchange=True), read_only=True))
    published = replace(IMPORT, state=ImportState.PUBLISHED)
    assert refused(decide_import(published, RollBackImport(because="x"), read_only=True)).code == "bank.read_only"


def test_the_journal_commits_to_what_is_published() -> None:
    (happened,) = decided(decide_import(IMPORT, PublishImport(contents=CONTENTS)))
    assert happened == ImportPublished(entries=2, signals=3, refused=1, digest="d")


@pytest.mark.parametrize("text", ["", " ", *UNWRITABLE], ids=ascii)
def test_a_source_or_reason_that_cannot_be_kept_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="source"):
        decide_import(None, replace(BEGIN, source=text))
    with pytest.raises(InvalidRequest, match="because"):
        decide_import(replace(IMPORT, state=ImportState.PUBLISHED), RollBackImport(because=text))


def test_the_digest_is_what_sorting_and_digesting_the_lines_of_a_plain_list_gives() -> None:
    signals = sorted([("pdq", "b" * 64), ("md5", "c" * 32), ("pdq", "a" * 64)])
    text = "".join(sorted(f"{kind} {value}\n" for kind, value in signals))
    assert digest_of(signals) == (3, hashlib.sha256(text.encode()).hexdigest())
    assert digest_of([]) == (0, hashlib.sha256(b"").hexdigest())
