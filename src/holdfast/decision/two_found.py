# SPDX-License-Identifier: Apache-2.0
"""When a review stands for two people: the one place where what they found becomes leave to weaken anything.

It takes all of this, asked of the review itself and not of anybody's word about it: that it is concluded; that
it was not upheld; that the findings which count come to that again when they are weighed here; that two
different people carry it for the same reason; and that the time for second thoughts is over. Anything else is
no leave, whatever the case.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from holdfast.access.two_people import TwoFound
from holdfast.case.case import CaseItem
from holdfast.review.review import Review, ReviewState
from holdfast.review.weighing import Weighed, carrying, weigh


def two_found(  # each is one fact that the leave is bound to
    review_id: str,
    review: Review,
    now: datetime,
    *,
    decision: str,
    copies: Collection[CaseItem] = (),
    undoes: Collection[str] = (),
) -> TwoFound | None:
    """The leave that this review gives at `now` to decide `decision` of its item and these exact copies of it.

    None if it gives none. To be called in the transaction that acts on it, with a review read in that transaction.
    """
    by = carriers(review)
    if review.outcome is not Weighed.NOT_UPHELD or len(by) < _TWO or not takes_effect(review, now):
        return None
    own = (review.content, review.version)
    return TwoFound(
        review=review_id,
        decision=decision,
        case=review.case,
        items=frozenset({own, *((one.content, one.version) for one in copies)}),
        by=frozenset(by),
        undoes=frozenset(undoes),
    )


def takes_effect(review: Review, now: datetime) -> bool:
    """Whether a review is concluded, and the time for second thoughts is over."""
    concluded = review.state is ReviewState.CONCLUDED and review.effective_at is not None
    return concluded and review.effective_at is not None and now >= review.effective_at


def carriers(review: Review) -> tuple[str, ...]:
    """Who carries what the review came to, each once; nobody, if its findings do not come to that."""
    if review.outcome is Weighed.NOT_UPHELD and weigh(review.findings) is not Weighed.NOT_UPHELD:
        return ()
    return tuple(dict.fromkeys(one.by for one in carrying(review.findings)))


_TWO = 2
