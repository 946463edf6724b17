# SPDX-License-Identifier: Apache-2.0
"""What a step of a review leads to elsewhere, in its transaction: what is owed, which clocks run, who is alarmed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.clock import Moment, started_at
from holdfast.decision.take import TAKE
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.review.review import Review, ReviewState, review_subject
from holdfast.review.weighing import Weighed
from holdfast.store.means import Means
from holdfast.store.models import ReviewRow

SYSTEM: Final = "system:reviews"
OPEN: Final = (ReviewState.WAITING, ReviewState.ASKED, ReviewState.NEEDS_OUTSIDE)
_MOST_TRIES: Final = 100_000
_SOON: Final = timedelta(minutes=10)
_FIRST_LOOK: Final = ("first-look",)


class Following:
    """Follows reviews up."""

    def __init__(self, means: Means) -> None:
        """Work with `means`."""
        self._means = means

    def follow(self, row: ReviewRow, before: Review, after: Review, at: datetime) -> None:
        """Do all that this step leads to. A conclusion that is taken back is owed as one that is made."""
        if ReviewState.CONCLUDED in (before.state, after.state):
            self._owe(row.id, after, at)
        self._move_clocks(row, before, after, at)
        about = review_subject(row.id)
        if after.state is ReviewState.NEEDS_OUTSIDE:
            self._means.alarms.call(AlarmKind.REVIEW_NEEDS_OUTSIDE, about, self._means.owner, actor=SYSTEM, at=at)
        elif before.state is ReviewState.NEEDS_OUTSIDE:
            kinds = [AlarmKind.REVIEW_NEEDS_OUTSIDE]
            self._means.alarms.clear(about, "somebody looks", actor=SYSTEM, at=at, kinds=kinds)

    def _owe(self, review_id: str, after: Review, at: datetime) -> None:
        releases = after.outcome is Weighed.NOT_UPHELD
        owed = Order(
            kind=TAKE,
            item=review_id,
            location=TAKE,
            payload=(PayloadId("review", review_id),),
            weight=Weight.NEUTRAL if releases else Weight.PROTECTIVE,
            deadline=(after.effective_at or at) + _SOON,
            most_tries=_MOST_TRIES,
            owner=self._means.owner,
        )
        self._means.effects.enqueue([owed], actor=SYSTEM, at=at)

    def _move_clocks(self, row: ReviewRow, before: Review, after: Review, at: datetime) -> None:
        clocks, about = self._means.clocks, review_subject(row.id)
        if after.state is ReviewState.CONCLUDED:
            clocks.stop(about, Moment.DECIDED, at=at, actor=SYSTEM)
        elif after.findings and not before.findings:
            clocks.start(about, started_at(Moment.FIRST_FINDING), at=at, actor=SYSTEM)
        if after.findings and not _unseen(row.case_id):
            clocks.stop(f"case:{row.case_id}", Moment.LOOKED_AT, at=at, actor=SYSTEM, codes=_FIRST_LOOK)


def _unseen(case: str) -> bool:
    """Whether something of a case is held of which nobody has said anything."""
    return ReviewRow.objects.filter(case_id=case, state__in=OPEN, findings=[]).exists()
