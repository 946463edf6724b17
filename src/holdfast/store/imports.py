# SPDX-License-Identifier: Apache-2.0
"""Imports in PostgreSQL: stage unseen, publish by one short commit, roll back by another.

Staging holds no lock and no long transaction. A process that dies in the middle leaves rows that
count nowhere; the worker gives such an import up after a while and clears them away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Final

from django.db import transaction

from holdfast.errors import BankUnknown, ImportUnknown, Refusal, Refused
from holdfast.match.bankline import BadLine, Line
from holdfast.match.importing import (
    MOST_BAD_LINES,
    PATIENCE,
    AbandonImport,
    BeginImport,
    Contents,
    Import,
    ImportCommand,
    ImportState,
    PublishImport,
    RollBackImport,
    decide_import,
    evolve_import,
    import_subject,
)
from holdfast.match.text import check_text
from holdfast.store import staging
from holdfast.store.bank_changes import allowed, newest_level, numbered_change
from holdfast.store.bank_rows import bank_of
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import BankImportRow, BankRow

_SYSTEM: Final = "system:worker"
_TRIES_WITHOUT_LOCK: Final = 2


@dataclass(slots=True)
class Taken:
    """What an import has taken so far, and in the end; the first bad lines, of `refused` in all."""

    id: str | None = None
    """None while, or if, nothing was taken: there is no such import then."""
    entries: int = 0
    signals: int = 0
    refused: int = 0
    bad: list[BadLine] = field(default_factory=list)
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """An import as it stands, how much it holds, and who began it when."""

    found: Import
    entries: int
    signals: int
    refused: int
    digest: str | None
    begun_by: str
    begun_at: datetime


class PostgresImports:
    """The imports of every bank."""

    def __init__(self, journal: PostgresJournal, clock: Callable[[], datetime], new_id: Callable[[str], str]) -> None:
        """Use `clock` for time and `new_id` for the ids of imports and entries."""
        self._journal = journal
        self._clock = clock
        self._new_id = new_id

    def run(  # each is one fact about an import
        self,
        name: str,
        lines: Iterable[Line | BadLine],
        *,
        source: str,
        provenance: str,
        actor: str,
        from_exchange: bool = False,
        progress: Callable[[Taken], None] = lambda _: None,
    ) -> Taken:
        """Stage every good line that the bank has not yet, then let all of it count at once.

        Lines that do not say where they come from get `provenance`. If nothing is taken, nothing is
        changed. If reading fails or this process is stopped, nothing counts. Raises BankUnknown,
        Refused or InvalidRequest, and whatever reading the lines raises.
        """
        begin = BeginImport(bank=name, source=source, from_exchange=from_exchange)
        check_text("provenance", provenance)
        allowed(decide_import(None, begin, read_only=self._read_only(name, actor)))
        level, taken, import_id = newest_level().number, Taken(), self._new_id("imp")
        try:
            for some in staging.batches(lines):
                batch = staging.sort_out(some, name, import_id, provenance, self._new_id)
                if batch.entries and taken.id is None:
                    taken.id = self._begin(import_id, begin, actor)
                self._stage(batch, taken, name)
                progress(taken)
            if taken.id is not None:
                self._publish(taken, name, level, actor)
            return taken
        finally:
            if taken.id is not None and taken.digest is None:
                self._give_up(taken.id, "it did not get to its end", actor)

    def roll_back(self, name: str, import_id: str, *, because: str, actor: str) -> Import:
        """Take a published import out of its bank as a whole. Raises ImportUnknown, Refused or InvalidRequest."""
        with numbered_change() as number:
            read_only = self._read_only(name, actor)
            row = BankImportRow.objects.filter(id=import_id, bank_id=name).exclude(state=ImportState.ABANDONED).first()
            if row is None:
                raise ImportUnknown(import_id)
            # What a person brought in by hand, a person may take out again; what the exchange brought, not.
            read_only = read_only and row.begun_by.startswith("exchange:")
            after = self._apply(row, RollBackImport(because=because), actor, read_only=read_only)
            row.changed_in = number
            row.save()
            return after

    def of(self, name: str) -> list[ImportSummary]:
        """Every import of a bank, the newest first. Raises BankUnknown."""
        self._read_only(name, "")
        return [_summary(row) for row in BankImportRow.objects.filter(bank_id=name).order_by("-begun_at", "id")]

    def abandon_stale(self, now: datetime) -> list[str]:
        """Give up imports that show no sign of life, clear some of what they left; returns the ids given up."""
        stale = BankImportRow.objects.filter(state=ImportState.STAGING, touched_at__lt=now - PATIENCE)
        gone = list(stale.values_list("id", flat=True))
        for import_id in gone:
            self._give_up(import_id, "it showed no sign of life", _SYSTEM)
        with transaction.atomic(durable=True):
            staging.clear_abandoned()
        return gone

    # --- one import, step by step

    def _begin(self, import_id: str, begin: BeginImport, actor: str) -> str:
        """Write the row of the import, with its first event."""
        now = self._clock()
        with transaction.atomic(durable=True):
            row = BankImportRow(
                id=import_id,
                bank_id=begin.bank,
                source=begin.source.strip(),
                from_exchange=begin.from_exchange,
                begun_by=actor,
                entries=0,
                signals=0,
                refused=0,
                version=0,
                changed_in=0,
                begun_at=now,
                touched_at=now,
            )
            self._apply(row, begin, actor)
            row.save(force_insert=True)
        return import_id

    def _stage(self, batch: staging.Batch, taken: Taken, name: str) -> None:
        """Write one batch in a transaction of its own. Raises Refused if the import was given up meanwhile."""
        taken.entries += len(batch.entries)
        taken.signals += len(batch.signals)
        taken.refused += len(batch.bad)
        taken.bad += batch.bad[: MOST_BAD_LINES - len(taken.bad)]
        if taken.id is None:
            return
        with transaction.atomic(durable=True):
            if _locked(taken.id).state != ImportState.STAGING:
                raise Refused(Refusal("import.not_in_this_state", "the import was given up meanwhile"))
            staging.write_batch(batch, name, taken.id, self._clock())
            facts = {"entries": taken.entries, "signals": taken.signals, "refused": taken.refused}
            BankImportRow.objects.filter(id=taken.id).update(touched_at=self._clock(), **facts)

    def _publish(self, taken: Taken, name: str, level: int, actor: str) -> None:
        """Count and digest without the lock; then one short commit, if the bank got nothing meanwhile.

        If it did, what is now twice is dropped and counted anew; from the third time on under the lock.
        """
        assert taken.id is not None
        for attempt in count(1):
            patient = attempt > _TRIES_WITHOUT_LOCK
            before, level = level, newest_level().number
            contents = None if patient else self._contents(taken, name, before)
            with suppress(_Overtaken), numbered_change() as number:
                if patient:
                    contents = self._contents(taken, name, before)
                elif staging.overtaken(name, level):
                    raise _Overtaken
                assert contents is not None
                row = _locked(taken.id)
                self._apply(row, PublishImport(contents=contents), actor)
                row.changed_in, row.digest = number, contents.digest
                row.entries, row.signals, row.refused = contents.entries, contents.signals, contents.refused
                row.save()
                taken.digest = contents.digest
                return

    def _contents(self, taken: Taken, name: str, since: int) -> Contents:
        """What is staged, without what the bank got after bank change `since`."""
        assert taken.id is not None
        if staging.overtaken(name, since):
            with transaction.atomic():
                taken.refused += staging.drop_duplicates(name, taken.id, since)
        taken.entries, taken.signals, digest = staging.count(taken.id)
        return Contents(entries=taken.entries, signals=taken.signals, refused=taken.refused, digest=digest)

    def _give_up(self, import_id: str, because: str, actor: str) -> None:
        with transaction.atomic(durable=True):
            row = _locked(import_id)
            if row.state == ImportState.STAGING:
                self._apply(row, AbandonImport(because=because), actor)
                row.save()

    def _apply(self, row: BankImportRow, command: ImportCommand, actor: str, *, read_only: bool = False) -> Import:
        """Decide, append, and bring `row` to the state after; whoever calls saves it."""
        after = None if isinstance(command, BeginImport) else import_of(row)
        events = allowed(decide_import(after, command, read_only=read_only))
        for happened in events:
            after = evolve_import(after, row.id, happened)
        assert after is not None
        subject = import_subject(row.id)
        self._journal.append(subject, after=row.version, events=events, actor=actor, at=self._clock())
        row.state, row.version = after.state, row.version + len(events)
        return after

    def _read_only(self, name: str, actor: str) -> bool:
        """Whether `actor` may not change what the bank holds. Raises BankUnknown."""
        row = BankRow.objects.filter(name=name).first()
        if row is None:
            raise BankUnknown(name)
        return bank_of(row).read_only_to(actor)


def import_of(row: BankImportRow) -> Import:
    """The import that a row holds."""
    return Import(id=row.id, bank=row.bank_id, source=row.source, state=ImportState(row.state))


class _Overtaken(Exception):  # noqa: N818  # control flow: it rolls the transaction back
    pass


def _locked(import_id: str) -> BankImportRow:
    """The row, for this transaction alone."""
    return BankImportRow.objects.select_for_update().get(id=import_id)


def _summary(row: BankImportRow) -> ImportSummary:
    return ImportSummary(
        found=import_of(row),
        entries=row.entries,
        signals=row.signals,
        refused=row.refused,
        digest=row.digest,
        begun_by=row.begun_by,
        begun_at=row.begun_at,
    )
