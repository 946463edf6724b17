# SPDX-License-Identifier: Apache-2.0
"""When a bank owes a search, when a search is late, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.errors import Refusal
from holdfast.match.backwards import (
    BeginSearch,
    EndSearch,
    FailProof,
    FindCopies,
    MarkSearchLate,
    OweSearch,
    ProveSearch,
    Search,
    SearchCommand,
    SearchState,
    Target,
    WithdrawSearch,
    decide_search,
    due_for,
    evolve_search,
    matches_more,
    stops_things,
)
from holdfast.match.bank import Action, Bank, BankKind, BankState

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
BANK = Bank(name="b", meaning="m", source="s", threshold=31, action=Action.HOLD, state=BankState.ACTIVE)
BENIGN = replace(BANK, kind=BankKind.BENIGN, action=None)
OWED = OweSearch(Target(bank="b", entries=("1",), count=1), owner="o", due=NOW)
PROOF = ProveSearch(entries=1, over_http=0, list_version=3)


def after(*commands: SearchCommand) -> Search:
    found: Search | None = None
    for command in commands:
        events = decide_search(found, command, NOW)
        assert isinstance(events, list), events
        for happened in events:
            found = evolve_search(found, happened)
    assert found is not None
    return found


@pytest.mark.parametrize("action", [Action.HOLD, Action.REVIEW])
def test_a_bank_that_holds_or_asks_for_review_stops_things(action: Action) -> None:
    assert stops_things(replace(BANK, action=action))


@pytest.mark.parametrize("bank", [replace(BANK, action=Action.IGNORE), replace(BANK, state=BankState.DISABLED), BENIGN])
def test_a_bank_that_stops_nothing_owes_no_search(bank: Bank) -> None:
    assert not stops_things(bank)
    assert not matches_more(BANK, bank)


@pytest.mark.parametrize(
    ("before", "more"),
    [
        (replace(BANK, state=BankState.DISABLED), True),
        (replace(BANK, action=Action.IGNORE), True),
        (replace(BANK, threshold=20), True),
        (replace(BANK, threshold=40), False),
        (replace(BANK, action=Action.REVIEW), False),
        (BANK, False),
    ],
)
def test_a_bank_matches_more_once_it_is_switched_on_made_to_stop_things_or_made_wider(
    before: Bank, *, more: bool
) -> None:
    assert matches_more(before, BANK) is more


def test_only_what_was_found_when_looked_up_is_blocked() -> None:
    searched = after(OWED, BeginSearch(5), FindCopies(2), FindCopies(1), EndSearch())
    assert (searched.state, searched.items, searched.copies) == (SearchState.SEARCHED, 5, 3)
    unproven = after(OWED, BeginSearch(5), EndSearch(), FailProof(missing=1, over_http=False))
    assert unproven.state is SearchState.UNPROVEN
    for so_far in ((BeginSearch(5), EndSearch()), (BeginSearch(5), EndSearch(), FailProof(missing=1, over_http=True))):
        assert after(OWED, *so_far, PROOF).state is SearchState.BLOCKED


@pytest.mark.parametrize("too_early", [PROOF, FailProof(missing=1, over_http=False)])
def test_nothing_is_proven_before_everything_was_looked_at(too_early: SearchCommand) -> None:
    for so_far in ((), (BeginSearch(5),), (BeginSearch(5), FindCopies(1))):
        assert isinstance(decide_search(after(OWED, *so_far), too_early, NOW), Refusal)


def test_the_more_it_looks_for_the_later_it_is_late() -> None:
    assert due_for(1, NOW) - NOW < timedelta(minutes=11)
    assert due_for(10**6, NOW) - NOW > timedelta(hours=5)


def test_its_owner_is_alarmed_once_that_it_is_late() -> None:
    waiting = after(replace(OWED, due=NOW + timedelta(seconds=1)))
    assert isinstance(decide_search(waiting, MarkSearchLate(), NOW), Refusal)
    late = after(OWED, MarkSearchLate())
    assert late.late
    assert late.state is SearchState.OWED, "and it goes on"
    assert isinstance(decide_search(late, MarkSearchLate(), NOW), Refusal)


@pytest.mark.parametrize("so_far", [(), (BeginSearch(5),), (BeginSearch(5), EndSearch())])
def test_what_no_longer_counts_ends_it_in_any_state(so_far: tuple[SearchCommand, ...]) -> None:
    assert after(OWED, *so_far, WithdrawSearch()).state is SearchState.WITHDRAWN
