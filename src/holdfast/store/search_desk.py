# SPDX-License-Identifier: Apache-2.0
"""What people see of backwards searches: how each stands, and, recorded with who looked, what it found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from holdfast.errors import SearchUnknown
from holdfast.match.backwards import (
    SearchProven,
    SearchState,
    ShowCopies,
    decide_search,
    search_subject,
)
from holdfast.match.found_copies import FoundCopy, SearchItem
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import ArchiveHitRow, ArchiveSearchRow, EntryRow
from holdfast.store.once import claim_key
from holdfast.store.search_rows import copy_of, search_of

MOST_SHOWN: Final = 1000


class SearchDesk:
    """Reads searches."""

    def __init__(self, journal: PostgresJournal, clock: Callable[[], datetime]) -> None:
        """Use `clock` for the time at which somebody looked."""
        self._journal = journal
        self._clock = clock

    def recent(self, *, bank: str | None = None, entry: str | None = None, limit: int = MOST_SHOWN) -> list[SearchItem]:
        """The newest searches first: all, or those that look for something of one bank, or for one entry."""
        rows = ArchiveSearchRow.objects.order_by("-owed_at", "id")
        if bank is not None:
            rows = rows.filter(bank=bank)
        if entry is not None:
            rows = rows.filter(_for_entry(entry))
        return [_item(row) for row in rows[:limit]]

    def get(self, search_id: str) -> SearchItem:
        """One search, with its proof. Raises SearchUnknown."""
        row = ArchiveSearchRow.objects.filter(id=search_id).first()
        if row is None:
            raise SearchUnknown(ascii(search_id))
        proof = None
        if row.state == SearchState.BLOCKED:
            told = [one.happened for one in self._journal.read(search_subject(row.id))]
            proof = next((one for one in told if isinstance(one, SearchProven)), None)
        return _item(row, proof)

    def copies(self, search_id: str, *, actor: str, limit: int = MOST_SHOWN) -> list[FoundCopy]:
        """What it found, the newest first; that this actor looked is an event. Raises SearchUnknown."""
        with transaction.atomic(durable=True):
            claim_key()
            row = ArchiveSearchRow.objects.select_for_update().filter(id=search_id).first()
            if row is None:
                raise SearchUnknown(ascii(search_id))
            now = self._clock()
            events = allowed(decide_search(search_of(row), ShowCopies(), now))
            self._journal.append(search_subject(row.id), after=row.version, events=events, actor=actor, at=now)
            row.version += len(events)
            row.save(update_fields=["version"])
            hits = ArchiveHitRow.objects.filter(search=search_id).order_by("-screened_at", "screening")[:limit]
            return [copy_of(hit) for hit in hits]

    def count_open(self) -> dict[str, int]:
        """How many searches are owed, late and unproven."""
        still = ArchiveSearchRow.objects.filter(state__in=("owed", "running", "searched", "unproven"))
        unproven = still.filter(state=SearchState.UNPROVEN)
        return {"open": still.count(), "late": still.filter(late=True).count(), "unproven": unproven.count()}


def _for_entry(entry: str) -> Q:
    """Searches that look for this entry by name, for its import, or for its whole bank since it is there."""
    row = EntryRow.objects.filter(id=entry).first()
    named = Q(entries__contains=[entry])
    if row is None:
        return named
    whole = Q(entries=[], bank_import__isnull=True, bank=row.bank_id, owed_at__gte=row.added_at)
    return named | whole | (Q(bank_import=row.imported_in_id) if row.imported_in_id else Q(pk__in=[]))


def _item(row: ArchiveSearchRow, proof: SearchProven | None = None) -> SearchItem:
    return SearchItem(
        id=row.id,
        search=search_of(row),
        owed_at=row.owed_at,
        looked_at=row.looked_at,
        ended_at=row.ended_at,
        blocked_at=row.blocked_at,
        fault=row.fault,
        proof=proof,
    )
