# SPDX-License-Identifier: Apache-2.0
"""A decision says what it rests on and who carries it, and is open to appeal for six months from being shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.decision.basis import SOURCES, Basis, Reference, reference_for
from holdfast.decision.decision import (
    APPEALABLE,
    Appeal,
    Decision,
    DecisionCommand,
    DecisionKind,
    DecisionMade,
    DecisionState,
    MakeDecision,
    Party,
    ShowDecision,
    decide_decision,
    evolve_decision,
)
from holdfast.errors import InvalidRequest, Refusal
from holdfast.intake.proof import NotUpheld
from holdfast.intake.reporter import Category
from holdfast.review.finding import Ground
from tests.decision.making import NOW, decided, make

APPEAL = Appeal(by=Party.REPORTER, who="rep_1", words="It is her.", review="rev_2")
SHOW = ShowDecision(to=Party.REPORTER, who="rep_1")


def after(decision: Decision | None, command: DecisionCommand, *, later: timedelta = timedelta()) -> Decision:
    """The decision after a command that is allowed."""
    events = decide_decision(decision, command, NOW + later)
    assert isinstance(events, list), events
    for happened in events:
        decision = evolve_decision(decision, happened)
    assert decision is not None
    return decision


def refused(decision: Decision | None, command: DecisionCommand, *, later: timedelta = timedelta()) -> str:
    """Why a command is refused."""
    refusal = decide_decision(decision, command, NOW + later)
    assert isinstance(refusal, Refusal)
    return refusal.code


@pytest.mark.parametrize("kind", DecisionKind)
def test_a_decision_of_each_kind_is_made_with_its_basis_by_people(kind: DecisionKind) -> None:
    (made,) = decide_decision(None, make(kind), NOW)  # type: ignore[misc]
    assert isinstance(made, DecisionMade)
    assert made.basis is made.reference.basis
    assert not made.decided_by_machine
    assert after(None, make(kind)).kind is kind


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (make(DecisionKind.REMOVE, ground=None), "decision.reason"),
        (make(DecisionKind.REMOVE, reason=NotUpheld.NOT_INTIMATE), "decision.reason"),
        (make(DecisionKind.KEEP, reason=None), "decision.reason"),
        (make(DecisionKind.KEEP, ground=Ground.SEEN), "decision.reason"),
        (make(DecisionKind.REMOVE, ground=Ground.ASKED_BY_CHILD), "decision.asked_by_child"),
        (make(DecisionKind.ASKED_BY_CHILD, ground=Ground.SEEN), "decision.asked_by_child"),
        (make(DecisionKind.REMOVE, by=()), "decision.two_people"),
        (make(DecisionKind.KEEP, by=("ann",)), "decision.two_people"),
        (make(DecisionKind.RESTRICT, by=("ann", "ann")), "decision.two_people"),
        (make(DecisionKind.KEEP_WITH_WARNING, by=()), "decision.two_people"),
    ],
)
def test_what_does_not_fit_together_is_not_decided(command: MakeDecision, code: str) -> None:
    assert refused(None, command) == code


def test_six_months_begin_when_it_is_shown_and_not_before() -> None:
    unseen = decided()
    assert after(unseen, APPEAL, later=timedelta(days=5000)).state is DecisionState.APPEALED
    shown = after(unseen, SHOW, later=timedelta(days=30))
    assert after(shown, APPEAL, later=timedelta(days=30) + APPEALABLE).state is DecisionState.APPEALED
    assert refused(shown, APPEAL, later=timedelta(days=31) + APPEALABLE) == "decision.appeal_over"


def test_being_shown_it_again_does_not_begin_them_anew() -> None:
    shown = after(decided(), SHOW)
    assert after(shown, SHOW, later=timedelta(days=100)) == shown


def test_each_has_six_months_of_their_own() -> None:
    shown = after(decided(), SHOW)
    other = Appeal(by=Party.UPLOADER, who="ctt_1", words="Mine.", review="rev_2")
    assert after(shown, other, later=APPEALABLE * 2).appealed_in == "rev_2"


def test_six_months_are_never_shorter_than_any_six_months() -> None:
    assert timedelta(days=184) < APPEALABLE


def test_an_appeal_says_why() -> None:
    with pytest.raises(InvalidRequest):
        decide_decision(decided(), Appeal(by=Party.REPORTER, who="rep_1", words="  ", review="rev_2"), NOW)


@pytest.mark.parametrize("category", Category)
def test_every_category_has_a_basis_and_a_childs_wish_has_its_own(category: Category) -> None:
    assert reference_for(category, removed=True, asked_by_child=False) is not Reference.NOTHING_AGAINST_IT
    assert reference_for(category, removed=True, asked_by_child=True) is Reference.TERMS_CHILDS_WISH
    assert reference_for(category, removed=False, asked_by_child=False) is Reference.NOTHING_AGAINST_IT


def test_a_rule_of_law_says_where_it_is_written() -> None:
    assert {one for one in Reference if one.basis is Basis.LAW} == set(SOURCES)
    assert all(SOURCES.values())
