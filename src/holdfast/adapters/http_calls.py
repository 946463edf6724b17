# SPDX-License-Identifier: Apache-2.0
"""HTTP with a limit on the whole of a call, from any thread, over connections that are kept.

A limit on each step alone lets whoever answers a byte at a time hold a caller for days, and none of the steps
limits the look-up of a name. So the calls run in a loop in a thread of its own, where whatever they wait for can
be given up. Below the client of httpx there are no cookies, no redirects, no proxy of the environment and no
unpacking of what was compressed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

T = TypeVar("T")
Work = Callable[[httpx.AsyncHTTPTransport], Coroutine[Any, Any, T]]
_KEPT_SECONDS: Final = 30.0
_GRACE_SECONDS: Final = 5.0
"""For giving a call up: nobody waits for longer, whatever becomes of the thread."""


@dataclass(frozen=True, slots=True)
class _Running:
    """The thread, its loop, and the connections that live there."""

    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    transport: httpx.AsyncHTTPTransport


class HttpCalls:
    """A thread that makes calls, begun with the first one. Usable from any other thread."""

    def __init__(self, keep: int = 8) -> None:
        """Keep at most so many idle connections."""
        self._limits = httpx.Limits(max_keepalive_connections=keep, keepalive_expiry=_KEPT_SECONDS)
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def run(self, work: Work[T], seconds: float) -> T:
        """What `work` gives. Raises what it raises, and TimeoutError after `seconds`, whatever it waits for then.

        TimeoutError also where the calls are closed meanwhile.
        """
        running = self._begun()
        future = asyncio.run_coroutine_threadsafe(_within(seconds, work(running.transport)), running.loop)
        try:
            return future.result(max(0.0, seconds) + _GRACE_SECONDS)
        except CancelledError:
            raise TimeoutError from None
        except BaseException:  # also where whoever waits is interrupted: the call is given up too
            future.cancel()
            raise

    def let_go(self, answer: httpx.Response) -> None:
        """Close an answer that nobody reads on, without waiting: it may be a collector of garbage that calls this."""
        running = self._running
        if running:
            asyncio.run_coroutine_threadsafe(answer.aclose(), running.loop)

    def close(self) -> None:
        """End the thread and its connections. The next call begins anew."""
        with self._lock:
            running, self._running = self._running, None
        if running:
            asyncio.run_coroutine_threadsafe(_give_up(running.transport), running.loop).result()
            running.loop.call_soon_threadsafe(running.loop.stop)
            running.thread.join()
            running.loop.close()

    def _begun(self) -> _Running:
        with self._lock:
            if self._running is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="http-calls", daemon=True)
                transport = httpx.AsyncHTTPTransport(trust_env=False, limits=self._limits)
                self._running = _Running(thread, loop, transport)
                thread.start()
            return self._running


async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(seconds):
        return await work


async def _give_up(transport: httpx.AsyncHTTPTransport) -> None:
    """End every call that still runs, and every connection."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await transport.aclose()
