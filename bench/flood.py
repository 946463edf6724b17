# SPDX-License-Identifier: Apache-2.0
"""Floods of false reports with true ones among them: all are receipted, the site stays, and the true ones are hidden.

Two floods, over the real wire: very many reports of few benign items, and of very many distinct ones, by one source
and by thousands. Half of the true items have been screened before and resemble an entry of a bank: something
independent speaks for them. `FLOOD_FEW` and `FLOOD_DISTINCT` say how many reports.
"""

from __future__ import annotations

import base64
import os
import random
import secrets
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from bench.errors import BenchError
from bench.report import tell
from bench.row import Row, Value
from bench.served import BANK, Served, served
from holdfast.demo.pictures import encoded, hills
from holdfast.testing.platform_server import serve_platform
from holdfast.testing.simulators import SimulatedPlatform
from holdfast.testing.site import Site

FEW: Final = 10_000
FEW_ITEMS: Final = 100
DISTINCT: Final = 20_000
SOURCES: Final = 2_000
TRUE: Final = 50
VISIBLE_SHARE: Final = 0.95
SOON_SECONDS, LATE_SECONDS = 5.0, 30 * 60.0
_AT_ONCE: Final = 8
_LOOK_EVERY: Final = 0.25
_SEED: Final = 700_000


@dataclass(slots=True)
class Flood:
    """One flood as it went."""

    reports: int
    receipted: int = 0
    seconds: float = 0.0
    least_visible: float = 1.0
    spoken_for: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)


def flood_rows() -> list[Row]:
    """A row for each flood: the share of the site that stayed visible, with everything else that must hold."""
    few = int(os.environ.get("FLOOD_FEW", str(FEW)))
    distinct = int(os.environ.get("FLOOD_DISTINCT", str(DISTINCT)))
    return [
        _row("flood-few", measure(few, FEW_ITEMS, sources=SOURCES)),
        _row("flood-one-source", measure(distinct, distinct, sources=1)),
        _row("flood-many-sources", measure(distinct, distinct, sources=SOURCES)),
    ]


def _row(name: str, flood: Flood) -> Row:
    spoken, others = max(flood.spoken_for, default=0.0), max(flood.others, default=0.0)
    everything = len(flood.spoken_for) + len(flood.others) == TRUE and flood.receipted == flood.reports + TRUE
    met = everything and spoken <= SOON_SECONDS and others <= LATE_SECONDS and flood.least_visible >= VISIBLE_SHARE
    detail: dict[str, Value] = {
        "unit": "the least share of benign items that could be seen",
        "reports": flood.reports + TRUE,
        "receipted": flood.receipted,
        "reports_a_second": round((flood.reports + TRUE) / flood.seconds, 1),
        "true_hidden": len(flood.spoken_for) + len(flood.others),
        "spoken_for_seconds": round(spoken, 2),
        "spoken_for_p50": round(statistics.median(flood.spoken_for or [0.0]), 2),
        "others_seconds": round(others, 1),
    }
    return Row(name, round(flood.least_visible, 4), None, None, VISIBLE_SHARE, met, detail)


def measure(reports: int, items: int, *, sources: int) -> Flood:
    """Flood a site of at least ten thousand items with reports of so many of them, by so many sources."""
    site, flood = Site(), Flood(reports)
    with _beside(site) as holdfast:
        tell(f"flood: {reports} reports over {items} items by {sources} sources")
        benign = [site.publish(f"account-{number % 977}", places=1) for number in range(max(items, 10_000))]
        true = [site.publish(f"mallory-{number}", places=1) for number in range(TRUE)]
        _screen_half(holdfast, site, true)
        _send(holdfast, site, flood, benign, benign[:items], true, sources)
    return flood


@contextmanager
def _beside(site: Site) -> Iterator[Served]:
    secret = secrets.token_bytes(32)
    with serve_platform(SimulatedPlatform(site), secret, site) as url:
        about = {
            "HOLDFAST_PLATFORM_URL": url,
            "HOLDFAST_PLATFORM_SITES": site.origin,
            "HOLDFAST_PLATFORM_SECRET": "whsec_" + base64.b64encode(secret).decode(),
        }
        with served("report", **about) as holdfast:
            yield holdfast


def _screen_half(holdfast: Served, site: Site, true: Sequence[str]) -> None:
    """Let Holdfast have screened half of the true items against a bank that they resemble, in shadow of a review."""
    for number, address in enumerate(true[: TRUE // 2]):
        picture = hills(_SEED + number)
        reply = holdfast.client.call("POST", f"/banks/{BANK}/entries/picture?provenance=bench", body=encoded(picture))
        if reply.status != httpx.codes.CREATED:
            message = f"flood: adding an entry answered {reply.status}: {reply.body}"
            raise BenchError(message)
        content = site.upload(address).content
        holdfast.client.call("POST", f"/screen?content_id={content}", body=encoded(picture, quality=60))


def _send(  # each is a part of the flood
    holdfast: Served,
    site: Site,
    flood: Flood,
    benign: Sequence[str],
    reported: Sequence[str],
    true: Sequence[str],
    sources: int,
) -> None:
    chance = random.Random(7)  # noqa: S311  # chance need not be secret
    named = [reported[number % len(reported)] for number in range(flood.reports)] + list(true)
    chance.shuffle(named)
    sent: dict[str, float] = {}
    hidden: dict[str, float] = {}
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(site, benign, true, sent, hidden, flood, over))
    watching.start()
    begun = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for status in pool.map(lambda one: _report(holdfast, one, chance.randrange(sources), sent, true), named):
            flood.receipted += status == httpx.codes.CREATED
    flood.seconds = time.monotonic() - begun
    while len(hidden) < len(true) and time.monotonic() - begun < flood.seconds + LATE_SECONDS:
        threading.Event().wait(_LOOK_EVERY)
    over.set()
    watching.join()
    spoken = set(true[: TRUE // 2])
    for address, at in hidden.items():
        (flood.spoken_for if address in spoken else flood.others).append(at - sent[address])


def _report(holdfast: Served, address: str, source: int, sent: dict[str, float], true: Sequence[str]) -> int:
    body = {
        "reporter": "bystander",
        "category": "csam",
        "items": [{"kind": "post", "address": address}],
        "source": f"198.51.{source // 250}.{source % 250}",
    }
    if address in true:
        sent[address] = time.monotonic()
    return holdfast.client.send_json("POST", "/reports", body).status


def _watch(  # each is a part of the flood
    site: Site,
    benign: Sequence[str],
    true: Sequence[str],
    sent: dict[str, float],
    hidden: dict[str, float],
    flood: Flood,
    over: threading.Event,
) -> None:
    """Look at the site from inside, without a view: how much of it stands, and which true items are gone."""
    innocent, guilty = [site.upload(one) for one in benign], {one: site.upload(one) for one in true}
    while not over.wait(_LOOK_EVERY):
        for address, upload in guilty.items():
            if address in sent and address not in hidden and upload.is_held:
                hidden[address] = time.monotonic()
        visible = sum(not upload.is_held for upload in innocent) / len(innocent)
        flood.least_visible = min(flood.least_visible, visible)
