# SPDX-License-Identifier: Apache-2.0
"""Kill -9 whoever searches backwards and keeps sheets, at named points and at any time, and count what came of it.

Run by itself (`python -m tests.crash.searchers KILLS`) it prints what it counted as JSON. Each searcher is forked
from a process that is warm, takes steps of one small piece, and tells what it hands on in a table of the same database,
in the same transaction, where nothing can stand twice.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import Error as DjangoDatabaseError
from django.db import connection, connections

from bench.nursery import nursery
from holdfast import keep_archive
from holdfast.backwards import Backwards
from holdfast.bootstrap import System
from holdfast.keep_archive import ArchiveKeeper
from holdfast.match.backwards import SearchState
from holdfast.match.bank import Bank, CreateBank
from holdfast.match.found_copies import FoundCopy
from holdfast.match.wanted import Wanted
from tests.archived import TINY, brute_force, fill, flipped, with_folder, with_searches
from tests.store.making import md5, pdq

POINTS: Final = ("after take", "in begin", "while comparing", "while handing on", "before commit", "after commit")
KEEPING: Final = ("before manifest", "after manifest")
ITEMS: Final = 160
LEASE: Final = timedelta(seconds=0.05)
_CHANCE: Final = 0.1
_KEPT: Final = 40
_LONGEST_LIFE: Final = 0.6
_PATIENCE: Final = 240.0
_HAND_ON: Final = """
insert into idempotency (api_key, idempotency_key, request_digest, status, body, at)
values (%s, %s, '', 0, '{}', now())
"""


def items() -> list[tuple[str, list[Any]]]:
    """Strangers, pictures near the entries, and equal digests."""
    chance = random.Random(7)
    made = []
    for number in range(ITEMS):
        like = chance.choice([pdq(1), pdq(2), md5(3)])
        near = like if like == md5(3) else flipped(like, chance.randrange(45), chance.randrange(200))
        made.append((f"post-{number}", [pdq(1000 + number)] + ([near] if chance.random() < 0.5 else [])))
    return made


def bank_them(system: System) -> dict[str, Any]:
    """Two entries, each of which owes a search; what each holds."""
    given = [((pdq(1), md5(3)), "tests"), ((pdq(2),), "tests")]
    added = [system.banks.add_entries("bank", [one], actor="cli:test")[0] for one in given]
    return {entry.id: entry.signals for entry in added}


def searching(system: System, point: str | None) -> None:
    """Carry out what is owed, and die at `point`, one time in five."""
    chance = random.Random(os.urandom(8))

    def passes(here: str) -> None:
        if here == point and chance.random() < (0.5 if here == "in begin" else _CHANCE):
            os.kill(os.getpid(), signal.SIGKILL)

    def found(search: str, bank: Bank, copies: Sequence[FoundCopy], *, at: datetime) -> None:  # noqa: ARG001
        passes("while handing on")
        with connection.cursor() as cursor:
            for copy in copies:
                cursor.execute(_HAND_ON, [search, copy.screening])
        passes("before commit")

    system = with_searches(system, lease=LEASE, found=found)
    _dying(Wanted, "near", lambda: passes("while comparing"))
    _dying(type(system.searches), "take", after=lambda: passes("after take"))
    _dying(type(system.searches), "begin", lambda: passes("in begin"))
    _dying(type(system.searches), "advance", after=lambda: passes("after commit"))
    system.known.follow()
    backwards = Backwards(system, seconds=0, piece=8, most_signals=2)
    while any(item.search.state is not SearchState.BLOCKED for item in system.search_desk.recent()):
        with suppress(DjangoDatabaseError):
            if not backwards.round():
                time.sleep(0.01)


def keeping(system: System, point: str | None) -> None:
    """Make sheets, one after the other, again and again, and die at `point`."""
    from holdfast.adapters import array_file

    def dies(here: str) -> None:
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    _dying(array_file, "write_json", lambda: dies("before manifest"), lambda: dies("after manifest"))
    keep_archive.LOOK_EVERY_SECONDS = 0.0  # type: ignore[misc]
    keeper = ArchiveKeeper(system.archive_folder, sizes=TINY)
    for _ in range(_KEPT):
        keeper.step()


def _dying(
    owner: Any, name: str, before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None
) -> None:
    """Let something run before and after each call."""
    whole = getattr(owner, name)

    def call(*given: Any, **named: Any) -> Any:
        before()
        outcome = whole(*given, **named)
        after()
        return outcome

    setattr(owner, name, call)


def forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def ended(pid: int, life: float | None) -> bool:
    """Wait for the end of a child, and bring it about after `life` seconds; whether it was killed."""
    ends = time.monotonic() + (_PATIENCE if life is None else life)
    while not (done := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() > ends:
            os.kill(pid, signal.SIGKILL)
            done = os.waitpid(pid, 0)
            break
        time.sleep(0.005)
    assert done[1] in (0, signal.SIGKILL), done
    return done[1] == signal.SIGKILL


def run(kills: int) -> dict[str, Any]:
    """Everything; what was counted."""
    with nursery() as given:
        system = with_folder(given.system, Path(given.folder) / "sheets")
        everything, killed = items(), Counter[str]()
        chance = random.Random(11)
        fill(everything[: ITEMS // 2])
        for point in (*KEEPING, None):
            _close()
            killed[point or "never"] += ended(forked(lambda: keeping(system, point)), None)  # noqa: B023
        fill(everything[ITEMS // 2 :])
        about = CreateBank(name="bank", meaning="a test", source="tests")
        system.banks.change_bank("bank", about, actor="cli:test")
        entries, rounds = bank_them(system), 0
        while sum(killed[point] for point in (*POINTS, "any time")) < kills:
            point = (*POINTS, None)[rounds % (len(POINTS) + 1)]
            rounds += 1
            _close()
            life = chance.uniform(0, _LONGEST_LIFE) if point is None else None
            killed[point or "any time"] += ended(forked(lambda: searching(system, point)), life)  # noqa: B023
            if all(item.search.state is SearchState.BLOCKED for item in system.search_desk.recent()):
                entries |= bank_them(system)
        _close()
        ended(forked(lambda: searching(system, None)), None)
        return told(system, entries, everything, killed)


def told(system: System, entries: dict[str, Any], everything: list[Any], killed: Counter[str]) -> dict[str, Any]:
    """What was found against what looking at every pair finds, for each search."""
    from holdfast.store.fsck import checks, run as examine  # noqa: I001
    from holdfast.store.models import ArchiveHitRow, IdempotencyRow

    wrong = []
    for item in system.search_desk.recent():
        (entry,) = item.search.target.entries
        expected = brute_force({entry: entries[entry]}, everything, 31)
        hits = {row.content_id: row.distance for row in ArchiveHitRow.objects.filter(search=item.id)}
        handed = IdempotencyRow.objects.filter(api_key=item.id).count()
        if hits != expected or handed != len(expected) or item.looked_at != item.search.items:
            wrong.append(f"{item.id}: {len(hits)} found and {handed} handed on of {len(expected)}")
    differences = [str(one.first) for one in examine(checks(system.journal.sealer)) if one.first]
    return {
        "killed": dict(killed),
        "found": ArchiveHitRow.objects.count(),
        "states": sorted({item.search.state.value for item in system.search_desk.recent()}),
        "wrong": wrong,
        "differences": differences,
    }


def _close() -> None:
    """What is forked must not share a connection."""
    connections.close_all()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]))))
