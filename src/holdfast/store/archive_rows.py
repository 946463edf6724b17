# SPDX-License-Identifier: Apache-2.0
"""The archive read in the order of its places, so that others can follow it and nothing of it is passed over.

A row's place is the transaction that wrote it and its screening's id. Below the oldest transaction that is
still open (the horizon) no row can appear any more: what was read up to there was all there is. A mark is
written together with each horizon that somebody relies on. A database that was set back to before lacks the mark,
and one that still has it gives later rows later transactions than that horizon; numbers of another cluster mean
nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

import psycopg
from django.db import connection, transaction
from django.db.models.functions import Now

from holdfast.match.sheet import Archived, Place
from holdfast.match.signal import Signal, SignalType
from holdfast.store.models import ArchiveMarkRow, ArchiveRow

CHUNK: Final = 2000
"""Rows read at a time: about a megabyte, and 128 MiB if all were long films."""
_ASKED: Final = 5000
_MARKS_KEPT: Final = timedelta(days=30)
_FROM: Final = "(xact, screening) >= (%(from_xact)s::text::xid8, %(from_screening)s::text)"
_BEFORE: Final = "(xact, screening) < (%(upto_xact)s::text::xid8, %(upto_screening)s::text)"
_CHUNK: Final = f"""
select a.xact::text::bigint, a.screening, a.hashes from archive a
where {_FROM} and {_BEFORE} order by a.xact, a.screening limit %(most)s::bigint
"""  # noqa: S608  # made of constants
_COUNT: Final = f"""
select count(*) from (select from archive where {_FROM} and {_BEFORE} limit %(most)s::bigint) as found
"""  # noqa: S608  # made of constants
_MOST: Final = 2**62
# Whoever has begun to write to the archive. Locks are taken before a statement looks at anything, so whoever is not
# among them has yet to look, and will see what was committed until now.
_WRITERS: Final = """
select virtualtransaction from pg_locks
where locktype = 'relation' and relation = 'archive'::regclass and mode = 'RowExclusiveLock'
    and database = (select oid from pg_database where datname = current_database()) and pid <> pg_backend_pid()
"""
_HORIZON: Final = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_PRESENT: Final = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_CLUSTER: Final = "select system_identifier::text from pg_control_system()"
# By an own number first: the horizon is then no later than this transaction.
_MARK: Final = """
with own as materialized (select pg_current_xact_id())
insert into archive_mark (cluster, horizon)
select (select system_identifier::text from pg_control_system()),
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint from own
returning token::text, cluster, horizon
"""
_FOREIGN: Final = """
update archive set xact = pg_current_xact_id() where screening in (
    select screening from archive where xact >= pg_snapshot_xmax(pg_current_snapshot()) limit %s
)
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A horizon that somebody relies on, in which cluster, and the token that no other mark has."""

    token: str
    cluster: str
    horizon: int

    @property
    def place(self) -> Place:
        """The first place at which rows may still appear."""
        return Place(self.horizon, "")


def chunk(place: Place, upto: Place, most: int = CHUNK) -> list[Archived]:
    """The next rows from `place` on and before `upto`, at most so many."""
    return cast("list[Archived]", _read(_CHUNK, _range(place, upto, most)))


def count(place: Place, upto: Place, most: int = _MOST) -> int:
    """How many rows stand from `place` on and before `upto`; no more than `most` are counted."""
    return int(_read(_COUNT, _range(place, upto, most))[0][0])


def writers() -> frozenset[str]:
    """The transactions that have begun to write to the archive and have not ended."""
    return frozenset(row[0] for row in _read(_WRITERS, {}))


def present() -> Place:
    """Behind every row that can be seen now."""
    return Place(int(_read(_PRESENT, {})[0][0]), "")


def horizon() -> Place:
    """The first place at which rows may still appear."""
    return Place(int(_read(_HORIZON, {})[0][0]), "")


def mark() -> Mark:
    """Write down the present horizon, and forget marks that nobody can rely on any more."""
    with transaction.atomic(durable=True):
        token, of, reach = _read(_MARK, {})[0]
        ArchiveMarkRow.objects.filter(at__lt=Now() - _MARKS_KEPT).delete()
    return Mark(token, of, int(reach))


def cluster() -> str:
    """The database cluster whose transactions have these numbers."""
    return str(_read(_CLUSTER, {})[0][0])


def knows(found: Mark) -> bool:
    """Whether this database is the one in which the mark was written, and was not set back to before it."""
    return (
        found.cluster == cluster() and ArchiveMarkRow.objects.filter(token=found.token, horizon=found.horizon).exists()
    )


def adopt_foreign(most: int = 5 * CHUNK) -> int:
    """Give rows with numbers of another cluster, which a restore brought, numbers of this one; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN, [most])
        return int(cursor.rowcount)


def by_screening(ids: Iterable[str], upto: Place) -> list[ArchiveRow]:
    """The rows of these screenings that are still there, as far as they stand before `upto`."""
    return [row for some in _some(list(ids)) for row in _before(upto).filter(screening__in=some)]


def by_digest(signals: Sequence[Signal], upto: Place) -> list[tuple[ArchiveRow, Signal]]:
    """The rows before `upto` that have one of these digests, each with it."""
    found = []
    for kind in (one for one in SignalType if one.is_exact):
        wanted = {bytes.fromhex(one.value): one for one in signals if one.type is kind}
        for some in _some(list(wanted)):
            rows = _before(upto).filter(**{f"{kind.value}__in": some})
            found += [(row, wanted[bytes(getattr(row, kind.value))]) for row in rows]
    return found


def _some(values: list[Any]) -> Iterator[list[Any]]:
    """Some thousands at a time."""
    return (values[start : start + _ASKED] for start in range(0, len(values), _ASKED))


def _before(upto: Place) -> Any:  # noqa: ANN401  # Django's query sets
    return ArchiveRow.objects.extra(where=["xact < %s::text::xid8"], params=[str(upto.xact)])


def _range(place: Place, upto: Place, most: int) -> dict[str, Any]:
    return {
        "from_xact": str(place.xact),
        "from_screening": place.screening,
        "upto_xact": str(upto.xact),
        "upto_screening": upto.screening,
        "most": most,
    }


def _read(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Every row, in binary: hashes come as they are, and not twice as long as text.

    Planned each time, for the values at hand: a plan for any place and any limit sorts the whole archive.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), values, prepare=False, binary=True)
        return cursor.fetchall()
