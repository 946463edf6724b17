# SPDX-License-Identifier: Apache-2.0
"""The journal in PostgreSQL, appended inside whatever transaction is open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, connection
from django.db.models import Max

from holdfast.errors import JournalConflict
from holdfast.log.event import Event, decode, encode
from holdfast.log.journal import Recorded
from holdfast.store.models import JournalRow
from holdfast.store.sealing import PostgresSealer, opened_events

_APPEND: Final = """
insert into journal (subject, version, tag, schema, body, actor, at)
select event.*, %s, %s from unnest(%s::text[], %s::int[], %s::text[], %s::smallint[], %s::jsonb[]) as event
"""


class PostgresJournal:
    """See `holdfast.log.journal.Journal`. What people typed is sealed on the way in, and opened on the way out."""

    def __init__(self, sealer: PostgresSealer) -> None:
        """Seal private texts with `sealer`."""
        self.sealer = sealer

    def append(self, subject: str, *, after: int, events: Sequence[Event], actor: str, at: datetime) -> list[Event]:
        """Append events of one subject: see `Journal`."""
        return self.append_many([(subject, after, events)], actor=actor, at=at)

    def append_many(
        self, batch: Sequence[tuple[str, int, Sequence[Event]]], *, actor: str, at: datetime
    ) -> list[Event]:
        """Append events of many subjects, each (subject, after, events), in one statement; returns them sealed."""
        if not connection.in_atomic_block:
            message = "the journal is written inside the transaction of what it reports"
            raise RuntimeError(message)
        sealed = self.sealer.seal_events([one for _, _, events in batch for one in events])
        rest = iter(sealed)
        batch = [(subject, after, [next(rest) for _ in events]) for subject, after, events in batch]
        try:
            with connection.cursor() as cursor:
                cursor.execute(_APPEND, [actor, at, *columns_of(batch)])
        except IntegrityError as cause:
            raise JournalConflict from cause
        return sealed

    def read(self, subject: str) -> Sequence[Recorded]:
        """All rows of one subject: see `Journal`."""
        rows = list(JournalRow.objects.filter(subject=subject).order_by("version"))
        events = opened_events([decode(row.tag, row.schema, row.body) for row in rows], self.sealer)
        return [
            Recorded(subject=row.subject, version=row.version, happened=happened, actor=row.actor, at=row.at)
            for row, happened in zip(rows, events, strict=True)
        ]

    def last_version(self, subject: str) -> int:
        """The newest version of a subject, 0 if it has none."""
        found = JournalRow.objects.filter(subject=subject).aggregate(last=Max("version"))["last"]
        return int(found or 0)


def columns_of(batch: Sequence[tuple[str, int, Sequence[Event]]]) -> list[list[Any]]:
    """Subjects, versions, tags, schemas and bodies of the rows that (subject, after, events) make."""
    rows = [
        (subject, after + number, happened.tag, happened.schema, json.dumps(encode(happened)))
        for subject, after, events in batch
        for number, happened in enumerate(events, start=1)
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
