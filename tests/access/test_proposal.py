# SPDX-License-Identifier: Apache-2.0
"""A proposal waits for another person, is agreed to as it was shown or not at all, and nothing is done by time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.person import People, Who, person_named
from holdfast.access.proposal import (
    PROPOSAL_TRANSITIONS,
    AgreeProposal,
    AskProposal,
    MarkProposalOverdue,
    OvertakeProposal,
    Proposal,
    ProposalAgreed,
    ProposalAsked,
    ProposalCommand,
    ProposalOvertaken,
    ProposalState,
    RefuseProposal,
    WithdrawProposal,
    decide_proposal,
    evolve_proposal,
    proposal_subject,
)
from holdfast.errors import InvalidName, InvalidRequest, PersonMissing
from tests.match.deciding import decided, named, reachable, refused, state_of

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ALICE, BOB = Who("key:aaaaaaaa", "alice"), Who("key:bbbbbbbb", "bob")
NOBODY = Who("key:cccccccc", None)
BOTH = People(frozenset({"alice", "bob"}), frozenset({"alice", "bob"}))
ALONE = People(frozenset({"alice", "bob"}), frozenset({"alice"}))
ASK = AskProposal(
    id="pro_1",
    by=ALICE,
    command="disable_bank",
    command_schema=1,
    body="{}",
    subject="bank:b",
    at_version=3,
    because="it is wrong",
    owner="trust-and-safety",
    due=NOW + DAY,
    people=BOTH,
)
ASKED = evolve_proposal(None, "pro_1", decided(decide_proposal(None, ASK, NOW))[0])
AGREE = AgreeProposal(by=BOB, people=BOTH, because="looked", digest=ASKED.digest, now_at=3)
STATES: list[Proposal | None] = [None, *(replace(ASKED, state=state) for state in ProposalState)]
COMMANDS: list[ProposalCommand] = [
    ASK,
    AGREE,
    RefuseProposal(by=BOB, because="no"),
    WithdrawProposal(by=ALICE, because="a slip"),
    OvertakeProposal(because="it changed"),
    MarkProposalOverdue(),
]


@pytest.mark.parametrize(("proposal", "command"), [*product(STATES, COMMANDS)], ids=named)
def test_the_table_says_what_may_happen_in_which_state(proposal: Proposal | None, command: ProposalCommand) -> None:
    outcome = decide_proposal(proposal, command, NOW + DAY)
    after = PROPOSAL_TRANSITIONS.get((state_of(proposal), type(command)))
    if after is None:
        assert refused(outcome).code == "proposal.not_in_this_state"
        return
    (happened,) = decided(outcome)
    assert evolve_proposal(proposal, "pro_1", happened).state is after


def test_every_command_and_every_state_is_in_the_table() -> None:
    assert {type(command) for command in COMMANDS} == set(get_args(ProposalCommand))
    assert {command for _, command in PROPOSAL_TRANSITIONS} == set(get_args(ProposalCommand))
    assert reachable(PROPOSAL_TRANSITIONS) == {None, *ProposalState}


@pytest.mark.parametrize("proposal", STATES, ids=named)
@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_what_cannot_have_happened_is_a_fault(proposal: Proposal | None, command: ProposalCommand) -> None:
    before = None if isinstance(command, AskProposal) else ASKED
    (happened,) = decided(decide_proposal(before, command, NOW + DAY))
    if (state_of(proposal), type(command)) in PROPOSAL_TRANSITIONS:
        return
    with pytest.raises(ValueError, match=happened.tag):
        evolve_proposal(proposal, "pro_1", happened)


# --- who


def test_the_asker_never_agrees_with_whatever_key() -> None:
    for actor in ("key:aaaaaaaa", "key:zzzzzzzz", "cli:alice"):
        again = replace(AGREE, by=Who(actor, "alice"))
        for later in (timedelta(0), 365 * DAY):
            assert refused(decide_proposal(ASKED, again, NOW + later)).code == "proposal.same_person"


@pytest.mark.parametrize("who", [NOBODY, Who("key:dddddddd", "mallory")], ids=str)
def test_whoever_is_no_known_person_neither_asks_nor_agrees_but_may_refuse(who: Who) -> None:
    with pytest.raises(PersonMissing):
        decide_proposal(None, replace(ASK, by=who), NOW)
    with pytest.raises(PersonMissing):
        decide_proposal(ASKED, replace(AGREE, by=who), NOW)
    assert decided(decide_proposal(ASKED, RefuseProposal(by=who, because="no"), NOW))


def test_a_person_whose_keys_are_no_longer_good_neither_asks_nor_agrees_nor_is_agreed_with() -> None:
    only_bob = People(BOTH.ever, frozenset({"bob"}))
    with pytest.raises(PersonMissing):
        decide_proposal(None, replace(ASK, people=only_bob), NOW)
    assert refused(decide_proposal(ASKED, replace(AGREE, people=only_bob), NOW)).code == "proposal.asker_gone"
    with pytest.raises(PersonMissing):
        decide_proposal(ASKED, replace(AGREE, people=ALONE), NOW)


def test_only_who_asked_withdraws() -> None:
    for who in (BOB, NOBODY):
        outcome = decide_proposal(ASKED, WithdrawProposal(by=who, because="x"), NOW)
        assert refused(outcome).code == "proposal.not_yours"
    another_key = Who("cli:alice", "alice")
    assert decided(decide_proposal(ASKED, WithdrawProposal(by=another_key, because="x"), NOW))


# --- to what


@given(
    st.sampled_from(
        [
            {"id": "pro_2"},
            {"command": "remove_entry"},
            {"command_schema": 2},
            {"body": {"because": "x"}},
            {"subject": "bank:c"},
            {"at_version": 4},
        ]
    )
)
def test_what_is_agreed_to_is_what_was_shown_and_nothing_else(other: dict[str, Any]) -> None:
    shown = replace(ASKED, **other)
    assert shown.digest != ASKED.digest
    outcome = decide_proposal(ASKED, replace(AGREE, digest=shown.digest), NOW)
    assert refused(outcome).code == "proposal.not_what_was_shown"


@pytest.mark.parametrize("now_at", [None, 0, 2, 4])
def test_what_has_changed_meanwhile_is_overtaken_and_not_agreed_to(now_at: int | None) -> None:
    (happened,) = decided(decide_proposal(ASKED, replace(AGREE, now_at=now_at), NOW))
    assert isinstance(happened, ProposalOvertaken)
    assert "asked for at 3" in happened.because


@pytest.mark.parametrize("because", ["", "  ", "x" * 501, "a\x00b", "a\nb"])
def test_whoever_asks_or_answers_says_why(because: str) -> None:
    answers: list[ProposalCommand] = [
        replace(AGREE, because=because),
        RefuseProposal(by=BOB, because=because),
        WithdrawProposal(by=ALICE, because=because),
    ]
    with pytest.raises(InvalidRequest, match="because"):
        decide_proposal(None, replace(ASK, because=because), NOW)
    for command in answers:
        with pytest.raises(InvalidRequest, match="because"):
            decide_proposal(ASKED, command, NOW)


# --- when


@given(st.timedeltas(min_value=-365 * DAY, max_value=365 * DAY))
def test_the_clock_alarms_and_does_nothing_else(after: timedelta) -> None:
    outcome = decide_proposal(ASKED, MarkProposalOverdue(), NOW + after)
    if after < DAY:
        assert refused(outcome).code == "proposal.not_due"
        return
    (happened,) = decided(outcome)
    assert evolve_proposal(ASKED, "pro_1", happened).is_open


# --- alone


def test_alone_in_solo_mode_one_may_agree_after_the_delay_and_that_is_said() -> None:
    alone = replace(AGREE, by=ALICE, people=ALONE, solo_after=DAY)
    assert refused(decide_proposal(ASKED, alone, NOW + DAY - timedelta(seconds=1))).code == "proposal.solo_waits"
    (happened,) = decided(decide_proposal(ASKED, alone, NOW + DAY))
    assert isinstance(happened, ProposalAgreed)
    assert (happened.person, happened.solo) == ("alice", True)


def test_solo_mode_is_of_no_effect_while_somebody_else_is_known() -> None:
    alone = replace(AGREE, by=ALICE, solo_after=DAY)
    assert refused(decide_proposal(ASKED, alone, NOW + 9 * DAY)).code == "proposal.same_person"
    (happened,) = decided(decide_proposal(ASKED, replace(AGREE, solo_after=DAY), NOW))
    assert isinstance(happened, ProposalAgreed)
    assert not happened.solo


def test_without_solo_mode_nobody_agrees_alone_however_long_it_waits() -> None:
    outcome = decide_proposal(ASKED, replace(AGREE, by=ALICE, people=ALONE), NOW + 3650 * DAY)
    assert refused(outcome).code == "proposal.same_person"


# --- names


@pytest.mark.parametrize("written", ["alice", "Alice", " ALICE "])
def test_a_person_has_one_spelling(written: str) -> None:
    assert person_named(written) == "alice"


@pytest.mark.parametrize("wrong", ["", " ", "-x", "a b", "al\u0131ce", "\u212alaus", "x" * 65, "a\x00", "a/b", "a:b"])
def test_what_only_looks_like_a_name_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidName):
        person_named(wrong)


def test_a_proposal_has_a_journal_subject_of_its_own_and_what_was_asked_for_is_in_its_event() -> None:
    assert proposal_subject("pro_1") == "proposal:pro_1"
    (happened,) = decided(decide_proposal(None, ASK, NOW))
    assert isinstance(happened, ProposalAsked)
    assert (happened.command, happened.about, happened.at_version, happened.person) == (
        "disable_bank",
        "bank:b",
        3,
        "alice",
    )
