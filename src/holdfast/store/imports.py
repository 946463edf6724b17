# SPDX-License-Identifier: Apache-2.0
"""Imports in PostgreSQL: stage unseen, publish by one short commit, roll back by another.

Staging holds no lock and no long transaction. A process that dies in the middle leaves rows that
count nowhere; the worker gives such an import up after a while and clears them away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from holdfast.access.two_people import Actor, acting, name_of
from holdfast.errors import BankUnknown, ImportUnknown, Refusal, Refused, SecondPersonNeeded
from holdfast.log.text import check_text
from holdfast.match.bankline import BadLine, Line
from holdfast.match.importing import (
    MOST_BAD_LINES,
    PATIENCE,
    AbandonImport,
    BeginImport,
    Contents,
    Import,
    ImportBegun,
    ImportCommand,
    ImportState,
    PublishImport,
    RollBackImport,
    decide_import,
    evolve_import,
    import_subject,
)
from holdfast.store import staging
from holdfast.store.bank_changes import allowed, numbered_change
from holdfast.store.bank_rows import bank_of, record_of
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import BankImportRow, BankRow
from holdfast.store.sealing import PROVENANCE, Subject
from holdfast.store.search_owing import SearchOwing
from holdfast.store.waiting import waits_for_second

_SYSTEM: Final = "system:worker"


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
    lines: list[int] = field(default_factory=list)
    """Of the first signals taken; told if it turns out that an import holds just this already."""


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

    def __init__(
        self, journal: PostgresJournal, clock: Callable[[], datetime], new_id: Callable[[str], str], owing: SearchOwing
    ) -> None:
        """Use `clock` for time, `new_id` for ids; what is published owes one search, however much it is, by `owing`."""
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._owing = owing

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
        """Stage every good line, then let all of it count at once.

        An import stands by itself: it holds what its file says, whatever else the bank holds. Only if a
        published import of the bank holds just the same, and all of that counts, is nothing taken.
        Lines that do not say where they come from get `provenance`. If reading fails or this process
        is stopped, nothing counts. Raises BankUnknown, Refused or InvalidRequest, and whatever reading
        the lines raises; SecondPersonNeeded when all is staged and only publishing is left to be agreed to.
        """
        begin = BeginImport(bank=name, source=source, from_exchange=from_exchange)
        check_text("provenance", provenance)
        allowed(decide_import(None, begin, read_only=self._read_only(name, actor)))
        taken, import_id, provenances, waiting = Taken(), self._new_id("imp"), None, False
        try:
            for some in staging.batches(lines):
                batch = staging.sort_out(some, import_id, provenance, self._new_id)
                if batch.entries and taken.id is None:
                    provenances = self._begin(import_id, begin, actor)
                    taken.id = import_id
                self._stage(batch, taken, name, provenances)
                progress(taken)
            if taken.id is not None:
                self._publish(taken, name, actor)
        except SecondPersonNeeded:
            waiting = True  # if nobody asks for it after all, it is given up like any other that falls silent
            raise
        else:
            return taken
        finally:
            if taken.id is not None and taken.digest is None and not waiting:
                self._give_up(taken.id, "it did not get to its end", actor)

    def publish_agreed(self, name: str, import_id: str, contents: Contents, *, actor: Actor) -> None:
        """Let a staged import count that two people agreed on. Raises Refused if it adds nothing or was given up."""
        try:
            self._let_count(import_id, contents, name, actor)
        except _NothingNew as cause:
            said = Refusal("import.nothing_new", "a published import of the bank holds just this already")
            raise Refused(said) from cause

    def roll_back(self, name: str, import_id: str, *, because: str, actor: Actor) -> Import:
        """Take a published import out of its bank as a whole.

        Raises ImportUnknown, Refused, InvalidRequest or SecondPersonNeeded.
        """
        with numbered_change() as number:
            read_only = self._read_only(name, name_of(actor))
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
        rows = list(BankImportRow.objects.filter(bank_id=name).order_by("-begun_at", "id"))
        says = self._journal.sealer.open_texts(row.source_record for row in rows if row.source_record)
        return [_summary(row, says) for row in rows]

    def abandon_stale(self, patience: timedelta = PATIENCE) -> list[str]:
        """Give up imports that show no sign of life, clear some of what was left; returns the ids given up."""
        silent = BankImportRow.objects.filter(state=ImportState.STAGING, touched_at__lt=Now() - patience)
        stale = silent.exclude(waits_for_second("import"))
        gone = [one for one in stale.values_list("id", flat=True) if self._give_up_silent(one, patience)]
        with transaction.atomic(durable=True):
            staging.clear_abandoned()
        return gone

    # --- one import, step by step

    def _begin(self, import_id: str, begin: BeginImport, actor: str) -> Subject:
        """Write the row of the import, with its first event; gives what its provenances are sealed under."""
        now, provenances = self._clock(), self._journal.sealer.new_subject()
        with transaction.atomic(durable=True):
            row = BankImportRow(
                id=import_id,
                bank_id=begin.bank,
                from_exchange=begin.from_exchange,
                provenance_subject=provenances.id,
                begun_by=actor,
                entries=0,
                signals=0,
                refused=0,
                version=0,
                changed_in=0,
                begun_at=now,
                touched_at=Now(),
            )
            self._apply(row, begin, actor, at=now)
            self._journal.sealer.write_subjects([provenances])
            row.save(force_insert=True)
        return provenances

    def _stage(self, batch: staging.Batch, taken: Taken, name: str, provenances: Subject | None) -> None:
        """Write one batch in a transaction of its own. Raises Refused if the import was given up meanwhile."""
        taken.entries += len(batch.entries)
        taken.signals += len(batch.signals)
        taken.refused += len(batch.bad)
        taken.bad += batch.bad[: MOST_BAD_LINES - len(taken.bad)]
        taken.lines += batch.taken[: MOST_BAD_LINES - len(taken.lines)]
        if taken.id is None or provenances is None:
            return
        with transaction.atomic(durable=True):
            if _locked(taken.id).state != ImportState.STAGING:
                raise Refused(Refusal("import.not_in_this_state", "the import was given up meanwhile"))
            records = self._journal.sealer.seal_under(provenances, PROVENANCE, (said for _, said in batch.entries))
            staging.write_batch(batch, name, taken.id, self._clock(), records)
            facts = {"entries": taken.entries, "signals": taken.signals, "refused": taken.refused}
            BankImportRow.objects.filter(id=taken.id).update(touched_at=Now(), **facts)

    def _publish(self, taken: Taken, name: str, actor: Actor) -> None:
        """Count and digest without the bank lock, for nobody else writes what is staged; then one short commit."""
        assert taken.id is not None
        signs_of_life = BankImportRow.objects.filter(id=taken.id)
        entries, signals, digest = staging.count(taken.id, lambda: _touch(signs_of_life))
        contents = Contents(entries=entries, signals=signals, refused=taken.refused, digest=digest)
        try:
            self._let_count(taken.id, contents, name, actor)
        except _NothingNew:
            self._give_up(taken.id, "a published import holds just this already", name_of(actor))
            _nothing_new(taken)
        else:
            taken.digest = digest

    def _let_count(self, import_id: str, contents: Contents, name: str, actor: Actor) -> None:
        """The one commit. Raises _NothingNew, and Refused if the import was given up meanwhile."""
        with numbered_change() as number:
            # Under the lock, so that of two imports of one file at once the second sees the first.
            if staging.twin(name, contents.digest) is not None:
                raise _NothingNew
            row = _locked(import_id)
            self._apply(row, PublishImport(contents=contents), actor)
            row.changed_in, row.digest = number, contents.digest
            row.entries, row.signals, row.refused = contents.entries, contents.signals, contents.refused
            row.save()
            by, now = name_of(actor), self._clock()
            self._owing.for_import(bank_of(row.bank), import_id, contents.entries, actor=by, at=now)

    def _give_up(self, import_id: str, because: str, actor: str) -> None:
        with transaction.atomic(durable=True):
            row = _locked(import_id)
            if row.state == ImportState.STAGING:
                self._apply(row, AbandonImport(because=because), actor)
                row.save()

    def _give_up_silent(self, import_id: str, patience: timedelta) -> bool:
        """Give an import up, unless it showed a sign of life since it was listed; whether it was."""
        with transaction.atomic(durable=True):
            silent = BankImportRow.objects.filter(touched_at__lt=Now() - patience).exclude(waits_for_second("import"))
            row = silent.select_for_update().filter(id=import_id, state=ImportState.STAGING).first()
            if row is not None:
                self._apply(row, AbandonImport(because="it showed no sign of life"), _SYSTEM)
                row.save()
            return row is not None

    def _source(self, row: BankImportRow) -> str | None:
        """What an import is from, in words; None while it is only beginning."""
        records = [row.source_record] if row.source_record else []
        return row.source or next(iter(self._journal.sealer.open_texts(records).values()), None)

    def _apply(
        self,
        row: BankImportRow,
        command: ImportCommand,
        actor: Actor,
        *,
        read_only: bool = False,
        at: datetime | None = None,
    ) -> Import:
        """Decide, append, and bring `row` to the state after; whoever calls saves it.

        Raises Refused or InvalidRequest, and SecondPersonNeeded.
        """
        after = None if isinstance(command, BeginImport) else import_of(row)
        events = allowed(decide_import(after, command, read_only=read_only))
        for happened in events:
            after = evolve_import(after, row.id, happened)
        assert after is not None
        subject = import_subject(row.id)
        by = acting(actor, command, bank_of(row.bank), subject=subject, version=row.version, because=self._source(row))
        written = self._journal.append(subject, after=row.version, events=events, actor=by, at=at or self._clock())
        if isinstance(written[0], ImportBegun):
            row.source_record = record_of(written[0].source)
        row.state, row.version = after.state, row.version + len(events)
        return after

    def _read_only(self, name: str, actor: str) -> bool:
        """Whether `actor` may not change what the bank holds. Raises BankUnknown."""
        row = BankRow.objects.filter(name=name).first()
        if row is None:
            raise BankUnknown(name)
        return bank_of(row).read_only_to(actor)


def import_of(row: BankImportRow, says: Mapping[str, str] = MappingProxyType({})) -> Import:
    """The import that a row holds; its source is empty unless `says` tells it."""
    source = row.source or says.get(row.source_record or "", "")
    return Import(id=row.id, bank=row.bank_id, source=source, state=ImportState(row.state))


class _NothingNew(Exception):  # noqa: N818  # control flow: it rolls the transaction back
    pass


def _nothing_new(taken: Taken) -> None:
    """Tell as refused what was staged to no purpose."""
    told = [BadLine(line, "input.duplicate", "the same signal is already in the bank") for line in taken.lines]
    taken.bad = sorted([*taken.bad, *told], key=lambda one: one.number)[:MOST_BAD_LINES]
    taken.refused += taken.signals
    taken.id, taken.entries, taken.signals = None, 0, 0


def _touch(row: QuerySet[BankImportRow]) -> None:
    """Show a sign of life, by the database's clock: this machine's may go wrong, or be another than the worker's."""
    row.update(touched_at=Now())


def _locked(import_id: str) -> BankImportRow:
    """The row, for this transaction alone."""
    return BankImportRow.objects.select_for_update().get(id=import_id)


def _summary(row: BankImportRow, says: Mapping[str, str]) -> ImportSummary:
    return ImportSummary(
        found=import_of(row, says),
        entries=row.entries,
        signals=row.signals,
        refused=row.refused,
        digest=row.digest,
        begun_by=row.begun_by,
        begun_at=row.begun_at,
    )
