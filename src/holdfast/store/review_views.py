# SPDX-License-Identifier: Apache-2.0
"""What an operator may see of reviews: ids, states and how many spoke. Never who found what, nor their words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.review.review import ReviewState
from holdfast.store.models import ReviewRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """One review in a list."""

    id: str
    case: str
    item: str
    about: str
    state: str
    turn: str
    asked: str | None
    """Whose turn it is."""
    until: datetime | None
    """When their turn is over."""
    spoke: int
    """How many people found something so far, or decided about it before."""
    outcome: str | None
    opened_at: datetime


def reviews(*, everything: bool, limit: int) -> list[ReviewLine]:
    """The reviews that are not settled, in the order in which people look; or, of everything, the newest first."""
    rows = ReviewRow.objects.all()
    if everything:
        return [_line(row) for row in rows.order_by("-opened_at", "id")[:limit]]
    waiting = rows.exclude(state=ReviewState.CONCLUDED)
    return [_line(row) for row in waiting.order_by("urgency", "due", "opened_at", "id")[:limit]]


def _line(row: ReviewRow) -> ReviewLine:
    return ReviewLine(
        id=row.id,
        case=row.case_id,
        item=row.content_id,
        about=row.about,
        state=row.state,
        turn=row.turn,
        asked=row.asked,
        until=row.until,
        spoke=len(row.spoke),
        outcome=row.outcome,
        opened_at=row.opened_at,
    )
