# SPDX-License-Identifier: Apache-2.0
"""Calls end in their time, whatever they wait for, and begin anew after they were closed."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import httpx
import pytest

from holdfast.adapters.http_calls import HttpCalls
from tests.adapters.raw_server import raw_server


async def name_of_thread(_: httpx.AsyncHTTPTransport) -> str:
    return threading.current_thread().name


async def fails(_: httpx.AsyncHTTPTransport) -> NoReturn:
    message = "as it must"
    raise LookupError(message)


def test_what_a_call_gives_or_raises_comes_back() -> None:
    calls = HttpCalls()
    assert calls.run(name_of_thread, 10) == "http-calls"
    with pytest.raises(LookupError, match="as it must"):
        calls.run(fails, 10)
    calls.close()


@pytest.mark.parametrize("seconds", [0.05, 0, -1])
def test_a_call_ends_in_its_time_and_is_given_up(seconds: float) -> None:
    given_up = threading.Event()

    async def waits(_: httpx.AsyncHTTPTransport) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    calls = HttpCalls()
    with pytest.raises(TimeoutError):
        calls.run(waits, seconds)
    assert given_up.is_set()
    calls.close()


def test_threads_share_one_thread_that_calls() -> None:
    calls, before = HttpCalls(), threading.active_count()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: calls.run(name_of_thread, 10), range(40)))
        assert threading.active_count() <= before + 8 + 1
    calls.close()
    assert threading.active_count() == before


def test_after_it_was_closed_it_begins_anew() -> None:
    calls = HttpCalls()
    calls.close()
    with raw_server(lambda talk, _: talk.answer(204, b"")) as raw:

        async def get(transport: httpx.AsyncHTTPTransport) -> int:
            answer = await transport.handle_async_request(httpx.Request("GET", raw.origin))
            await answer.aread()
            return answer.status_code

        for _ in range(2):
            assert calls.run(get, 10) == 204
            calls.close()
    assert raw.connections == 2


def test_whoever_waits_while_it_is_closed_does_not_wait_for_ever() -> None:
    calls, began = HttpCalls(), threading.Event()

    async def waits(_: httpx.AsyncHTTPTransport) -> None:
        began.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(calls.run, waits, 300)
        assert began.wait(30)
        calls.close()
        assert isinstance(waiting.exception(30), TimeoutError)
