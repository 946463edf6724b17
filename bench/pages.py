# SPDX-License-Identifier: Apache-2.0
"""How long the pages for people take where 100,000 cases are: for staff, and for whoever comes with a receipt.

One case is made as anybody makes one: posted at Commons, reported, held, looked at. Its rows are then copied 100,000
times inside the database, every hundredth still waiting for somebody to look. `PAGES_CASES` says how many. The time of
a page is from sending the request to its last byte, on this machine: no less than what the server takes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

import httpx

from bench.errors import BenchError
from bench.report import tell
from bench.reuploads import beside_commons
from bench.row import Row, Value
from holdfast.demo.commons import visitor
from holdfast.demo.pictures import encoded, hills
from holdfast.replay.doors import report
from holdfast.replay.staff import Person, hire, hire_everybody
from holdfast.replay.stranger import until
from holdfast.replay.world import World

CASES: Final = 100_000
TARGET_MS: Final = 100.0
_EACH: Final = 60
_WARM: Final = 5
_PATIENCE: Final = 120.0
_SEED: Final = 700_001
# Ids of nouns get a number of their own; what must be unique and is no id becomes a digest of it.
_COPY: Final = """
insert into {table} select (jsonb_populate_record(null::{table}, copied)).* from (
    select regexp_replace({text}, '{ids}', '\\1-' || n, 'g')::jsonb as copied
    from {table} t, generate_series(1, {most}) n
) as made on conflict do nothing
"""
_IDS: Final = "([a-z]{3}_[a-z2-7]{20,30}|post-[0-9]+|R-[A-Z2-7]{4}-[A-Z2-7]{4})"
_DIGEST: Final = "replace(to_jsonb(t)::text, encode(t.{column}, 'hex'), md5(n::text) || md5((-n)::text))"
_TABLES: Final = ("report", "cases", "reported", "case_item", "hold", "contest", "review")
_DIGESTS: Final = {"report": "code_digest", "contest": "code_digest"}


def pages_rows() -> list[Row]:
    """The row `pages`: the 99th percentile of the slowest page, in milliseconds."""
    cases = int(os.environ.get("PAGES_CASES", str(CASES)))
    timed = measure(cases)
    worst = {name: _p99(times) for name, times in timed.items()}
    detail: dict[str, Value] = {
        "unit": "milliseconds from request to last byte, 99th percentile of the slowest page",
        "cases": cases,
        "p99": worst,
        "p50": {name: round(statistics.median(times), 1) for name, times in timed.items()},
    }
    most = max(worst.values())
    return [Row("pages", most, None, None, TARGET_MS, most <= TARGET_MS, detail)]


def measure(cases: int) -> dict[str, list[float]]:
    """The times of each page, in milliseconds."""
    with beside_commons() as (_, world):
        people, lead = hire_everybody(world), hire(world, "lea", "lead", "day")
        tell("making one case, and copying it")
        words = _one_case(world)
        _copied(world, cases)
        asked = next((one for one in people if one.asked()), None)
        if asked is None:
            message = "nobody is asked anything"
            raise BenchError(message)
        tell(f"loading pages, {_EACH} times each, with {cases:,} cases")
        return {name: _times(load) for name, load in _pages(world, asked, lead, words).items()}


def _one_case(world: World) -> str:
    """Something that was reported, and is out of reach; the words of the receipt."""
    author = visitor(world.site)
    author.join("author")
    page = author.post("a picture", encoded(hills(_SEED)))
    words = report(world.door, world.site + page, who="parent", category="csam")
    until(lambda: bool(world.command("reviews", "list")), "somebody is asked", patience=_PATIENCE)
    return words


def _copied(world: World, cases: int) -> None:
    """Copy it, in a process that knows the database as the program does."""
    command = [sys.executable, "-m", "bench.pages", str(cases)]
    done = subprocess.run(command, env=dict(world.environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(done.stderr[-2000:])
    tell(f"rows: {json.loads(done.stdout)}")


def _pages(world: World, asked: Person, lead: Person, words: str) -> dict[str, Callable[[], httpx.Response]]:
    review, case = asked.asked()[0], world.command("cases", "list")[0]["case"]
    door = httpx.Client(base_url=world.door, timeout=_PATIENCE, trust_env=False)
    return {
        "staff, first page": lambda: asked.load("/staff/"),
        "staff, what is asked": lambda: asked.load("/staff/reviews"),
        "staff, one review": lambda: asked.load(f"/staff/reviews/{review}"),
        "lead, the newest cases": lambda: lead.load("/staff/cases"),
        "lead, one case": lambda: lead.load(f"/staff/cases/{case}"),
        "report, the form": lambda: door.get("/report"),
        "case, how it stands": lambda: door.post("/case", data={"code": words}),
    }


def _times(load: Callable[[], httpx.Response]) -> list[float]:
    times = []
    for number in range(_WARM + _EACH):
        begun = time.perf_counter()
        load().raise_for_status()
        if number >= _WARM:
            times.append(1000 * (time.perf_counter() - begun))
    return times


def _p99(times: list[float]) -> float:
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))], 1)


def copy_rows(cases: int) -> dict[str, int]:
    """Copy the one case that there is; how many rows each table has then."""
    from django.db import connection, transaction  # noqa: PLC0415  # needs configured Django

    found = {}
    with transaction.atomic(), connection.cursor() as cursor:
        for table in _TABLES:
            digest = _DIGESTS.get(table)
            text = _DIGEST.format(column=digest) if digest else "to_jsonb(t)::text"
            cursor.execute(_COPY.format(table=table, text=text, ids=_IDS, most=cases - 1))
        # All but every hundredth were decided.
        cursor.execute(
            "update review set state = 'concluded', asked = null, until = null, outcome = 'remove'"
            " where id ~ '-[0-9]+$' and id !~ '00$'"
        )
        cursor.execute(
            "update review set state = 'waiting', asked = null, until = null, version = 0"
            " where id ~ '-[0-9]+$' and id ~ '00$'"
        )
        for table in _TABLES:
            cursor.execute(f"select count(*) from {table}")  # noqa: S608  # of our own list
            found[table] = int(cursor.fetchone()[0])
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    return found


def _main(cases: int) -> None:
    from holdfast.bootstrap import running  # noqa: PLC0415
    from holdfast.settings import Settings  # noqa: PLC0415

    with running(Settings.from_environment(), decoder=False):
        sys.stdout.write(json.dumps(copy_rows(cases)))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
