# SPDX-License-Identifier: Apache-2.0
"""Whatever leads to fewer or softer holds is marked, and nothing that only strengthens is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from holdfast.access.two_people import when_of
from holdfast.log.event import registered
from holdfast.match.bank import (
    Action,
    Bank,
    BankCommand,
    BankKind,
    BankState,
    ChangeAction,
    ChangeThreshold,
    CreateBank,
    DisableBank,
    EnableBank,
)
from holdfast.match.entry import (
    AddEntry,
    DisableEntry,
    EnableEntry,
    EntryCommand,
    GiveOpinion,
    Opinion,
    RemoveEntry,
)
from holdfast.match.importing import (
    AbandonImport,
    BeginImport,
    Contents,
    ImportCommand,
    PublishImport,
    RollBackImport,
)
from holdfast.match.two_people import RULES, AddEntries, needs_two_people

KNOWN = Bank(name="b", meaning="m", source="s", threshold=31, action=Action.HOLD, state=BankState.ACTIVE)
BENIGN = replace(KNOWN, kind=BankKind.BENIGN, action=None)
IN: tuple[Any, ...] = (
    EnableBank(),
    AddEntry(id="1", bank="b", signals=(), provenance="p"),
    EnableEntry(),
    PublishImport(contents=Contents(entries=1, signals=1, refused=0, digest="")),
    GiveOpinion(opinion=Opinion.CONFIRMED, because="x"),
)
OUT: tuple[Any, ...] = (
    DisableBank(),
    DisableEntry(),
    RemoveEntry(because="x"),
    RollBackImport(because="x"),
    GiveOpinion(opinion=Opinion.DISPUTED, because="x"),
)


def test_every_command_of_banks_entries_and_imports_has_a_rule() -> None:
    every = {*get_args(BankCommand), *get_args(EntryCommand), *get_args(ImportCommand)}
    assert set(RULES) == every | {AddEntries}


def test_every_event_of_banks_entries_and_imports_has_a_rule() -> None:
    of_banks = {tag for tag, _ in registered() if tag.startswith("bank.")}
    assert {tag for (tag, _), kind in registered().items() if when_of(kind) is not None} >= of_banks


@pytest.mark.parametrize("command", OUT, ids=str)
def test_what_goes_out_of_known_material_needs_two_and_out_of_a_benign_bank_one(command: Any) -> None:
    assert needs_two_people(command, KNOWN)
    assert not needs_two_people(command, BENIGN)


@pytest.mark.parametrize("command", IN, ids=str)
def test_what_goes_into_a_benign_bank_needs_two_and_into_known_material_one(command: Any) -> None:
    assert needs_two_people(command, BENIGN)
    assert not needs_two_people(command, KNOWN)


@pytest.mark.parametrize("bank", [KNOWN, BENIGN], ids=lambda bank: bank.kind)
@pytest.mark.parametrize("threshold", [30, 32])
def test_a_threshold_needs_two_whichever_way_it_goes(bank: Bank, threshold: int) -> None:
    assert needs_two_people(ChangeThreshold(threshold=threshold, because="x"), bank)


def test_an_action_needs_two_if_it_leads_to_less_and_one_if_it_leads_to_more() -> None:
    firmness = [Action.IGNORE, Action.REVIEW, Action.HOLD]
    for before in Action:
        for after in Action:
            needs = needs_two_people(ChangeAction(action=after, because="x"), replace(KNOWN, action=before))
            assert needs == (firmness.index(after) < firmness.index(before)), (before, after)


def test_a_bank_is_made_and_an_import_begun_and_given_up_by_one() -> None:
    for command in (
        CreateBank(name="b", meaning="m", source="s"),
        BeginImport(bank="b", source="s", from_exchange=False),
        AbandonImport(because="x"),
    ):
        for bank in (KNOWN, BENIGN):
            assert not needs_two_people(command, bank)
