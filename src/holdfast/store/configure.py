# SPDX-License-Identifier: Apache-2.0
"""Set Django up, once per process, from plain values: databases, and the web parts when asked.

Two database aliases: `default` is the app role, which runs everything; `owner` exists only where
its URL is known, owns the tables and runs migrations.
"""

from __future__ import annotations

import secrets
from typing import Any

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from holdfast.errors import InvalidSetting


def configure(
    *, database_url: str, owner_url: str | None = None, direct: bool = True, web: dict[str, Any] | None = None
) -> None:
    """Configure Django; a second call in one process is refused by Django itself.

    Each thread keeps one connection for as long as it lives. `direct`: no pooler of transactions lies
    between, so that what belongs to a connection (prepared statements) stays with it.
    """
    databases = {"default": _database(database_url, direct=direct)}
    if owner_url:
        databases["owner"] = _database(owner_url, direct=direct)
    settings.configure(
        DATABASES=databases,
        INSTALLED_APPS=["holdfast.store"],
        USE_TZ=True,
        TIME_ZONE="UTC",
        SECRET_KEY=secrets.token_hex(32),  # nothing signed outlives a process yet
        DEBUG=False,
        LOGGING_CONFIG=None,
        **(web or {}),
    )
    django.setup()


def _database(url: str, *, direct: bool) -> dict[str, Any]:
    """Django's form of a PostgreSQL URL."""
    try:
        parts = conninfo_to_dict(url)
    except Exception as cause:
        message = "DATABASE_URL: not a PostgreSQL connection string"
        raise InvalidSetting(message) from cause
    if not parts.get("dbname"):
        message = "DATABASE_URL: it names no database"
        raise InvalidSetting(message)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    main = {name: str(parts.pop(key, "") or "") for name, key in names.items()}
    # 0: a statement is prepared when it is first run, if it is one that can be (`store.prepared`).
    options: dict[str, Any] = {**parts, "prepare_threshold": 0 if direct else None}
    # No check before each request, which would be a round trip: the first statement of each is one (`store.keys`).
    return {"ENGINE": "django.db.backends.postgresql", **main, "OPTIONS": options, "CONN_MAX_AGE": None}
