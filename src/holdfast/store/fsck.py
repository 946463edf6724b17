# SPDX-License-Identifier: Apache-2.0
"""Compare every table with what the journal says: two sorted streams side by side, one consistent moment.

Nothing is written. Memory holds one subject at a time; what must be sorted, the database sorts. A check is a
named function (`CHECKS`), so that a stage that keeps something else can bring its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, cast

import psycopg
from django.db import connection, transaction
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import JsonbLoader

from holdfast.log.check import Check, Checked, Difference, Progress
from holdfast.log.event import decode
from holdfast.log.journal import Recorded
from holdfast.match.importing import ImportPublished, import_subject
from holdfast.store import staging
from holdfast.store.models import JournalRow
from holdfast.store.projections import PROJECTIONS, Folded, Projection, Row

_AT_ONCE: Final = 2000
_EVENTS: Final = """
select subject, version, tag, schema, body, actor, at from journal
where subject collate "C" >= %(noun)s::text || ':' and subject collate "C" < %(noun)s::text || ';'
order by subject collate "C", version
"""
_GAPS: Final = """
select subject, count(*), max(version) from journal
group by subject having count(*) <> max(version) or min(version) <> 1 order by subject collate "C"
"""
_IMPORTS: Final = "select id from bank_import where state in ('published', 'rolled_back') order by id"


def run(checks: Iterable[Check], progress: Progress = lambda _, __: None) -> Iterator[Checked]:
    """Run each check to its first difference, all as of one moment. Raises whatever the database raises."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
        for check in checks:
            seen = _Count(progress)
            first = next(check.differences(seen), None)
            yield Checked(check.name, seen.rows, first)


class _Count:
    """Passes progress on and remembers it."""

    def __init__(self, progress: Progress) -> None:
        self.rows = 0
        self._progress = progress

    def __call__(self, name: str, rows: int) -> None:
        self.rows = rows
        self._progress(name, rows)


