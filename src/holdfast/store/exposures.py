# SPDX-License-Identifier: Apache-2.0
"""How much a case was seen after notice: read from the platform's counters and from the journal of its holds.

Notice is the moment when the first report of the case was received. A location counts as visible from then
until it is confirmed to be out of reach, and again from each breach to the next confirmation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.case.exposure import Exposure, Reading, Visible, exposure
from holdfast.hold.hold import HeldRemoved, HoldBreached, HoldConfirmed, HoldGone, HoldReleased
from holdfast.log.event import Event, decode
from holdfast.store.models import CaseRow, HoldRow, JournalRow, ReportedRow, ViewsRow

_TAGS: Final = tuple(
    kind.tag for kind in (HoldConfirmed, HoldBreached, HoldGone, HoldReleased, HeldRemoved)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseExposure:
    """One case: since when it was known, at how many places, and how much it was seen since."""

    case: str
    notice: datetime
    places: int
    exposure: Exposure


def exposure_of(case_id: str, now: datetime) -> CaseExposure:
    """How much a case was seen between its notice and `now`."""
    notice = _notice(case_id)
    holds = list(HoldRow.objects.filter(case_id=case_id).order_by("id").values_list("id", flat=True))
    readings, spans = _readings(holds), _spans(holds, notice)
    found = exposure([readings[one] for one in holds], [spans[one] for one in holds], notice=notice, now=now)
    return CaseExposure(case=case_id, notice=notice, places=len(holds), exposure=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All cases since some day, as a platform publishes them."""

    cases: int
    views_after_notice: int
    """Of the cases whose counters were read in time."""
    cases_not_counted: int
    """Cases whose counters were not read at or before the notice: their views are unknown, not nought."""
    visible_after_notice: timedelta


def totals(since: datetime, now: datetime) -> Totals:
    """The totals of all cases that were opened since then."""
    found = [
        exposure_of(case, now) for case in CaseRow.objects.filter(opened_at__gte=since).values_list("id", flat=True)
    ]
    known = [one.exposure.views_after_notice for one in found if one.exposure.views_after_notice is not None]
    return Totals(
        cases=len(found),
        views_after_notice=sum(known),
        cases_not_counted=len(found) - len(known),
        visible_after_notice=sum((one.exposure.visible_after_notice for one in found), timedelta(0)),
    )


def visible_spans(notice: datetime, changes: Iterable[tuple[datetime, Event]]) -> list[Visible]:
    """When one place could be seen, from what happened to its hold, in order."""
    spans, since = list[Visible](), notice
    open_now = True
    for at, happened in changes:
        shown = isinstance(happened, (HoldBreached, HoldReleased))
        if open_now and not shown:
            spans.append(Visible(since=since, until=at))
        if shown and not open_now:
            since = at
        open_now = shown
    return [*spans, Visible(since=since)] if open_now else spans


def _notice(case_id: str) -> datetime:
    first = ReportedRow.objects.filter(case_id=case_id).order_by("report__received_at").select_related("report").first()
    return first.report.received_at if first else CaseRow.objects.get(id=case_id).opened_at


def _readings(holds: Sequence[str]) -> defaultdict[str, list[Reading]]:
    found: defaultdict[str, list[Reading]] = defaultdict(list)
    for row in ViewsRow.objects.filter(hold_id__in=holds).order_by("at"):
        found[row.hold_id].append(Reading(at=row.at, views=row.views))
    return found


def _spans(holds: Sequence[str], notice: datetime) -> dict[str, list[Visible]]:
    changes: defaultdict[str, list[tuple[datetime, Event]]] = defaultdict(list)
    subjects = [f"hold:{one}" for one in holds]
    for row in JournalRow.objects.filter(subject__in=subjects, tag__in=_TAGS).order_by("subject", "version"):
        changes[row.subject].append((row.at, decode(row.tag, row.schema, row.body)))
    return {one: visible_spans(notice, changes[f"hold:{one}"]) for one in holds}
