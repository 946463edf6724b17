# SPDX-License-Identifier: Apache-2.0
"""Bodies that arrive slowly keep nobody else from being answered.

A request works in one of a few slots. While it waits for its sender it gives its slot up, and for a long
body its database connection too, so that an hour-long upload costs a sleeping thread and nothing else.
A sender may keep us waiting for so long in all, and longer if it sends fast enough. That is looked at
whenever bytes come: the server offers no way to end a read that nothing comes for, so a sender with a
key that stalls holds one of many sleeping threads until it lets go, and a proxy in front should not
let it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Semaphore
from typing import Any, Final

from holdfast.errors import InvalidRequest

MOST_WAITING: Final = 32
"""Requests whose body is on its way, beside those that are worked on: so many more threads the server has."""
_LONG: Final = 1024 * 1024
"""A body that is announced to be longer has its request hand back what it holds before it is read."""
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Slots:
    """How many requests are worked on at once in one process, and how long a sender may take."""

    def __init__(self, count: int, *, seconds: float, rate: int, pause: Callable[[], None]) -> None:
        """Work on `count` at once; let a sender keep us waiting for `seconds`, and longer at `rate` bytes a second.

        `pause` hands back what a request that waits for a long body need not hold.
        """
        self.free = Semaphore(count)
        self.seconds = seconds
        self.rate = rate
        self.pause = pause


class Body:
    """A body as WSGI's `wsgi.input`, whose request gives up its slot while it waits for bytes."""

    def __init__(self, body: Any, announced: int, slots: Slots) -> None:  # noqa: ANN401  # whatever the server gives
        """Read `body`, of which `announced` bytes are to come."""
        self._body = body
        self._slots = slots
        self._long = announced > _LONG
        self._waited = 0.0
        self._came = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises InvalidRequest if the sender kept us waiting for too long."""
        return self._outside(lambda: bytes(self._body.read(size)))

    def readline(self, size: int = -1) -> bytes:
        """The next line, in the same way."""
        return self._outside(lambda: bytes(self._body.readline(size)))

    def _outside(self, read: Callable[[], bytes]) -> bytes:
        if self._long:
            self._slots.pause()
        began = time.monotonic()
        self._slots.free.release()
        try:
            came = read()
        finally:
            self._waited += time.monotonic() - began
            self._slots.free.acquire()
        self._came += len(came)
        if self._waited > self._slots.seconds + self._came / self._slots.rate:
            most, rate = self._slots.seconds, self._slots.rate
            message = f"body: it did not arrive within {most:.0f} s, nor at {rate:,} bytes a second"
            raise InvalidRequest(message)
        return came


def in_slots(application: Application, slots: Slots) -> Application:
    """The same application, worked on in `slots`."""

    def run(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        announced = environ.get("CONTENT_LENGTH") or "0"
        body = Body(environ["wsgi.input"], int(announced) if announced.isdigit() else 0, slots)
        with slots.free:
            return application({**environ, "wsgi.input": body}, start)

    return run
