# SPDX-License-Identifier: Apache-2.0
"""The rows of cases and of the items in them, each change told to the journal first; and what cases owe.

The promises: an item is in one case; an item that waits for a person is in its case and held by nobody yet.
Everything here is written inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db.models import Exists, OuterRef

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.case import (
    Case,
    CaseCommand,
    CaseItem,
    CaseState,
    OpenCase,
    QueueCopies,
    QueuedCopy,
    TakeItems,
)
from holdfast.case.clock import Moment, started_at
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.hold.platform import CopyAt, Item
from holdfast.hold.reach import Copy
from holdfast.intake.reporter import Category
from holdfast.store.deciding import Step, take_step
from holdfast.store.many import update_many
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, CaseRow, ReportedRow
from holdfast.store.uploaders import uploader_subject

_One = TypeVar("_One")

COPIES: Final = "case.copies"
VIEWS: Final = "case.views"
FREEZE: Final = "case.freeze"
FOUND: Final = "case.found"
SYSTEM: Final = "system:cases"
_HOURLY: Final = timedelta(hours=1)
_SOON: Final = timedelta(minutes=10)
_MOST_TRIES: Final = 100_000
Sealed = Mapping[str, str]
"""The sealed subject of each of the platform's accounts."""
_AT_ONCE: Final = 100
"""Items in one event."""


class CaseBook:
    """Writes cases down."""

    def __init__(self, means: Means) -> None:
        """Work with `means`."""
        self._means = means
        self._journal = means.journal

    def open(
        self, category: Category, at: datetime, *, report: str | None = None, search: str | None = None
    ) -> CaseRow:
        """A new case, opened by a report or by a backwards search."""
        case_id = self._means.new_id("cas")
        command = OpenCase(report=report, search=search, category=category)
        told = take_step(self._journal, Step("case", case_id, None, 0, command), actor=SYSTEM, at=at)
        return CaseRow.objects.create(
            id=case_id, category=category, state=told.after.state, opened_at=at, version=told.version
        )

    def tell(self, row: CaseRow, command: CaseCommand, at: datetime) -> None:
        """Let this happen to a case."""
        step = Step("case", row.id, case_of(row), row.version, command)
        told = take_step(self._journal, step, actor=SYSTEM, at=at)
        row.category, row.state, row.version = told.after.category, told.after.state, told.version
        row.save()

    def accounts(self, items: Iterable[Item]) -> Sealed:
        """The sealed subjects of whoever posted these items."""
        # In one order for everybody: two that write the same accounts must not wait for each other.
        named = sorted({item.account for item in items if item.account is not None})
        return {account: str(uploader_subject(account, self._journal.sealer)) for account in named}

    def take(
        self, case: CaseRow, items: Sequence[Item], sealed: Sealed, *, are_copies: bool, at: datetime
    ) -> list[Item]:
        """Let items belong to the case; those that are new in it, or in a new version, or waited until now."""
        rows = CaseItemRow.objects.filter(content_id__in=[item.content for item in items], waits=False)
        known = set(rows.values_list("content_id", "content_version"))
        fresh = [item for item in items if (item.content, item.version) not in known]
        for some in _some(fresh):
            joined = tuple(CaseItem(content=item.content, version=item.version) for item in some)
            self.tell(case, TakeItems(items=joined, are_copies=are_copies), at)
        self._write(case, fresh, sealed, are_copies=are_copies, wait=False)
        return fresh

    def leave_to_person(self, case: CaseRow, copies: Sequence[CopyAt], sealed: Sealed, at: datetime) -> None:
        """Let these copies wait in the case for a person, who is told; what waits, or is in a case, is no news."""
        contents = [one.item.content for one in copies]
        known = set(CaseItemRow.objects.filter(content_id__in=contents).values_list("content_id", flat=True))
        fresh = [one for one in copies if one.item.content not in known]
        for some in _some(fresh):
            self.tell(case, QueueCopies(copies=tuple(map(_queued, some))), at)
        self._write(case, [one.item for one in fresh], sealed, are_copies=True, wait=True)
        if fresh:
            about, owner = f"case:{case.id}", self._means.owner
            self._means.clocks.start(about, started_at(Moment.COPY_QUEUED), at=at, actor=SYSTEM)
            self._means.alarms.call(AlarmKind.COPIES_NEED_A_LOOK, about, owner, actor=SYSTEM, at=at)

    def owe(self, kind: str, contents: Iterable[str], at: datetime) -> None:
        """Owe one of what follows a case up for each of these items."""
        orders = [order(kind, one, at, self._means.owner, content=one) for one in contents]
        self._means.effects.enqueue(orders, actor=SYSTEM, at=at)

    def owe_views(self, case: CaseRow, at: datetime, *, since: datetime | None = None) -> None:
        """Owe a look at the counters of a case as they stood at `since`, and from now on one each hour."""
        owed = order(VIEWS, case.id, at, self._means.owner, case=case.id, at=(since or at).isoformat())
        self._means.effects.enqueue([owed], actor=SYSTEM, at=at)
        case.views_at = at + _HOURLY
        case.save(update_fields=["views_at"])

    def _write(self, case: CaseRow, items: Sequence[Item], sealed: Sealed, *, are_copies: bool, wait: bool) -> None:
        """Write which items belong to the case; those that do already stay where they are."""
        contents = [item.content for item in items]
        known = CaseItemRow.objects.select_for_update(no_key=True).in_bulk(contents)
        for row, item in ((known[item.content], item) for item in items if item.content in known):
            row.is_copy = are_copies if row.waits else row.is_copy
            row.content_version, row.waits = item.version, wait
        update_many(list(known.values()), ("content_version", "is_copy", "waits"))
        CaseItemRow.objects.bulk_create(
            CaseItemRow(
                content_id=item.content,
                case=case,
                content_version=item.version,
                is_copy=are_copies,
                waits=wait,
                account_subject=sealed.get(item.account or ""),
                first_seen=item.first_seen,
            )
            for item in items
            if item.content not in known
        )


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
        weight=Weight.PROTECTIVE if kind in {COPIES, FOUND} else Weight.NEUTRAL,
        deadline=enqueued + _SOON,
        most_tries=_MOST_TRIES,
        owner=owner,
    )


def _some(many: Sequence[_One]) -> Iterator[Sequence[_One]]:
    return (many[first : first + _AT_ONCE] for first in range(0, len(many), _AT_ONCE))


def as_copy(found: CopyAt, sealed: Sealed) -> Copy:
    """A copy as `holdfast.hold.reach` takes it."""
    item = found.item
    return Copy(
        location=item.content,
        account=sealed.get(item.account or "", item.content),
        distance=found.distance,
        exact=found.exact,
        is_asset=item.is_asset,
    )


def touched(case: CaseRow) -> frozenset[str]:
    """Whose items of a case are held although nobody named them."""
    named = ReportedRow.objects.filter(content_id=OuterRef("content_id"))
    rows = CaseItemRow.objects.filter(~Exists(named), case=case, waits=False)
    return frozenset(account or content for account, content in rows.values_list("account_subject", "content_id"))


def is_named(content: str) -> bool:
    """Whether anybody reported this very item."""
    return ReportedRow.objects.filter(content_id=content).exists()


def _queued(copy: CopyAt) -> QueuedCopy:
    item = copy.item
    return QueuedCopy(content=item.content, version=item.version, exact=copy.exact, distance=copy.distance)
