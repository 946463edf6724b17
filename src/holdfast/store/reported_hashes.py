# SPDX-License-Identifier: Apache-2.0
"""Reported hashes in PostgreSQL: each becomes one entry of their bank, in one transaction, within the budget.

The promises: a hash is banked once, however often that is tried, and never after its report was erased; and
unproven words bank no more of them in an hour than they may hide items.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from holdfast.hold.reach import Standing, Valve
from holdfast.hold.reported_hash import REPORTED_HASHES, bank_of_reported_hashes, signals_of
from holdfast.match.entry import AddEntry
from holdfast.match.two_people import AddEntries
from holdfast.store.bank_changes import numbered_change
from holdfast.store.banks import PostgresBanks
from holdfast.store.means import Means
from holdfast.store.models import BankRow, EntryRow, ReportedRow
from holdfast.store.reports import standing_of

_ACTOR: Final = "system:reports"
_HOUR: Final = timedelta(hours=1)


class ReportedHashes:
    """Banks them. It is a `holdfast.hold.reported_hash.Hashes`."""

    def __init__(self, means: Means, banks: PostgresBanks, valve: Valve) -> None:
        """Work with `means`; `valve` bounds what unproven words do in an hour."""
        self._means = means
        self._banks = banks
        self._valve = valve

    def bank(self, reported_id: str) -> bool:
        """Bank a reported hash: see `Hashes`. What was erased, or is no hash, is left as it is: a person looks."""
        row = ReportedRow.objects.select_related("report").get(id=reported_id)
        text = self._means.journal.sealer.open_texts([row.address_record])[row.address_record]
        signals, entry = signals_of(text), f"ent_{reported_id.partition('_')[2]}"
        with numbered_change():
            # Under the lock of the banks: what another hand has just banked is seen.
            if not signals or EntryRow.objects.filter(id=entry).exists():
                return True
            if standing_of(row.report) is Standing.WORD and not self._has_room(self._means.clock()):
                return False
            if not BankRow.objects.filter(name=REPORTED_HASHES).exists():
                self._banks.change_bank(REPORTED_HASHES, bank_of_reported_hashes(), actor=_ACTOR)
            new = AddEntry(id=entry, bank=REPORTED_HASHES, signals=signals, provenance=f"reported as {reported_id}")
            self._banks.add_all(REPORTED_HASHES, AddEntries((new,)), actor=_ACTOR)
        return True

    def _has_room(self, at: datetime) -> bool:
        banked = EntryRow.objects.filter(bank_id=REPORTED_HASHES, added_at__gt=at - _HOUR).count()
        return banked < self._valve.least
