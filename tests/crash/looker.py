# SPDX-License-Identifier: Apache-2.0
"""Kill -9 whoever opens addresses, at named points and at any time, and count what got out and what was written.

Run by itself (`python -m tests.crash.looker KILLS`) it prints what it counted as JSON. Each looker is forked from a
process that is warm; the pictures that it is handed go into a pipe, as they would to a browser.
"""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection, connections, transaction

from holdfast.bootstrap import System, running
from holdfast.media.preview import Preview, Previews
from holdfast.review.look import MOST_AT_ONCE
from holdfast.review.showing import Given, Viewer, Wanted
from holdfast.review.viewing import Step
from holdfast.settings import Settings

POINTS: Final = ("before the event", "after the event", "any time")
_HEAD: Final = struct.Struct("<HI")
_PICTURE: Final = b"a picture that was made by a test, and is as good as any" * 40
_LONGEST_LIFE: Final = 0.25
_ANN: Final = Viewer(person="ann", session="s")


def tally(system: System, kills: int) -> Counter[str]:
    """Let lookers live and die, and count."""
    from holdfast.store.models import JournalRow
    from holdfast.store.viewings import PostgresViewings

    viewings, counted = PostgresViewings(system.desk.means, budget=100_000), Counter[str]()
    for life in range(kills):
        content = f"post-{life}"
        given = viewings.give(_ANN, _wanted(content), _pages())
        connections.close_all()
        point = POINTS[life % len(POINTS)]
        out = _numbers_in(_lived(lambda pipe: _open_all(viewings, given, pipe, point)))  # noqa: B023  # it runs here
        with _one_moment():
            told = JournalRow.objects.filter(tag="viewing.shown", body__content=content)
            written = set(told.values_list("body__number", flat=True))
            counted["differences"] += _differ(content, written)
        counted["lives"] += 1
        counted["pictures"] += len(out)
        counted["events"] += len(written)
        counted["bytes_without_event"] += len(out - written)
        counted["event_without_bytes"] += len(written - out)
        counted["never_opened"] += MOST_AT_ONCE - len(written)
    return counted


@contextmanager
def _one_moment() -> Iterator[None]:
    """Everything that is read is of one moment: what a killed process had sent may be committed after its end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        yield


def _differ(content: str, written: set[int]) -> int:
    """How many rows there are without an event, or the other way round."""
    from holdfast.store.models import ViewingAddressRow, ViewingRow

    rows = set(ViewingRow.objects.filter(content_id=content).values_list("number", flat=True))
    waiting = set(ViewingAddressRow.objects.filter(content_id=content).values_list("number", flat=True))
    return len(rows ^ written) + len(waiting & written) + MOST_AT_ONCE - len(waiting | written)


def _wanted(content: str) -> Wanted:
    numbers = frozenset(range(MOST_AT_ONCE))
    return Wanted(case="c", review="r", content=content, version="1", step=Step.BLURRED, numbers=numbers)


def _pages() -> Previews:
    made = tuple(Preview(number=number, content=_PICTURE) for number in range(MOST_AT_ONCE))
    return Previews(pictures=made, counted=len(made), complete=True)


def _lived(life: Callable[[int], None]) -> bytes:
    """What came out of a life of its own, which ended when it did or was ended."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        life(writing)
        os._exit(0)
    os.close(writing)
    time.sleep(random.uniform(0, _LONGEST_LIFE))
    os.kill(pid, signal.SIGKILL)
    with open(reading, "rb") as came:  # noqa: PTH123  # a pipe
        out = came.read()
    os.waitpid(pid, 0)
    return out


def _open_all(viewings: Any, given: list[Given], pipe: int, point: str) -> None:
    """Open one address after the other, and hand on what is shown."""
    last = random.randrange(3)
    for count, one in enumerate(given):
        if count == last:
            _die_at(point)
        content = viewings.show(_ANN, one.token)
        assert isinstance(content, bytes)
        os.write(pipe, _HEAD.pack(one.number, len(content)))
        os.write(pipe, content)


def _die_at(point: str) -> None:
    """Let this process be killed when it comes there."""
    from holdfast.store import viewings

    def dies(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if point == "before the event":
        vars(viewings)["take_step"] = dies
    elif point == "after the event":
        vars(viewings)["unlock"] = dies


def _numbers_in(out: bytes) -> set[int]:
    """The pictures of which at least one byte came, the last perhaps in part."""
    found, at = set[int](), 0
    while at + _HEAD.size < len(out):
        number, length = _HEAD.unpack_from(out, at)
        found.add(number)
        at += _HEAD.size + length
    return found


if __name__ == "__main__":
    with running(Settings.from_environment()) as whole:
        print(json.dumps(tally(whole, int(sys.argv[1]))))
