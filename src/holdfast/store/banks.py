# SPDX-License-Identifier: Apache-2.0
"""Banks in PostgreSQL: changed one numbered transaction at a time (`bank_changes`), and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from holdfast.errors import BankUnknown, EntryUnknown, Refusal, Refused
from holdfast.log.event import Event
from holdfast.match import bank as banks
from holdfast.match.bank import Bank, BankState, Entry, EntryState
from holdfast.match.bankfile import Reading, without_known
from holdfast.match.known import Changes, Level
from holdfast.match.screen import Match
from holdfast.match.signal import Signal, SignalType
from holdfast.store import bank_changes
from holdfast.store.bank_changes import numbered_change
from holdfast.store.bank_rows import (
    BATCH,
    BY_LABEL,
    BY_VALUE,
    bank_of,
    entry_of,
    match_of,
    write_bank,
    write_entries,
)
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import BankRow, EntryRow, EntrySignalRow


@dataclass(frozen=True, slots=True)
class BankSummary:
    """A bank and how many active entries it has."""

    bank: Bank
    entries: int


class PostgresBanks:
    """The banks as committed."""

    def __init__(self, journal: PostgresJournal, clock: Callable[[], datetime], new_id: Callable[[str], str]) -> None:
        """Use `clock` for time and `new_id` for the ids of entries."""
        self._journal = journal
        self._clock = clock
        self._new_id = new_id

    # --- changing

    def change_bank(self, name: str, command: banks.BankCommand, *, actor: str) -> Bank:
        """Carry out one command on one bank.

        Raises BankUnknown, Refused, InvalidName or InvalidRequest; nothing is then changed.
        """
        with numbered_change() as number:
            row = BankRow.objects.filter(name=name).first()
            before = bank_of(row) if row else None
            if before is None and not isinstance(command, banks.CreateBank):
                raise BankUnknown(name)
            events = _allowed(banks.decide_bank(before, command))
            after = before
            for happened in events:
                after = banks.evolve_bank(after, happened)
            assert after is not None
            version = row.version if row else 0
            self._journal.append(banks.bank_subject(name), after=version, events=events, actor=actor, at=self._clock())
            write_bank(after, version + len(events), number)
            return after

    def add_entries(self, name: str, items: Sequence[tuple[tuple[Signal, ...], str]], *, actor: str) -> list[Entry]:
        """Add entries, each (signals, provenance), to one bank in one change: all or none.

        Raises BankUnknown, or InvalidRequest for an item that could never be an entry.
        """
        with numbered_change() as number:
            return self._add(name, items, number, actor)

    def _add(self, name: str, items: Sequence[tuple[tuple[Signal, ...], str]], number: int, actor: str) -> list[Entry]:
        """Add entries inside the open bank change `number`."""
        if not BankRow.objects.filter(name=name).exists():
            raise BankUnknown(name)
        now = self._clock()
        batch, added = [], []
        for signals, provenance in items:
            entry_id = self._new_id("ent")
            command = banks.AddEntry(id=entry_id, bank=name, signals=signals, provenance=provenance)
            events = _allowed(banks.decide_entry(None, command))
            batch.append((banks.entry_subject(entry_id), 0, events))
            added.append(banks.evolve_entry(None, entry_id, events[0]))
        self._journal.append_many(batch, actor=actor, at=now)
        write_entries(added, number, now)
        return added

    def import_reading(self, name: str, reading: Reading, *, actor: str) -> Reading:
        """Add what a file holds, in one change, without what the bank already has; returns what was taken.

        Raises BankUnknown; nothing is then changed.
        """
        every = [signal for signals, _ in reading.items for signal in signals]
        if not without_known(reading, self.known_values(name, every)).items:
            return without_known(reading, set(every))
        with numbered_change() as number:
            # Asked under the lock: two imports of one file at the same moment add it once.
            fresh = without_known(reading, self.known_values(name, every))
            self._add(name, fresh.items, number, actor)
        return fresh

    def change_entry(self, name: str, entry_id: str, command: banks.EntryCommand, *, actor: str) -> Entry:
        """Carry out one command on one existing entry of bank `name`.

        Raises EntryUnknown, Refused or InvalidRequest; nothing is then changed.
        """
        with numbered_change() as number:
            row = EntryRow.objects.filter(id=entry_id, bank_id=name).first()
            if row is None:
                raise EntryUnknown(entry_id)
            before = entry_of(row)
            events = _allowed(banks.decide_entry(before, command))
            after = before
            for happened in events:
                after = banks.evolve_entry(after, entry_id, happened)
            subject = banks.entry_subject(entry_id)
            self._journal.append(subject, after=row.version, events=events, actor=actor, at=self._clock())
            changed = {"state": after.state, "version": row.version + len(events), "changed_in": number}
            EntryRow.objects.filter(id=entry_id).update(**changed)
            return after

    # --- reading

    def get(self, name: str) -> Bank:
        """One bank. Raises BankUnknown."""
        row = BankRow.objects.filter(name=name).first()
        if row is None:
            raise BankUnknown(name)
        return bank_of(row)

    def all_banks(self) -> list[BankSummary]:
        """Every bank, by name, with the number of its active entries."""
        with connection.cursor() as cursor:
            cursor.execute("select bank_id, count(*) from entry where state = 'active' group by bank_id")
            counts = dict(cursor.fetchall())
        return [BankSummary(bank_of(row), counts.get(row.name, 0)) for row in BankRow.objects.order_by("name")]

    def entries(self, name: str) -> Iterator[Entry]:
        """Every entry of a bank that was not removed, oldest first, read in batches. Raises BankUnknown."""
        self.get(name)
        rows = EntryRow.objects.filter(bank_id=name).exclude(state=EntryState.REMOVED)
        yield from map(entry_of, rows.order_by("added_at", "id").prefetch_related("signals").iterator(BATCH))

    def count_perceptual(self) -> int:
        """How many perceptual signals count now: what an index that is level must hold."""
        rows = EntrySignalRow.objects.filter(type=SignalType.PDQ, entry__state=EntryState.ACTIVE)
        return rows.filter(entry__bank__state=BankState.ACTIVE).count()

    def known_values(self, name: str, signals: Sequence[Signal]) -> set[Signal]:
        """Which of `signals` some entry of the bank already has (removed entries do not count)."""
        rows = EntrySignalRow.objects.filter(entry__bank_id=name).exclude(entry__state=EntryState.REMOVED)
        known: set[Signal] = set()
        for start in range(0, len(signals), BATCH):
            values = [signal.value for signal in signals[start : start + BATCH]]
            found = rows.filter(value__in=values).values_list("type", "value")
            known.update(Signal(SignalType(kind), value) for kind, value in found)
        return known

    def newest_change(self) -> int:
        """The number of the newest committed change."""
        return self.newest_level().number

    def newest_level(self) -> Level:
        """The newest committed change."""
        return bank_changes.newest_level()

    def changes_after(self, level: Level | None) -> Changes | None:
        """What changed, as one consistent picture: see `ChangeSource`."""
        return bank_changes.changes_after(level)

    def matches_near(self, found: Sequence[tuple[int, str, int]]) -> list[Match]:
        """The matches behind (label, variant, distance) from the index: active, within their bank's threshold."""
        if not found:
            return []
        with connection.cursor() as cursor:
            cursor.execute(BY_LABEL, [[label for label, _, _ in found]])
            by_label = {row[0]: row[1:] for row in cursor.fetchall()}
        nearest: dict[tuple[str, str], Match] = {}
        for label, variant, distance in sorted(found, key=lambda one: one[2]):
            row = by_label.get(label)
            if row and distance <= row[3]:
                match = match_of(row, SignalType.PDQ, variant, distance)
                nearest.setdefault((match.bank, match.entry), match)
        return list(nearest.values())

    def matches_equal(self, signals: Sequence[Signal]) -> list[Match]:
        """The active entries that hold one of these digests."""
        if not signals:
            return []
        types = {signal.value: signal.type for signal in signals}
        with connection.cursor() as cursor:
            cursor.execute(BY_VALUE, [list(types)])
            rows = cursor.fetchall()
        return [match_of(row[2:], SignalType(row[0]), "bytes", 0) for row in rows if types[row[1]] == row[0]]


def _allowed(decided: list[Event] | Refusal) -> list[Event]:
    if isinstance(decided, Refusal):
        raise Refused(decided)
    return decided
