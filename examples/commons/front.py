# SPDX-License-Identifier: Apache-2.0
"""In front of the site: takes requests from the network, answers from the cache or by asking Django in a thread.

No request that begins after a hold was answered gets what is held. The epoch is read first thing. If it has grown
since something was kept, that is not used; if it grows while an answer is made, that answer is never found again.

It speaks RSGI, granian's own interface, because that one says from which port somebody asks (see `facts.py`).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, Final

from django.core.handlers.wsgi import WSGIHandler
from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian.rsgi import Scope

from commons.cache import Answer, Cache, Headers, Public
from commons.settings import MOST_BYTES
from commons.site import Site

PUBLIC: Final = "commons.public"
SITE: Final = "commons.site"
_THREADS: Final = 8
_DESK: Final = "/holdfast/"
_IN_MEMORY: Final = 1024 * 1024
_READS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer too long to be kept. It may end early: then the connection is cut, as it announced more."""

    status: int
    headers: Headers
    chunks: Iterator[bytes]
    end: Callable[[], None]
    public: Public | None = None


class Front:
    """The application that granian calls, in one thread with a loop."""

    def __init__(self, site: Site, application: WSGIHandler, begin: Callable[[], None]) -> None:
        """Put a cache in front of `application`; call `begin` once the process serves."""
        self._site, self._application, self._begin = site, application, begin
        self._cache = Cache()
        # Uploads wait for Holdfast in threads of their own: neither readers nor its calls wait behind them.
        self._readers, self._writers, self._desk = (
            ThreadPoolExecutor(_THREADS, name) for name in ("readers", "writers", "desk")
        )

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """The process begins to serve."""
        self._begin()

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        """Answer one request."""
        epoch, now, key = self._site.epoch.now, time.monotonic(), (scope.path, scope.query_string)
        reads = scope.method in _READS
        answer: Answer | Stream | None = self._cache.get(key, epoch=epoch, now=now) if reads else None
        if answer is None:
            answer = await self._made(scope, proto)
            if reads and isinstance(answer, Answer):
                self._cache.put(key, answer, epoch=epoch, now=now)
        if answer.public and answer.public.location and scope.method == "GET":
            self._site.views.count(answer.public.location, time.time())
        await self._send(answer, proto, with_body=scope.method != "HEAD")

    async def _made(self, scope: Scope, proto: HTTPProtocol) -> Answer | Stream:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._site.files.incoming)) as body:
            length = 0 if scope.method in _READS else await _received(scope, proto, body)
            if length is None:
                return Answer(413, [("content-type", "text/plain")], b"This is too long, or was cut short.\n")
            environ = _environ(scope, body, length) | {SITE: self._site}
            return await asyncio.get_running_loop().run_in_executor(self._pool(scope), self._call, environ)

    def _pool(self, scope: Scope) -> ThreadPoolExecutor:
        if scope.path.startswith(_DESK):
            return self._desk
        return self._readers if scope.method in _READS else self._writers

    def _call(self, environ: dict[str, Any]) -> Answer | Stream:
        head: list[tuple[int, Headers]] = []

        def start(status: str, headers: Headers, _fault: object = None, /) -> Callable[[bytes], object]:
            head.append((int(status[:3]), [(name.lower(), value) for name, value in headers]))
            return lambda _: None

        said = self._application(environ, start)
        (status, headers), public = head[0], environ.get(PUBLIC)
        if said.streaming:
            return Stream(status, headers, iter(said), said.close, public)
        body = b"".join(said)
        said.close()
        return Answer(status, [*headers, ("content-length", str(len(body)))], body, public)

    async def _send(self, answer: Answer | Stream, proto: HTTPProtocol, *, with_body: bool) -> None:
        if isinstance(answer, Answer):
            proto.response_bytes(answer.status, answer.headers, answer.body if with_body else b"")
            return
        try:
            if not with_body:
                proto.response_bytes(answer.status, answer.headers, b"")
                return
            transport, loop = proto.response_stream(answer.status, answer.headers), asyncio.get_running_loop()
            while chunk := await loop.run_in_executor(self._readers, next, answer.chunks, b""):
                await transport.send_bytes(chunk)
        except ProtocolClosed:
            return  # whoever asked has left
        finally:
            await asyncio.get_running_loop().run_in_executor(self._readers, answer.end)


async def _received(scope: Scope, proto: HTTPProtocol, body: IO[bytes]) -> int | None:
    """Take the body in; gives its length, or None if it is too long or shorter than announced."""
    announced, length = scope.headers.get("content-length"), 0
    if announced is not None and not (announced.isdigit() and int(announced) <= MOST_BYTES):
        return None
    async for chunk in proto:
        length += len(chunk)
        if length > MOST_BYTES:
            return None
        body.write(chunk)
    body.seek(0)
    return length if announced in (None, str(length)) else None


def _environ(scope: Scope, body: IO[bytes], length: int) -> dict[str, Any]:
    """The request as WSGI describes it, with the port from which it comes."""
    address, _, port = scope.client.rpartition(":")
    server, _, server_port = scope.server.rpartition(":")
    headers: dict[str, str] = {"HTTP_HOST": scope.authority or server}
    for name, value in scope.headers.items():
        headers[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return {
        **headers,
        "REQUEST_METHOD": "GET" if scope.method == "HEAD" else scope.method,  # the same head as for GET
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "CONTENT_TYPE": headers.get("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(length),
        "REMOTE_ADDR": address.strip("[]"),
        "REMOTE_PORT": port,
        "SERVER_NAME": server,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
