# SPDX-License-Identifier: Apache-2.0
"""Reviews and decisions as tests need them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.access.two_people import TwoFound
from holdfast.decision.basis import Reference
from holdfast.decision.decision import Decision, DecisionKind, DecisionState, Digests, MakeDecision
from holdfast.decision.two_found import two_found
from holdfast.intake.proof import NotUpheld
from holdfast.review.finding import Finding, Ground, Verdict
from holdfast.review.review import About, Review, ReviewState
from holdfast.review.viewing import Seen
from holdfast.review.weighing import Weighed

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DIGESTS = Digests(policy="p", template="t", software="s")


def finding(by: str, verdict: Verdict = Verdict.NOT_UPHELD, *, reason: NotUpheld = NotUpheld.NOT_INTIMATE) -> Finding:
    """What somebody found, an hour ago."""
    at = NOW - timedelta(hours=1)
    if verdict is Verdict.NOT_UPHELD:
        return Finding(by=by, verdict=verdict, at=at, seen=Seen(), reason=reason)
    ground = Ground.SEEN if verdict is Verdict.REMOVE else None
    return Finding(by=by, verdict=verdict, at=at, seen=Seen(), ground=ground)


def concluded(*findings: Finding, outcome: Weighed = Weighed.NOT_UPHELD, **other: Any) -> Review:
    """A review that these findings ended, long enough ago."""
    review = Review(
        case="cas_1",
        content="post-1",
        version="1",
        about=About.HELD,
        state=ReviewState.CONCLUDED,
        findings=findings,
        spoke=frozenset(one.by for one in findings),
        outcome=outcome,
        effective_at=NOW - timedelta(minutes=50),
    )
    return replace(review, **other)


def by_two() -> Review:
    """Two people found, by themselves and for one reason, that it is not so."""
    return concluded(finding("ann"), finding("bob"))


def leave(review: Review | None = None, **other: Any) -> TwoFound:
    """What two people found, as leave to decide dec_1."""
    found = two_found("rev_1", review or by_two(), NOW, decision="dec_1", **other)
    assert found is not None
    return found


def make(kind: DecisionKind = DecisionKind.REMOVE, **other: Any) -> MakeDecision:
    """A decision of this kind, as it is made."""
    grounds = {DecisionKind.REMOVE: Ground.SEEN, DecisionKind.ASKED_BY_CHILD: Ground.ASKED_BY_CHILD}
    command = MakeDecision(
        case="cas_1",
        content="post-1",
        version="1",
        kind=kind,
        review="rev_1",
        by=("ann",) if kind.removes else ("ann", "bob"),
        ground=grounds.get(kind),
        reason=None if kind.removes else NotUpheld.NOT_INTIMATE,
        reference=Reference.CHILD_ABUSE_MATERIAL if kind.removes else Reference.NOTHING_AGAINST_IT,
        found_by_machine=False,
        digests=DIGESTS,
    )
    return replace(command, **other)


def decided(kind: DecisionKind = DecisionKind.REMOVE, state: DecisionState = DecisionState.MADE) -> Decision:
    """A decision of this kind, as it stands."""
    return Decision(
        case="cas_1",
        content="post-1",
        version="1",
        kind=kind,
        review="rev_1",
        by=("ann",),
        state=state,
        made_at=NOW,
    )
