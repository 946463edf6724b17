# SPDX-License-Identifier: Apache-2.0
"""Who may do what, where: the generated table is the one that was reviewed."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import pytest

from holdfast.access.role import Role
from holdfast.decision.actions import WHERE, WHO, Action, By, Duty, Where, actions, duties_of, refusal_of
from holdfast.decision.decision import DecisionState, Party
from holdfast.review.finding import Verdict
from holdfast.review.review import About, Review, ReviewState
from tests.review.making import finding

REVIEW = Review(case="cas_1", content="c", version="v", about=About.HELD, state=ReviewState.WAITING)

# Columns as in WHERE: waiting, asked, needs outside, concluded | made, carried out, appealed, upheld, reversed.
REVIEWED = {
    Role.INTAKE: """
        answer      x x x x | x x x x x
        read        x x x x | x x x x x
    """,
    Role.REVIEWER: "",
    Role.SENIOR: "",
    Role.LEAD: """
        call_outside . . x . | . . . . .
        read         x x x x | x x x x x
        read_history x x x x | x x x x x
        recuse       x x . . | . . . . .
    """,
    Role.IDENTITY: """
        see_proofs   x x x x | x x x x x
    """,
    Role.LEGAL: """
        delay_notice . . . . | x x x x x
        read         x x x x | x x x x x
        read_history x x x x | x x x x x
    """,
    Role.AUDITOR: """
        read         x x x x | x x x x x
        read_history x x x x | x x x x x
    """,
    Role.ADMINISTRATOR: "",
    Duty.ASKED: """
        find         . x . . | . . . . .
        give_back    . x . . | . . . . .
        look         . x . . | . . . . .
        read         . x . . | . . . . .
        read_history . x . . | . . . . .
        step_back    . x . . | . . . . .
    """,
    Duty.SPOKE: """
        take_back    x x x x | x x . . .
    """,
    Party.REPORTER: """
        add_facts     x x x x | x x x x x
        appeal        . . . . | x x . x .
        read_decision . . . . | x x x x x
    """,
    Party.UPLOADER: """
        appeal        . . . . | x x . x .
        contest       x x x x | . . . . .
        read_decision . . . . | x x x x x
    """,
}


def table_of(text: str) -> dict[str, set[Where]]:
    """Each action of a reviewed table, and where it is allowed."""
    lines = [line.replace("|", " ").split() for line in text.strip().splitlines()]
    return {name: {where for where, mark in zip(WHERE, marks, strict=True) if mark == "x"} for name, *marks in lines}


@pytest.mark.parametrize("who", WHO)
def test_the_generated_table_equals_the_reviewed_one(who: By) -> None:
    found = {
        str(action): {where for where in WHERE if action in actions(where, (who,))}
        for action in Action
        if any(action in actions(where, (who,)) for where in WHERE)
    }
    assert found == table_of(REVIEWED[who])


def test_the_reviewed_table_is_of_everybody_and_of_every_state() -> None:
    assert set(REVIEWED) == set(WHO)
    assert (*ReviewState, *DecisionState) == WHERE


@pytest.mark.parametrize("where", WHERE)
def test_somebody_who_is_several_may_do_what_each_may_and_nothing_more(where: Where) -> None:
    for several in chain.from_iterable(combinations(WHO, count) for count in range(4)):
        each = frozenset(chain.from_iterable(actions(where, (one,)) for one in several))
        assert actions(where, several) == each


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("action", Action)
def test_what_is_not_drawn_is_refused_and_says_why(where: Where, action: Action) -> None:
    for who in WHO:
        refusal = refusal_of(action, where, (who,))
        assert (refusal is None) == (action in actions(where, (who,)))
        if refusal:
            assert refusal.because
            assert refusal.code in ("action.not_now", "action.not_yours")


def test_nobody_who_keeps_accounts_sees_a_case() -> None:
    assert not any(actions(where, (Role.ADMINISTRATOR,)) for where in WHERE)


def test_no_role_lets_anything_be_seen_again() -> None:
    assert not {"release", "keep", "decide"} & {str(action) for action in Action}


def test_no_role_alone_lets_somebody_look_or_find() -> None:
    for where in WHERE:
        assert not actions(where, tuple(Role)) & {Action.LOOK, Action.FIND}


def test_what_somebody_has_to_do_with_a_review_is_being_asked_and_having_spoken() -> None:
    asked = replace(REVIEW, state=ReviewState.ASKED, asked="ann", findings=(finding(Verdict.UNSURE, "ben"),))
    assert duties_of(asked, "ann") == (Duty.ASKED,)
    assert duties_of(asked, "ben") == (Duty.SPOKE,)
    assert duties_of(asked, "cleo") == ()
    assert Action.LOOK in actions(asked.state, duties_of(asked, "ann"))
    assert actions(asked.state, duties_of(asked, "ben")) == {Action.TAKE_BACK}
    assert not actions(asked.state, duties_of(asked, "cleo"))
