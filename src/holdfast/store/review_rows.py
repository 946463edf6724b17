# SPDX-License-Identifier: Apache-2.0
"""Reviews as their rows hold them."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from holdfast.review.eligible import Turn
from holdfast.review.finding import Finding
from holdfast.review.review import About, Review, ReviewState
from holdfast.review.weighing import Weighed
from holdfast.store.models import ReviewRow

COLUMNS: Final = (
    "case_id content_id content_version about state turn asked until findings spoke recused "
    "outcome effective_at sampled"
)
CHANGING: Final = (
    "state", "turn", "asked", "until", "findings", "spoke", "recused", "outcome", "effective_at", "version"
)  # fmt: skip
_FINDINGS: Final = TypeAdapter(tuple[Finding, ...])


def columns_of(review: Review) -> dict[str, Any]:
    """What a row holds of a review."""
    return {
        "case_id": review.case,
        "content_id": review.content,
        "content_version": review.version,
        "about": review.about.value,
        "state": review.state.value,
        "turn": review.turn.value,
        "asked": review.asked,
        "until": review.until,
        "findings": _FINDINGS.dump_python(review.findings, mode="json"),
        "spoke": sorted(review.spoke),
        "recused": sorted(review.recused),
        "outcome": review.outcome and review.outcome.value,
        "effective_at": review.effective_at,
        "sampled": review.sampled,
    }


def review_of(row: ReviewRow) -> Review:
    """The review that a row holds."""
    return Review(
        case=row.case_id,
        content=row.content_id,
        version=row.content_version,
        about=About(row.about),
        state=ReviewState(row.state),
        turn=Turn(row.turn),
        asked=row.asked,
        until=row.until,
        findings=_FINDINGS.validate_python(row.findings),
        spoke=frozenset(row.spoke),
        recused=frozenset(row.recused),
        outcome=Weighed(row.outcome) if row.outcome else None,
        effective_at=row.effective_at,
        sampled=row.sampled,
    )
