# SPDX-License-Identifier: Apache-2.0
"""What an operator may see of cases: ids, states and counts. Never what anybody said, nor who they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from holdfast.hold.contest import ContestState
from holdfast.hold.hold import HoldState
from holdfast.intake.reported import OPEN
from holdfast.store.exposures import CaseExposure, exposure_of
from holdfast.store.models import CaseItemRow, CaseRow, ContestRow, HoldRow, ReportedRow

_HELD: Final = Q(state__in=[HoldState.CONFIRMED, HoldState.REMOVED])
_NOT_YET: Final = Q(state__in=["requested", "breached", "refused", "unreachable", "staged"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One case in a list."""

    id: str
    category: str
    state: str
    opened_at: datetime
    reports: int
    items: int
    held: int
    """Places that are confirmed to be out of reach."""
    not_yet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSheet:
    """One case as a whole."""

    line: CaseLine
    exposure: CaseExposure
    holds: tuple[tuple[str, str, str, str], ...]
    """(item, version, place, state)."""
    waiting: tuple[tuple[str, str], ...]
    """Copies that a person is to look at: (item, version)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingItem:
    """Something that a report names and no machine could find."""

    report: str
    reference: str
    number: int
    kind: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestLine:
    """A hold that somebody contests."""

    id: str
    case: str
    item: str
    offered_at: datetime


def cases(*, limit: int) -> list[CaseLine]:
    """The cases, the newest first."""
    return [_line(row) for row in _counted().order_by("-opened_at", "id")[:limit]]


def _counted() -> QuerySet[CaseRow]:
    """Cases with their numbers, each counted by itself: joined, thousands of items and places would multiply."""
    named, holds = ReportedRow.objects.filter(case=OuterRef("pk")), HoldRow.objects.filter(case=OuterRef("pk"))
    return CaseRow.objects.annotate(
        item_count=_number(CaseItemRow.objects.filter(case=OuterRef("pk")), "pk"),
        report_count=_number(named, "report"),
        held_count=_number(holds.filter(_HELD), "pk"),
        waiting_count=_number(holds.filter(_NOT_YET), "pk"),
    )


def _number(rows: QuerySet[Any], what: str) -> Coalesce:
    """How many different ones there are."""
    counted = rows.order_by().values("case").annotate(number=Count(what, distinct=True)).values("number")
    return Coalesce(Subquery(counted), 0)


def case_sheet(case_id: str, now: datetime) -> CaseSheet | None:
    """One case; None if there is none of that id."""
    row = _counted().filter(id=case_id).first()
    if row is None:
        return None
    holds = HoldRow.objects.filter(case_id=case_id).order_by("content_id", "content_version", "location")
    places = holds.values_list("content_id", "content_version", "location", "state")
    copies = CaseItemRow.objects.filter(case_id=case_id, waits=True).order_by("content_id")
    return CaseSheet(
        line=_line(row),
        exposure=exposure_of(case_id, now),
        holds=tuple(places),
        waiting=tuple(copies.values_list("content_id", "content_version")),
    )


def is_known(case_id: str) -> bool:
    """Whether there is a case of that id."""
    return CaseRow.objects.filter(id=case_id).exists()


def waiting(*, limit: int) -> list[WaitingItem]:
    """What a person has to find, the longest waiting first."""
    rows = ReportedRow.objects.filter(state__in=OPEN).select_related("report").order_by("report__received_at", "place")
    return [
        WaitingItem(
            report=row.report_id,
            reference=row.report.reference,
            number=row.place + 1,
            kind=row.kind,
            state=row.state,
            since=row.report.received_at,
        )
        for row in rows[:limit]
    ]


def contests(*, limit: int) -> list[ContestLine]:
    """Holds that are contested, the longest waiting first."""
    rows = ContestRow.objects.filter(state=ContestState.CONTESTED).order_by("offered_at")[:limit]
    return [ContestLine(id=row.id, case=row.case_id, item=row.content_id, offered_at=row.offered_at) for row in rows]


def hold_states() -> Counter[str]:
    """How many places are in each state."""
    counted = HoldRow.objects.values(name=F("state")).annotate(number=Count("id"))
    return Counter({str(row["name"]): int(row["number"]) for row in counted})


def _line(row: CaseRow) -> CaseLine:
    counts = {name: int(getattr(row, name)) for name in ("report_count", "item_count", "held_count", "waiting_count")}
    return CaseLine(
        id=row.id,
        category=row.category,
        state=row.state,
        opened_at=row.opened_at,
        reports=counts["report_count"],
        items=counts["item_count"],
        held=counts["held_count"],
        not_yet=counts["waiting_count"],
    )
