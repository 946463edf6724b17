# SPDX-License-Identifier: Apache-2.0
"""HTTP with a limit on the whole of a call, from any thread, over connections that are kept.

A limit on each step alone lets whoever answers a byte at a time hold a caller for days, and none of the steps
limits the look-up of a name. So the calls run in a loop in a thread of its own, where whatever they wait for can
be given up. `HttpCalls` works below the client of httpx: there are no cookies, no redirects, no proxy of the
environment and no unpacking of what was compressed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import httpx

C = TypeVar("C")
T = TypeVar("T")
Work = Callable[[httpx.AsyncHTTPTransport], Coroutine[Any, Any, T]]
KEPT_SECONDS: Final = 30.0
_GRACE_SECONDS: Final = 5.0
"""For giving a call up: nobody waits for longer, whatever becomes of the thread."""


@dataclass(frozen=True, slots=True)
class _Running(Generic[C]):
    """The thread, its loop, and the client with the connections that live there."""

    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    client: C


class Calls(Generic[C]):
    """A thread that makes calls with a client, begun with the first one. Usable from any other thread."""

    def __init__(self, begin: Callable[[], C], end: Callable[[C], Awaitable[None]]) -> None:
        """`begin` gives the client, in the loop in which it is used; `end` lets go of its connections."""
        self._begin = begin
        self._end = end
        self._lock = threading.Lock()
        self._running: _Running[C] | None = None

    def run(self, work: Callable[[C], Coroutine[Any, Any, T]], seconds: float) -> T:
        """What `work` gives. Raises what it raises, and TimeoutError after `seconds`, whatever it waits for then.

        TimeoutError also where the calls are closed meanwhile.
        """
        running = self._begun()
        future = asyncio.run_coroutine_threadsafe(_within(seconds, work(running.client)), running.loop)
        try:
            return future.result(max(0.0, seconds) + _GRACE_SECONDS)
        except CancelledError:
            raise TimeoutError from None
        except BaseException:  # also where whoever waits is interrupted: the call is given up too
            future.cancel()
            raise

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let this be done without waiting for it, if the thread runs."""
        running = self._running
        if running:
            asyncio.run_coroutine_threadsafe(work, running.loop)
        else:
            work.close()

    def close(self) -> None:
        """End the thread and its connections. The next call begins anew."""
        with self._lock:
            running, self._running = self._running, None
        if running:
            asyncio.run_coroutine_threadsafe(_give_up(self._end(running.client)), running.loop).result()
            running.loop.call_soon_threadsafe(running.loop.stop)
            running.thread.join()
            running.loop.close()

    def _begun(self) -> _Running[C]:
        with self._lock:
            if self._running is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="http-calls", daemon=True)
                thread.start()
                client = asyncio.run_coroutine_threadsafe(_made(self._begin), loop).result()
                self._running = _Running(thread, loop, client)
            return self._running


class HttpCalls(Calls[httpx.AsyncHTTPTransport]):
    """Calls by httpx."""

    def __init__(self, keep: int = 8) -> None:
        """Keep at most so many idle connections."""
        limits = httpx.Limits(max_keepalive_connections=keep, keepalive_expiry=KEPT_SECONDS)
        super().__init__(
            lambda: httpx.AsyncHTTPTransport(trust_env=False, limits=limits), httpx.AsyncHTTPTransport.aclose
        )

    def let_go(self, answer: httpx.Response) -> None:
        """Close an answer that nobody reads on, without waiting: it may be a collector of garbage that calls this."""
        self.begin(answer.aclose())


async def _made(begin: Callable[[], C]) -> C:
    return begin()


async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(seconds):
        return await work


async def _give_up(end: Awaitable[None]) -> None:
    """End every call that still runs, and every connection."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await end
