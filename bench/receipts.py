# SPDX-License-Identifier: Apache-2.0
"""Kill -9 whoever has just given a receipt, and whoever has just made a case and is about to send its hold.

Afterwards every receipt opens a report, everything that was named is out of a stranger's reach, and every table is as
the journal says. `RECEIPTS_KILLS` says how often each is killed. The platform is in the process that counts, over
the real wire; whoever is killed is forked from one that is warm.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.db import connections

from bench.errors import BenchError
from bench.nursery import nursery
from bench.report import tell
from bench.row import Row, Value
from holdfast.adapters.platform import SignedPlatform
from holdfast.adapters.stranger import HttpStranger
from holdfast.bootstrap import System
from holdfast.carry import Carrier
from holdfast.effect.handler import Handler, Registry
from holdfast.errors import InvalidRequest, ReceiptUnknown
from holdfast.hold.platform import Act, Spot
from holdfast.intake.desk import Incoming, NamedItem
from holdfast.intake.reporter import Category, ItemKind, ReporterKind
from holdfast.intake.view import Standing
from holdfast.resembling import Resembling
from holdfast.start import clock
from holdfast.testing.platform_server import serve_platform
from holdfast.testing.simulators import SimulatedPlatform
from holdfast.testing.site import Site

KILLS: Final = 200
SHARES: Final = 3
_KEY: Final = b"a key that is as long as it has to"
_LASTING: Final = timedelta(seconds=1)
_PATIENCE: Final = 120.0
_SAY: Final = 100


@dataclass(slots=True)
class Counted:
    """What was done, and what must not be."""

    receipts: int = 0
    killed_with_a_receipt: int = 0
    killed_before_a_hold: int = 0
    without_a_report: int = 0
    forgotten: int = 0
    still_seen: int = 0
    differences: int = 0
    seconds: float = 0.0


class Dying(SignedPlatform):
    """A platform's adapter whose process is killed when it is about to send a hold."""

    def hold(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """Never sends it."""
        del key, spots
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def receipts_rows() -> list[Row]:
    """The row `receipts`: receipts without a report, holds that were forgotten, and whatever else must not be."""
    kills = int(os.environ.get("RECEIPTS_KILLS", str(KILLS)))
    counted = measure(kills)
    wrong = counted.without_a_report + counted.forgotten + counted.still_seen + counted.differences
    detail: dict[str, Value] = {
        "unit": "receipts without a report, holds forgotten, places still seen, tables that differ",
        **{name: getattr(counted, name) for name in Counted.__dataclass_fields__},
    }
    enough = min(counted.killed_with_a_receipt, counted.killed_before_a_hold) >= kills
    return [Row("receipts", wrong, None, None, 0, wrong == 0 and enough, detail)]


def measure(kills: int) -> Counted:
    """Kill both so often, let somebody carry out what is left, and count."""
    site, counted, begun = Site(), Counted(), time.monotonic()
    with nursery() as given, serve_platform(SimulatedPlatform(site), _KEY, site) as url, _words() as words:
        reporting = _Reporting(given.system, url, site.origin, words)
        addresses: list[str] = []
        for number in range(kills):
            address = site.publish("mallory")
            addresses += [address, *(site.reshare(address, f"sharer-{one}") for one in range(SHARES))]
            connections.close_all()
            counted.killed_with_a_receipt += _ended(_forked(lambda: reporting.report(address)))  # noqa: B023
            counted.killed_before_a_hold += _ended(_forked(reporting.carry_until_a_hold))
            if number % _SAY == _SAY - 1:
                tell(f"receipts: {number + 1} of {kills} killed")
        while _ended(_forked(reporting.carry_until_a_hold)):
            counted.killed_before_a_hold += 1
            if counted.killed_before_a_hold >= kills:
                break
        if _ended(_forked(reporting.carry_all)):
            raise BenchError("receipts: whoever was to carry out what is left was killed")
        _count(given.system, site, words, addresses, counted)
    counted.seconds = round(time.monotonic() - begun, 1)
    return counted


@dataclass(frozen=True, slots=True)
class _Reporting:
    """What those who are killed do."""

    system: System
    url: str
    origin: str
    words: Path

    def report(self, address: str) -> None:
        """Give a receipt, and be killed at once."""
        item = NamedItem(kind=ItemKind.POST, address=address)
        incoming = Incoming(reporter=ReporterKind.PARENT, verified=False, category=Category.CSAM, items=(item,))
        receipt = self.system.desk.reports.receive(incoming, actor="door:report")
        with self.words.open("a") as file:
            file.write(f"{receipt.code}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    def carry_until_a_hold(self) -> None:
        """Find what is named, make its case, and be killed when its hold is about to be sent."""
        ends = time.monotonic() + 3 * _LASTING.total_seconds()
        carrier = Carrier(self.system.effects, self._handlers(Dying), hands=2, lasting=_LASTING)
        while time.monotonic() < ends:
            carrier.round()

    def carry_all(self) -> None:
        """Carry out everything, and wait for what the dead have in their hands."""
        carrier = Carrier(self.system.effects, self._handlers(SignedPlatform), lasting=_LASTING)
        ends, idle = time.monotonic() + _PATIENCE, time.monotonic()
        while time.monotonic() - idle < 4 * _LASTING.total_seconds() and time.monotonic() < ends:
            if carrier.round():
                idle, ends = time.monotonic(), time.monotonic() + _PATIENCE
        carrier.close()

    def _handlers(self, kind: Callable[..., SignedPlatform]) -> Registry:
        handlers: dict[str, Handler] = dict(
            self.system.desk.handlers(
                kind(self.url, _KEY, clock),
                HttpStranger([self.origin]),
                Resembling(self.system.archive_folder),
            )
        )
        return handlers


@contextmanager
def _words() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as folder:
        yield Path(folder) / "words"


def _forked(work: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001  # it is told, and the parent sees the code
        traceback.print_exc()
    os._exit(code)


def _ended(pid: int) -> bool:
    """Wait for the end of a child; whether it was killed. Raises BenchError if it failed in any other way."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL):
        message = f"receipts: a child ended with {code}"
        raise BenchError(message)
    return code != 0


def _count(system: System, site: Site, words: Path, addresses: Sequence[str], counted: Counted) -> None:
    from holdfast.store.fsck import checks, run  # noqa: PLC0415  # needs configured Django

    for code in words.read_text().split("\n")[:-1]:
        counted.receipts += 1
        try:
            view = system.desk.reports.view(code)
        except (ReceiptUnknown, InvalidRequest):
            counted.without_a_report += 1
            continue
        counted.forgotten += any(item.standing is not Standing.HIDDEN for item in view.items)
    for address in addresses:
        places = site.upload(address).places.values()
        counted.still_seen += any(site.view(place.location) for place in places)
    counted.differences = sum(1 for one in run(checks(system.journal.sealer)) if one.first)
