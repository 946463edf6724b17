# SPDX-License-Identifier: Apache-2.0
"""Calls to the platform's one address, signed as Standard Webhooks has it: what is sent, and what counts as answered.

`webhook-id` is the caller's idempotency key. No redirect is followed, no proxy of the environment is used, nothing
compressed is taken, and of an answer at most 8 MiB are read. A call ends within its time as a whole, its parts
together. Status 200 is an answer; 4xx means that the call itself is wrong (PlatformRefused); whatever else comes,
or does not come, is no answer (PlatformAway). What is raised never holds anything of what came.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NoReturn, TypeVar

import httpx

from holdfast.adapters.http_calls import HttpCalls, Work
from holdfast.adapters.strict_json import Json, Misfit, read_object
from holdfast.effect.webhook import sign
from holdfast.errors import PlatformAway, PlatformGone, PlatformRefused

T = TypeVar("T")

LARGEST_ANSWER: Final = 8 * 1024 * 1024
LEAST_RATE: Final = 1024 * 1024
"""Bytes a second at which the bytes of an item may arrive for longer than a call may take."""
_BYTES: Final = "application/octet-stream"
_KEY: Final = re.compile(r"[!-~]{1,255}")
_OK, _UNAUTHORISED, _NOT_FOUND = 200, 401, 404
_ASK_AGAIN: Final = frozenset({408, 409, 425, 429})
"""Of 4xx, what says nothing about the call itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call on its way: its name, its idempotency key, and by when it has to be over (monotonic clock)."""

    name: str
    key: str
    ends: float
    seconds: float

    def part(self, number: int) -> Call:
        """The call for one part of what is asked: a key of its own, the same next time, and no time of its own."""
        return replace(self, key=f"{self.key}.{number}")

    def away(self, why: str) -> NoReturn:
        """Nobody can tell what became of it."""
        message = f"{self.name}: {why}"
        raise PlatformAway(message)

    def gone(self, why: str) -> NoReturn:
        """The platform has not got it."""
        message = f"{self.name}: {why}"
        raise PlatformGone(message)

    def refused(self, why: str) -> NoReturn:
        """The platform will not do it."""
        message = f"{self.name}: {why}"
        raise PlatformRefused(message)


class SignedCalls:
    """Makes calls to `url`/NAME, signed with `key`. Usable from several threads."""

    def __init__(self, url: str, key: bytes, clock: Callable[[], datetime], seconds: float) -> None:
        """No call takes longer than `seconds`. `clock` gives the present moment, for the signature."""
        self._url = url.rstrip("/")
        self._key = key
        self._clock = clock
        self._seconds = seconds
        self._http = HttpCalls()

    def begin(self, name: str, key: str) -> Call:
        """A call whose time runs from now. Raises ValueError for a key that cannot be a header."""
        if not _KEY.fullmatch(key):
            message = "an idempotency key is 1 to 255 visible ASCII characters"
            raise ValueError(message)
        return Call(name=name, key=key, ends=time.monotonic() + self._seconds, seconds=self._seconds)

    def ask(self, call: Call, body: bytes, read: Callable[[Json], T]) -> T:
        """What `read` makes of the answer. Raises PlatformAway, also where it raises Misfit, and PlatformRefused."""
        request = self._signed(call, body, accept="application/json")
        try:
            status, untrusted_body = self._wait(call, lambda transport: _whole_answer(transport, request))
            _check_status(call, status)
            return read(read_object(untrusted_body))
        except Misfit as fault:
            call.away(str(fault))

    def stream(self, call: Call, body: bytes) -> Iterator[bytes]:
        """The bytes that are answered; the call is made when the first are asked for.

        They may take longer than a call, as long as LEAST_RATE bytes or more arrive each second. Raises
        PlatformAway, also in the middle, PlatformGone where there are none, and PlatformRefused.
        """
        request = self._signed(call, body, accept=_BYTES)
        answer = self._wait(call, lambda transport: transport.handle_async_request(request))
        try:
            _check_bytes(call, answer)
            yield from self._chunks(call, answer.aiter_raw())
        finally:
            self._http.let_go(answer)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _chunks(self, call: Call, source: AsyncIterator[bytes]) -> Iterator[bytes]:
        """Only the time in which the platform is waited for counts, not that of whoever takes the bytes."""
        ends = call.ends
        while (chunk := self._wait(replace(call, ends=ends), lambda _: _next(source))) is not None:
            ends += len(chunk) / LEAST_RATE
            given = time.monotonic()
            yield chunk
            ends += time.monotonic() - given

    def _wait(self, call: Call, work: Work[T]) -> T:
        try:
            return self._http.run(work, call.ends - time.monotonic())
        except TimeoutError:
            call.away(f"no answer within {call.seconds:g} seconds")
        except httpx.HTTPError as fault:
            call.away(f"no answer: {type(fault).__name__}")

    def _signed(self, call: Call, body: bytes, *, accept: str) -> httpx.Request:
        now = int(self._clock().timestamp())
        headers = {
            "accept": accept,
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "Holdfast",
            "webhook-id": call.key,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(self._key, call.key, now, body),
        }
        return httpx.Request("POST", f"{self._url}/{call.name}", content=body, headers=headers)


async def _whole_answer(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> tuple[int, bytes]:
    """The status, and the body where it may be an answer. Raises Misfit for one that is too long."""
    answer = await transport.handle_async_request(request)
    body = bytearray()
    try:
        if answer.status_code == _OK:
            _check_clear(answer)
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    message = f"longer than {LARGEST_ANSWER:,} bytes"
                    raise Misfit(message)
        return answer.status_code, bytes(body)
    finally:
        await answer.aclose()


async def _next(source: AsyncIterator[bytes]) -> bytes | None:
    """The next bytes; None at the end."""
    return await anext(source, None)


def _check_status(call: Call, status: int) -> None:
    if status == _UNAUTHORISED:
        call.away("the signature was refused")
    if status in range(400, 500) and status not in _ASK_AGAIN:
        call.refused(f"status {status}")
    if status != _OK:
        call.away(f"status {status}")


def _check_bytes(call: Call, answer: httpx.Response) -> None:
    """Whether bytes follow, and how many: where nobody says it, what is cut short looks whole."""
    if answer.status_code == _NOT_FOUND:
        call.gone("there are no bytes")
    _check_status(call, answer.status_code)
    try:
        _check_clear(answer)
    except Misfit as fault:
        call.away(str(fault))
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != _BYTES:
        call.away(f"no {_BYTES}")
    if "content-length" not in answer.headers or "transfer-encoding" in answer.headers:
        call.away("no Content-Length")


def _check_clear(answer: httpx.Response) -> None:
    if answer.headers.get("content-encoding", "identity") != "identity":
        message = "compressed, though nobody asked for that"
        raise Misfit(message)
