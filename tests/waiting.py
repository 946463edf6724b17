# SPDX-License-Identifier: Apache-2.0
"""What the tests of uploads that are answered later make: spooled uploads, and systems with short patience."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

from holdfast import later
from holdfast.bootstrap import System
from holdfast.intake.content import Content
from holdfast.intake.spool import Spool
from holdfast.intake.upload import Room, TooLong, Upload
from holdfast.intake.upload import receive as receive_bytes
from holdfast.later import Taken
from holdfast.pipeline import Once
from holdfast.start import clock

LONG = timedelta(hours=1)
OVER = timedelta(seconds=-1)
"""A lease or a patience that is over at once."""
BUDGET = 64 * 1024 * 1024


def room(spool: Spool, announced: int = 0, *, always: bool = True, above: int = 1024, limit: int = BUDGET) -> Room:
    return Room(
        spool=spool,
        announced=announced,
        above=above,
        limit=limit,
        is_long=lambda head: head.startswith(b"video"),
        head=16,
        always=always,
    )


def spooled(spool: Spool, content: bytes) -> Upload:
    received = receive_bytes([content], BUDGET, room=room(spool, len(content)))
    assert not isinstance(received, TooLong)
    assert received.waiting is not None
    return received


def patient(
    system: System, folder: Path, *, lease: timedelta = LONG, patience: timedelta = LONG, webhook: bool = False
) -> System:
    """The system with a spool of its own, and leases that last so long."""
    from holdfast.store.long_screenings import Outgoing, PostgresLongScreenings

    outgoing = Outgoing(system.effects, system.alarms, "somebody", webhook)
    long = PostgresLongScreenings(system.journal, system.screenings, outgoing, clock, patience=patience, lease=lease)
    system.known.follow()
    return dataclasses.replace(system, long=long, spool=Spool(folder / "spool", BUDGET))


def send(
    system: System, content: bytes, *, name: str = "post-1", once: Once | None = None, uploader: str | None = None
) -> str:
    """Send an upload that is answered later; gives the id of its screening."""
    with spooled(system.spool, content) as upload:
        about = Content(id=name, uploader=uploader)
        body = later.receive(upload, about, asked_by="cli:test", once=once, shadow=False, later=system.later())
    return str(body["screening"])


def take(system: System) -> Taken:
    taken = system.long.take_up(system.spool.id)
    assert taken is not None
    return taken


def screen(system: System, taken: Taken, *, most_tries: int = 3) -> None:
    later.screen_taken(taken, most_tries=most_tries, parts=system.parts(), later=system.later())
