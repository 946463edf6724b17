# SPDX-License-Identifier: Apache-2.0
"""Whom the system asks for a finding, and whom never."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.role import Colleague, Role
from holdfast.review.eligible import Matter, Turn, asked, lacking, may_look

ADA: Final = Colleague(person="ada", roles=frozenset({Role.REVIEWER}), team="north", account="@ada")
BEN: Final = Colleague(person="ben", roles=frozenset({Role.REVIEWER}), team="north")
CLEO: Final = Colleague(person="cleo", roles=frozenset({Role.SENIOR}), team="south")
LAWYER: Final = Colleague(person="dora", roles=frozenset({Role.LEGAL}))
KEEPER: Final = Colleague(person="eve", roles=frozenset({Role.ADMINISTRATOR, Role.AUDITOR}))
GUEST: Final = Colleague(person="finn", roles=frozenset({Role.SENIOR}), outside=True)
EVERYBODY: Final = (ADA, BEN, CLEO, LAWYER, KEEPER, GUEST)
ELSE: Final = Matter(parties=frozenset())
draws = st.integers(0, 10**9)
matters = st.builds(
    Matter,
    parties=st.frozensets(st.sampled_from(["@ada", "@else"])),
    spoke=st.frozensets(st.sampled_from([one.person for one in EVERYBODY])),
    recused=st.frozensets(st.sampled_from([one.person for one in EVERYBODY])),
    teams=st.frozensets(st.sampled_from(["north", "south"])),
)


@given(matters, st.sampled_from(Turn), draws)
def test_nobody_is_asked_who_is_party_to_it_or_spoke_before_or_stepped_back(
    matter: Matter, turn: Turn, draw: int
) -> None:
    found = asked(EVERYBODY, matter, turn, draw)
    if found is not None:
        assert may_look(found, matter) is None
        assert found.account not in matter.parties
        assert found.person not in matter.spoke | matter.recused


@given(matters, st.sampled_from(Turn), draws)
def test_whoever_only_keeps_accounts_is_never_asked(matter: Matter, turn: Turn, draw: int) -> None:
    assert asked(EVERYBODY, matter, turn, draw) is not KEEPER


@pytest.mark.parametrize(
    ("matter", "code"),
    [
        (Matter(parties=frozenset({"@ada"})), "review.party"),
        (Matter(parties=frozenset(), spoke=frozenset({"ada"})), "review.spoke_before"),
        (Matter(parties=frozenset(), recused=frozenset({"ada"})), "review.recused"),
    ],
)
def test_a_refusal_says_which_rule_it_was(matter: Matter, code: str) -> None:
    refusal = may_look(ADA, matter)
    assert refusal
    assert refusal.code == code


def test_whoever_has_no_account_at_the_platform_is_party_to_nothing() -> None:
    assert may_look(BEN, Matter(parties=frozenset({""}))) is None


@given(draws)
def test_a_second_look_comes_from_another_team_where_one_can_be_had(draw: int) -> None:
    after_ada = Matter(parties=frozenset(), spoke=frozenset({"ada"}), teams=frozenset({"north"}))
    assert asked(EVERYBODY, after_ada, Turn.SECOND, draw) is CLEO
    assert asked((ADA, BEN), after_ada, Turn.SECOND, draw) is BEN


def test_where_reviewers_are_too_few_the_circle_grows_by_steps_and_ends() -> None:
    after_ada = Matter(parties=frozenset(), spoke=frozenset({"ada"}))
    assert asked((ADA, LAWYER, KEEPER, GUEST), after_ada, Turn.SECOND, 7) is LAWYER
    assert asked((ADA, KEEPER, GUEST), after_ada, Turn.SECOND, 7) is GUEST
    assert asked((ADA, KEEPER), after_ada, Turn.SECOND, 7) is None


def test_a_third_is_senior_or_from_outside_and_nobody_else() -> None:
    assert asked((ADA, BEN, CLEO, GUEST), ELSE, Turn.THIRD, 1) is CLEO
    assert asked((ADA, BEN, GUEST), ELSE, Turn.THIRD, 1) is GUEST
    assert asked((ADA, BEN, LAWYER), ELSE, Turn.THIRD, 1) is None


def test_chance_reaches_everybody_who_may() -> None:
    assert {asked((ADA, BEN, CLEO), ELSE, Turn.FIRST, draw) for draw in range(3)} == {ADA, BEN, CLEO}


def test_what_too_few_people_cannot_complete_is_said() -> None:
    ann = Colleague(person="ann", roles=frozenset({Role.REVIEWER}))
    ben = Colleague(person="ben", roles=frozenset({Role.LEGAL}))
    dora = Colleague(person="dora", roles=frozenset({Role.SENIOR}))
    root = Colleague(person="root", roles=frozenset({Role.ADMINISTRATOR}))
    eve = Colleague(person="eve", roles=frozenset({Role.REVIEWER}), outside=True)
    assert [one.partition(":")[0] for one in lacking([root])] == [
        "no reviewer",
        "nobody for a second look",
        "nobody for a third look, senior or from outside",
    ]
    assert len(lacking([ann, root])) == 2
    assert len(lacking([ann, ben])) == 1
    assert lacking([ann, ben, dora]) == []
    assert lacking([ann, ben, eve]) == []
