# SPDX-License-Identifier: Apache-2.0
"""Banks in PostgreSQL: changed one numbered transaction at a time (`bank_changes`), and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection

from holdfast.access.two_people import Actor, acting, name_of
from holdfast.errors import BankUnknown, EntryUnknown
from holdfast.match import bank as banks
from holdfast.match.backwards import matches_more
from holdfast.match.bank import Bank
from holdfast.match.entry import (
    AddEntry,
    EnableEntry,
    Entry,
    EntryCommand,
    EntryState,
    decide_entry,
    entry_subject,
    evolve_entry,
)
from holdfast.match.known import Changes, Level
from holdfast.match.screen import Match
from holdfast.match.signal import Signal, SignalType
from holdfast.match.two_people import AddEntries
from holdfast.match.video import Film
from holdfast.store import bank_changes, sightings
from holdfast.store.bank_changes import allowed, numbered_change
from holdfast.store.bank_rows import (
    BATCH,
    BY_VALUE,
    COUNTED,
    COUNTED_PERCEPTUAL,
    LOOK_UP,
    STANDING,
    bank_of,
    entry_of,
    match_of,
    provenances,
    write_bank,
    write_entries,
)
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import BankRow, EntryRow
from holdfast.store.search_owing import SearchOwing


@dataclass(frozen=True, slots=True)
class BankSummary:
    """A bank and how many active entries it has."""

    bank: Bank
    entries: int


class PostgresBanks:
    """The banks as committed."""

    def __init__(
        self, journal: PostgresJournal, clock: Callable[[], datetime], new_id: Callable[[str], str], owing: SearchOwing
    ) -> None:
        """Use `clock` for time and `new_id` for the ids of entries; what newly matches owes a search by `owing`."""
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._owing = owing

    # --- changing

    def change_bank(self, name: str, command: banks.BankCommand, *, actor: Actor) -> Bank:
        """Carry out one command on one bank.

        Raises BankUnknown, Refused, InvalidName, InvalidRequest or SecondPersonNeeded; nothing is then changed.
        """
        with numbered_change() as number:
            row = BankRow.objects.filter(name=name).first()
            before = bank_of(row) if row else None
            if before is None and not isinstance(command, banks.CreateBank):
                raise BankUnknown(name)
            events = allowed(banks.decide_bank(before, command))
            after = before
            for happened in events:
                after = banks.evolve_bank(after, happened)
            assert after is not None
            version, subject = row.version if row else 0, banks.bank_subject(name)
            by = acting(actor, command, before, subject=subject, version=version)
            now = self._clock()
            self._journal.append(subject, after=version, events=events, actor=by, at=now)
            write_bank(after, version + len(events), number)
            if before is not None and matches_more(before, after):
                self._owing.for_bank(after, actor=by, at=now)
            return after

    def add_entries(self, name: str, items: Sequence[tuple[tuple[Signal, ...], str]], *, actor: Actor) -> list[Entry]:
        """Add entries, each (signals, provenance), to one bank in one change: all or none.

        Raises BankUnknown, Refused, SecondPersonNeeded, or InvalidRequest for an item that could never be an entry.
        """
        made = [AddEntry(id=self._new_id("ent"), bank=name, signals=one, provenance=said) for one, said in items]
        return self.add_all(name, AddEntries(tuple(made)), actor=actor)

    def add_all(self, name: str, new: AddEntries, *, actor: Actor) -> list[Entry]:
        """Add entries whose ids are drawn already. Raises what `add_entries` raises."""
        with numbered_change() as number:
            now, row = self._clock(), self._row(name)
            bank = bank_of(row)
            batch = []
            for command in new.entries:
                events = allowed(decide_entry(None, command, read_only=bank.read_only_to(name_of(actor))))
                batch.append((entry_subject(command.id), 0, events))
            because = next((entry.provenance for entry in new.entries), None)
            subject = banks.bank_subject(name)
            by = acting(actor, new, bank, subject=subject, version=row.version, because=because)
            written = self._journal.append_many(batch, actor=by, at=now)
            ids = [command.id for command in new.entries]
            added = [evolve_entry(None, entry_id, happened) for entry_id, happened in zip(ids, written, strict=True)]
            write_entries(added, number, now)
            self._owing.for_entries(bank, ids, actor=by, at=now)
            return added

    def change_entry(self, name: str, entry_id: str, command: EntryCommand, *, actor: Actor) -> Entry:
        """Carry out one command on one existing entry of bank `name`.

        Raises EntryUnknown, Refused, InvalidRequest or SecondPersonNeeded; nothing is then changed.
        """
        with numbered_change() as number:
            row = EntryRow.objects.filter(STANDING, id=entry_id, bank_id=name).select_related("bank").first()
            if row is None:
                raise EntryUnknown(entry_id)
            after, bank = entry_of(row, provenances([row], self._journal.sealer)), bank_of(row.bank)
            events = allowed(decide_entry(after, command, read_only=bank.read_only_to(name_of(actor))))
            for happened in events:
                after = evolve_entry(after, entry_id, happened)
            subject = entry_subject(entry_id)
            by = acting(actor, command, bank, subject=subject, version=row.version)
            now = self._clock()
            self._journal.append(subject, after=row.version, events=events, actor=by, at=now)
            changed = {"state": after.state, "opinion": after.opinion, "changed_in": number}
            EntryRow.objects.filter(id=entry_id).update(version=row.version + len(events), **changed)
            if isinstance(command, EnableEntry):
                self._owing.for_entries(bank, [entry_id], actor=by, at=now)
            return after

    # --- reading

    def get(self, name: str) -> Bank:
        """One bank. Raises BankUnknown."""
        return bank_of(self._row(name))

    def _row(self, name: str) -> BankRow:
        row = BankRow.objects.filter(name=name).first()
        if row is None:
            raise BankUnknown(name)
        return row

    def all_banks(self) -> list[BankSummary]:
        """Every bank, by name, with the number of its active entries."""
        with connection.cursor() as cursor:
            cursor.execute(COUNTED)
            counts = dict(cursor.fetchall())
        return [BankSummary(bank_of(row), counts.get(row.name, 0)) for row in BankRow.objects.order_by("name")]

    def entries(self, name: str) -> Iterator[Entry]:
        """Every entry of a bank that was not removed, oldest first, read in batches. Raises BankUnknown."""
        self.get(name)
        rows = EntryRow.objects.filter(STANDING, bank_id=name).exclude(state=EntryState.REMOVED)
        rest = rows.order_by("added_at", "id").prefetch_related("signals").iterator(BATCH)
        while some := list(islice(rest, BATCH)):
            says = provenances(some, self._journal.sealer)
            yield from (entry_of(row, says) for row in some)

    def count_perceptual(self) -> int:
        """How many perceptual signals count now: what an index that is level must hold."""
        with connection.cursor() as cursor:
            cursor.execute(COUNTED_PERCEPTUAL)
            return int(cursor.fetchone()[0])

    def newest_change(self) -> int:
        """The number of the newest committed change."""
        return self.newest_level().number

    def newest_level(self) -> Level:
        """The newest committed change."""
        return bank_changes.newest_level()

    def changes_after(self, level: Level | None) -> Changes | None:
        """What changed, as one consistent picture: see `ChangeSource`."""
        return bank_changes.changes_after(level)

    def look_up(
        self, digests: Sequence[Signal], near: Sequence[tuple[int, str, int]], film: Film | None = None
    ) -> tuple[Level, tuple[Match, ...]]:
        """The matches, and the newest change: see `holdfast.pipeline.Banks`."""
        types = {signal.value: signal.type for signal in digests}
        with connection.cursor() as cursor:
            # One statement sees one moment; where it finds nothing, which is nearly always, it is the only one.
            cursor.execute(LOOK_UP, [list(types)])
            number, token, values = cursor.fetchone()
        if not near and not values:
            return Level(number, token), ()
        matches = (*self.matches_equal(digests), *self.matches_near(near, film))
        return self.newest_level(), matches

    def matches_near(self, found: Sequence[tuple[int, str, int]], film: Film | None = None) -> list[Match]:
        """The matches behind (label, variant, distance) from the index: see `holdfast.store.sightings`."""
        return sightings.matches_near(found, film)

    def matches_equal(self, signals: Sequence[Signal]) -> list[Match]:
        """The active entries that hold one of these digests: for each digest and bank one, the firmest."""
        if not signals:
            return []
        types = {signal.value: signal.type for signal in signals}
        with connection.cursor() as cursor:
            cursor.execute(BY_VALUE, [list(types)])
            rows = [row for row in cursor.fetchall() if types[row[1]] == row[0]]
        rows = sightings.firmest(rows, lambda row: row[:3])
        return [match_of(row[2:], SignalType(row[0]), "bytes", 0) for row in rows]
