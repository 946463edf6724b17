# SPDX-License-Identifier: Apache-2.0
"""Banks and entries as rows: how they are written, read back as values, and found by their signals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from holdfast.match.bank import Action, Bank, BankState, Entry, EntryState
from holdfast.match.screen import Match
from holdfast.match.signal import Signal, SignalType
from holdfast.store.models import BankRow, EntryRow, EntrySignalRow

BATCH: Final = 1000
# Labels whose bank or entry changed after a number, with their hash, and whether they now count.
CHANGED: Final = """
copy (
    select s.id, decode(s.value, 'hex'), e.state = 'active' and b.state = 'active'
    from entry_signal s join entry e on e.id = s.entry_id join bank b on b.name = e.bank_id
    where s.type = 'pdq' and (e.changed_in > %(number)s or b.changed_in > %(number)s)
) to stdout (format binary)
"""
# What stands behind labels found in the index, as far as it counts now.
BY_LABEL: Final = """
select s.id, b.name, e.id, b.action, b.threshold
from entry_signal s join entry e on e.id = s.entry_id join bank b on b.name = e.bank_id
where s.id = any(%s) and e.state = 'active' and b.state = 'active'
"""
# What stands behind digests, as far as it counts now; the strongest digest first.
BY_VALUE: Final = """
select s.type, s.value, b.name, e.id, b.action, b.threshold
from entry_signal s join entry e on e.id = s.entry_id join bank b on b.name = e.bank_id
where s.value = any(%s) and s.type <> 'pdq' and e.state = 'active' and b.state = 'active'
order by s.type desc, e.id
"""


def write_bank(bank: Bank, version: int, number: int) -> None:
    """Insert or update a bank, at its journal version, in bank change `number`."""
    values = {
        "meaning": bank.meaning,
        "source": bank.source,
        "threshold": bank.threshold,
        "action": bank.action,
        "state": bank.state,
        "version": version,
        "changed_in": number,
    }
    BankRow.objects.update_or_create(name=bank.name, defaults=values)


def write_entries(added: Sequence[Entry], number: int, now: datetime) -> None:
    """Insert new entries with their signals, in bank change `number`."""
    EntryRow.objects.bulk_create(
        [
            EntryRow(
                id=entry.id,
                bank_id=entry.bank,
                provenance=entry.provenance,
                state=entry.state,
                version=1,
                changed_in=number,
                added_at=now,
            )
            for entry in added
        ],
        batch_size=BATCH,
    )
    signals = [
        EntrySignalRow(entry_id=entry.id, type=signal.type, value=signal.value)
        for entry in added
        for signal in entry.signals
    ]
    EntrySignalRow.objects.bulk_create(signals, batch_size=BATCH)


def bank_of(row: BankRow) -> Bank:
    """The bank that a row holds."""
    return Bank(
        name=row.name,
        meaning=row.meaning,
        source=row.source,
        threshold=row.threshold,
        action=Action(row.action),
        state=BankState(row.state),
    )


def entry_of(row: EntryRow) -> Entry:
    """The entry that a row and its signals hold."""
    signals = tuple(Signal(SignalType(one.type), one.value) for one in row.signals.all())
    return Entry(id=row.id, bank=row.bank_id, signals=signals, provenance=row.provenance, state=EntryState(row.state))


def match_of(row: tuple[str, str, str, int], kind: SignalType, variant: str, distance: int) -> Match:
    """The match with (bank, entry, action, threshold)."""
    bank, entry, action, threshold = row
    return Match(
        bank=bank,
        entry=entry,
        signal=kind,
        variant=variant,
        distance=distance,
        threshold=threshold if kind is SignalType.PDQ else 0,
        action=Action(action),
    )
