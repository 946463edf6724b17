# SPDX-License-Identifier: Apache-2.0
"""Exposure: how often an item was seen, and for how long it could be, after somebody had told the platform.

Views are the platform's own counter, read at notice, at each change and every hour. A counter that falls
back (a restart, a reset) never makes what was counted less. What was never read is said to be unknown,
and is not nought.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The platform's counter of one location at one moment."""

    at: datetime
    views: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """One location could be reached from `since` until `until`; None while it still can."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Of one case. `views_after_notice` is None where the counter was not read at or before the notice."""

    views_after_notice: int | None
    visible_after_notice: timedelta

    @property
    def minutes_visible(self) -> float:
        """Minutes, all locations together."""
        return self.visible_after_notice / timedelta(minutes=1)


def exposure(
    readings: Sequence[Sequence[Reading]], visible: Iterable[Iterable[Visible]], *, notice: datetime, now: datetime
) -> Exposure:
    """Of the locations of a case: their readings, and when each of them could be reached."""
    views = [views_since(one, notice) for one in readings]
    known = None if any(one is None for one in views) else sum(one or 0 for one in views)
    return Exposure(
        views_after_notice=known,
        visible_after_notice=sum((seen_since(one, notice, now) for one in visible), timedelta(0)),
    )


def views_since(readings: Sequence[Reading], notice: datetime) -> int | None:
    """Views that were counted after the last reading at or before `notice`; None if there is none."""
    ordered = sorted(readings, key=lambda one: one.at)
    if not ordered or ordered[0].at > notice:
        return None
    first = max(number for number, one in enumerate(ordered) if one.at <= notice)
    return sum(_grown(before.views, after.views) for before, after in pairwise(ordered[first:]))


def seen_since(visible: Iterable[Visible], notice: datetime, now: datetime) -> timedelta:
    """How long one location could be reached between `notice` and `now`; spans that overlap count once."""
    spans = sorted((max(one.since, notice), min(one.until or now, now)) for one in visible)
    total, reached = timedelta(0), notice
    for since, until in spans:
        total += max(timedelta(0), until - max(since, reached))
        reached = max(reached, until)
    return total


def _grown(before: int, after: int) -> int:
    """A counter that fell back was begun anew, and has counted `after` since."""
    return after - before if after >= before else after
