# SPDX-License-Identifier: Apache-2.0
"""Many rows changed by one plain statement.

Django's own way builds a condition for each value of each row: for a hundred and fifty holds that took longer than
everything else that was done with them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection, models


def update_many(rows: Sequence[models.Model], fields: tuple[str, ...]) -> None:
    """Write these fields of rows of one model, as they hold them now. Nothing happens for no rows."""
    if not rows:
        return
    statement, attributes = _statement(type(rows[0]), fields)
    values = [[getattr(row, name) for row in rows] for name in attributes]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@cache
def _statement(model: type[models.Model], fields: tuple[str, ...]) -> tuple[str, list[str]]:
    """`update ... from unnest(...)`, and the attributes whose values it takes, the key first."""
    columns: list[models.Field[Any, Any]] = [model._meta.get_field(name) for name in fields]  # type: ignore[misc]  # noqa: SLF001  # Django's documented way
    key = model._meta.pk  # noqa: SLF001  # the same
    arrays = ", ".join(f"%s::{one.db_type(connection)}[]" for one in (key, *columns))
    names = ", ".join(str(one.column) for one in (key, *columns))
    changes = ", ".join(f"{one.column} = n.{one.column}" for one in columns)
    statement = (
        f"update {model._meta.db_table} t set {changes} "  # noqa: S608, SLF001  # names of our own tables and columns
        f"from unnest({arrays}) as n ({names}) where t.{key.column} = n.{key.column}"
    )
    return statement, [one.attname for one in (key, *columns)]
