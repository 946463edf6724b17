# SPDX-License-Identifier: Apache-2.0
"""What may be found, and what of an item whoever finds it must have seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.intake.proof import Claim, NotUpheld
from holdfast.review.finding import (
    MUST_HAVE_SEEN,
    NOT_OF_MINORS,
    PROOF_PATIENCE,
    Circumstances,
    Finding,
    Ground,
    Verdict,
    check_finding,
    saw_enough,
)
from holdfast.review.viewing import Seen, Step
from tests.review.making import NOW, finding

OF_ADULTS = Circumstances(minor=False, everybody_adult=True)


def refused(one: Finding, known: Circumstances = OF_ADULTS) -> str | None:
    refusal = check_finding(one, known)
    return refusal.code if refusal else None


def test_every_reason_says_how_much_must_have_been_seen() -> None:
    assert MUST_HAVE_SEEN.keys() == set(NotUpheld)


@pytest.mark.parametrize("ground", [Ground.WORDS, Ground.LIST_MATCH, Ground.ASKED_BY_CHILD])
def test_nobody_has_to_look_to_remove_for_words_for_a_list_or_because_a_child_asks(ground: Ground) -> None:
    assert refused(finding(Verdict.REMOVE, ground=ground, seen=Seen())) is None


def test_what_rests_on_what_was_seen_was_looked_at() -> None:
    assert refused(finding(Verdict.REMOVE, ground=Ground.SEEN, seen=Seen())) == "finding.unseen"
    one = Seen(step=Step.BLURRED, pictures=1, of=50)
    assert refused(finding(Verdict.REMOVE, ground=Ground.SEEN, seen=one)) is None


@pytest.mark.parametrize("reason", NotUpheld)
@given(pictures=st.integers(0, 50), of=st.integers(0, 50), step=st.sampled_from(Step))
def test_whoever_does_not_uphold_has_seen_all_of_it(reason: NotUpheld, pictures: int, of: int, step: Step) -> None:
    said = refused(finding(Verdict.NOT_UPHELD, reason=reason, seen=Seen(step=step, pictures=pictures, of=of)))
    everything = 0 < of <= pictures and step.reaches(MUST_HAVE_SEEN[reason])
    assert said == (None if everything else "finding.unseen")


def test_an_item_of_whose_size_nobody_knows_was_not_seen_whole() -> None:
    assert not saw_enough(Seen(step=Step.CLEAR, pictures=40, of=0), Step.BLURRED)


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_removal_has_a_ground_and_only_a_refusal_a_reason(verdict: Verdict) -> None:
    assert refused(finding(verdict)) is None
    without = "finding.ground" if verdict is Verdict.REMOVE else None
    assert refused(finding(verdict, ground=None)) == without
    without = "finding.reason" if verdict is Verdict.NOT_UPHELD else None
    assert refused(finding(verdict, reason=None)) == without
    if verdict is not Verdict.REMOVE:
        assert refused(finding(verdict, ground=Ground.SEEN)) == "finding.ground"
    if verdict is not Verdict.NOT_UPHELD:
        assert refused(finding(verdict, reason=NotUpheld.OTHER_ITEM)) == "finding.reason"


def test_nobody_looks_adult() -> None:
    shown_adult = finding(Verdict.NOT_UPHELD, reason=NotUpheld.SHOWN_ADULT)
    assert refused(shown_adult, Circumstances()) == "finding.not_shown"
    child = Circumstances(verified=frozenset({Claim.BIRTH_DATE}))
    assert refused(shown_adult, child) == "finding.not_shown"
    adult = Circumstances(verified=frozenset({Claim.BIRTH_DATE}), everybody_adult=True)
    assert refused(shown_adult, adult) is None


def test_nobody_finds_against_what_is_verified_and_an_age_says_nothing_of_other_reasons() -> None:
    likeness = Circumstances(minor=False, verified=frozenset({Claim.LIKENESS, Claim.BIRTH_DATE}))
    assert refused(finding(Verdict.NOT_UPHELD, reason=NotUpheld.NOT_IN_IT), likeness) == "finding.contradicts_proof"
    assert refused(finding(Verdict.NOT_UPHELD, reason=NotUpheld.OTHER_ITEM), likeness) is None
    assert refused(finding(Verdict.REMOVE), likeness) is None


@pytest.mark.parametrize("reason", NotUpheld)
def test_where_a_minors_safety_is_concerned_it_does_not_matter_who_reports(reason: NotUpheld) -> None:
    said = refused(finding(Verdict.NOT_UPHELD, reason=reason), Circumstances(everybody_adult=True))
    assert said == ("finding.not_of_minors" if reason in NOT_OF_MINORS else None)
    assert Circumstances().minor, "and it is, until it is known not to be"


def test_a_refusal_waits_a_day_for_a_proof_that_nobody_has_looked_at_and_a_removal_does_not() -> None:
    known = Circumstances(proof_waits_since=NOW)
    assert refused(finding(Verdict.NOT_UPHELD), known) == "finding.proof_waits"
    just_before = NOW + PROOF_PATIENCE - timedelta(microseconds=1)
    assert refused(finding(Verdict.NOT_UPHELD, at=just_before), known) == "finding.proof_waits"
    assert refused(finding(Verdict.NOT_UPHELD, at=NOW + PROOF_PATIENCE), known) is None
    assert refused(finding(Verdict.REMOVE), known) is None
