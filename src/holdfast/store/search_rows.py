# SPDX-License-Identifier: Apache-2.0
"""Backwards searches as rows: how they are written and read back, what they look for, and what they found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import psycopg
from django.db import connection, transaction

from holdfast.match.backwards import Search, SearchState, Target
from holdfast.match.found_copies import FoundCopy
from holdfast.match.sheet import Place
from holdfast.match.signal import Signal, SignalType
from holdfast.store.bank_rows import STANDS
from holdfast.store.models import ArchiveHitRow, ArchiveSearchRow

# What still counts of what a search looks for: in a bank that stops things. One way for each kind of target, each by
# its own index; signals in the order of their ids, so that a search can go on behind any of them.
_WANTED: Final = f"""
from (
    select id from entry where id = any(%(entries)s::text[])
    union all select e.id from entry e where e.import_id = %(bank_import)s::text
    union all select e.id from entry e where %(whole)s::bool and e.bank_id = %(bank)s::text
) wanted
    join entry e on e.id = wanted.id join bank b on b.name = e.bank_id left join bank_import i on i.id = e.import_id
    cross join lateral (
        select id, entry_id, type, value from entry_signal where entry_id = e.id and id > %(after)s::bigint offset 0
    ) s
where e.bank_id = %(bank)s::text and e.state = 'active' and {STANDS}
    and b.state = 'active' and b.kind = 'known' and b.action in ('hold', 'review')
"""  # noqa: S608  # made of constants
_SIGNALS: Final = f"select s.id, s.entry_id, s.type, s.value {_WANTED} order by s.id limit %(most)s::bigint"
# Of an import, or of a whole bank: on from where the step before ended, along the signals' own order, and no further
# than is asked for. (Put in order anew for each step, a hundred thousand entries took minutes; and so it did where the
# planner looked each signal's entry up among those of the import: the row of one id is what it may ask for.)
_IN_ORDER: Final = f"""
select s.id, s.entry_id, s.type, s.value
from entry_signal s cross join lateral (select * from entry where id = s.entry_id offset 0) e
    join bank b on b.name = e.bank_id left join bank_import i on i.id = e.import_id
where s.id > %(after)s::bigint and e.bank_id = %(bank)s::text
    and (%(whole)s::bool or e.import_id = %(bank_import)s::text) and e.state = 'active' and {STANDS}
    and b.state = 'active' and b.kind = 'known' and b.action in ('hold', 'review')
order by s.id limit %(most)s::bigint
"""  # noqa: S608  # made of constants
# `id + 0`: with the statistics of before the import, the planner would look for the least by walking all ids in order,
# past everything that other imports brought, once for each entry.
_BEFORE: Final = """
select coalesce(min(s.first) - 1, 0) from entry e
    cross join lateral (select min(id + 0) as first from entry_signal where entry_id = e.id offset 0) s
where e.import_id = %s
"""
_COUNTS: Final = f"select 1 {_WANTED} limit %(most)s::bigint"
_MOST: Final = 2**62
_OTHER_WAYS: Final = ("seqscan", "sort", "hashjoin", "mergejoin")
_BY_INDEX: Final = "select " + ", ".join(f"set_config('enable_{way}', %s, true)" for way in _OTHER_WAYS)
_KEEP: Final = """
with found as (
    select * from jsonb_to_recordset(%(copies)s::jsonb) as f (
        screening text, content text, content_version text, surface text, verdict text, screened_at timestamptz,
        entry text, signal text, distance smallint, signals int
    )
)
insert into archive_hit (search, screening, content_id, content_version, surface, verdict, screened_at, entry, signal,
    distance, signals, at)
select %(search)s::text, screening, content, content_version, surface, verdict, screened_at, entry, signal, distance,
    signals, %(at)s::timestamptz from found order by screening
on conflict (search, screening) do update
    set entry = excluded.entry, signal = excluded.signal, distance = excluded.distance, signals = excluded.signals
    where excluded.distance < archive_hit.distance
