# SPDX-License-Identifier: Apache-2.0
"""Bring the tables up to date as the owner, and give the app role exactly what it needs.

The app role may read and write every table except the journal, the bank changes and the log's leaves, heads
and timestamps, which it may only read and add to, and Django's own table of migrations, which it may only read.
"""

from __future__ import annotations

from typing import Final

from django.apps import apps
from django.core.management import call_command
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from holdfast.errors import DatabaseUnavailable
from holdfast.store.models import BankChange, JournalRow, LogHeadRow, LogLeafRow, LogTimestampRow

_EVERYTHING = "select, insert, update, delete"
_APPEND_ONLY = "select, insert"
_ONLY_ADDED_TO: Final = (JournalRow, BankChange, LogLeafRow, LogHeadRow, LogTimestampRow)
_LOCK: Final = 0x484F4C44_4D494752  # "HOLDMIGR"


def migrate(app_role: str) -> None:
    """Create or update every table as the `owner` alias, then give `app_role` its rights. Safe to repeat.

    One process at a time; whoever is at work meanwhile never loses a right for a moment.
    """
    with connections["owner"].cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [_LOCK])
        try:
            call_command("migrate", database="owner", verbosity=0, interactive=False)
            grant(app_role)
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [_LOCK])


def grant(app_role: str) -> None:
    """Give `app_role` its rights on every table, and take back all others, in one transaction."""
    role = sql.Identifier(app_role)
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK + 1])
        cursor.execute("select current_user = %s", [app_role])
        if cursor.fetchone()[0]:
            return  # one role for everything: doctor says what that costs
        statements = [("django_migrations", "select")]
        for model in apps.get_app_config("store").get_models():
            rights = _APPEND_ONLY if model in _ONLY_ADDED_TO else _EVERYTHING
            statements.append((model._meta.db_table, rights))  # noqa: SLF001  # Django's documented Meta API
        cursor.execute(sql.SQL("grant usage on schema public to {}").format(role))
        cursor.execute(sql.SQL("grant usage on all sequences in schema public to {}").format(role))
        for table, rights in statements:
            name = sql.Identifier(table)
            cursor.execute(sql.SQL("revoke all on {} from {}").format(name, role))
            cursor.execute(sql.SQL("grant {} on {} to {}").format(sql.SQL(rights), name, role))


def require_current() -> None:
    """Raise DatabaseUnavailable if the tables are older than this program."""
    executor = MigrationExecutor(connections["default"])
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes("store"))
    if pending:
        message = "the tables are older than this program; set DATABASE_OWNER_URL once so that they can be updated"
        raise DatabaseUnavailable(message)
