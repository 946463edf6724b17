# SPDX-License-Identifier: Apache-2.0
"""What a database holds, in few numbers: rows of every table, and a digest over the whole journal.

Two databases with the same facts hold the same journal, row by row. A backup carries them, and a restore
is not done before they are there again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import connection, transaction

# One JSON array a row, in order of ids; `body` as PostgreSQL writes jsonb, which does not depend on the version.
_JOURNAL: Final = """
copy (select json_build_array(id, subject, version, tag, schema, body, actor, to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US'))
    from journal order by id) to stdout
"""
_SERVICE: Final = frozenset({"process"})
"""Tables of what is alive just now, which nobody restores for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How many rows each table has, and SHA-256 (hex) over the journal."""

    tables: dict[str, int]
    journal: str
    sealing_keys: tuple[str, ...]


@contextmanager
def one_moment() -> Iterator[str]:
    """A transaction that sees one moment, and the name by which other connections see the same."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute("select pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


def facts() -> Facts:
    """What the database holds, as the open transaction sees it."""
    tables = [model._meta.db_table for model in apps.get_app_config("store").get_models()]  # noqa: SLF001  # Django's documented Meta API
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        counts = {name: _count(name) for name in sorted(set(tables) - _SERVICE)}
        with cursor.copy(_JOURNAL) as copy:
            for chunk in copy:
                digest.update(chunk)
        cursor.execute("select id from sealed_kek order by id")
        keys = tuple(row[0] for row in cursor.fetchall())
    return Facts(tables=counts, journal=digest.hexdigest(), sealing_keys=keys)


def server_major() -> int:
    """The major version of the server."""
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version_num')::int / 10000")
        return int(cursor.fetchone()[0])


def is_empty() -> bool:
    """Whether the database holds no table of anybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select not exists (select from pg_tables where schemaname not in ('pg_catalog', 'information_schema'))"
        )
        return bool(cursor.fetchone()[0])


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")  # noqa: S608  # the name of a table of ours
        return int(cursor.fetchone()[0])
