# SPDX-License-Identifier: Apache-2.0
"""Staged rows of an import: written by COPY in short transactions, unseen until the import is published."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import connection

from holdfast.match.bankline import BadLine, Line
from holdfast.match.importing import digest_of
from holdfast.match.signal import Signal, SignalType

LINES: Final = 10_000
_MOST_SIGNALS: Final = 100_000  # of one batch: a line may hold a video of thousands of frames
_ENTRIES: Final = """
copy entry (id, bank_id, provenance, state, version, changed_in, added_at, import_id) from stdin
"""
_SIGNALS: Final = "copy entry_signal (entry_id, type, value, frame, at_ms, quality) from stdin"
# In two steps, each by one index: joined, with no statistics on tables that just grew, it once took 90 seconds.
_HOLDERS: Final = "select type, value, entry_id from entry_signal where value = any(%s)"
_STAGED: Final = "select id from entry where id = any(%s) and import_id = %s"
_SORTED: Final = """
select type, value from (
    select s.type, s.value || coalesce(',' || s.frame || ',' || s.at_ms || ',' || s.quality, '') as value
    from entry_signal s join entry e on e.id = s.entry_id where e.import_id = %s
) t order by type collate "C", value collate "C"
"""
# Entries that were touched by themselves are few; an import none of whose entries is off or removed counts whole.
_TWIN: Final = """
select i.id from bank_import i
where i.bank_id = %(bank)s and i.state = 'published' and i.digest = %(digest)s and not exists (
    select from entry e
    where e.bank_id = i.bank_id and e.changed_in > 0 and e.import_id = i.id and e.state <> 'active'
)
order by i.begun_at, i.id limit 1
"""


@dataclass(slots=True)
class Batch:
    """What becomes of some lines: rows to write, and lines not taken."""

    entries: list[tuple[str, str]] = field(default_factory=list)
    """(id, provenance)"""
    signals: list[tuple[str, Signal]] = field(default_factory=list)
    """(entry, signal)"""
    bad: list[BadLine] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    """The line of each signal."""


def batches(lines: Iterable[Line | BadLine]) -> Iterator[list[Line | BadLine]]:
    """The lines, some thousands at a time, or as many as hold so many signals."""
    some: list[Line | BadLine] = []
    signals = 0
    for line in lines:
        some.append(line)
        signals += len(line.signals) if isinstance(line, Line) else 0
        if len(some) >= LINES or signals >= _MOST_SIGNALS:
            yield some
            some, signals = [], 0
    if some:
        yield some


def sort_out(lines: Sequence[Line | BadLine], import_id: str, provenance: str, new_id: Callable[[str], str]) -> Batch:
    """What these lines add to the import, and what they do not: only the file itself makes a line superfluous.

    What the bank holds by other ways can leave it by other ways, and this file would still say it.
    """
    batch = Batch()
    good = [line for line in lines if isinstance(line, Line)]
    seen = _staged(good, import_id)
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
        batch.taken += [line.number] * len(fresh)
    return batch


def write_batch(batch: Batch, bank: str, import_id: str, at: datetime) -> None:
    """Write the rows, inside the open transaction."""
    with connection.cursor() as cursor:
        with cursor.copy(_ENTRIES) as copy:
            for entry, provenance in batch.entries:
                copy.write_row((entry, bank, provenance, "active", 0, 0, at, import_id))
        with cursor.copy(_SIGNALS) as copy:
            for entry, signal in batch.signals:
                place = signal.frame
                where = (place.number, place.at_ms, place.quality) if place else (None, None, None)
                copy.write_row((entry, signal.type.value, signal.value, *where))


def twin(bank: str, digest: str) -> str | None:
    """The published import of this bank that holds just these signals, if there is one and all of it counts."""
    with connection.cursor() as cursor:
        cursor.execute(_TWIN, {"bank": bank, "digest": digest})
        row = cursor.fetchone()
    return row[0] if row else None


def count(import_id: str, alive: Callable[[], None]) -> tuple[int, int, str]:
    """(entries, signals, digest) of what is staged; `alive` is called again and again meanwhile."""
    alive()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from entry where import_id = %s", [import_id])
        entries = int(cursor.fetchone()[0])
    signals, digest = digest_of(_sorted(import_id, alive))
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


def _staged(lines: Sequence[Line], import_id: str) -> set[Signal]:
    """The signals of these lines that an earlier batch of the same import has staged."""
    values = [signal.value for line in lines for signal in line.signals if not signal.frame]
    if not values:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [values])
        found = cursor.fetchall()
        cursor.execute(_STAGED, [[entry for _, _, entry in found], import_id])
        own = {row[0] for row in cursor.fetchall()}
    return {Signal(SignalType(kind), value) for kind, value, entry in found if entry in own}


def _fresh(line: Line, seen: set[Signal], bad: list[BadLine]) -> list[Signal]:
    """The signals that do not stand earlier in the file. Videos may well share frames: they are taken whole."""
    fresh = []
    for signal in line.signals:
        if signal.frame:
            fresh.append(signal)
            continue
        if signal in seen:
            bad.append(BadLine(line.number, "input.duplicate", "the same signal stands earlier in the file"))
            continue
        seen.add(signal)
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


def _sorted(import_id: str, alive: Callable[[], None]) -> Iterator[tuple[str, str]]:
    """Every staged signal in order, some thousands at a time from the server."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SORTED, [import_id])
        while rows := cursor.fetchmany(LINES):
            alive()
            yield from rows
