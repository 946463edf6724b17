# SPDX-License-Identifier: Apache-2.0
"""Alarms about findings toward release that are unusual: raised while they are so, and cleared once they are not.

It reads the reviews of a month, from time to time; who looked at what and for how long is read from what was shown.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Min, Q

from holdfast.alarm.alarm import AlarmState
from holdfast.alarm.kinds import AlarmKind
from holdfast.review.review import ReviewState
from holdfast.review.watching import WATCHED_FOR, Found, Unusual, unusual
from holdfast.store.means import Means
from holdfast.store.models import AlarmRow, ReviewRow, ViewingRow
from holdfast.store.review_rows import review_of

EACH: Final = timedelta(minutes=10)
"""How often it is looked at."""
_SYSTEM: Final = "system:reviews"


class Dismissals:
    """Watches what people find toward release."""

    def __init__(self, means: Means) -> None:
        """Alarm through `means`."""
        self._means = means
        self._next: datetime | None = None

    def watch(self, now: datetime) -> int:
        """Raise and clear alarms, if it is time again; returns how many are raised or cleared."""
        if self._next is not None and now < self._next:
            return 0
        self._next = now + EACH
        found = {one.about for one in unusual_now(now)}
        with transaction.atomic(durable=True):
            rows = AlarmRow.objects.filter(kind=AlarmKind.DISMISSALS_UNUSUAL).exclude(state=AlarmState.CLEARED)
            standing = set(rows.values_list("about", flat=True))
            for about in sorted(found - standing):
                self._means.alarms.call(AlarmKind.DISMISSALS_UNUSUAL, about, self._means.owner, actor=_SYSTEM, at=now)
            for about in sorted(standing - found):
                self._means.alarms.clear(about, "it is so no longer", actor=_SYSTEM, at=now)
        return len(found ^ standing)


def unusual_now(now: datetime) -> list[Unusual]:
    """All that is unusual at `now`."""
    return unusual(_findings(now), now)


def _findings(now: datetime) -> list[Found]:
    since = now - WATCHED_FOR
    recent = Q(effective_at__gte=since) | ~Q(state=ReviewState.CONCLUDED)
    rows = {row.id: review_of(row) for row in ReviewRow.objects.filter(recent).exclude(findings=[])}
    looks = ViewingRow.objects.filter(review__in=list(rows), shown_at__gte=since).values("review", "person")
    first = {(one["review"], one["person"]): one["first"] for one in looks.annotate(first=Min("shown_at"))}
    return [
        Found(
            review=key,
            by=one.by,
            verdict=one.verdict,
            at=one.at,
            looked=None if (key, one.by) not in first else (one.at - first[key, one.by]).total_seconds(),
            pictures=one.seen.pictures,
        )
        for key, review in rows.items()
        for one in review.findings
    ]
