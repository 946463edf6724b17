# SPDX-License-Identifier: Apache-2.0
"""Processes that give commands and carry effects out, forked from one that is warm, so that many can be killed.

A command is what every stage does: decide, append, write the projection and owe an effect, in one
transaction under an Idempotency-Key. The other side of an effect is a folder with one file for each id.
Each child may be told to die (kill -9, by its own hand) at one named point.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psycopg
from django.db import Error as DjangoDatabaseError
from django.db import connections, transaction

from bench.errors import BenchError
from holdfast import bootstrap, start
from holdfast.alarm.kinds import AlarmKind
from holdfast.bootstrap import System
from holdfast.carry import Carrier
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.effect.handler import LEASE, Done, Leased, Outcome
from holdfast.errors import AnswerPending, HoldfastError
from holdfast.intake.content import Content
from holdfast.keep_log import LogKeeper
from holdfast.log.checkpoint import parse_checkpoint
from holdfast.log.event import Event
from holdfast.match.archive import archived
from holdfast.match.look import Seen
from holdfast.match.screen import Answer, NoMatch
from holdfast.observe import configure_logging
from holdfast.pipeline import Answered, Once, Recorded
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.adapters.postgres import EmbeddedPostgres

COMMAND_POINTS: Final = ("before command", "after key", "after event", "after effect", "after commit")
CARRY_POINTS: Final = ("before lease", "after lease", "before call", "after call", "before journal", "after journal")
CARRY_POINTS_END: Final = ("before settle", "after settle")
POINTS: Final = (*COMMAND_POINTS, *CARRY_POINTS, *CARRY_POINTS_END)
KIND: Final = "bench.act"
LASTING: Final = timedelta(seconds=1)
_CHANCE: Final = 0.3
_IDLE_SECONDS: Final = 0.01
_AWAY_SECONDS: Final = 0.05
Told = tuple[str, int, Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Nursery:
    """A warm system that holds no connection, its database, and the folder where the world outside is."""

    system: System
    server: EmbeddedPostgres
    folder: Path

    def command(self, name: str, *, count: int | None = None, batch: int = 1, die_at: str | None = None) -> int:
        """Fork a process that gives commands, `count` of them or without end; its pid."""
        return _forked(lambda: _command(self, name, count, batch, _Fate(die_at)))

    def carry(
        self, *, hands: int = 8, die_at: str | None = None, until_done: bool = False, until_given: int | None = None
    ) -> int:
        """Fork a process that carries effects out: without end, until none is left, or so many; its pid.

        Leases are short, so that what the dead had in their hands is soon redone; with `until_given` nobody dies.
        """
        lasting = LASTING if until_given is None else LEASE
        carry = partial(_carry, self, hands, _Fate(die_at), lasting, until_done=until_done, most=until_given)
        return _forked(carry)

    def answer(self, name: str, *, count: int) -> int:
        """Fork a process that records `count` answers to uploads, each with an uploader and a key; its pid."""
        return _forked(lambda: _answer(self.system, name, count))

    def keep_log(self, *, size: int) -> int:
        """Fork a process that sequences and signs until a published checkpoint covers `size` entries; its pid."""
        return _forked(lambda: _keep_log(self.system, size))

    def acknowledged(self) -> list[str]:
        """The keys of every command whose giver was told that it is committed."""
        path = self.folder / "acknowledged"
        return path.read_text().split() if path.exists() else []

    def calls(self) -> list[str]:
        """The ids of effects in the order in which the other side was called, again and again perhaps."""
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []

    def database_cpu(self) -> float:
        """Seconds of CPU that the server has spent, in all its processes, the ended ones too."""
        main = self.server.process.pid
        ticks = 0
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(entry.name) == main:
                        ticks += sum(map(int, fields[11:15]))
                    elif int(fields[1]) == main:
                        ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def restart_database(self) -> None:
        """Let PostgreSQL fall as if the power went, and start it again."""
        self.server.process.send_signal(signal.SIGQUIT)
        self.server.process.wait()
        self.server.restart()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A database of its own with its tables, and a system wired to it; gone afterwards."""
    configure_logging(logging.CRITICAL)  # standard output is for results; killing makes for many warnings
    with tempfile.TemporaryDirectory(prefix="hf-crash-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # the database's own user must reach its folder
        (folder / "acts").mkdir()
        server = start.embedded(Settings(data=folder / "data"))
        with server:
            settings = start.with_urls(Settings(data=folder / "data"), server.start())
            kept = {
                name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "DATABASE_"))
            }
            tables = [sys.executable, "-m", "holdfast.tables"]
            subprocess.run(tables, env={**kept, **settings.as_environment()}, check=True)
            yield Nursery(bootstrap.wire(settings), server, folder)
            connections.close_all()


class _Fate:
    """Dies at one named point, one time in three."""

    def __init__(self, point: str | None) -> None:
        self._point = point
        self._chance = random.Random(os.urandom(8))  # noqa: S311  # chance need not be secret

    def passes(self, point: str) -> None:
        """End this process here, perhaps."""
        if point == self._point and self._chance.random() < _CHANCE:
            os.kill(os.getpid(), signal.SIGKILL)


def _forked(work: Any) -> int:  # noqa: ANN401  # a function without arguments
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


# --- giving commands


def _command(given: Nursery, name: str, count: int | None, batch: int, fate: _Fate) -> None:
    number = sum(1 for key in given.acknowledged() if key.startswith(f"{name}-"))
    last = None if count is None else number + count
    while last is None or number < last:
        key = f"{name}-{number}"
        try:
            fate.passes("before command")
            _once(given.system, key, batch, fate)
            fate.passes("after commit")
        except (DjangoDatabaseError, psycopg.Error, HoldfastError):
            _away()
            continue  # not known whether it was done: the same key again
        with (given.folder / "acknowledged").open("a") as file:
            file.write(f"{key}\n")
        number += 1


