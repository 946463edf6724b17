# SPDX-License-Identifier: Apache-2.0
"""The screener: takes up uploads that are answered later, one thread for each, and sweeps the spool.

A process of its own, so that nothing it does delays a clock or an upload that is answered at once. One
`serve` runs one; more may run wherever the same spool and the database are reached. It holds a lease on
each upload it works on and renews it while the work shows signs of life.
"""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Final

import structlog
from django.db import Error as DjangoDatabaseError
from django.db import connections

from holdfast.bootstrap import System, assemble
from holdfast.errors import DependencyError, HoldfastError
from holdfast.follow import Follower
from holdfast.later import Taken, TakenOver, hold_overdue, screen_taken
from holdfast.match.long_screening import ALARMING, LongState
from holdfast.settings import Settings
from holdfast.store.processes import ThisProcess

_ROUND_SECONDS: Final = 0.25
_SWEEP_SECONDS: Final = 60.0
_SILENT_SECONDS: Final = 60.0
"""Beyond what one decoding step may take: a taking that shows no sign of life for so long loses its lease."""
_log = structlog.get_logger("screener")


@dataclass(slots=True)
class _Work:
    """One taking and the thread that works on it."""

    taken: Taken
    thread: threading.Thread
    signs: int = 0
    sign_at: float = field(default_factory=time.monotonic)

    def alive(self, patience: float) -> bool:
        """Whether it showed a sign of life within `patience` seconds."""
        if self.taken.progress.signs != self.signs:
            self.signs, self.sign_at = self.taken.progress.signs, time.monotonic()
        return time.monotonic() - self.sign_at <= patience


class Screener:
    """Takes up what waits, as much at once as allowed. `round` is for one thread."""

    def __init__(self, system: System) -> None:
        """Work with `system`, whose banks somebody else keeps level."""
        self._system = system
        self._most = system.settings.long_at_once
        self._works: list[_Work] = []
        self._renewed_at = self._swept_at = -_SWEEP_SECONDS

    @property
    def busy(self) -> int:
        """How many it works on."""
        return len(self._works)

    def round(self, *, level: bool) -> int:
        """Renew leases, look at what has ended, sweep, and take up more if the banks are `level`; how many it took."""
        self._works = [work for work in self._works if work.thread.is_alive()]
        self._renew()
        self._sweep()
        if not level:
            return 0
        took = 0
        while self.busy < self._most and self._take():
            took += 1
        return took

    def _take(self) -> bool:
        """Whether there was something to take up."""
        overdue = self._system.long.take_up_overdue()
        taken = overdue or self._system.long.take_up(self._system.spool.id)
        if taken is None:
            return False
        work = threading.Thread(
            target=_run,
            args=(self._system, taken),
            kwargs={"overdue": overdue is not None},
            name="screening",
            daemon=True,
        )
        self._works.append(_Work(taken, work))
        work.start()
        return True

    def _renew(self) -> None:
        """A third of the lease after the last time, so that one that fails can be made up for."""
        now = time.monotonic()
        if now - self._renewed_at < self._system.settings.long_lease_seconds / 3:
            return
        self._renewed_at = now
        patience = self._system.settings.decode_seconds + _SILENT_SECONDS
        for work in self._works:
            if work.alive(patience):
                self._system.long.renew(work.taken)

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_at < _SWEEP_SECONDS:
            return
        self._swept_at = time.monotonic()
        sweep(self._system)


def sweep(system: System) -> int:
    """Remove files of the spool that nothing waits for any more; returns how many."""
    names = system.spool.kept()
    swept = system.spool.sweep(*system.long.files(system.spool.id, names))
    if swept:
        _log.info("spool_swept", files=swept)
    return swept


def _run(system: System, taken: Taken, *, overdue: bool) -> None:
    """Screen one, in a thread of its own. Whatever goes wrong, its lease runs out and it is taken up again."""
    try:
        if overdue:
            hold_overdue(taken, parts=system.parts(), later=system.later())
        else:
            screen_taken(taken, most_tries=system.settings.long_tries, parts=system.parts(), later=system.later())
        _alarm_if_held(system, taken)
    except TakenOver:
        _log.warning("long_screening_taken_over", screening=taken.arrived.id, taking=taken.taking)
    except (DependencyError, DjangoDatabaseError, OSError) as fault:
        _log.warning("long_screening_failed", screening=taken.arrived.id, fault=type(fault).__name__)
    except Exception as fault:  # noqa: BLE001  # whatever it is: nothing was recorded, and the lease tells
        _log.error("long_screening_failed", screening=taken.arrived.id, fault=type(fault).__name__, exc_info=fault)
    finally:
        connections.close_all()


def _alarm_if_held(system: System, taken: Taken) -> None:
    """Alarm somebody if it ended without a verdict, and not because of what the file is."""
    standing = system.long.standing(taken.arrived.id)
    if standing is None or standing.state is not LongState.HELD_FOR_PERSON:
        return
    reason = standing.body["explanation"]["reason"]
    if reason not in ALARMING:
        return
    _log.error(
        "long_screening_held_for_person",
        screening=standing.id,
        owner=system.settings.unscreened_owner,
        reason=reason,
        takings=standing.taken,
        what_to_do="see GET /v1/unscreened; the item stays held until it is screened",
    )


def run(settings: Settings) -> None:
    """Go on until told to stop; a database that is away is logged and tried again.

    Everything is loaded (`holdfast.bootstrap.load`).
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # One connection for each thread that screens; `wire` adds what renewing and following need.
    system = assemble(settings.model_copy(update={"web_threads": settings.long_at_once}))
    follower = Follower(system, ThisProcess("screener"))
    threading.Thread(target=follower.for_ever, args=(stopping.is_set,), name="banks", daemon=True).start()
    screener = Screener(system)
    while not stopping.wait(_ROUND_SECONDS):
        try:
            silent = follower.silent_seconds
            screener.round(level=silent is not None and silent <= settings.bank_stale_seconds)
        except (DjangoDatabaseError, HoldfastError, OSError) as fault:
            _log.warning("database_away", fault=type(fault).__name__)
            connections.close_all()
