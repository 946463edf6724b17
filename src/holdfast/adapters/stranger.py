# SPDX-License-Identifier: Apache-2.0
"""Looks at public addresses as somebody who is nobody there, and connects to the platform's own sites alone.

A stranger sees what the caches in front of the platform serve, and a copy in a cache is as public as the page itself.
So nothing is sent that would lead past a cache: no Cache-Control, no query of our own, GET and not HEAD, and an
Accept-Encoding as browsers send it, for caches keep a copy of their own for each (what is packed stays packed: nobody
reads it). Nothing is remembered between looks either: no cookie, no validator, no answer.

404 and 410 are hidden, and no other answer is: not a page that asks to log in, not a redirect to what is missing.

aiohttp, and not httpx as elsewhere: each held item is looked at in all its places, again and again, and a look takes
0.3 ms of a core there, 2.8 with httpx (both measured by the same 2,000 looks).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from holdfast.adapters.http_calls import KEPT_SECONDS, Calls
from holdfast.hold.platform import Sight
from holdfast.origin import Address, read_address, read_origin

_EACH_SECONDS: Final = 5.0
_ALL_SECONDS: Final = 30.0
_AT_ONCE: Final = 8
_MOST_STEPS: Final = 3
_LONGEST_TARGET: Final = 65_536
"""Characters of path and query, once they are written out."""
_MOST_READ: Final = 4096
"""Bytes of a body."""
_HEADERS: Final = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate, br",
    "user-agent": "Mozilla/5.0 (compatible; Holdfast)",
}
_HIDDEN: Final = frozenset({404, 410})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class HttpStranger:
    """A `Stranger` that looks at what `sites` serve. Usable from several threads."""

    def __init__(self, sites: Sequence[str], seconds: float = _EACH_SECONDS, all_seconds: float = _ALL_SECONDS) -> None:
        """Look at these origins, such as https://example.org. Raises ValueError for what is none.

        Each address has so many seconds, and all addresses of one call so many together.
        """
        self._sites = frozenset(map(read_origin, sites))
        self._seconds = seconds
        self._all_seconds = all_seconds
        self._calls = Calls(_session, aiohttp.ClientSession.close)

    def look(self, urls: Sequence[str]) -> list[Sight]:
        """See `Stranger`. What is not of these sites, or not seen in time, is UNKNOWN; this never raises for it."""
        found = [Sight.UNKNOWN] * len(urls)
        inside = {number: address for number, url in enumerate(urls) if (address := self._inside(url))}
        if inside:
            self._look_at_all(inside, found)
        return found

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.close()

    def _inside(self, untrusted_url: str) -> Address | None:
        address = read_address(untrusted_url)
        fits = address and address.origin in self._sites and len(address.target) <= _LONGEST_TARGET
        return address if fits else None

    def _look_at_all(self, addresses: dict[int, Address], found: list[Sight]) -> None:
        async def work(session: aiohttp.ClientSession) -> None:
            turn = asyncio.Semaphore(_AT_ONCE)

            async def one(number: int, address: Address) -> None:
                async with turn:
                    found[number] = await self._look(session, address)

            await asyncio.gather(*(one(number, address) for number, address in addresses.items()))

        try:
            self._calls.run(work, self._all_seconds)
        except TimeoutError:
            return  # what was not seen stays unknown

    async def _look(self, session: aiohttp.ClientSession, address: Address) -> Sight:
        try:
            async with asyncio.timeout(self._seconds):
                return await _follow(session, address)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return Sight.UNKNOWN  # ValueError: an address that cannot be asked for


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # `_look` has the whole of it
        auto_decompress=False,
        trust_env=False,
    )


async def _follow(session: aiohttp.ClientSession, address: Address) -> Sight:
    """What is seen there, or where it redirects to on the same site."""
    here, (status, leads_to) = address, await _get(session, address)
    if status in _HIDDEN:
        return Sight.HIDDEN
    for _ in range(_MOST_STEPS):
        there = _redirected(here, leads_to) if status in _REDIRECTS else None
        if there is None:
            break
        here, (status, leads_to) = there, await _get(session, there)
    return Sight.VISIBLE if status in range(200, 300) else Sight.UNKNOWN


def _redirected(here: Address, untrusted_location: str) -> Address | None:
    """Where somebody is sent on; None if it is another site, or cannot be read."""
    try:
        there = read_address(urljoin(str(here), untrusted_location)) if untrusted_location else None
    except ValueError:
        return None
    return there if there and there.origin == here.origin else None


async def _get(session: aiohttp.ClientSession, address: Address) -> tuple[int, str]:
    """The status, and where it redirects to."""
    async with session.get(url_of(address), headers=_HEADERS, allow_redirects=False) as answer:
        if answer.status in _HIDDEN:
            await _drain(answer)
        return answer.status, answer.headers.get("location", "")


def url_of(address: Address) -> URL:
    """The same parts that were compared with the sites: nothing is read a second time."""
    origin, (path, _, query) = address.origin, address.target.partition("?")
    return URL.build(
        scheme=origin.scheme, host=origin.host, port=origin.port, path=path, query_string=query, encoded=True
    )


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Read the page that says that nothing is there, so that its connection serves again, unless it is long.

    What can be seen is not read at all: that it comes slowly, or breaks off, does not hide it.
    """
    read = 0
    async for chunk in answer.content.iter_any():
        read += len(chunk)
        if read > _MOST_READ:
            return
