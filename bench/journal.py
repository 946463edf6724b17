# SPDX-License-Identifier: Apache-2.0
"""How many one-event commands a second are decided, sealed, committed and given their place in the log.

A command records the answer to one upload: its event, the screening, its sealed uploader, what the archive keeps
and its Idempotency-Key, as a web process does. The sequencer signs checkpoints beside it, and the worker is up.

What owes an effect is apart: an alarm with its event, an effect with its own, and a worker that leases, carries
out and settles each. Batches, 50 effects owed by a command, are apart again. The database, the givers and the
worker share this machine.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import Any, Final, cast

from django.db import connection

from bench.errors import BenchError
from bench.nursery import Nursery, nursery
from bench.report import tell
from bench.row import Row, Value

ANSWERS: Final = 4200
MOST_LAG: Final = 10.0
COMMANDS: Final = 1500
GIVERS: Final = 3
ANSWERERS: Final = 3
BATCH: Final = 50
TARGET: Final = 1000.0


def journal_rows() -> list[Row]:
    """One-event commands a second; those that owe an effect, one by one and in batches."""
    tell("journal: measuring in a process of its own")
    done = subprocess.run([sys.executable, "-m", "bench.journal"], capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"journal: {done.stderr[-500:]}"
        raise BenchError(message)
    told: dict[str, dict[str, float]] = json.loads(done.stdout)
    return [_answers_row(told["answers"]), *(_effects_row(batch, told[str(batch)]) for batch in (1, BATCH))]


def _answers_row(one: dict[str, float]) -> Row:
    met = one["rate"] >= TARGET and one["lag"] < MOST_LAG
    detail: dict[str, Value] = {
        "unit": "one-event commands a second, until the last is committed",
        "givers": ANSWERERS,
        "commands": ANSWERS,
        "seconds_until_a_checkpoint_covers_the_last": one["lag"],
        "most_seconds_until_a_checkpoint_covers_the_last": MOST_LAG,
        **_spent(one),
    }
    return Row("journal", round(one["rate"], 1), None, None, TARGET, met, detail)


def _effects_row(batch: int, one: dict[str, float]) -> Row:
    rate = one["rate"] * batch
    name, unit = "journal, each owing an effect", "commands a second, from the first until the last effect is done"
    if batch > 1:
        name, unit = f"journal, {batch} effects each", "effects a second"
    detail: dict[str, Value] = {
        "unit": unit,
        "givers": GIVERS,
        "workers": 1,
        "commands": one["commands"],
        "events": one["events"],
        "seconds": one["seconds"],
        "commands_a_second_until_committed": one["committed"],
        **_spent(one),
    }
    return Row(name, round(rate, 1), None, None, 0, met=True, detail=detail)


def _spent(one: dict[str, float]) -> dict[str, Value]:
    return {
        "cpu_seconds": {"ours": one["cpu"], "database": one["database_cpu"]},
        "commands_per_two_core_seconds": one["free"],
        "cores": os.cpu_count() or 0,
        "load_before": one["load"],
    }


def answered(given: Nursery) -> dict[str, float]:
    """One-event commands, with the sequencer signing beside them."""
    load, before, spent, spent_there = os.getloadavg()[0], _events(), _cpu(), given.database_cpu()
    worker = given.carry()
    log = given.keep_log(size=before + ANSWERS)
    began = time.perf_counter()
    _await([given.answer(f"answerer{number}", count=ANSWERS // ANSWERERS) for number in range(ANSWERERS)])
    took = time.perf_counter() - began
    _await([log])
    lag = time.perf_counter() - began - took
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    cpu, there = _cpu() - spent, given.database_cpu() - spent_there
    return {
        "rate": ANSWERS / took,
        "lag": round(lag, 2),
        "cpu": round(cpu, 2),
        "database_cpu": round(there, 2),
        "free": round(ANSWERS / ((cpu + there) / 2), 1),
        "load": round(load, 1),
    }


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
        told = {"answers": answered(given), **{str(batch): measured(given, batch) for batch in (1, BATCH)}}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
