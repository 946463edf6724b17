# SPDX-License-Identifier: Apache-2.0
"""From a report to fifty-one places that a stranger finds nothing at, with Holdfast and Commons as anyone runs them.

Reports arrive one a second at the API, each of a post with fifty re-shares that nobody names. The time of a
report ends when somebody who is nobody has got a 404 from every page. `HOLD_REPORTS` says how many.
"""

from __future__ import annotations

import base64
import http.client
import os
import secrets
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from bench.errors import BenchError
from bench.report import tell
from bench.row import Row, Value
from bench.served import Served, free_port, served
from holdfast.demo.commons import commons, visitor
from holdfast.demo.pictures import encoded, hills

REPORTS: Final = 30
COPIES: Final = 50
TARGET_SECONDS: Final = 5.0
_PATIENCE: Final = 60.0
_PAUSE: Final = 0.1
_SEED: Final = 900_000
_MOST_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Timed:
    """One report: seconds until its receipt came, and until the last place was gone."""

    receipt: float
    hidden: float


def hold_rows() -> list[Row]:
    """The row `hold`: the 99th percentile, in seconds, of reports that arrive one a second."""
    reports = int(os.environ.get("HOLD_REPORTS", str(REPORTS)))
    timed = measure(reports)
    hidden, receipts = sorted(one.hidden for one in timed), sorted(one.receipt for one in timed)
    worst = hidden[min(len(hidden) - 1, round(0.99 * len(hidden)))]
    detail: dict[str, Value] = {
        "unit": "seconds from sending the report until a stranger gets 404 at all places",
        "reports": reports,
        "places_each": COPIES + 1,
        "p50": round(statistics.median(hidden), 3),
        "max": round(hidden[-1], 3),
        "receipt_p50": round(statistics.median(receipts), 3),
        "receipt_max": round(receipts[-1], 3),
    }
    return [Row("hold", round(worst, 3), None, None, TARGET_SECONDS, worst <= TARGET_SECONDS, detail)]


def measure(reports: int) -> list[Timed]:
    """Publish everything, then report one post a second."""
    port, secret = free_port(), "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    site = f"http://127.0.0.1:{port}"
    # A day's worth of victims in a minute: more than unproven words may hide by default.
    about = {
        "HOLDFAST_HOLD_BUDGET_LEAST": "1000000",
        "HOLDFAST_PLATFORM_URL": f"{site}/holdfast",
        "HOLDFAST_PLATFORM_SITES": site,
    }
    with (
        tempfile.TemporaryDirectory(prefix="hf-bench-") as folder,
        served("report", **about, HOLDFAST_PLATFORM_SECRET=secret) as holdfast,
        commons(
            Path(folder),
            port,
            holdfast_url=f"http://{holdfast.client.address}",
            key=holdfast.client.key,
            secret=secret,
        ),
    ):
        tell(f"publishing {reports} posts and {reports * COPIES} re-shares")
        pages = _published(site, reports)
        tell(f"reporting {reports} of them, one a second")
        return _reported(holdfast, site, pages)


def _published(site: str, reports: int) -> list[list[str]]:
    """For each report the pages of a post and of its re-shares."""
    author, sharer = visitor(site), visitor(site)
    author.join("author")
    sharer.join("sharer")
    found = []
    for number in range(reports):
        path = author.post("a picture", encoded(hills(_SEED + number)))
        found.append([path, *(sharer.share(path, "again") for _ in range(COPIES))])
    return found


def _reported(holdfast: Served, site: str, pages: list[list[str]]) -> list[Timed]:
    begun = time.monotonic()
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        waiting = []
        for number, paths in enumerate(pages):
            threading.Event().wait(max(0.0, begun + number - time.monotonic()))
            waiting.append(pool.submit(_report, holdfast, site, paths))
        return [one.result() for one in waiting]


def _report(holdfast: Served, site: str, paths: list[str]) -> Timed:
    body = {"reporter": "parent", "category": "csam", "items": [{"kind": "post", "address": f"{site}{paths[0]}"}]}
    begun = time.perf_counter()
    reply = holdfast.client.send_json("POST", "/reports", body)
    receipt = time.perf_counter() - begun
    if reply.status != httpx.codes.CREATED:
        message = f"POST /v1/reports answered {reply.status}: {reply.body}"
        raise BenchError(message)
    stranger = http.client.HTTPConnection(site.removeprefix("http://"), timeout=_PATIENCE)
    for path in reversed(paths):
        while _seen(stranger, path) != httpx.codes.NOT_FOUND:
            if time.perf_counter() - begun > _PATIENCE:
                message = f"{path} could still be seen after {_PATIENCE:.0f} s"
                raise BenchError(message)
            time.sleep(_PAUSE)
    stranger.close()
    return Timed(receipt, time.perf_counter() - begun)


def _seen(stranger: http.client.HTTPConnection, path: str) -> int:
    """What is answered at a page. The plainest client there is: it shares the cores with what is measured."""
    stranger.request("GET", path)
    answer = stranger.getresponse()
    answer.read()
    return answer.status
