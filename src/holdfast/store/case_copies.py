# SPDX-License-Identifier: Apache-2.0
"""Copies of what is held: found at the platform and in the archive, joined as far as a report reaches.

The promises: what lies beyond waits in the case, each item by itself, and is not forgotten; accounts that
earlier copies touched count; and once more stands behind a report, what waited is held and looked for further out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from holdfast.case.case import STRICTEST
from holdfast.hold.hold import HoldState
from holdfast.hold.platform import CopyAt
from holdfast.hold.reach import Plan, Standing, plan
from holdfast.intake.reporter import Category
from holdfast.match.signal import PERCEPTUAL, Signal
from holdfast.store.case_book import COPIES, SYSTEM, CaseBook, as_copy, is_named, touched
from holdfast.store.confirmed_here import signals_of
from holdfast.store.contests import PostgresContests
from holdfast.store.holds import Placing, PostgresHolds
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, CaseRow, HoldRow, ReportRow
from holdfast.store.reports import standing_of

_EQUAL: Final = """
select distinct b.content_id, b.content_version from archive a join archive b on b.sha256 = a.sha256
where a.content_id = %s and a.sha256 <> '' and b.content_id <> a.content_id limit 1000
"""


class PostgresCopies:
    """The copies of what cases are about. It is a `holdfast.hold.follow_up.Alike`."""

    def __init__(self, means: Means, book: CaseBook, holds: PostgresHolds, contests: PostgresContests) -> None:
        """Work with `means`."""
        self._means = means
        self._book = book
        self._holds = holds
        self._contests = contests

    def item_of(self, content: str) -> tuple[str, str | None] | None:
        """The version of an item that a case is about, and the platform's reference of its account."""
        row = CaseItemRow.objects.filter(content_id=content).first()
        return None if row is None else (row.content_version, self._contests.account(row.account_subject))

    def equals(self, content: str) -> list[str]:
        """Items whose upload was, byte for byte, that of this one, as far as the archive remembers."""
        with connection.cursor() as cursor:
            cursor.execute(_EQUAL, [content])
            return [str(row[0]) for row in cursor.fetchall()]

    def looks(self, content: str) -> list[Signal]:
        """The look of an item that somebody named; none of a copy, which is found through what was named."""
        row = CaseItemRow.objects.filter(content_id=content).first()
        if row is None or not is_named(content):
            return []
        return [one for one in signals_of(content, row.content_version) if one.type in PERCEPTUAL]

    def copies_found(self, content: str, copies: Sequence[CopyAt]) -> None:
        """Join what the report reaches, and let the rest wait for a person. What is held already is no news."""
        at = self._means.clock()
        with transaction.atomic(durable=True):
            named = CaseItemRow.objects.get(content_id=content)
            case = CaseRow.objects.select_for_update(no_key=True).get(id=named.case_id)
            held = HoldRow.objects.filter(content_id=content).order_by("-standing").first()
            # Else from one that resembles it to the next, each a little different, everything could be hidden.
            fresh = _not_held(copies if is_named(content) else [one for one in copies if one.exact])
            if held is not None and fresh:
                self._reach(case, content, Standing(held.standing), fresh, at)

    def widen(self, report: ReportRow, at: datetime) -> None:
        """More stands behind a report: hold what of it waited, and look for copies further out.

        Inside the open transaction.
        """
        named = report.items.filter(case_id__in=report.cases).values_list("content_id", flat=True)
        raised = self._holds.raise_to(sorted(filter(None, named)), standing_of(report), actor=SYSTEM, at=at)
        self._book.owe(COPIES, raised, at)

    def _reach(self, case: CaseRow, content: str, standing: Standing, fresh: Sequence[CopyAt], at: datetime) -> None:
        sealed = self._book.accounts(one.item for one in fresh)
        plans = plan([as_copy(one, sealed) for one in fresh], standing, touched=touched(case))
        reached = [one.item for one in fresh if plans[one.item.content] is Plan.HOLD]
        for exact in (True, False):
            some = [one.item for one in fresh if one.exact is exact and plans[one.item.content] is Plan.HOLD]
            self._book.take(case, some, sealed, are_copies=exact, at=at)
        staged = not self._holds.lets_through(standing, content, at=at)
        danger = STRICTEST.index(Category(case.category))
        placing = Placing(case=case, standing=standing, danger=danger, staged=staged)
        self._holds.place(reached, placing, actor=SYSTEM, at=at)
        beyond = [one for one in fresh if plans[one.item.content] is not Plan.HOLD]
        self._book.leave_to_person(case, beyond, sealed, at)
        if reached:
            self._book.owe_views(case, at)


def _not_held(copies: Sequence[CopyAt]) -> list[CopyAt]:
    """Those, each once, that belong to no case, or wait in one: for a person, or for the budget."""
    once = {one.item.content: one for one in reversed(copies)}
    staged = HoldRow.objects.filter(state=HoldState.STAGED).values("content_id")
    known = CaseItemRow.objects.filter(content_id__in=once, waits=False).exclude(content_id__in=staged)
    settled = set(known.values_list("content_id", flat=True))
    return [one for content, one in reversed(once.items()) if content not in settled]