returning screening, xmax = 0
"""


@dataclass(frozen=True, slots=True)
class Banked:
    """One signal of one entry, and its label."""

    label: int
    entry: str
    signal: Signal


def signals_of(target: Target, *, after: int, most: int) -> list[Banked]:
    """What a search looks for, as far as it counts now: at most so many signals with labels above `after`."""
    if target.bank_import and not after:
        after = _before_import(target.bank_import)
    rows = _read(_SIGNALS if target.entries else _IN_ORDER, target, after, most)
    return [Banked(label, entry, Signal(SignalType(kind), value)) for label, entry, kind, value in rows]


def _before_import(bank_import: str) -> int:
    """A label before the import's first: what other imports brought earlier, ten million signals or more, is passed."""
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, [bank_import])
        return int(cursor.fetchone()[0])


def counts_at_all(target: Target) -> bool:
    """Whether anything of what a search looks for counts now."""
    return bool(_read(_COUNTS, target, 0, 1))


def still_counts(target: Target, entries: Iterable[str]) -> frozenset[str]:
    """Those of these entries, which a search looks for, that count this moment."""
    only = Target(bank=target.bank, entries=tuple(entries), count=0)
    return frozenset(one.entry for one in signals_of(only, after=0, most=_MOST)) if only.entries else frozenset()


def by_entry(signals: Sequence[Banked]) -> Mapping[str, tuple[Signal, ...]]:
    """The signals of each entry, in order."""
    found: dict[str, list[Signal]] = {}
    for one in signals:
        found.setdefault(one.entry, []).append(one.signal)
    return {entry: tuple(some) for entry, some in found.items()}


def keep(search: str, copies: Sequence[FoundCopy], at: datetime) -> list[FoundCopy]:
    """Keep what was found, inside the open transaction; gives those that this search had not found before.

    One found again by a nearer entry is told with that one from now on.
    """
    told = [{**_told(copy)} for copy in copies]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"search": search, "copies": json.dumps(told), "at": at})
        new = {screening for screening, is_new in cursor.fetchall() if is_new}
    return [copy for copy in copies if copy.screening in new]


def nearest_of_each(copies: Sequence[FoundCopy]) -> Iterator[FoundCopy]:
    """Each screening once, with its nearest entry."""
    order = sorted(copies, key=lambda copy: (copy.screening, copy.distance, copy.entry))
    for _, some in groupby(order, key=lambda copy: copy.screening):
        yield next(some)


def copy_of(row: ArchiveHitRow) -> FoundCopy:
    """The found copy that a row holds."""
    return FoundCopy(
        screening=row.screening,
        content=row.content_id,
        content_version=row.content_version,
        surface=row.surface,
        verdict=row.verdict,
        screened_at=row.screened_at,
        entry=row.entry,
        signal=SignalType(row.signal),
        distance=row.distance,
        signals=row.signals,
    )


def search_of(row: ArchiveSearchRow) -> Search:
    """The search that a row holds."""
    target = Target(bank=row.bank, entries=tuple(row.entries), bank_import=row.bank_import, count=row.count)
    return Search(
        target=target,
        owner=row.owner,
        due=row.due,
        state=SearchState(row.state),
        items=row.items,
        copies=row.copies,
        late=row.late,
    )


def place_of(row: ArchiveSearchRow) -> Place:
    """The first item that a search has not looked at yet."""
    return Place(row.place_xact, row.place_screening)


def _read(statement: str, target: Target, after: int, most: int) -> list[tuple[Any, ...]]:
    values = {
        "entries": list(target.entries),
        "bank_import": target.bank_import,
        "bank": target.bank,
        "whole": not target.entries and target.bank_import is None,
        "after": after,
        "most": most,
    }
    with transaction.atomic(), connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        # Right after an import the planner still takes the tables for small, and would read or sort them whole for
        # every step. Each step here has an index; it is told to use it.
        cursor.execute(_BY_INDEX, ["off"] * len(_OTHER_WAYS))
        found = cursor.execute(statement.encode(), values, binary=True).fetchall()
        cursor.execute(_BY_INDEX, ["on"] * len(_OTHER_WAYS))
        return found


def _told(copy: FoundCopy) -> dict[str, Any]:
    return {
        "screening": copy.screening,
        "content": copy.content,
        "content_version": copy.content_version,
        "surface": copy.surface,
        "verdict": copy.verdict,
        "screened_at": copy.screened_at.isoformat(),
        "entry": copy.entry,
        "signal": copy.signal.value,
        "distance": copy.distance,
        "signals": copy.signals,
    }
