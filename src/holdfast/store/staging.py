# SPDX-License-Identifier: Apache-2.0
"""Staged rows of an import: written by COPY in short transactions, unseen until the import is published."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from django.db import connection

from holdfast.match.bankline import BadLine, Line
from holdfast.match.importing import digest_of
from holdfast.match.signal import Signal, SignalType
from holdfast.store.bank_rows import STANDS

LINES: Final = 10_000
_ENTRIES: Final = """
copy entry (id, bank_id, provenance, state, version, changed_in, added_at, import_id) from stdin
"""
_SIGNALS: Final = "copy entry_signal (entry_id, type, value) from stdin"
# In two steps, each by one index: joined, with no statistics on tables that just grew, it once took 90 seconds.
_HOLDERS: Final = "select id, type, value, entry_id from entry_signal where value = any(%s)"
_STANDING: Final = f"""
select e.id, coalesce(e.import_id = %(import)s, false) from entry e left join bank_import i on i.id = e.import_id
where e.id = any(%(entries)s) and e.bank_id = %(bank)s and e.state <> 'removed' and ({STANDS} or i.id = %(import)s)
"""  # noqa: S608  # made of constants, here and below
_SORTED: Final = """
select s.type, s.value from entry_signal s join entry e on e.id = s.entry_id
where e.import_id = %s order by s.type collate "C", s.value collate "C"
"""
_OVERTAKEN: Final = """
select exists (select from entry where bank_id = %(bank)s and changed_in > %(number)s and state <> 'removed')
    or exists (select from bank_import where bank_id = %(bank)s and changed_in > %(number)s and state = 'published')
"""
# What stands in the bank since a change: added one by one, or by imports.
_SINCE: Final = f"""
select s.value from entry e join entry_signal s on s.entry_id = e.id left join bank_import i on i.id = e.import_id
where e.bank_id = %(bank)s and e.changed_in > %(number)s and e.state <> 'removed' and {STANDS}
union all
select s.value from bank_import i join entry e on e.import_id = i.id join entry_signal s on s.entry_id = e.id
where i.bank_id = %(bank)s and i.changed_in > %(number)s and e.state <> 'removed' and {STANDS}
"""  # noqa: S608
_DROP_ENTRIES: Final = """
delete from entry e where e.import_id = %s and not exists (select from entry_signal s where s.entry_id = e.id)
"""


@dataclass(slots=True)
class Batch:
    """What becomes of some lines: rows to write, and lines not taken."""

    entries: list[tuple[str, str]] = field(default_factory=list)
    """(id, provenance)"""
    signals: list[tuple[str, Signal]] = field(default_factory=list)
    """(entry, signal)"""
    bad: list[BadLine] = field(default_factory=list)


def batches(lines: Iterable[Line | BadLine]) -> Iterator[list[Line | BadLine]]:
    """The lines, some thousands at a time."""
    rest = iter(lines)
    while some := list(islice(rest, LINES)):
        yield some


def sort_out(
    lines: Sequence[Line | BadLine], bank: str, import_id: str, provenance: str, new_id: Callable[[str], str]
) -> Batch:
    """What is new in these lines for the bank and for the import, and what is not."""
    batch = Batch()
    good = [line for line in lines if isinstance(line, Line)]
    seen = _known(good, bank, import_id)
    named = {line.group: _entry_of_group(import_id, line.group) for line in good if line.group}
    standing = _standing(list(named.values()))
    for line in lines:
        if isinstance(line, BadLine):
            batch.bad.append(line)
            continue
        fresh = _fresh(line, seen, batch.bad)
        if not fresh:
            continue
        entry = named.get(line.group) or new_id("ent")
        if entry not in standing:
            batch.entries.append((entry, line.provenance or provenance))
            standing.add(entry)
        batch.signals += [(entry, signal) for signal in fresh]
    return batch


def write_batch(batch: Batch, bank: str, import_id: str, at: datetime) -> None:
    """Write the rows, inside the open transaction."""
    with connection.cursor() as cursor:
        with cursor.copy(_ENTRIES) as copy:
            for entry, provenance in batch.entries:
                copy.write_row((entry, bank, provenance, "active", 0, 0, at, import_id))
        with cursor.copy(_SIGNALS) as copy:
            for entry, signal in batch.signals:
                copy.write_row((entry, signal.type.value, signal.value))


def overtaken(bank: str, number: int) -> bool:
    """Whether anything came into the bank, or changed there, after bank change `number`."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERTAKEN, {"bank": bank, "number": number})
        return bool(cursor.fetchone()[0])


