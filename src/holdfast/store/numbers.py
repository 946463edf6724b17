# SPDX-License-Identifier: Apache-2.0
"""A stable whole number for each entry, for interfaces that know entries by numbers.

It is the lowest id among the entry's signals. Signals are never deleted nor numbered anew, so the
number stands for the same entry for ever, and is never given to another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import connection

from holdfast.errors import EntryUnknown
from holdfast.match.entry import Entry, EntryState
from holdfast.match.signal import SignalType
from holdfast.store.bank_rows import COUNTED_SIGNALS, STANDING, entry_of, provenances
from holdfast.store.models import EntryRow
from holdfast.store.sealing import PostgresSealer

_LARGEST: Final = 2**63 - 1
_OF_ENTRIES: Final = "select entry_id, min(id) from entry_signal where entry_id = any(%s) group by entry_id"
_OF_NUMBER: Final = """
select entry_id from entry_signal s
where s.id = %s and not exists (select 1 from entry_signal t where t.entry_id = s.entry_id and t.id < s.id)
"""


def numbers_of(entry_ids: Iterable[str]) -> dict[str, int]:
    """The number of each entry."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_ENTRIES, [list(entry_ids)])
        return dict(cursor.fetchall())


def entry_numbered(bank: str, number: int, sealer: PostgresSealer) -> Entry:
    """The entry of `bank` with this number. Raises EntryUnknown, also for one that was removed."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_NUMBER, [min(number, _LARGEST)])
        found = cursor.fetchone()
    rows = EntryRow.objects.filter(STANDING, bank_id=bank, id=found[0] if found else "").exclude(
        state=EntryState.REMOVED
    )
    row = rows.prefetch_related("signals").first()
    if row is None:
        message = f"bank {bank} has no content {number}"
        raise EntryUnknown(message)
    return entry_of(row, provenances([row], sealer))


def active_signals() -> dict[SignalType, int]:
    """How many signals of each kind take part in screening."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED_SIGNALS)
        return {SignalType(kind): count for kind, count in cursor.fetchall()}