def versions(progress: Progress) -> Iterator[Difference]:
    """Subjects whose events are not numbered 1, 2, 3 ... without a gap."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from journal")
        total = cursor.fetchone()[0]
        cursor.execute(_GAPS)
        for subject, count, newest in cursor.fetchall():
            yield _difference("journal", "journal", subject, "version", f"{count} events", f"the newest is {newest}")
    progress("journal", total)


def imports(progress: Progress) -> Iterator[Difference]:
    """Imports whose staged signals are not those that the journal commits to."""
    for number, (import_id,) in enumerate(_stream(_IMPORTS, {}, tuple_row, "holdfast_fsck_imports"), start=1):
        entries, signals, digest = staging.count(import_id, lambda: None)
        told = _published(import_id)
        for column, value in (("entries", entries), ("signals", signals), ("digest", digest)):
            if told.get(column) != value:
                yield _difference("import contents", "entry_signal", import_id, column, told.get(column), value)
        progress("import contents", number)


def projected(projection: Projection, progress: Progress) -> Iterator[Difference]:
    """Rows of one table that are not what the journal says, missing, or there without an event."""
    rows = _rows(projection)
    subjects = _subjects(projection)
    row, events = next(rows, None), next(subjects, None)
    number = 0
    while row is not None or events is not None:
        number += 1
        if number % _AT_ONCE == 0:
            progress(projection.table, number)
        key = _lower(None if row is None else row[projection.key], None if events is None else events[0])
        of_row = row if row is not None and row[projection.key] == key else None
        of_events = events[1] if events is not None and events[0] == key else []
        yield from compared(projection, key, of_row, of_events)
        row = next(rows, None) if of_row is not None else row
        events = next(subjects, None) if of_events else events
    progress(projection.table, number)


def _lower(one: str | None, other: str | None) -> str:
    """The lower of two keys, of which at least one is there. Code points sort as the bytes of UTF-8 do."""
    return min(key for key in (one, other) if key is not None)


def compared(projection: Projection, key: str, row: Row | None, events: Sequence[Any]) -> Iterator[Difference]:
    """Where one row and its subject, given by the rows of the journal, differ."""
    table = projection.table
    try:
        folded = fold(projection, key, row, events)
    except (ValueError, KeyError) as fault:
        yield _difference(table, "journal", f"{projection.noun}:{key}", "tag", f"cannot be folded: {fault}", None)
        return
    if folded is None:
        yield _difference(table, table, key, projection.key, None, "there")
    elif row is None:
        yield _difference(table, table, key, projection.key, "there", None)
    else:
        for column, value in {**projection.expected(folded), "version": folded.version}.items():
            if column in row and projection.compare(column, row[column]) != value:
                mends = column in projection.columns
                yield _difference(table, table, key, column, value, row[column], mends=mends)


def fold(projection: Projection, key: str, row: Row | None, events: Sequence[Any]) -> Folded | None:
    """The subject after its events; None if the journal knows nothing of it. Raises ValueError, KeyError."""
    folded = Folded(key, projection.begin(row) if row is not None else None)
    for event in map(recorded, events):
        folded.first = folded.first or event
        folded.state = projection.evolve(folded.state, key, event.happened)
        folded.notes |= projection.notes(event)
        folded.last, folded.version = event, event.version
    return folded if folded.state is not None else None


CHECKS: Final = (
    Check("journal", versions),
    *(
        Check(one.table, lambda progress, one=one: projected(one, progress))  # type: ignore[misc]
        for one in PROJECTIONS
    ),
    Check("import contents", imports),
)
"""Every check, in order."""


def _subjects(projection: Projection) -> Iterator[tuple[str, list[Any]]]:
    """Each subject of one noun, by its id, with its rows of the journal."""
    rows = _stream(_EVENTS, {"noun": projection.noun}, tuple_row, f"holdfast_fsck_{projection.noun}_events")
    for subject, group in groupby(rows, key=lambda row: row[0]):
        yield subject.partition(":")[2], list(group)


def recorded(row: Any) -> Recorded:  # noqa: ANN401  # a row of seven columns
    """A journal row as (subject, version, tag, schema, body, actor, at). Raises KeyError for an unknown kind."""
    subject, version, tag, schema, body, actor, at = row
    return Recorded(subject=subject, version=version, happened=decode(tag, schema, body), actor=actor, at=at)


def _rows(projection: Projection) -> Iterator[Row]:
    columns = ", ".join(f"t.{name}" for name in (projection.key, *projection.columns))
    extra = f", {projection.extra}" if projection.extra else ""
    query = f'select {columns}{extra} from {projection.table} t order by t.{projection.key} collate "C"'  # noqa: S608  # constants
    return cast("Iterator[Row]", _stream(query, {}, dict_row, f"holdfast_fsck_{projection.table}"))


def _stream(query: str, values: dict[str, Any], factory: Any, name: str) -> Iterator[Any]:  # noqa: ANN401  # psycopg's
    """Rows of a cursor that stays in the database, some thousands at a time."""
    with _raw().cursor(name, row_factory=factory) as cursor:
        cursor.adapters.register_loader("jsonb", JsonbLoader)  # Django's connections leave it as text
        cursor.itersize = _AT_ONCE
        cursor.execute(query, values)
        yield from cursor


def _raw() -> psycopg.Connection[Any]:
    """The connection of the transaction that is open."""
    connection.ensure_connection()
    return cast("psycopg.Connection[Any]", connection.connection)


def _published(import_id: str) -> dict[str, Any]:
    told = JournalRow.objects.filter(subject=import_subject(import_id), tag=ImportPublished.tag).first()
    return told.body if told else {}


def _difference(  # each is one fact
    check: str, table: str, key: str, column: str, journal: object, found: object, *, mends: bool = False
) -> Difference:
    return Difference(check=check, table=table, key=key, column=column, journal=journal, found=found, mends=mends)
