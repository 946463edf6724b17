# SPDX-License-Identifier: Apache-2.0
"""A review stands for two people if two people found the same by themselves, of just this; and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.two_people import TwoFound, acting
from holdfast.case.case import CaseItem
from holdfast.decision.decision import Because, DecisionKind, Reverse
from holdfast.decision.two_found import two_found
from holdfast.errors import SecondPersonNeeded
from holdfast.hold.hold import Hold, HoldState, ReleaseHold
from holdfast.intake.proof import NotUpheld
from holdfast.match.bank import Action, Bank, BankState, DisableBank
from holdfast.review.finding import Finding, Verdict
from holdfast.review.review import AFTERTHOUGHT, Review, ReviewState
from holdfast.review.weighing import Weighed
from tests.decision.making import NOW, by_two, concluded, decided, finding, leave, make

HELD = Hold(case="cas_1", item="post-1", version="1", location="eu-1", state=HoldState.CONFIRMED, asked_at=NOW)
RELEASE = ReleaseHold("dec_1", "not upheld")
PEOPLE = ("ann", "bob", "cleo")


def gives(review: Review, **other: Any) -> TwoFound | None:
    return two_found("rev_1", review, NOW, decision="dec_1", **other)


def test_what_two_people_found_by_themselves_lets_just_that_be_released() -> None:
    assert acting(leave(), RELEASE, HELD, subject="hold:hld_1", version=2) == "review:rev_1"


@pytest.mark.parametrize(
    "review",
    [
        pytest.param(replace(by_two(), state=ReviewState.WAITING), id="nothing is concluded"),
        pytest.param(replace(by_two(), state=ReviewState.NEEDS_OUTSIDE), id="nobody here can settle it"),
        pytest.param(replace(by_two(), outcome=Weighed.REMOVE), id="it was removed"),
        pytest.param(replace(by_two(), outcome=None), id="nothing came of it"),
        pytest.param(replace(by_two(), effective_at=None), id="nobody said from when"),
        pytest.param(replace(by_two(), effective_at=NOW + AFTERTHOUGHT), id="it can still be taken back"),
        pytest.param(replace(by_two(), findings=()), id="the row says so and no finding does"),
        pytest.param(concluded(finding("ann")), id="one person"),
        pytest.param(concluded(finding("ann"), finding("ann")), id="one person twice"),
        pytest.param(concluded(finding("ann"), finding("bob", Verdict.UNSURE)), id="the other is unsure"),
        pytest.param(concluded(finding("ann"), finding("bob", Verdict.CANNOT_ASSESS)), id="the other cannot tell"),
        pytest.param(concluded(finding("ann"), finding("bob", Verdict.REMOVE)), id="the other removes"),
        pytest.param(
            concluded(finding("ann"), finding("bob", reason=NotUpheld.OTHER_ITEM)), id="for different reasons"
        ),
    ],
)
def test_nothing_less_stands_for_two(review: Review) -> None:
    assert gives(review) is None


def test_a_moment_before_the_time_for_second_thoughts_is_over_it_does_not_stand() -> None:
    review = replace(by_two(), effective_at=NOW)
    assert two_found("rev_1", review, NOW - timedelta(microseconds=1), decision="dec_1") is None
    assert two_found("rev_1", review, NOW, decision="dec_1") is not None


@given(
    st.lists(
        st.builds(
            finding,
            st.sampled_from(PEOPLE),
            st.sampled_from(Verdict),
            reason=st.sampled_from(NotUpheld),
        ),
        max_size=5,
    )
)
def test_whatever_one_person_says_however_often_is_never_leave(some: list[Finding]) -> None:
    found = gives(concluded(*some))
    if found is None:
        return
    latest = {one.by: one for one in some}
    agreed = [one.by for one in latest.values() if one.verdict is Verdict.NOT_UPHELD]
    assert len(found.by) >= 2
    assert found.by <= set(agreed)
    assert len({latest[name].reason for name in found.by}) == 1


@pytest.mark.parametrize("by", [(), ("ann",), ("ann", " Ann "), ("ann", "")])
def test_fewer_than_two_cannot_be_written_down_as_two(by: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="fewer than two"):
        replace(leave(), by=frozenset(by))


@pytest.mark.parametrize(
    "other",
    [
        {"item": "post-2"},
        {"version": "2"},
        {"case": "cas_2"},
    ],
)
def test_it_releases_nothing_else(other: dict[str, str]) -> None:
    with pytest.raises(SecondPersonNeeded):
        acting(leave(), RELEASE, replace(HELD, **other), subject="hold:hld_2", version=2)  # type: ignore[arg-type]


def test_it_is_for_one_decision() -> None:
    with pytest.raises(SecondPersonNeeded):
        acting(leave(), replace(RELEASE, decision="dec_2"), HELD, subject="hold:hld_1", version=2)


def test_it_is_no_leave_for_anything_that_no_review_is_about() -> None:
    bank = Bank(name="b", meaning="m", source="s", threshold=31, action=Action.HOLD, state=BankState.ACTIVE)
    with pytest.raises(SecondPersonNeeded):
        acting(leave(), DisableBank(), bank, subject="bank:b", version=1)


def test_a_name_that_looks_like_a_review_is_no_leave() -> None:
    with pytest.raises(SecondPersonNeeded):
        acting("review:rev_1", RELEASE, HELD, subject="hold:hld_1", version=2)


def test_an_exact_copy_is_released_with_it_and_no_other() -> None:
    copied = leave(copies=[CaseItem(content="post-2", version="7")])
    copy = replace(HELD, item="post-2", version="7")
    assert acting(copied, RELEASE, copy, subject="hold:hld_2", version=2) == "review:rev_1"
    with pytest.raises(SecondPersonNeeded):
        acting(copied, RELEASE, replace(copy, version="8"), subject="hold:hld_2", version=2)


def test_one_person_decides_to_remove_and_nobody_alone_decides_to_keep() -> None:
    for kind in DecisionKind:
        if kind.removes:
            assert acting("system:decisions", make(kind), None, subject="decision:dec_1", version=0)
            continue
        with pytest.raises(SecondPersonNeeded):
            acting("system:decisions", make(kind), None, subject="decision:dec_1", version=0)
        assert acting(leave(), make(kind), None, subject="decision:dec_1", version=0) == "review:rev_1"


@pytest.mark.parametrize(
    "other",
    [
        {"content": "post-2"},
        {"version": "2"},
        {"case": "cas_2"},
        {"review": "rev_2"},
        {"by": ("ann", "dora")},
        {"copies": (CaseItem(content="post-2", version="1"),)},
    ],
)
def test_what_two_people_found_decides_nothing_beside_it(other: dict[str, Any]) -> None:
    with pytest.raises(SecondPersonNeeded):
        acting(leave(), make(DecisionKind.KEEP, **other), None, subject="decision:dec_1", version=0)


def test_a_removal_ends_with_one_word_only_while_it_stays_held() -> None:
    held = Reverse(review="rev_1", because=Because.TAKEN_BACK, held=True)
    assert acting("system:decisions", held, decided(), subject="decision:dec_0", version=1)
    seen = replace(held, because=Because.APPEAL, held=False)
    with pytest.raises(SecondPersonNeeded):
        acting("system:decisions", seen, decided(), subject="decision:dec_0", version=1)
    assert acting(leave(), seen, decided(), subject="decision:dec_0", version=1) == "review:rev_1"
    with pytest.raises(SecondPersonNeeded):
        acting(leave(), seen, replace(decided(), content="post-2"), subject="decision:dec_0", version=1)
