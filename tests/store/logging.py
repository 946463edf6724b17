# SPDX-License-Identifier: Apache-2.0
"""What the tests of the log make: journal rows by the thousand, a log's folder, and who sequences it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from holdfast.adapters.log_folder import LogFolder
from holdfast.bootstrap import System
from holdfast.publish import Publisher
from holdfast.store.sequencer import Sequencer
from tests.media.processes import eventually

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SCREENED = """
insert into journal (subject, version, tag, schema, body, actor, at)
select 'screening:scr_' || translate(substr(md5(n::text) || md5('x' || n::text), 1, 24), '0189', 'ghij'), 1,
  'screening.answered', 1, jsonb_build_object('content', 'post-' || n, 'content_version', '1', 'surface', 'photos',
  'verdict', 'no_match', 'reason', null, 'answer', 'publish', 'shadow', false, 'list_version', 7,
  'matches', '[]'::jsonb, 'looked_up_at', '2026-07-01T12:00:00Z'), 'key:abcdefgh', now()
from generate_series(%s::int, %s::int) as n
"""
APPENDED = """
insert into journal (subject, version, tag, schema, body, actor, at)
values (%s, %s, 'unscreened.opened', 1, '{}', 'key:abcdefgh', now())
"""


def screened(connection: psycopg.Connection[Any], first: int, last: int) -> None:
    """Journal rows of screenings number `first` to `last`."""
    connection.execute(SCREENED, [first, last])


def append(connection: psycopg.Connection[Any], subject: str, version: int) -> None:
    """One journal row."""
    connection.execute(APPENDED, [subject, version])


def app(system: System) -> psycopg.Connection[Any]:
    """A connection as the app role, in autocommit."""
    assert system.settings.database_url
    return psycopg.connect(system.settings.database_url, autocommit=True)


@contextmanager
def keeping(system: System, folder: Path, *, page: int = 10_000) -> Iterator[tuple[Sequencer, Publisher]]:
    """The sequencer and publisher of a system's log, leading."""
    with app(system) as connection:
        sequencer = Sequencer(connection, page)
        assert eventually(sequencer.lead), "the server had not yet let go of the lock of whoever led before"
        publisher = Publisher(connection, LogFolder(folder), lambda: NOW)
        publisher.begin()
        yield sequencer, publisher


def leaves(connection: psycopg.Connection[Any]) -> list[tuple[int, str, int]]:
    """Index, subject and version of every leaf, in order."""
    return connection.execute("select index, subject, version from log_leaf order by index").fetchall()
