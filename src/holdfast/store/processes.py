# SPDX-License-Identifier: Apache-2.0
"""Which processes screen, and which bank change each has followed to: one row each, renewed while it lives."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

FORGOTTEN_AFTER: Final = timedelta(hours=1)
# A sign of life need not outlast a crash, and whoever waits for the disk to give one is taken for dead.
_SAY: Final = """
with soon as materialized (select set_config('synchronous_commit', 'off', true))
insert into process (id, kind, host, pid, ready_to, perceptual_signals)
select %s::text, %s::text, %s::text, %s::int, %s::bigint, %s::bigint from soon
on conflict (id) do update
set ready_to = excluded.ready_to, perceptual_signals = excluded.perceptual_signals, heard_at = statement_timestamp()
"""


@dataclass(frozen=True, slots=True)
class ThisProcess:
    """Who this process is to the others."""

    kind: str
    id: str = field(default_factory=lambda: f"prc_{secrets.token_hex(8)}")
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSeen:
    """What a process last said of itself, and how long ago, in seconds by the database's clock."""

    id: str
    kind: str
    host: str
    pid: int
    started_at: datetime
    silent_seconds: float
    ready_to: int | None
    perceptual_signals: int


class PostgresProcesses:
    """The processes that share this database."""

    def say(self, process: ThisProcess, *, ready_to: int, perceptual_signals: int) -> None:
        """This process lives and has followed to `ready_to`. A disk that stalls does not hold it up: see `_SAY`."""
        with connection.cursor() as cursor:
            cursor.execute(_SAY, [process.id, process.kind, process.host, process.pid, ready_to, perceptual_signals])

    def heard_of(self, *, within: timedelta) -> list[ProcessSeen]:
        """Every process heard of lately, the oldest first."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select id, kind, host, pid, started_at, extract(epoch from statement_timestamp() - heard_at)::float8,"
                " ready_to, perceptual_signals from process"
                " where heard_at > statement_timestamp() - make_interval(secs => %s) order by started_at, id",
                [within.total_seconds()],
            )
            names = [column.name for column in cursor.description or ()]
            renamed = ["silent_seconds" if number == 5 else name for number, name in enumerate(names)]  # noqa: PLR2004
            return [ProcessSeen(**dict(zip(renamed, row, strict=True))) for row in cursor.fetchall()]

    def forget_silent(self) -> int:
        """Drop processes not heard of for an hour; returns how many."""
        with connection.cursor() as cursor:
            ended = [FORGOTTEN_AFTER.total_seconds()]
            cursor.execute(
                "delete from process where heard_at < statement_timestamp() - make_interval(secs => %s)", ended
            )
            return int(cursor.rowcount)