def _once(system: System, key: str, batch: int, fate: _Fate) -> None:
    """One command under its key; committed before, it is not done again."""
    from holdfast.store.once import Claim, carrying, claim_key  # noqa: PLC0415  # needs configured Django

    claim, at = Claim("bench", key, lambda: key), start.clock()
    with suppress(AnswerPending), carrying(claim), transaction.atomic(durable=True):
        claim_key()
        fate.passes("after key")
        system.alarms.call(AlarmKind.EFFECT_LATE, f"load:{key}", "bench", actor="cli:bench", at=at)
        fate.passes("after event")
        system.effects.enqueue(_orders(key, batch), actor="cli:bench", at=at)
        fate.passes("after effect")


def _orders(key: str, batch: int) -> list[Order]:
    number = int(key.rpartition("-")[2])
    return [
        Order(
            kind=KIND,
            item=f"post-{(number * batch + one) % 40}",
            location="eu-1",
            payload=(PayloadId("command", key),),
            weight=Weight.PROTECTIVE,
            deadline=datetime(2100, 1, 1, tzinfo=UTC),
            most_tries=10_000,
            owner="bench",
        )
        for one in range(batch)
    ]


# --- recording answers, and the log


def _answer(system: System, name: str, count: int) -> None:
    """What a web process does once an upload was looked at: one event a command, its uploader sealed."""
    level = system.banks.newest_level()
    seen = Seen((), np.zeros((0, 4), np.uint64), (), None)
    for number in range(count):
        about = Content(id=f"{name}-{number}", surface="bench", uploader=f"user-{name}-{number}")
        now, key = start.clock(), f"{name}-{number}"
        one = Answered(
            id=bootstrap.new_id("scr"),
            content=about,
            screening=NoMatch(),
            answer=Answer.PUBLISH,
            shadow=False,
            list_version=level.number,
            asked_by="cli:bench",
            at=now,
        )
        left = archived(seen, about, screening=one.id, verdict=one.verdict, at=now)
        once = Once("bench", key, partial(str, key), None)
        body = {"answer": "publish", "screening": one.id}
        if system.screenings.record(one, body, level, once, left) is not Recorded.WRITTEN:
            message = f"{key} was not recorded"
            raise BenchError(message)


def _keep_log(system: System, size: int) -> None:
    def covered() -> bool:
        note = system.log_folder.published()
        return note is not None and parse_checkpoint(note).size >= size

    LogKeeper(system.settings, system.log_folder).for_ever(covered)


# --- carrying out


def _carry(  # each is one fact about a worker
    given: Nursery, hands: int, fate: _Fate, lasting: timedelta, *, until_done: bool, most: int | None
) -> None:
    from holdfast.store.effects import PostgresEffects  # noqa: PLC0415  # needs configured Django
    from holdfast.store.journal import PostgresJournal  # noqa: PLC0415

    class Journal(PostgresJournal):
        """Dies before or after it has written, inside the transaction."""

        def append_many(self, batch: Sequence[Told], *, actor: str, at: datetime) -> list[Event]:
            fate.passes("before journal")
            sealed = super().append_many(batch, actor=actor, at=at)
            fate.passes("after journal")
            return sealed

    class Effects(PostgresEffects):
        """Dies before or after it leases and settles."""

        def lease(
            self, kinds: Iterable[str], *, most: int, lasting: timedelta = LASTING, now: datetime | None = None
        ) -> list[Leased]:
            fate.passes("before lease")
            leased = super().lease(kinds, most=most, lasting=lasting, now=now)
            fate.passes("after lease" if leased else "")
            return leased

        def settle(self, outcomes: Sequence[tuple[Leased, Outcome]], *, now: datetime | None = None) -> list[bool]:
            fate.passes("before settle")
            heard = super().settle(outcomes, now=now)
            fate.passes("after settle")
            return heard

    system = given.system
    journal = Journal(system.journal.sealer)
    effects = Effects(journal, system.alarms, system.effects._outbox, start.clock)  # noqa: SLF001  # the same bell
    act = _Act(given.folder, fate)
    carrier = Carrier(effects, {KIND: act}, hands=hands, lasting=lasting)
    while most is None or act.calls < most or system.effect_desk.lag().waiting:
        try:
            busy = carrier.round()
            if until_done and not busy and not system.effect_desk.lag().waiting:
                break
            if not busy:
                time.sleep(_IDLE_SECONDS)  # where `serve` waits to be woken
        except (DjangoDatabaseError, psycopg.Error, HoldfastError):
            _away()
    carrier.close()


def _away() -> None:
    """Ask again soon: whoever knocks without a pause keeps a server that is falling from ever being down."""
    connections.close_all()
    time.sleep(_AWAY_SECONDS)


class _Act:
    """The other side: one file for each effect, that bears its id; found made, it is done already."""

    def __init__(self, folder: Path, fate: _Fate) -> None:
        self._folder = folder
        self._fate = fate
        self._calls = os.open(folder / "calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.calls = 0

    def __call__(self, effect: Leased) -> Outcome:
        """Do it."""
        self._fate.passes("before call")
        os.write(self._calls, f"{effect.id}\n".encode())
        with suppress(FileExistsError):
            (self._folder / "acts" / effect.id).touch(exist_ok=False)
        self._fate.passes("after call")
        self.calls += 1
        return Done()
