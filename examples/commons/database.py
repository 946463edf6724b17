# SPDX-License-Identifier: Apache-2.0
"""The database: SQLite with a write-ahead log, one connection for each thread, one writer at a time.

What was committed survives a power cut (`synchronous=full`), and is seen by every reader that begins afterwards,
in this process or another. A reader is through when `rows` returns: none goes on seeing an older state.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SCHEMA: Final = Path(__file__).with_name("schema.sql")
_PATIENCE_SECONDS: Final = 10.0

Value = str | int | float | bytes | None
Row = sqlite3.Row


class Connection:
    """One connection, for the thread that opened it."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`."""
        self._open = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        self._open.row_factory = sqlite3.Row
        self._open.execute("pragma synchronous = full")

    def rows(self, statement: str, *values: Value) -> list[Row]:
        """What a statement gives, all of it."""
        return self._open.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Value) -> Row | None:
        """The first row, or None."""
        found = self.rows(statement, *values)
        return found[0] if found else None

    def many(self, statement: str, values: list[tuple[Value, ...]]) -> None:
        """One statement for each of `values`."""
        self._open.executemany(statement, values)

    def script(self, text: str) -> None:
        """Several statements."""
        self._open.executescript(text)


class Database:
    """The database at a path."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._of_thread = threading.local()

    def prepare(self) -> None:
        """Make what is missing; once, before anybody else comes."""
        self.reading.rows("pragma journal_mode = wal")
        self.reading.script(_SCHEMA.read_text())

    @property
    def reading(self) -> Connection:
        """This thread's connection."""
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = Connection(self._path)
        connection: Connection = self._of_thread.connection
        return connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all that is done inside is committed at its end, or nothing of it."""
        connection = self.reading
        connection.rows("begin immediate")
        try:
            yield connection
        except BaseException:
            connection.rows("rollback")
            raise
        connection.rows("commit")
