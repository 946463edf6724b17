# SPDX-License-Identifier: Apache-2.0
"""Write one row anew from the journal: a separate act, as the owner of the tables, and an event itself.

Only a row that is there is mended, and only in columns that the journal knows. A row that is missing, or
that no event made, is for a person to look at: a backup may know more than the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, cast

from django.db import connections, transaction
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, JsonbLoader

from holdfast.errors import OwnerNeeded
from holdfast.log.check import Difference, FsckMended
from holdfast.store.bank_changes import LOCK
from holdfast.store.fsck import compared
from holdfast.store.journal import columns_of
from holdfast.store.projections import PROJECTIONS, Projection, Row

_EVENTS: Final = (
    "select subject, version, tag, schema, body, actor, at from journal where subject = %s order by version"
)
_TELL: Final = """
insert into journal (subject, version, tag, schema, body, actor, at)
select event.*, %s, %s from unnest(%s::text[], %s::int[], %s::text[], %s::smallint[], %s::jsonb[]) as event
"""


def mend(found: Difference, *, new_id: Callable[[str], str], actor: str, at: datetime) -> tuple[str, ...]:
    """Let the row of this difference say what the journal says now; the columns that were written.

    Raises OwnerNeeded if this process does not know how to reach the database as the owner of the tables.
    """
    if "owner" not in connections.databases:
        raise OwnerNeeded
    projection = next(one for one in PROJECTIONS if one.table == found.table)
    with transaction.atomic(using="owner", durable=True):
        number = _new_change() if projection.numbered else None
        row = _locked(projection, found.key)
        differences = [one for one in compared(projection, found.key, row, _events(projection, found.key)) if one.mends]
        if row is None or not differences:
            transaction.set_rollback(True, using="owner")
            return ()
        _write(projection, found.key, {one.column: one.journal for one in differences}, number)
        columns = tuple(one.column for one in differences)
        told = FsckMended(table=found.table, key=found.key, columns=columns)
        _raw().execute(_TELL, [actor, at, *columns_of([(f"fsck:{new_id('fix')}", 0, [told])])])
    return columns


def _raw() -> Any:  # noqa: ANN401  # psycopg's connection, whatever its rows are
    connections["owner"].ensure_connection()
    return connections["owner"].connection


def _new_change() -> int:
    """The next bank change, under the lock of all of them: those who follow the banks then see what was mended."""
    cursor = _raw()
    cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    made = cursor.execute("insert into bank_change (number) select max(number) + 1 from bank_change returning number")
    return int(made.fetchone()[0])


def _locked(projection: Projection, key: str) -> Row | None:
    columns = ", ".join(f"t.{name}" for name in (projection.key, *projection.columns))
    extra = f", {projection.extra}" if projection.extra else ""
    with _raw().cursor(row_factory=dict_row) as cursor:
        cursor.adapters.register_loader("jsonb", JsonbLoader)
        query = f"select {columns}{extra} from {projection.table} t where t.{projection.key} = %s for update of t"  # noqa: S608  # constants
        return cast("Row | None", cursor.execute(query, [key]).fetchone())


def _events(projection: Projection, key: str) -> list[Any]:
    with _raw().cursor() as cursor:
        cursor.adapters.register_loader("jsonb", JsonbLoader)
        return list(cursor.execute(_EVENTS, [f"{projection.noun}:{key}"]).fetchall())


def _write(projection: Projection, key: str, values: dict[str, Any], number: int | None) -> None:
    written = values if number is None else {**values, "changed_in": number}
    setting = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in written)
    where = sql.SQL("update {} set {} where {} = %s").format(
        sql.Identifier(projection.table), setting, sql.Identifier(projection.key)
    )
    told = [Jsonb(value) if isinstance(value, (dict, list)) else value for value in written.values()]
    _raw().execute(where, [*told, key])
