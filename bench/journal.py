# SPDX-License-Identifier: Apache-2.0
"""How many commands a second go through decider, journal, projection and outbox, and are carried out, at once.

A command decides on one event (an alarm), appends it, writes its projection and owes one effect, whose
own decider, events and row come on top. A worker beside it leases, carries out and settles them. The
database, the givers and the worker share this machine. Batches, 50 effects owed by a command, are apart.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import Any, Final, cast

from django.db import connection

from bench.errors import BenchError
from bench.nursery import Nursery, nursery
from bench.report import tell
from bench.row import Row, Value

COMMANDS: Final = 1500
GIVERS: Final = 3
BATCH: Final = 50
TARGET: Final = 1000.0


def journal_rows() -> list[Row]:
    """Commands a second one by one, and effects a second in batches."""
    tell("journal: measuring in a process of its own")
    done = subprocess.run([sys.executable, "-m", "bench.journal"], capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"journal: {done.stderr[-500:]}"
        raise BenchError(message)
    told: dict[str, dict[str, float]] = json.loads(done.stdout)
    rows = []
    for name, batch in (("journal", 1), (f"journal, batches of {BATCH}", BATCH)):
        one = told[str(batch)]
        detail: dict[str, Value] = {
            "unit": "commands a second, from the first until the last effect is done"
            if batch == 1
            else "effects a second",
            "givers": GIVERS,
            "workers": 1,
            "commands": one["commands"],
            "events": one["events"],
            "seconds": one["seconds"],
            "commands_a_second_until_committed": one["committed"],
            "cpu_seconds": {"ours": one["cpu"], "database": one["database_cpu"]},
            "commands_per_two_core_seconds": one["free"],
            "cores": os.cpu_count() or 0,
            "load_before": one["load"],
        }
        rate = one["rate"] * batch
        rows.append(Row(name, round(rate, 1), None, None, TARGET, rate >= TARGET, detail))
    return rows


def measured(given: Nursery, batch: int) -> dict[str, float]:
    """Commands of one size, from nothing until everything owed is done."""
    count = COMMANDS // GIVERS // batch
    load, before, spent, spent_there = os.getloadavg()[0], _events(), _cpu(), given.database_cpu()
    began = time.perf_counter()
    givers = [given.command(f"batch{batch}giver{number}", count=count, batch=batch) for number in range(GIVERS)]
    worker = given.carry(hands=16, until_given=count * GIVERS * batch)
    _await(givers)
    committed = time.perf_counter() - began
    _await([worker])
    took = time.perf_counter() - began
    commands = count * GIVERS
    cpu, there = _cpu() - spent, given.database_cpu() - spent_there
    return {
        "commands": commands,
        "events": _events() - before,
        "seconds": round(took, 2),
        "rate": commands / took,
        "committed": round(commands / committed, 1),
        "cpu": round(cpu, 2),
        "database_cpu": round(there, 2),
        "free": round(commands / ((cpu + there) / 2), 1),
        "load": round(load, 1),
    }


def _await(pids: list[int]) -> None:
    for pid in pids:
        if os.waitpid(pid, 0)[1]:
            raise BenchError("a process failed")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _events() -> int:
    """Counted on a connection that is closed again: what is forked must not share one."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from journal")
        count = int(cursor.fetchone()[0])
    connection.close()
    cast("Any", connection).close_pool()
    return count


def main() -> None:
    """Measure, and print it as JSON."""
    with nursery() as given:
        sys.stdout.write(json.dumps({batch: measured(given, batch) for batch in (1, BATCH)}))


if __name__ == "__main__":
    main()
