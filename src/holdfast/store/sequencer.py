# SPDX-License-Identifier: Apache-2.0
"""The sequencer: gives committed journal rows their places in the log, and is alone in doing so.

It leads by a session's advisory lock on a connection of its own, writes over that connection and no
other, and so writes nothing once the lock is lost. Rows of a subject come in the order of their
versions. A row that was written by a transaction that is still open cannot be seen yet; it is found
later, however late, because every round looks again from the oldest transaction that was open when
the round before began (`xact`), and takes what has no leaf. No number is ever waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import structlog

from holdfast.errors import LogDiverged
from holdfast.log.leaf import Row, leaf_data, public_name
from holdfast.log.merkle import leaf_hash
from holdfast.store.log_rows import ROW, count_leaves, first_salts, last_leaves, row_of

LEADER: Final = 0x484F4C44_4C4F47
"""The advisory lock of whoever sequences ("HOLDLOG")."""
PAGE: Final = 10_000
HORIZON_ALARM_SECONDS: Final = 60.0
_PENDING: Final = f"""
select j.xact::text::bigint, {ROW} from journal j
where (j.xact, j.id) > (%s::text::xid8, %s) and not exists (select 1 from log_leaf l where l.journal_id = j.id)
order by j.xact, j.id limit %s
"""  # noqa: S608  # made of constants
_SNAPSHOT: Final = """
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""
_CLUSTER: Final = "select system_identifier::text from pg_control_system()"
_COPY: Final = "copy log_leaf (index, journal_id, subject, version, leaf_hash) from stdin"
_log = structlog.get_logger("log")


@dataclass(frozen=True, slots=True)
class Done:
    """What one round did: how many leaves it added, and how many transactions stand between horizon and present."""

    added: int
    lag: int


@dataclass(slots=True)
class _Horizon:
    """How long the oldest open transaction has been the same one while others came after it."""

    clock: Callable[[], float]
    xmin: int = -1
    since: float = 0.0
    alarmed: bool = False

    def see(self, xmin: int, xmax: int) -> None:
        if xmin != self.xmin or xmin == xmax:
            self.xmin, self.since, self.alarmed = xmin, self.clock(), False
        elif not self.alarmed and self.clock() - self.since > HORIZON_ALARM_SECONDS:
            self.alarmed = True
            _log.error(
                "log_horizon_lags",
                transaction=xmin,
                behind=xmax - xmin,
                what_to_do="find the transaction that stays open in pg_stat_activity (backend_xmin, backend_xid)",
            )


@dataclass(slots=True)
class Sequencer:
    """Sequences over one connection, which must be in autocommit and reach PostgreSQL itself."""

    connection: psycopg.Connection[Any]
    page: int = PAGE
    clock: Callable[[], float] = time.monotonic
    _cluster: str = ""
    _cursor: int = -1
    _horizon: _Horizon = field(init=False)

    def __post_init__(self) -> None:
        """Begin to watch the horizon."""
        self._horizon = _Horizon(self.clock)

    def lead(self) -> bool:
        """Become the one sequencer, or learn that there is another. Stays so as long as the connection lasts."""
        found = self.connection.execute("select pg_try_advisory_lock(%s)", [LEADER]).fetchone()
        if not (found and found[0]):
            return False
        self._cluster = str(self._one(_CLUSTER)[0])
        xact, cluster = self._one("select xact, cluster from log_cursor where id = 1")
        # Transactions of another cluster have other numbers: look at everything once.
        self._cursor = int(xact) if cluster == self._cluster else 0
        return True

    def round(self) -> Done:
        """Give every committed row its place. Raises LogDiverged if a subject's rows do not follow each other."""
        xmin, xmax = self._one(_SNAPSHOT)
        self._horizon.see(xmin, xmax)
        added, waiting = 0, _Waiting()
        for rows in self._pages():
            added += self._place(waiting.in_order(rows, self._last_versions(rows)))
        waiting.insist_nothing_older_than(xmin)
        if added or xmin - self._cursor > self.page:
            self._remember(xmin)
        self._cursor = xmin
        return Done(added, xmax - xmin)

    def _pages(self) -> Iterator[list[tuple[int, Row]]]:
        after: tuple[int, int] = (self._cursor, -1)
        while True:
            found = self.connection.execute(_PENDING, [str(after[0]), after[1], self.page]).fetchall()
            if not found:
                return
            yield [(values[0], row_of(values[1:])) for values in found]
            after = (found[-1][0], found[-1][1])
            if len(found) < self.page:
                return

    def _last_versions(self, rows: Sequence[tuple[int, Row]]) -> dict[str, int]:
        """The last version in the log of each subject that did not begin among these rows."""
        older = sorted({row.subject for _, row in rows if row.version > 1})
        with self.connection.cursor() as cursor:
            return {subject: version for subject, (version, _) in last_leaves(cursor, older).items()}

    def _place(self, rows: Sequence[Row]) -> int:
        """Write the leaves of these rows, in this order, behind the last one."""
        if not rows:
            return 0
        with self.connection.transaction(), self.connection.cursor() as cursor:
            first = count_leaves(cursor)
            hashes = {
                subject: last
                for subject, (_, last) in last_leaves(
                    cursor, sorted({row.subject for row in rows if row.version > 1})
                ).items()
            }
            salts = {row.subject: row.salt for row in rows if row.version == 1}
            salts |= first_salts(cursor, (row.subject for row in rows if row.subject not in salts))
            with cursor.copy(_COPY) as copy:
                for index, row in enumerate(rows, start=first):
                    name = public_name(row.subject, salts.get(row.subject, b""))
                    reached = leaf_hash(leaf_data(row, name, hashes.get(row.subject)))
                    hashes[row.subject] = reached
                    copy.write_row((index, row.journal_id, row.subject, row.version, reached))
        return len(rows)

    def _remember(self, xact: int) -> None:
        """So that the next leader need not look at everything. What it says may be too old, never too new."""
        words = "update log_cursor set xact = %s, cluster = %s where id = 1"
        self.connection.execute(words, [xact, self._cluster])

    def _one(self, words: str) -> tuple[Any, ...]:
        found = self.connection.execute(words).fetchone()
        assert found is not None
        return tuple(found)


class _Waiting:
    """Rows whose subject's row before them has not been met yet in this round."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], tuple[int, Row]] = {}
        self._reached: dict[str, int] = {}

    def in_order(self, rows: Sequence[tuple[int, Row]], last: dict[str, int]) -> list[Row]:
        """Those of these rows, and of the ones that wait, that can be placed now, in an order that is right."""
        ready: list[Row] = []
        for xact, row in rows:
            reached = max(self._reached.get(row.subject, 0), last.get(row.subject, 0))
            if row.version != reached + 1:
                self._rows[row.subject, row.version] = (xact, row)
                self._reached[row.subject] = reached
                continue
            ready.append(row)
            reached = row.version
            while following := self._rows.pop((row.subject, reached + 1), None):
                ready.append(following[1])
                reached += 1
            self._reached[row.subject] = reached
        return ready

    def insist_nothing_older_than(self, xmin: int) -> None:
        """What waits and was committed before the round began waits for a row that there is not."""
        for xact, row in self._rows.values():
            if xact < xmin:
                message = f"the journal has {row.subject} {row.version} and not the row before it"
                raise LogDiverged(message)
