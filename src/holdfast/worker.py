# SPDX-License-Identifier: Apache-2.0
"""The background runner: watches clocks, forgets what is kept for a time only, searches backwards, keeps index and log.

One `serve` runs one; more may run beside it, on any machine that reaches the database. What they
do is leased row by row, so that no two do the same.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from django.db import Error as DjangoDatabaseError
from django.db import connections

from holdfast.adapters.stranger import HttpStranger
from holdfast.backwards import Backwards
from holdfast.bootstrap import assemble
from holdfast.carry import Carrier
from holdfast.case.clock import ClockState
from holdfast.follow import Follower
from holdfast.keep_archive import ArchiveKeeper
from holdfast.keep_log import LogKeeper
from holdfast.resembling import Resembling
from holdfast.settings import Settings
from holdfast.start import clock
from holdfast.store.processes import ThisProcess

if TYPE_CHECKING:
    from holdfast.bootstrap import System
    from holdfast.store.clocks import PostgresClocks
    from holdfast.store.proposals import PostgresProposals
    from holdfast.store.screenings import PostgresScreenings
    from holdfast.store.searches import PostgresSearches

_ROUND_SECONDS: Final = 1.0
_log = structlog.get_logger("worker")


def one_round(screenings: PostgresScreenings, now: datetime) -> int:
    """Everything that is due at `now`; returns how many alarms were raised."""
    alarmed = screenings.mark_overdue(now)
    for item in alarmed:
        _log.error(
            "unscreened_overdue",
            unscreened=item.id,
            owner=item.held.owner,
            reason=item.held.reason.value,
            due=item.held.due.isoformat(),
            what_to_do="see GET /v1/unscreened; the item stays held until it is screened",
        )
    screenings.forget_idempotency(now)
    return len(alarmed)


def alarm_of_proposals(proposals: PostgresProposals, now: datetime) -> int:
    """Alarm about everything that a second person has not answered in time; returns how many alarms were raised."""
    alarmed = proposals.mark_overdue(now)
    for one in alarmed:
        _log.error(
            "proposal_overdue",
            proposal=one.id,
            owner=one.owner,
            asked=one.command,
            due=one.due.isoformat(),
            what_to_do="see 'holdfast proposals list'; nothing is done until a second person agrees",
        )
    return len(alarmed)


def alarm_of_clocks(clocks: PostgresClocks, now: datetime) -> int:
    """Alarm about everything whose clock nears its end or is over; returns how many alarms were raised."""
    marked = clocks.mark_due(now)
    for one in marked:
        _log.error(
            "clock_missed" if one.clock.state is ClockState.MISSED else "clock_near",
            clock=one.id,
            subject=one.clock.terms.subject,
            code=one.clock.terms.code,
            owner=one.clock.terms.owner,
            due=one.clock.terms.due.isoformat(),
            what_to_do="see 'holdfast clocks list'; nothing but what it waits for stops it",
        )
    return len(marked)


def watch_alarms(system: System, now: datetime) -> None:
    """Alarm about what the tables show, and tell again what nobody has acknowledged."""
    from holdfast.store.watch import watch_overdue, watch_settings  # noqa: PLC0415  # needs configured Django

    watch_overdue(system.alarms, now)
    watch_settings(system.alarms, system.safety.found(), system.settings.proposal_owner, now)
    if again := system.telling.tell_again(now):
        _log.warning("alarms_told_again", alarms=again, what_to_do="see 'holdfast alarms list', and acknowledge them")


def alarm_of_searches(searches: PostgresSearches, now: datetime) -> int:
    """Alarm about backwards searches that have not ended in time; returns how many alarms were raised."""
    late = searches.mark_late(now)
    for search in late:
        _log.error("search_late", search=search, what_to_do="see 'holdfast searches list'; it goes on")
    return len(late)


def run(settings: Settings) -> None:
    """Go on until told to stop; a database that is away is logged and tried again.

    Everything is loaded (`holdfast.bootstrap.load`).
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    system = assemble(settings, Resembling)
    carrying = _begin(system, settings, stopping)
    while not stopping.wait(_ROUND_SECONDS):
        try:
            _everything_due(system)
        except DjangoDatabaseError as fault:
            _log.warning("database_away", fault=type(fault).__name__)
            connections.close_all()  # a broken connection is not mended by using it again
    # Before this process begins to end: whoever still works would find that no more work is taken.
    carrying.join()
    if isinstance(system.stranger, HttpStranger):
        system.stranger.close()  # its connections: left open, they would be complained of at the very end


def _begin(system: System, settings: Settings, stopping: threading.Event) -> threading.Thread:
    """What goes on in threads of its own, as it may take longer than clocks may wait; the one that carries effects."""
    url = settings.database_listen_url or settings.database_url
    assert url is not None  # `wire` insists on one
    ends, log = stopping.is_set, LogKeeper(settings, system.log_folder)
    follow, searches = Follower(system, ThisProcess("worker")).for_ever, Backwards(system).for_ever
    work: list[tuple[str, Callable[[], object]]] = [
        ("index", partial(follow, ends, keeping=True)),
        ("backwards", partial(searches, ArchiveKeeper(system.archive_folder), ends)),
        ("log", partial(log.for_ever, ends)),
        ("log", partial(log.outside_for_ever, ends)),
        ("effects", partial(Carrier(system.effects, system.handlers).for_ever, url, ends)),
    ]
    threads = [threading.Thread(target=does, name=name) for name, does in work]
    for thread in threads:
        thread.start()
    return threads[-1]


def _everything_due(system: System) -> None:
    """One round of everything that waits for time."""
    one_round(system.screenings, clock())
    alarm_of_proposals(system.proposals, clock())
    system.desk.round(clock())
    alarm_of_clocks(system.clocks, clock())
    watch_alarms(system, clock())
    alarm_of_searches(system.searches, clock())
    system.processes.forget_silent()
    for import_id in system.imports.abandon_stale():
        _log.warning("import_abandoned", bank_import=import_id, what_to_do="import the file again")
    system.archive.forget_old(clock() - timedelta(days=system.settings.archive_days))
