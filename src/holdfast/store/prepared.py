# SPDX-License-Identifier: Apache-2.0
"""Statements that nearly every request runs: planned once for each connection, not once for each request.

Django binds values into the text of a statement, so that the server parses and plans it anew each
time; for the statement that records an answer that took longer than running it. Where the database
is reached through a pooler of transactions nothing can be prepared, and they run as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import psycopg
from django.db import connection


def one_row(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The one row that a statement gives, each of whose values names its own type (`%(name)s::text`).

    Runs in the transaction that is open, or else in one of its own. Raises Django's database errors.
    """
    row = _first(statement, values)
    assert row is not None  # such a statement ends in a select that always gives one
    return row


def one_row_or_none(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row that a statement gives; None if it gives none. See `one_row`."""
    return _first(statement, values)


def _first(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), values)
        return cast("tuple[Any, ...] | None", cursor.fetchone())
