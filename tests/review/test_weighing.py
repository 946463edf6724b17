# SPDX-License-Identifier: Apache-2.0
"""What findings come to: the reviewed table, and what holds of any findings at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.intake.proof import NotUpheld
from holdfast.review.finding import Finding, Verdict
from holdfast.review.weighing import Weighed, carrying, weigh
from tests.review.making import NAMES, finding, findings

R, N, U, C = Verdict.REMOVE, Verdict.NOT_UPHELD, Verdict.UNSURE, Verdict.CANNOT_ASSESS
TABLE = {
    (): Weighed.NEEDS_FIRST,
    (R,): Weighed.REMOVE,
    (N,): Weighed.NEEDS_SECOND,
    (U,): Weighed.NEEDS_SECOND,
    (C,): Weighed.NEEDS_SECOND,
    (R, R): Weighed.REMOVE,
    (N, N): Weighed.NOT_UPHELD,
    (R, N): Weighed.NEEDS_THIRD,
    (N, R): Weighed.NEEDS_THIRD,
    (N, U): Weighed.NEEDS_THIRD,
    (U, R): Weighed.NEEDS_THIRD,
    (U, U): Weighed.NEEDS_THIRD,
    (C, C): Weighed.NEEDS_THIRD,
    (N, R, N): Weighed.NOT_UPHELD,
    (N, U, N): Weighed.NOT_UPHELD,
    (N, R, R): Weighed.REMOVE,
    (U, C, R): Weighed.REMOVE,
    (R, U, N): Weighed.NEEDS_OUTSIDE,
    (U, U, N): Weighed.NEEDS_OUTSIDE,
    (N, R, U): Weighed.NEEDS_OUTSIDE,
    (N, R, C): Weighed.NEEDS_OUTSIDE,
}


def by_each(verdicts: tuple[Verdict, ...]) -> list[Finding]:
    return [finding(verdict, name) for verdict, name in zip(verdicts, NAMES, strict=False)]


@pytest.mark.parametrize("verdicts", TABLE, ids=lambda some: "-".join(some) or "nothing")
def test_findings_come_to_what_the_reviewed_table_says(verdicts: tuple[Verdict, ...]) -> None:
    assert weigh(by_each(verdicts)) is TABLE[verdicts]


@given(findings)
def test_nothing_is_let_go_unless_two_people_found_so(some: list[Finding]) -> None:
    if weigh(some) is Weighed.NOT_UPHELD:
        latest = {one.by: one.verdict for one in some}
        assert sum(verdict is Verdict.NOT_UPHELD for verdict in latest.values()) >= 2


@given(findings, st.sampled_from(NAMES), st.lists(st.sampled_from(Verdict), max_size=6))
def test_one_person_alone_lets_nothing_go_however_often_they_speak(
    others: list[Finding], insider: str, acts: list[Verdict]
) -> None:
    honest = [one for one in others if one.by != insider and one.verdict is not Verdict.NOT_UPHELD]
    assert weigh([*honest, *(finding(verdict, insider) for verdict in acts)]) is not Weighed.NOT_UPHELD


@given(st.lists(st.sampled_from([Verdict.UNSURE, Verdict.CANNOT_ASSESS]), max_size=4))
def test_those_who_cannot_say_settle_nothing(verdicts: list[Verdict]) -> None:
    assert not weigh(by_each(tuple(verdicts))).settles


def test_two_who_do_not_uphold_it_for_different_reasons_do_not_agree() -> None:
    other_item = finding(Verdict.NOT_UPHELD, "ben", reason=NotUpheld.OTHER_ITEM)
    pair = [finding(Verdict.NOT_UPHELD, "ada"), other_item]
    assert weigh(pair) is Weighed.NEEDS_THIRD
    assert weigh([*pair, finding(Verdict.NOT_UPHELD, "cleo")]) is Weighed.NOT_UPHELD
    third = finding(Verdict.NOT_UPHELD, "cleo", reason=NotUpheld.SHOWN_ADULT)
    assert weigh([*pair, third]) is Weighed.NEEDS_OUTSIDE


@given(findings)
def test_what_is_settled_is_carried_by_one_person_toward_protection_and_by_two_toward_release(
    some: list[Finding],
) -> None:
    people = {one.by for one in carrying(some)}
    least = {Weighed.REMOVE: 1, Weighed.NOT_UPHELD: 2}.get(weigh(some), 0)
    assert len(people) >= least
    assert bool(people) == bool(least)
