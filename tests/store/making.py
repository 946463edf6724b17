# SPDX-License-Identifier: Apache-2.0
"""What the tests of the store make: signals, entries, answers, and threads that start together."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import numpy as np
import psycopg
from django.db import connections
from hypothesis import HealthCheck, settings

from holdfast.access.two_people import Agreed
from holdfast.bootstrap import System, new_id
from holdfast.intake.content import Content
from holdfast.match import bank as banks
from holdfast.match.archive import ArchivedItem, archived
from holdfast.match.bank import Action
from holdfast.match.entry import Entry
from holdfast.match.look import Seen
from holdfast.match.screen import Answer, Match, NoMatch, NotScreened, Screening, answer_to, judge
from holdfast.match.signal import Signal, SignalType
from holdfast.media.pdq import from_hex
from holdfast.media.reason import Reason
from holdfast.pipeline import Answered, Once, Recorded
from tests.conftest import superuser

ACTOR = "cli:test"
TWO = Agreed("pro_test")
"""Two people, for tests that are about something else; who they may be is tested with the proposals."""
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
Result = TypeVar("Result")
STORIES = settings(
    max_examples=max(1, settings.default.max_examples // 3) if settings.default else 20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""For properties whose every example goes to the database, in names of its own."""


def pdq(seed: int) -> Signal:
    """A PDQ signal as a real picture could have; different seeds lie far apart."""
    bits = random.Random(seed).sample(range(256), 128)
    return Signal(SignalType.PDQ, f"{sum(1 << bit for bit in bits):064x}")


def md5(seed: int) -> Signal:
    """An exact signal."""
    return Signal(SignalType.MD5, f"{random.Random(seed).getrandbits(128):032x}")


def create(system: System, name: str = "bank", **more: object) -> None:
    """Make a bank."""
    command = banks.CreateBank(**{"name": name, "meaning": "a test", "source": "tests", **more})  # type: ignore[arg-type]
    system.banks.change_bank(name, command, actor=ACTOR)


def add(system: System, *signals: Signal, name: str = "bank", provenance: str = "tests") -> Entry:
    """Add one entry."""
    return system.banks.add_entries(name, [(signals, provenance)], actor=ACTOR)[0]


def found(system: System, signal: Signal) -> list[Match]:
    """What the system finds for one signal, the way the pipeline asks."""
    if signal.type.is_exact:
        return system.banks.matches_equal([signal])
    system.known.follow()
    _, neighbours = system.known.near(from_hex(signal.value).reshape(1, 4))
    return system.banks.matches_near([(one.label, "full.as_is", one.distance) for one in neighbours])


def rows(data: Path, *tables: str) -> dict[str, int]:
    """How many rows stand in these tables, for whoever may see them all."""
    with psycopg.connect(superuser(data)) as connection:
        return {name: connection.execute(f"select count(*) from {name}").fetchall()[0][0] for name in tables}


def all_rows(system: System) -> dict[str, int]:
    """How many rows stand in every table that a change writes."""
    tables = (
        "journal",
        "bank",
        "bank_import",
        "entry",
        "entry_signal",
        "screening",
        "unscreened",
        "idempotency",
        "api_key",
        "proposal",
        "settings_in_force",
    )
    return {**rows(system.settings.data, *tables), "number": system.banks.newest_change()}


def insert_journal_row(data: Path, subject: str, version: int) -> None:
    """A row in the journal as if another writer had been faster."""
    with psycopg.connect(superuser(data), autocommit=True) as connection:
        connection.execute(
            "insert into journal (subject, version, tag, schema, body, actor, at)"
            " values (%s, %s, 'bank.disabled', 1, '{}', 'x', now())",
            [subject, version],
        )


NOTHING_TOLD = NotScreened(Reason.TRUNCATED)


def matched(action: Action = Action.HOLD) -> Screening:
    """A match with some bank."""
    match = Match(
        bank="b",
        entry="ent_1",
        signal=SignalType.PDQ,
        variant="full.as_is",
        distance=3,
        threshold=31,
        action=action,
    )
    return judge((match,), None)


def answered(
    content: str = "post-1",
    version: str = "1",
    screening: Screening | None = None,
    *,
    at: datetime = NOW,
    shadow: bool = False,
    uploader: str | None = None,
) -> Answered:
    """One answer, as the pipeline hands it over."""
    verdict = NoMatch() if screening is None else screening
    return Answered(
        id=new_id("scr"),
        content=Content(id=content, version=version, surface="photos", uploader=uploader),
        screening=verdict,
        answer=Answer.PUBLISH if shadow else answer_to(verdict),
        shadow=shadow,
        list_version=7,
        asked_by="key:abcdefgh",
        at=at,
    )


def left_by(one: Answered, *signals: Signal) -> ArchivedItem:
    """What an answer leaves in the archive."""
    hashes = [from_hex(signal.value) for signal in signals if signal.type is SignalType.PDQ]
    exact = tuple(signal for signal in signals if signal.type.is_exact)
    seen = Seen(exact, np.array(hashes, np.uint64).reshape(-1, 4), ("full.as_is",) * len(hashes), None)
    return archived(seen, one.content, screening=one.id, verdict=one.verdict, at=one.at)


def record(system: System, one: Answered, once: Once | None = None) -> bool:
    """Record one answer against the banks as they stand; whether it was written."""
    level = system.banks.newest_level()
    outcome = system.screenings.record(one, one.as_body(), level, once, left_by(one))
    return outcome is Recorded.WRITTEN


def together(works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all of `works` at the same time, each in a thread of its own with a database connection of its own."""
    start = Barrier(len(works))

    def run(work: Callable[[], Result]) -> Result:
        start.wait()
        try:
            return work()
        finally:
            connections.close_all()

    connections.close_all()  # so that the threads may have this one's
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]
