# SPDX-License-Identifier: Apache-2.0
"""What backwards searches find is held: the platform is asked where each item is, and it joins a case.

The promises: each item is asked about until the platform has answered; a match of a list reaches as far as a
verified report does, one of a hash that somebody reported no further than their word; and what could be a chance
(a frame or two of a film, a distance beyond that reach) waits in the case for a person. Where no platform is
set, the rows stand and a person is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from django.db import connection, transaction
from django.db.models import Count

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.case import STRICTEST
from holdfast.hold.platform import CopyAt, Found, Item, Resolved
from holdfast.hold.reach import Plan, Standing, plan
from holdfast.hold.reported_hash import REPORTED_HASHES
from holdfast.intake.reporter import Category
from holdfast.match.backwards import search_subject
from holdfast.match.bank import Action, Bank
from holdfast.match.found_copies import FoundCopy
from holdfast.match.signal import SignalType
from holdfast.store.bank_rows import bank_of
from holdfast.store.case_book import COPIES, FOUND, FREEZE, SYSTEM, CaseBook, as_copy, order, touched
from holdfast.store.holds import Placing, PostgresHolds
from holdfast.store.means import Means
from holdfast.store.models import (
    ArchiveHitRow,
    ArchiveSearchRow,
    BankRow,
    CaseItemRow,
    CaseRow,
    EntrySignalRow,
)

_HANDLED_AS: Final = Category.CSAM
"""A bank does not say what kind of harm it is about; until a person has looked, the strictest that banks are for."""
_AT_ONCE: Final = 100
_ITEM_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(item, 0)) from unnest(%s::text[]) item"


@dataclass(frozen=True, slots=True)
class _Behind:
    """What stands behind items that a search found: how far that reaches, and which of them it is too weak for."""

    standing: Standing
    weak: frozenset[str]


class FoundItems:
    """A `FoundCopies` that owes the holds, and a `holdfast.hold.follow_up.Archived` that places them."""

    def __init__(self, means: Means, book: CaseBook, holds: PostgresHolds, *, has_platform: bool) -> None:
        """Work with `means`; without a platform nobody can be asked where anything is."""
        self._means = means
        self._book = book
        self._holds = holds
        self._has_platform = has_platform

    def __call__(self, search: str, bank: Bank, copies: Sequence[FoundCopy], *, at: datetime) -> None:
        """Tell a person, and owe the question: see `FoundCopies`."""
        owner = self._means.owner
        self._means.alarms.call(AlarmKind.COPIES_FOUND, search_subject(search), owner, actor=SYSTEM, at=at)
        if copies and self._has_platform and bank.action is not Action.IGNORE:
            self._owe(search, at)

    def waiting(self, search: str) -> list[str]:
        """Items that this search found and nobody has asked the platform about yet; at most a hundred."""
        rows = ArchiveHitRow.objects.filter(search=search, asked_at__isnull=True).order_by("content_id")
        return list(rows.values_list("content_id", flat=True).distinct()[:_AT_ONCE])

    def placed(self, search: str, answers: Sequence[tuple[str, Resolved]]) -> None:
        """Hold what the platform has found, and go on with what waits."""
        at, where = self._means.clock(), {content: one.item for content, one in answers if isinstance(one, Found)}
        with transaction.atomic(durable=True):
            rows = ArchiveHitRow.objects.filter(search=search, content_id__in=[content for content, _ in answers])
            hits = [row for row in rows.select_for_update(no_key=True).order_by("id") if row.asked_at is None]
            bank = bank_of(BankRow.objects.get(name=ArchiveSearchRow.objects.get(id=search).bank))
            weak, standing = _weak(hits, bank), _standing(bank)
            for entry, some in _by_entry(hits).items():
                if found := [_alike(row, where[row.content_id]) for row in some if row.content_id in where]:
                    self._join(search, entry, found, _Behind(standing, weak), at)
            rows.update(asked_at=at)
            if self.waiting(search):
                self._owe(search, at)

    def _join(self, search: str, entry: str, found: Sequence[CopyAt], behind: _Behind, at: datetime) -> None:
        """Let what one entry matches belong to one case, unless a case has it already."""
        with connection.cursor() as cursor:
            cursor.execute(_ITEM_LOCK, [sorted(one.item.content for one in found)])
        known = CaseItemRow.objects.in_bulk([one.item.content for one in found])
        cases = {content: row.case_id for content, row in known.items()}
        own = _case_of(entry)
        for case_id in sorted(set(cases.values())):
            inside = [one for one in found if cases.get(one.item.content) == case_id]
            self._hold(CaseRow.objects.select_for_update(no_key=True).get(id=case_id), inside, behind, at)
        if outside := [one for one in found if one.item.content not in cases]:
            self._hold(own or self._book.open(_HANDLED_AS, at, search=search), outside, behind, at)

    def _hold(self, case: CaseRow, found: Sequence[CopyAt], behind: _Behind, at: datetime) -> None:
        sealed = self._book.accounts(one.item for one in found)
        firm = [as_copy(one, sealed) for one in found if one.item.content not in behind.weak]
        plans = plan(firm, behind.standing, touched=touched(case))
        reached = [one.item for one in found if plans.get(one.item.content) is Plan.HOLD]
        fresh = self._book.take(case, reached, sealed, are_copies=behind.standing is Standing.WORD, at=at)
        self._holds.raise_to([item.content for item in reached], behind.standing, actor=SYSTEM, at=at)
        for item in reached:
            self._place(case, item, behind.standing, at)
        for kind in (COPIES, FREEZE):
            self._book.owe(kind, [item.content for item in fresh], at)
        beyond = [one for one in found if plans.get(one.item.content) is not Plan.HOLD]
        self._book.leave_to_person(case, beyond, sealed, at)
        self._book.owe_views(case, at)

    def _place(self, case: CaseRow, item: Item, standing: Standing, at: datetime) -> None:
        staged = not self._holds.lets_through(standing, item.content, at=at)
        danger = STRICTEST.index(Category(case.category))
        placing = Placing(case=case, standing=standing, danger=danger, staged=staged)
        self._holds.place([item], placing, actor=SYSTEM, at=at)

    def _owe(self, search: str, at: datetime) -> None:
        owed = order(FOUND, search, at, self._means.owner, search=search)
        self._means.effects.enqueue([owed], actor=SYSTEM, at=at)


def _by_entry(hits: Iterable[ArchiveHitRow]) -> Mapping[str, list[ArchiveHitRow]]:
    """The nearest hit of each item, by the entry that it is near to."""
    nearest: dict[str, ArchiveHitRow] = {}
    for row in sorted(hits, key=lambda row: (row.distance, row.id)):
        nearest.setdefault(row.content_id, row)
    grouped: dict[str, list[ArchiveHitRow]] = {}
    for row in nearest.values():
        grouped.setdefault(row.entry, []).append(row)
    return grouped


def _case_of(entry: str) -> CaseRow | None:
    """The case that has what this entry matched before."""
    contents = ArchiveHitRow.objects.filter(entry=entry).values("content_id")
    item = CaseItemRow.objects.filter(content_id__in=contents).order_by("case_id").first()
    return None if item is None else CaseRow.objects.select_for_update(no_key=True).get(id=item.case_id)


def _standing(bank: Bank) -> Standing:
    """A list is spoken for; a hash that somebody reported is a word."""
    return Standing.WORD if bank.name == REPORTED_HASHES else Standing.VERIFIED


def _weak(hits: Sequence[ArchiveHitRow], bank: Bank) -> frozenset[str]:
    """Items that show less of a known video than its bank asks for: a frame alone may be any title card."""
    frames = EntrySignalRow.objects.filter(entry_id__in={row.entry for row in hits}, frame__isnull=False)
    of = dict(frames.values_list("entry_id").annotate(Count("id")))
    least = {entry: min(bank.video.least_frames, ceil(count / 2)) for entry, count in of.items()}
    return frozenset(
        row.content_id for row in hits if not SignalType(row.signal).is_exact and row.signals < least.get(row.entry, 0)
    )


def _alike(row: ArchiveHitRow, item: Item) -> CopyAt:
    return CopyAt(item=item, exact=SignalType(row.signal).is_exact, distance=row.distance)
