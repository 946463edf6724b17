# SPDX-License-Identifier: Apache-2.0
"""Backwards searches in PostgreSQL: taken up by one worker at a time, gone on with where the last one was.

What a step finds, how far it came and what the journal is told are one transaction, and only the last taking
can make it: whoever is killed has its last step done again, and nothing is found twice. Leases are by the
database's clock, which all workers share, and stand in the table alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.later import TakenOver
from holdfast.match.backwards import (
    BeginSearch,
    EndSearch,
    FailProof,
    FindCopies,
    MarkSearchLate,
    ProveSearch,
    Search,
    SearchCommand,
    SearchState,
    WithdrawSearch,
    decide_search,
    evolve_search,
    search_subject,
)
from holdfast.match.bank import Bank
from holdfast.match.found_copies import FoundCopies, FoundCopy
from holdfast.match.sheet import START, Place
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.bank_changes import allowed
from holdfast.store.bank_rows import bank_of
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import ArchiveSearchRow, BankRow
from holdfast.store.search_rows import keep, nearest_of_each, place_of, search_of

LEASE: Final = timedelta(seconds=60)
OPEN_STATES: Final = ("owed", "running", "searched", "unproven")
_SYSTEM: Final = "system:worker"
_LATE_BATCH: Final = 100
# The smallest first: nothing that looks for one entry waits for what looks for a million.
_TAKE: Final = """
select id, (id, taken) in (select * from unnest(%s::text[], %s::int[])) as mine from archive_search
where state in ('owed', 'running', 'searched', 'unproven') and (
    free_from is null or free_from <= statement_timestamp()
    or (id, taken) in (select * from unnest(%s::text[], %s::int[]))
)
order by state = 'unproven', count, owed_at, id limit 1 for update skip locked
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One search in a worker's hands, and how far it has come."""

    id: str
    taking: int
    search: Search
    bank: Bank
    cluster: str
    place: Place
    upto: Place
    after: int
    """Signals with labels up to this one have been through."""
    looked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step found, and how far it came; `ended`: there is nothing more to look at."""

    copies: Sequence[FoundCopy] = ()
    place: Place
    looked_at: int
    after: int
    ended: bool = False


class PostgresSearches:
    """Everything the archive is to be looked through for."""

    def __init__(
        self,
        journal: PostgresJournal,
        alarms: PostgresAlarms,
        found: FoundCopies,
        clock: Callable[[], datetime],
        *,
        lease: timedelta = LEASE,
    ) -> None:
        """Hand what is found to `found`; let what was not heard of for `lease` be taken over."""
        self._journal = journal
        self._alarms = alarms
        self._found = found
        self._clock = clock
        self._lease = lease

    def take(self, mine: Mapping[str, int]) -> Taken | None:
        """The search for the fewest entries, of those that nobody works on and those that are `mine` (id, taking)."""
        ids, takings = list(mine), list(mine.values())
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(_TAKE, [ids, takings, ids, takings])
            found = cursor.fetchone()
            if found is None:
                return None
            row = ArchiveSearchRow.objects.get(id=found[0])
            row.taken += 0 if found[1] else 1
            row.free_from = _now() + self._lease
            row.save(update_fields=["taken", "free_from"])
            return self._taken(row)

    def begin(self, taken: Taken, *, items: int, upto: Place, cluster: str) -> Taken:
        """Write how many items there are to look at. Raises TakenOver."""
        with transaction.atomic(durable=True):
            row = self._locked(taken)
            if taken.search.state is SearchState.OWED:
                self._apply(row, [BeginSearch(items)])
            # One that was begun in another cluster begins anew: its places mean nothing here.
            row.upto, row.cluster, row.looked_at = upto.xact, cluster, 0
            row.place_xact, row.place_screening = START
            row.save()
            return self._taken(row)

    def advance(self, taken: Taken, step: Step) -> Taken:
        """Keep what a step found and how far it came, and hand on what is new. Raises TakenOver."""
        with transaction.atomic(durable=True):
            row, at = self._locked(taken), self._clock()
            new = keep(taken.id, list(nearest_of_each(step.copies)), at) if step.copies else []
            commands: list[SearchCommand] = [FindCopies(len(new))] if new else []
            self._apply(row, [*commands, *([EndSearch()] if step.ended else [])])
            row.place_xact, row.place_screening = step.place
            row.looked_at, row.after_signal, row.fault = step.looked_at, step.after, None
            if step.ended:
                row.ended_at, row.after_signal = at, 0  # the proof goes through all of them once more
            row.save()
            if new:
                self._found(taken.id, taken.bank, new, at=at)
            return self._taken(row)

    def go_on_proving(self, taken: Taken, after: int) -> None:
        """Write that signals up to this one were looked up and found. Raises TakenOver."""
        with transaction.atomic(durable=True):
            row = self._locked(taken)
            row.after_signal = after
            row.save(update_fields=["after_signal"])

    def prove(self, taken: Taken, proof: ProveSearch | FailProof | WithdrawSearch) -> None:
        """Write how looking the entries up ended, and raise or clear alarms. Raises TakenOver."""
        with transaction.atomic(durable=True):
            row, at = self._locked(taken), self._clock()
            about = search_subject(row.id)
            if isinstance(proof, FailProof):
                if row.state != SearchState.UNPROVEN:
                    self._apply(row, [proof])
                    self._alarms.call(AlarmKind.SEARCH_UNPROVEN, about, row.owner, actor=_SYSTEM, at=at)
                row.after_signal = 0
            else:
                self._apply(row, [proof])
                row.blocked_at = at if isinstance(proof, ProveSearch) else None
                self._alarms.clear(
                    about,
                    "it was ended",
                    actor=_SYSTEM,
                    at=at,
                    kinds=[AlarmKind.SEARCH_LATE, AlarmKind.SEARCH_UNPROVEN],
                )
            row.save()

    def put_back(self, taken: Taken, fault: str | None, pause: timedelta) -> None:
        """Let it be taken up again after `pause`; `fault` is a short word, without content. Raises TakenOver."""
        with transaction.atomic(durable=True):
            row = self._locked(taken)
            row.fault, row.free_from = fault or row.fault, _now() + pause
            row.save(update_fields=["fault", "free_from"])

    def mark_late(self, now: datetime) -> list[str]:
        """Alarm the owners of searches that have not ended in time, at most a batch; returns their ids."""
        with transaction.atomic(durable=True):
            rows = ArchiveSearchRow.objects.filter(state__in=OPEN_STATES, late=False, due__lte=now).order_by("due")
            late = list(rows.select_for_update(skip_locked=True)[:_LATE_BATCH])
            for row in late:
                self._apply(row, [MarkSearchLate()], at=now)
                row.save()
                self._alarms.call(AlarmKind.SEARCH_LATE, search_subject(row.id), row.owner, actor=_SYSTEM, at=now)
        return [row.id for row in late]

    def _locked(self, taken: Taken) -> ArchiveSearchRow:
        """The row, with its lease renewed, for this transaction alone. Raises TakenOver if another has it by now."""
        row = ArchiveSearchRow.objects.select_for_update().get(id=taken.id)
        if row.taken != taken.taking:
            message = "another worker has taken it up"
            raise TakenOver(message)
        row.free_from = _now() + self._lease
        return row

    def _apply(self, row: ArchiveSearchRow, commands: Sequence[SearchCommand], at: datetime | None = None) -> None:
        """Decide, tell the journal, and bring `row` to the state after; whoever calls saves it."""
        now, after, events = at or self._clock(), search_of(row), []
        for command in commands:
            for happened in allowed(decide_search(after, command, now)):
                after = evolve_search(after, happened)
                events.append(happened)
        if events:
            self._journal.append(search_subject(row.id), after=row.version, events=events, actor=_SYSTEM, at=now)
        row.state, row.items, row.copies, row.late = after.state, after.items, after.copies, after.late
        row.version += len(events)

    def _taken(self, row: ArchiveSearchRow) -> Taken:
        return Taken(
            id=row.id,
            taking=row.taken,
            search=search_of(row),
            bank=bank_of(BankRow.objects.get(name=row.bank)),
            cluster=row.cluster,
            place=place_of(row),
            upto=Place(row.upto, ""),
            after=row.after_signal,
            looked_at=row.looked_at,
        )


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("select statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
