# SPDX-License-Identifier: Apache-2.0
"""The content archive in PostgreSQL: written with each answer, searched for one banked entry, forgotten in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import numpy as np
from django.db import connection, transaction

from holdfast.errors import EntryUnknown
from holdfast.match.archive import ArchivedItem, ArchiveSearched, Past, nearest, search_subject
from holdfast.match.bank import Bank
from holdfast.match.entry import Entry
from holdfast.match.signal import PERCEPTUAL, SignalType
from holdfast.store.bank_rows import STANDING, bank_of, entry_of
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import ArchiveRow, EntryRow
from holdfast.store.once import claim_key

_BATCH: Final = 500  # rows read at a time: a few hundred kilobytes, and 32 MiB if all were long films
_FORGOTTEN_AT_ONCE: Final = 10_000
_HASH_BYTES: Final = 32


class PostgresArchive:
    """What screened items left behind."""

    def __init__(
        self,
        journal: PostgresJournal,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        *,
        kept: bool,
        private_surfaces: frozenset[str],
        self_test: str | None = None,
    ) -> None:
        """Keep nothing of `private_surfaces`, nor of what the actor `self_test` asks; nothing at all unless `kept`."""
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._kept = kept
        self._private = private_surfaces
        self._self_test = self_test

    def allowed(self, item: ArchivedItem, asked_by: str) -> ArchivedItem | None:
        """The item if it may be kept; None if its surface is private, it is no item, or it has nothing to leave."""
        private = item.surface in self._private or asked_by == self._self_test
        if not self._kept or private or not (item.exact or len(item.hashes)):
            return None
        return item

    def search(self, bank: str, entry_id: str, *, actor: str) -> list[Past]:
        """Every item in the archive that one banked entry matches, the newest first; the search is an event.

        Raises EntryUnknown if the bank has no such entry: nothing else can be searched for.
        """
        row = EntryRow.objects.filter(STANDING, id=entry_id, bank_id=bank).select_related("bank").first()
        if row is None:
            raise EntryUnknown(entry_id)
        entry, of = entry_of(row), bank_of(row.bank)
        with transaction.atomic(durable=True):
            claim_key()
            oldest = ArchiveRow.objects.order_by("at").values_list("at", flat=True).first()
            found = sorted(
                {*_equal(entry), *_near(entry, of)}, key=lambda past: (past.at, past.screening), reverse=True
            )
            once = list({past.screening: past for past in reversed(found)}.values())[::-1]
            now = self._clock()
            searched = ArchiveSearched(
                bank=bank, entry=entry_id, threshold=of.threshold, since=oldest or now, found=len(once)
            )
            subject = search_subject(self._new_id("sea"))
            self._journal.append(subject, after=0, events=[searched], actor=actor, at=now)
        return once

    def forget_old(self, before: datetime) -> int:
        """Drop what was screened before that time, at most a batch; returns how many."""
        with connection.cursor() as cursor:
            cursor.execute(
                "delete from archive where screening in (select screening from archive where at < %s limit %s)",
                [before, _FORGOTTEN_AT_ONCE],
            )
            return int(cursor.rowcount)


def _equal(entry: Entry) -> Iterator[Past]:
    for signal in entry.signals:
        if signal.type.is_exact:
            for row in ArchiveRow.objects.filter(**{signal.type.value: bytes.fromhex(signal.value)}):
                yield _past(row, signal.type, 0)


def _near(entry: Entry, bank: Bank) -> Iterator[Past]:
    """A walk over the whole archive: rare, exact, and never more in memory than one batch."""
    rows = ArchiveRow.objects.exclude(hashes=b"").order_by().only("screening", "hashes")
    batch: list[ArchiveRow] = []
    for row in rows.iterator(_BATCH):
        batch.append(row)
        if len(batch) == _BATCH:
            yield from _near_in(batch, entry, bank)
            batch.clear()
    yield from _near_in(batch, entry, bank)


def _near_in(batch: list[ArchiveRow], entry: Entry, bank: Bank) -> Iterator[Past]:
    held = [bytes(row.hashes) for row in batch]
    owners = np.repeat(np.arange(len(batch)), [len(one) // _HASH_BYTES for one in held])
    hashes = np.frombuffer(b"".join(held), np.uint64).reshape(-1, 4)
    kind = next((signal.type for signal in entry.signals if signal.type in PERCEPTUAL), SignalType.PDQ)
    best: dict[int, int] = {}
    for row, distance in nearest(entry, hashes, bank.threshold):
        owner = int(owners[row])
        best[owner] = min(distance, best.get(owner, distance))
    for owner, distance in best.items():
        yield _past(batch[owner], kind, distance)


def _past(row: ArchiveRow, signal: SignalType, distance: int) -> Past:
    return Past(
        screening=row.screening,
        content=row.content_id,
        content_version=row.content_version,
        surface=row.surface,
        verdict=row.verdict,
        signal=signal,
        distance=distance,
        at=row.at,
    )