def drop_duplicates(bank: str, import_id: str, number: int) -> int:
    """Take out staged signals that the bank got after bank change `number`; returns how many."""
    dropped = 0
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, {"bank": bank, "number": number})
        values = [row[0] for row in cursor.fetchall()]
        for start in range(0, len(values), LINES):
            holders = _holders(values[start : start + LINES], bank, import_id)
            theirs = {(kind, value) for _, kind, value, own in holders if not own}
            twice = [label for label, kind, value, own in holders if own and (kind, value) in theirs]
            cursor.execute("delete from entry_signal where id = any(%s)", [twice])
            dropped += len(twice)
        if dropped:
            cursor.execute(_DROP_ENTRIES, [import_id])
    return dropped


def count(import_id: str) -> tuple[int, int, str]:
    """(entries, signals, digest) of what is staged."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from entry where import_id = %s", [import_id])
        entries = int(cursor.fetchone()[0])
    signals, digest = digest_of(_sorted(import_id))
    return entries, signals, digest


def clear_abandoned() -> int:
    """Delete some rows of imports that were given up; returns how many entries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select id from entry where import_id in (select id from bank_import where state = 'abandoned') limit %s",
            [LINES],
        )
        gone = [row[0] for row in cursor.fetchall()]
        if gone:
            cursor.execute("delete from entry_signal where entry_id = any(%s)", [gone])
            cursor.execute("delete from entry where id = any(%s)", [gone])
    return len(gone)


def _holders(values: list[str], bank: str, import_id: str) -> list[tuple[int, str, str, bool]]:
    """(label, type, value, whether of this import) of what stands in the bank or is staged, among these values."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [values])
        found = cursor.fetchall()
        if not found:
            return []
        entries = [row[3] for row in found]
        cursor.execute(_STANDING, {"entries": entries, "bank": bank, "import": import_id})
        own = dict(cursor.fetchall())
    return [(label, kind, value, own[entry]) for label, kind, value, entry in found if entry in own]


def _known(lines: Sequence[Line], bank: str, import_id: str) -> dict[Signal, str]:
    """The signals of these lines that need not be taken again, and why."""
    values = [signal.value for line in lines for signal in line.signals]
    if not values:
        return {}
    return {
        Signal(SignalType(kind), value): "stands earlier in the file" if own else "is already in the bank"
        for _, kind, value, own in _holders(values, bank, import_id)
    }


def _fresh(line: Line, seen: dict[Signal, str], bad: list[BadLine]) -> list[Signal]:
    fresh = []
    for signal in line.signals:
        if signal in seen:
            bad.append(BadLine(line.number, "input.duplicate", f"the same signal {seen[signal]}"))
            continue
        seen[signal] = "stands earlier in the file"
        fresh.append(signal)
    return fresh


def _standing(ids: list[str]) -> set[str]:
    """Which of these entries are staged already, from an earlier batch."""
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute("select id from entry where id = any(%s)", [ids])
        return {row[0] for row in cursor.fetchall()}


def _entry_of_group(import_id: str, group: str) -> str:
    """The id of the entry that lines of this group make: the same in every batch, without keeping a list."""
    digest = hashlib.sha256(f"{import_id} {group}".encode(errors="surrogatepass")).digest()
    return f"ent_{base64.b32encode(digest[:15]).decode().lower()}"


def _sorted(import_id: str) -> Iterator[tuple[str, str]]:
    """Every staged signal in order, some thousands at a time from the server."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SORTED, [import_id])
        while rows := cursor.fetchmany(LINES):
            yield from rows
