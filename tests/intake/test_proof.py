# SPDX-License-Identifier: Apache-2.0
"""What a verified claim rules out, and what it does not: an age says nothing about who is in a picture."""

from __future__ import annotations

import pytest

from holdfast.intake.proof import Claim, NotUpheld, contradicts


@pytest.mark.parametrize("reason", NotUpheld)
def test_without_a_verified_claim_no_reason_is_ruled_out(reason: NotUpheld) -> None:
    assert not contradicts(reason, ())


@pytest.mark.parametrize(
    ("reason", "claim", "ruled_out"),
    [
        (NotUpheld.SHOWN_ADULT, Claim.BIRTH_DATE, True),
        (NotUpheld.SHOWN_ADULT, Claim.IDENTITY, False),
        (NotUpheld.NOT_IN_IT, Claim.BIRTH_DATE, False),
        (NotUpheld.NOT_IN_IT, Claim.LIKENESS, True),
        (NotUpheld.NO_AUTHORITY, Claim.AUTHORITY, True),
        (NotUpheld.OTHER_ITEM, Claim.LIKENESS, False),
        (NotUpheld.NOT_INTIMATE, Claim.BIRTH_DATE, False),
    ],
)
def test_a_claim_rules_out_what_it_shows_and_nothing_else(reason: NotUpheld, claim: Claim, ruled_out: bool) -> None:
    assert contradicts(reason, {claim}) is ruled_out


def test_there_is_no_reason_that_somebody_looks_adult() -> None:
    assert not [reason for reason in NotUpheld if "look" in reason]
