# SPDX-License-Identifier: Apache-2.0
"""Cases in PostgreSQL: what was named is found, joined, held and followed, each step with what it owes.

The promises: an item is in one case, however many report it at once; joining shows nobody what another
said; and what follows from a report (holds, the search for copies, counters, a notice to whoever posted
it, facts that the platform must keep) is owed in the transaction that joined it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.case import (
    STRICTEST,
    Case,
    CaseCommand,
    CaseState,
    ClaimAge,
    KeepFacts,
    OpenCase,
    QueueCopies,
    ReadViews,
    SeenViews,
    TakeItem,
    TakeReport,
)
from holdfast.case.clock import Moment, started_at
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.hold.platform import Ambiguous, CopyAt, Found, Item, Nowhere, Resolved, Views
from holdfast.hold.policy import HoldPolicy
from holdfast.hold.reach import Copy, Plan, Standing, plan
from holdfast.intake.age import AgeBasis, ClaimStatus, by_arithmetic
from holdfast.intake.desk import KnownAges
from holdfast.intake.report import JoinReport, Report
from holdfast.intake.reported import FindAmbiguous, FindNowhere, ReportedCommand, ReportedState, ResolveItem
from holdfast.intake.reporter import Category, ReporterKind
from holdfast.store.contests import PostgresContests
from holdfast.store.deciding import Step, take_step
from holdfast.store.holds import Placing, PostgresHolds
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, CaseRow, HoldRow, ReportedRow, ReportRow, ScreeningRow, ViewsRow
from holdfast.store.reports import report_of, reported_of, standing_of
from holdfast.store.uploaders import uploader_subject

COPIES: Final = "case.copies"
VIEWS: Final = "case.views"
FREEZE: Final = "case.freeze"
_SYSTEM: Final = "system:cases"
_PERSON: Final = "depicted-1"
"""Whoever a report is about, as long as nobody has told several people apart."""
_HOURLY: Final = timedelta(hours=1)
_SOON: Final = timedelta(minutes=10)
_MOST_TRIES: Final = 100_000
_BATCH: Final = 100
_ITEM_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
_EQUAL: Final = """
select distinct b.content_id, b.content_version from archive a join archive b on b.sha256 = a.sha256
where a.content_id = %s and a.sha256 <> '' and b.content_id <> a.content_id limit 1000
"""


class PostgresCases:
    """The cases. It is a `holdfast.hold.enforce.Cases` and a `holdfast.hold.follow_up.FollowedUp`."""

    def __init__(
        self,
        means: Means,
        holds: PostgresHolds,
        contests: PostgresContests,
        *,
        policy: HoldPolicy,
    ) -> None:
        """Work with `means`; `policy` says what is held before anybody has looked."""
        self._means = means
        self._journal = means.journal
        self._effects = means.effects
        self._alarms = means.alarms
        self._holds = holds
        self._contests = contests
        self._clock = means.clock
        self._new_id = means.new_id
        self._owner = means.owner
        self._policy = policy

    def found(self, reported_id: str, resolved: Resolved) -> None:
        """Write what the platform said of an address: see `Cases`."""
        at = self._clock()
        with transaction.atomic(durable=True):
            row = ReportedRow.objects.select_for_update().select_related("report").filter(id=reported_id).first()
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

    def equals(self, content: str) -> list[str]:
        """Items whose upload was, byte for byte, that of this one, as far as the archive remembers."""
        with connection.cursor() as cursor:
            cursor.execute(_EQUAL, [content])
            return [str(row[0]) for row in cursor.fetchall()]

    def item_of(self, content: str) -> tuple[str, str | None] | None:
        """The version of an item that a case is about, and the platform's reference of its account."""
        row = CaseItemRow.objects.filter(content_id=content).first()
        return None if row is None else (row.content_version, self._contests.account(row.account_subject))

    def copies_found(self, content: str, copies: Sequence[CopyAt]) -> None:
        """Join what the report reaches, and leave the rest to a person."""
        at = self._clock()
        with transaction.atomic(durable=True):
            named = CaseItemRow.objects.select_related("case").get(content_id=content)
            case = CaseRow.objects.select_for_update().get(id=named.case_id)
            held = HoldRow.objects.filter(content_id=content).order_by("-standing").first()
            fresh = [one for one in copies if not CaseItemRow.objects.filter(content_id=one.item.content).exists()]
            if held is None or not fresh:
                return
            standing = Standing(held.standing)
            plans = plan([_copy(one) for one in fresh], standing)
            taken = [one.item for one in fresh if plans[one.item.content] is Plan.HOLD]
            for item in taken:
                self._take(case, item, is_copy=True, at=at)
            danger = STRICTEST.index(Category(case.category))
            staged = not self._lets_through(content, standing, at)
            placing = Placing(case=case, standing=standing, danger=danger, staged=staged)
            self._holds.place(taken, placing, actor=_SYSTEM, at=at)
            if rest := len(fresh) - len(taken):
                self._tell(case, QueueCopies(copies=rest), at)
                self._means.clocks.start(f"case:{case.id}", started_at(Moment.COPY_QUEUED), at=at, actor=_SYSTEM)
                self._alarms.call(AlarmKind.COPIES_NEED_A_LOOK, f"case:{case.id}", self._owner, actor=_SYSTEM, at=at)
            self._owe_views(case, at)

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
            case = CaseRow.objects.select_for_update().get(id=case_id)
            self._tell(case, ReadViews(views=tuple(seen)), at)
            rows = [ViewsRow(hold_id=one.hold, views=one.views, at=one.at) for one in seen]
            ViewsRow.objects.bulk_create(rows, ignore_conflicts=True)

    def facts_kept(self, content: str, facts: str) -> None:
        """Write, sealed, what the platform knows of an upload and keeps."""
        with transaction.atomic(durable=True):
            named = CaseItemRow.objects.get(content_id=content)
            case = CaseRow.objects.select_for_update().get(id=named.case_id)
            self._tell(case, KeepFacts(content=content, facts=facts), self._clock())

    def owe_views(self, now: datetime) -> int:
        """Owe an hourly look at the counters of each case; returns how many."""
        with transaction.atomic(durable=True):
            due = CaseRow.objects.filter(views_at__lte=now).order_by("views_at")
            cases = list(due.select_for_update(skip_locked=True)[:_BATCH])
            for case in cases:
                self._owe_views(case, now)
        return len(cases)

    # --- joining

    def _join(self, row: ReportedRow, item: Item, at: datetime) -> None:
        report, actor = row.report, _SYSTEM
        with connection.cursor() as cursor:
            cursor.execute(_ITEM_LOCK, [item.content])
        case = self._case_for(item, report, at)
        fresh = self._take(case, item, is_copy=False, at=at)
        self._decide_named(row, ResolveItem(content=item.content, version=item.version, case=case.id), at)
        self._join_report(report, case, at)
        self._claim_age(case, report, item, at)
        if item.is_asset or not self._is_held(report, case):
            self._alarms.call(AlarmKind.CASE_NEEDS_A_LOOK, f"case:{case.id}", self._owner, actor=actor, at=at)
            return
        standing = standing_of(report)
        danger = STRICTEST.index(Category(case.category))
        staged = not self._lets_through(item.content, standing, at)
        placing = Placing(case=case, standing=standing, danger=danger, staged=staged)
        self._holds.place([item], placing, actor=actor, at=at)
        if fresh:
            orders = [order(kind, item.content, at, self._owner, content=item.content) for kind in (COPIES, FREEZE)]
            self._effects.enqueue(orders, actor=actor, at=at)
        self._owe_views(case, at, since=report.received_at)

    def _case_for(self, item: Item, report: ReportRow, at: datetime) -> CaseRow:
        """The case that the item is in, joined by this report; or a new one."""
        known = CaseItemRow.objects.filter(content_id=item.content).first()
        if known is None and report.cases:
            return CaseRow.objects.select_for_update().get(id=report.cases[-1])
        category = Category(report.category)
        if known is None:
            case_id = self._new_id("cas")
            step = Step("case", case_id, None, 0, OpenCase(report=report.id, category=category))
            told = take_step(self._journal, step, actor=_SYSTEM, at=at)
            return CaseRow.objects.create(
                id=case_id, category=category, state=told.after.state, opened_at=at, version=told.version
            )
        case = CaseRow.objects.select_for_update().get(id=known.case_id)
        if case.id not in report.cases:
            self._tell(case, TakeReport(report=report.id, category=category), at)
        return case

    def _take(self, case: CaseRow, item: Item, *, is_copy: bool, at: datetime) -> bool:
        """Let the item belong to the case; whether it, or this version of it, is new."""
        row = CaseItemRow.objects.filter(content_id=item.content).first()
        if row is not None and row.content_version == item.version:
            return False
        account = uploader_subject(item.account, self._journal.sealer)
        self._tell(case, TakeItem(content=item.content, version=item.version, is_copy=is_copy), at)
        CaseItemRow.objects.update_or_create(
            content_id=item.content,
            defaults={"content_version": item.version},
            create_defaults={
                "case": case,
                "content_version": item.version,
                "is_copy": is_copy,
                "account_subject": account,
                "first_seen": item.first_seen,
            },
        )
        return True

    def _join_report(self, row: ReportRow, case: CaseRow, at: datetime) -> None:
        step = Step("report", row.id, report_of(row), row.version, JoinReport(case.id))
        told = take_step(self._journal, step, actor=_SYSTEM, at=at)
        after: Report = told.after
        row.cases, row.version = list(after.cases), told.version
        row.save(update_fields=["cases", "version"])

    def _claim_age(self, case: CaseRow, report: ReportRow, item: Item, at: datetime) -> None:
        """What was said of ages, and what follows from a birth date and when the item was first seen."""
        text = self._journal.sealer.open_texts([report.ages_record])[report.ages_record]
        ages = KnownAges.read(text)
        if ages.lower is not None or ages.upper is not None:
            lower, upper = ages.lower or 0, ages.upper if ages.upper is not None else 130
            self._tell(case, _claim(item.content, lower, upper, AgeBasis.REPORTER), at)
        if ages.born and item.first_seen:
            claim = by_arithmetic(_PERSON, item.content, ages.born, item.first_seen.date(), ClaimStatus.CLAIMED)
            if claim:
                self._tell(case, _claim(item.content, claim.lower, claim.upper, claim.basis), at)

    def _is_held(self, report: ReportRow, case: CaseRow) -> bool:
        """Whether the item is held before anybody looks; once its case is held, it stays so."""
        held = self._policy.holds(Category(report.category), ReporterKind(report.reporter), verified=report.verified)
        return held or HoldRow.objects.filter(case=case).exists()

    def _lets_through(self, content: str, standing: Standing, at: datetime) -> bool:
        seen = ScreeningRow.objects.filter(content_id=content).exclude(matches=[])
        return self._holds.lets_through(standing, corroborated=seen.exists(), at=at)

    # --- small parts

    def _set_aside(self, row: ReportedRow, command: ReportedCommand, at: datetime) -> None:
        self._decide_named(row, command, at)
        self._alarms.call(AlarmKind.ITEM_NEEDS_A_PERSON, f"report:{row.report_id}", self._owner, actor=_SYSTEM, at=at)

    def _decide_named(self, row: ReportedRow, command: ReportedCommand, at: datetime) -> None:
        step = Step("reported", row.id, reported_of(row), row.version, command)
        told = take_step(self._journal, step, actor=_SYSTEM, at=at)
        after = told.after
        row.state, row.content_id, row.content_version = after.state, after.content, after.version
        row.case_id, row.version = after.case, told.version
        row.save()

    def _tell(self, row: CaseRow, command: CaseCommand, at: datetime) -> None:
        step = Step("case", row.id, case_of(row), row.version, command)
        told = take_step(self._journal, step, actor=_SYSTEM, at=at)
        row.category, row.state, row.version = told.after.category, told.after.state, told.version
        row.save()

    def _owe_views(self, case: CaseRow, at: datetime, *, since: datetime | None = None) -> None:
        moment = (since or at).isoformat()
        owed = order(VIEWS, case.id, at, self._owner, case=case.id, at=moment)
        self._effects.enqueue([owed], actor=_SYSTEM, at=at)
        case.views_at = at + _HOURLY
        case.save(update_fields=["views_at"])


def case_of(row: CaseRow) -> Case:
    """The case that a row holds."""
    return Case(category=Category(row.category), state=CaseState(row.state))


def order(kind: str, item: str, enqueued: datetime, owner: str, **payload: str) -> Order:
    """The effect that follows a case up."""
    return Order(
        kind=kind,
        item=item,
        location=kind,
        payload=tuple(PayloadId(name, value) for name, value in payload.items()),
        weight=Weight.PROTECTIVE if kind == COPIES else Weight.NEUTRAL,
        deadline=enqueued + _SOON,
        most_tries=_MOST_TRIES,
        owner=owner,
    )


def _copy(found: CopyAt) -> Copy:
    item = found.item
    return Copy(
        location=item.content,
        account=item.account or item.content,
        distance=found.distance,
        exact=found.exact,
        is_asset=item.is_asset,
    )


def _claim(item: str, lower: int, upper: int, basis: AgeBasis) -> ClaimAge:
    return ClaimAge(item=item, person=_PERSON, lower=lower, upper=upper, basis=basis, status=ClaimStatus.CLAIMED)
