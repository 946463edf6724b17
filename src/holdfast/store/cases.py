# SPDX-License-Identifier: Apache-2.0
"""Cases in PostgreSQL: what was named is found, joined, held and followed, each step with what it owes.

The promises: an item is in one case, however many report it at once; joining shows nobody what another
said; and what follows from a report (holds, the search for copies, counters, a notice to whoever posted
it, facts that the platform must keep) is owed in the transaction that joined it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.case import (
    STRICTEST,
    ClaimAge,
    KeepFacts,
    ReadViews,
    SeenViews,
    TakeReport,
)
from holdfast.hold.platform import Ambiguous, Found, Item, Nowhere, Resolved, Views
from holdfast.hold.policy import HoldPolicy
from holdfast.intake.age import AgeBasis, ClaimStatus, by_arithmetic
from holdfast.intake.desk import KnownAges
from holdfast.intake.report import JoinReport, Report
from holdfast.intake.reported import FindAmbiguous, FindNowhere, ReportedCommand, ReportedState, ResolveItem
from holdfast.intake.reporter import Category, ReporterKind
from holdfast.store.case_book import COPIES, FREEZE, SYSTEM, CaseBook
from holdfast.store.deciding import Step, take_step
from holdfast.store.holds import Placing, PostgresHolds
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, CaseRow, HoldRow, ReportedRow, ReportRow, ViewsRow
from holdfast.store.reports import report_of, reported_of, standing_of

_PERSON: Final = "depicted-1"
"""Whoever a report is about, as long as nobody has told several people apart."""
_BATCH: Final = 100
_ITEM_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"


class PostgresCases:
    """The cases. It is a `holdfast.hold.enforce.Cases` and a `holdfast.hold.follow_up.FollowedUp`."""

    def __init__(
        self,
        means: Means,
        book: CaseBook,
        holds: PostgresHolds,
        *,
        policy: HoldPolicy,
    ) -> None:
        """Work with `means`; `policy` says what is held before anybody has looked."""
        self._means = means
        self._journal = means.journal
        self._alarms = means.alarms
        self._book = book
        self._holds = holds
        self._clock = means.clock
        self._owner = means.owner
        self._policy = policy

    def found(self, reported_id: str, resolved: Resolved) -> None:
        """Write what the platform said of an address: see `Cases`."""
        at = self._clock()
        with transaction.atomic(durable=True):
            row = (
                ReportedRow.objects.select_for_update(no_key=True)
                .select_related("report")
                .filter(id=reported_id)
                .first()
            )
            if row is None or row.state != ReportedState.NAMED:
                return
            match resolved:
                case Found(item=item):
                    self._join(row, item, at)
                case Ambiguous(candidates=candidates):
                    self._set_aside(row, FindAmbiguous(len(candidates)), at)
                case Nowhere():
                    self._set_aside(row, FindNowhere(), at)

    # --- what follows: see `FollowedUp`

    def locations(self, case: str) -> dict[str, list[str]]:
        """The holds of a case by location: several versions of an item may share one."""
        found: dict[str, list[str]] = {}
        for row in HoldRow.objects.filter(case_id=case).order_by("id"):
            found.setdefault(row.location, []).append(row.id)
        return found

    def views_read(self, case_id: str, views: Sequence[Views]) -> None:
        """Write what the platform's counters say."""
        at, where = self._clock(), self.locations(case_id)
        seen = [
            SeenViews(hold=hold, views=one.views, at=one.at)
            for one in views
            for hold in where.get(one.location, [])[-1:]
        ]
        if not seen:
            return
        with transaction.atomic(durable=True):
            case = CaseRow.objects.select_for_update(no_key=True).get(id=case_id)
            self._book.tell(case, ReadViews(views=tuple(seen)), at)
            rows = [ViewsRow(hold_id=one.hold, views=one.views, at=one.at) for one in seen]
            ViewsRow.objects.bulk_create(rows, ignore_conflicts=True)

    def facts_kept(self, content: str, facts: str) -> None:
        """Write, sealed, what the platform knows of an upload and keeps."""
        with transaction.atomic(durable=True):
            named = CaseItemRow.objects.get(content_id=content)
            case = CaseRow.objects.select_for_update(no_key=True).get(id=named.case_id)
            self._book.tell(case, KeepFacts(content=content, facts=facts), self._clock())

    def owe_views(self, now: datetime) -> int:
        """Owe an hourly look at the counters of each case; returns how many."""
        with transaction.atomic(durable=True):
            due = CaseRow.objects.filter(views_at__lte=now).order_by("views_at")
            cases = list(due.select_for_update(skip_locked=True, no_key=True)[:_BATCH])
            for case in cases:
                self._book.owe_views(case, now)
        return len(cases)

    # --- joining

    def _join(self, row: ReportedRow, item: Item, at: datetime) -> None:
        report = row.report
        with connection.cursor() as cursor:
            cursor.execute(_ITEM_LOCK, [item.content])
        case = self._case_for(item, report, at)
        fresh = self._book.take(case, [item], self._book.accounts([item]), are_copies=False, at=at)
        self._decide_named(row, ResolveItem(content=item.content, version=item.version, case=case.id), at)
        self._join_report(report, case, at)
        self._claim_age(case, report, item, at)
        if item.is_asset or not self._is_held(report, case):
            self._alarms.call(AlarmKind.CASE_NEEDS_A_LOOK, f"case:{case.id}", self._owner, actor=SYSTEM, at=at)
            return
        widened = self._hold(case, report, item, at)
        if fresh or widened:
            self._book.owe(COPIES, [item.content], at)
        if fresh:
            self._book.owe(FREEZE, [item.content], at)
        self._book.owe_views(case, at, since=report.received_at)

    def _hold(self, case: CaseRow, report: ReportRow, item: Item, at: datetime) -> bool:
        """Hold what is named, as far as the budget allows; whether more stands behind it now than before."""
        standing = standing_of(report)
        staged = not self._holds.lets_through(standing, item.content, at=at)
        danger = STRICTEST.index(Category(case.category))
        placing = Placing(case=case, standing=standing, danger=danger, staged=staged)
        raised = self._holds.raise_to([item.content], standing, actor=SYSTEM, at=at)
        self._holds.place([item], placing, actor=SYSTEM, at=at)
        return bool(raised)

    def _case_for(self, item: Item, report: ReportRow, at: datetime) -> CaseRow:
        """The case that the item is in, joined by this report; or a new one."""
        known = CaseItemRow.objects.filter(content_id=item.content).first()
        if known is None and report.cases:
            return CaseRow.objects.select_for_update(no_key=True).get(id=report.cases[-1])
        category = Category(report.category)
        if known is None:
            return self._book.open(category, at, report=report.id)
        case = CaseRow.objects.select_for_update(no_key=True).get(id=known.case_id)
        if case.id not in report.cases:
            self._book.tell(case, TakeReport(report=report.id, category=category), at)
        return case

    def _join_report(self, row: ReportRow, case: CaseRow, at: datetime) -> None:
        step = Step("report", row.id, report_of(row), row.version, JoinReport(case.id))
        told = take_step(self._journal, step, actor=SYSTEM, at=at)
        after: Report = told.after
        row.cases, row.version = list(after.cases), told.version
        row.save(update_fields=["cases", "version"])

    def _claim_age(self, case: CaseRow, report: ReportRow, item: Item, at: datetime) -> None:
        """What was said of ages, and what follows from a birth date and when the item was first seen."""
        text = self._journal.sealer.open_texts([report.ages_record])[report.ages_record]
        ages = KnownAges.read(text)
        if ages.lower is not None or ages.upper is not None:
            lower, upper = ages.lower or 0, ages.upper if ages.upper is not None else 130
            self._book.tell(case, _claim(item.content, lower, upper, AgeBasis.REPORTER), at)
        if ages.born and item.first_seen:
            claim = by_arithmetic(_PERSON, item.content, ages.born, item.first_seen.date(), ClaimStatus.CLAIMED)
            if claim:
                self._book.tell(case, _claim(item.content, claim.lower, claim.upper, claim.basis), at)

    def _is_held(self, report: ReportRow, case: CaseRow) -> bool:
        """Whether the item is held before anybody looks; once its case is held, it stays so."""
        held = self._policy.holds(Category(report.category), ReporterKind(report.reporter), verified=report.verified)
        return held or HoldRow.objects.filter(case=case).exists()

    # --- small parts

    def _set_aside(self, row: ReportedRow, command: ReportedCommand, at: datetime) -> None:
        self._decide_named(row, command, at)
        self._alarms.call(AlarmKind.ITEM_NEEDS_A_PERSON, f"report:{row.report_id}", self._owner, actor=SYSTEM, at=at)

    def _decide_named(self, row: ReportedRow, command: ReportedCommand, at: datetime) -> None:
        step = Step("reported", row.id, reported_of(row), row.version, command)
        told = take_step(self._journal, step, actor=SYSTEM, at=at)
        after = told.after
        row.state, row.content_id, row.content_version = after.state, after.content, after.version
        row.case_id, row.version = after.case, told.version
        row.save()


def _claim(item: str, lower: int, upper: int, basis: AgeBasis) -> ClaimAge:
    return ClaimAge(item=item, person=_PERSON, lower=lower, upper=upper, basis=basis, status=ClaimStatus.CLAIMED)
