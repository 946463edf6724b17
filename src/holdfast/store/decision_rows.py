# SPDX-License-Identifier: Apache-2.0
"""Decisions as their rows hold them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from holdfast.case.case import CaseItem
from holdfast.decision.basis import Reference
from holdfast.decision.decision import Decision, DecisionKind, DecisionState, Party, Shown
from holdfast.intake.proof import NotUpheld
from holdfast.review.finding import Ground
from holdfast.store.models import DecisionRow

COLUMNS: Final = (
    "case_id content_id content_version copies kind state review by ground reason reference found_by_machine shown "
    "appealed_in upheld_by made_at"
)
CHANGING: Final = ("state", "shown", "appealed_in", "upheld_by", "version")


def columns_of(decision: Decision) -> dict[str, Any]:
    """What a row holds of a decision."""
    return {
        "case_id": decision.case,
        "content_id": decision.content,
        "content_version": decision.version,
        "copies": [[one.content, one.version] for one in decision.copies],
        "kind": decision.kind.value,
        "state": decision.state.value,
        "review": decision.review,
        "by": list(decision.by),
        "ground": decision.ground and decision.ground.value,
        "reason": decision.reason and decision.reason.value,
        "reference": decision.reference.value,
        "found_by_machine": decision.found_by_machine,
        "shown": [[one.to.value, one.who, one.at.isoformat()] for one in decision.shown],
        "appealed_in": decision.appealed_in,
        "upheld_by": list(decision.upheld_by),
        "made_at": decision.made_at,
    }


def decision_of(row: DecisionRow) -> Decision:
    """The decision that a row holds."""
    return Decision(
        case=row.case_id,
        content=row.content_id,
        version=row.content_version,
        copies=tuple(CaseItem(content=content, version=version) for content, version in row.copies),
        kind=DecisionKind(row.kind),
        state=DecisionState(row.state),
        review=row.review,
        by=tuple(row.by),
        ground=Ground(row.ground) if row.ground else None,
        reason=NotUpheld(row.reason) if row.reason else None,
        reference=Reference(row.reference),
        found_by_machine=row.found_by_machine,
        shown=tuple(Shown(to=Party(to), who=who, at=datetime.fromisoformat(at)) for to, who, at in row.shown),
        appealed_in=row.appealed_in,
        upheld_by=tuple(row.upheld_by),
        made_at=row.made_at,
    )
