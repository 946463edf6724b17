# SPDX-License-Identifier: Apache-2.0
"""Kill those who give commands and carry effects out, everywhere and at any time, and let the database fall.

Afterwards: nothing acknowledged is lost, nothing done twice, every line in its order, every table as the
journal says. Run by itself (`python -m bench.crash KILLS`) it prints what it counted as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Final

from django.db import connection

from bench.errors import BenchError
from bench.nursery import COMMAND_POINTS, POINTS, Nursery, nursery
from bench.report import tell
from bench.row import Row, Value

KILLS: Final = 200
_DATABASE_FALLS: Final = 50  # at most, and two at least
_LONGEST_LIFE: Final = 0.4
_PATIENCE: Final = 120.0
_COUNTED: Final = """
select (select count(*) from effect where state <> 'done'),
    (select count(*) from (select 1 from journal where tag = 'effect.done' group by subject having count(*) > 1) twice),
    (select count(*) from (select 1 from journal where tag = 'alarm.raised'
        group by body->>'about' having count(*) > 1) twice),
    (select count(*) from effect e where not exists (select from journal j
        where j.subject = 'effect:' || e.id and j.tag = 'effect.done'))
"""


@dataclass(slots=True)
class Tally:
    """What was injected, and what was found afterwards; all but the first four must be nothing."""

    killed: dict[str, int] = field(default_factory=dict)
    database_falls: int = 0
    acknowledged: int = 0
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    left_undone: int = 0
    out_of_order: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """Everything that must not be."""
        return self.lost + self.doubled + self.left_undone + self.out_of_order + len(self.differences)


def crash_rows() -> list[Row]:
    """One row: how much was lost, doubled, out of order or different after all those kills."""
    tell(f"crash: {KILLS} kills")
    done = subprocess.run(
        [sys.executable, "-m", "bench.crash", str(KILLS)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        message = f"crash: {done.stderr[-500:]}"
        raise BenchError(message)
    told = json.loads(done.stdout)
    tally = Tally(**told)
    killed: dict[str, Value] = dict(sorted(tally.killed.items()))
    detail: dict[str, Value] = {
        "unit": "what was lost, doubled, left undone, out of order or different from the journal",
        "killed_at": killed,
        "kills": sum(tally.killed.values()),
        "database_falls": tally.database_falls,
        "acknowledged_commands": tally.acknowledged,
        "effects_done": tally.effects,
    }
    return [Row("crash", tally.faults, None, None, 0, tally.faults == 0, detail)]


def crash(kills: int, seed: int) -> Tally:
    """Kill so many times, each named point first and then at random moments; count what is wrong afterwards."""
    chance, tally = random.Random(seed), Tally()  # noqa: S311  # chance need not be secret
    every = max(kills // _DATABASE_FALLS, min(8, kills // 2))
    with nursery() as given:
        steady = [given.command("steady"), given.carry(hands=2)]
        try:
            for number in range(kills):
                where = POINTS[number] if number < len(POINTS) else chance.choice([*POINTS, *["any moment"] * 10])
                _kill_one(given, where, number, chance)
                tally.killed[where] = tally.killed.get(where, 0) + 1
                if number % every == every - 1:
                    given.restart_database()
                    tally.database_falls += 1
        finally:
            for pid in steady:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        _, status = os.waitpid(given.carry(until_done=True), 0)
        if status:
            raise BenchError("what was left could not be carried out")
        _count(given, tally)
    return tally


def _kill_one(given: Nursery, where: str, number: int, chance: random.Random) -> None:
    """One process, dead at a named point by its own hand, or at any moment by ours."""
    named = where if where in POINTS else None
    commands = where in COMMAND_POINTS or (named is None and chance.random() < 0.5)  # half of them
    pid = given.command(f"giver{number % 3}", die_at=named) if commands else given.carry(hands=3, die_at=named)
    if named is None:
        time.sleep(chance.uniform(0.0, _LONGEST_LIFE))  # not a wait for anything: the moment is the point
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        time.sleep(0.002)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            message = f"nobody came by {where!r}"
            raise BenchError(message)


def _count(given: Nursery, tally: Tally) -> None:
    from holdfast.store.fsck import CHECKS, run  # noqa: PLC0415  # needs configured Django

    acknowledged = given.acknowledged()
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED)
        tally.left_undone, twice, commanded_twice, not_told = cursor.fetchone()
        cursor.execute("select about from alarm")
        about = {row[0] for row in cursor.fetchall()}
        cursor.execute("select payload->>'command' from effect")
        owed = Counter(row[0] for row in cursor.fetchall())
        cursor.execute("select id, item from effect order by item, place")
        lines = cursor.fetchall()
    acts = {path.name for path in (given.folder / "acts").iterdir()}
    tally.acknowledged, tally.effects = len(acknowledged), len(acts)
    tally.lost = sum(f"load:{key}" not in about or not owed[key] for key in acknowledged) + not_told
    tally.lost += sum(effect not in acts for effect, _ in lines)
    tally.doubled = twice + commanded_twice + sum(count > 1 for count in owed.values())
    tally.doubled += len(acts - {effect for effect, _ in lines})
    first = {effect: number for number, effect in reversed(list(enumerate(given.calls())))}
    moments = [(item, first.get(effect, -1)) for effect, item in lines]
    tally.out_of_order = sum(one[0] == other[0] and one[1] > other[1] for one, other in pairwise(moments))
    tally.differences = [str(one.first) for one in run(CHECKS) if one.first is not None]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(crash(int(sys.argv[1]), seed=int(sys.argv[2]) if sys.argv[2:] else 1))))
