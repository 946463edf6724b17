# SPDX-License-Identifier: Apache-2.0
"""Plain requests to a live server, and what every answer of it must look like, whatever was asked."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import BadStatusLine, HTTPConnection, HTTPMessage, HTTPResponse
from typing import Any
from urllib.parse import urlencode

PROBLEM = {"type": str, "title": str, "status": int, "code": str, "detail": str, "advice": str, "retry": bool}
OCTETS = "application/octet-stream"
JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.content)

    @property
    def says_not_heard(self) -> bool:
        """Whether it says that the banks were not heard of for too long, and nothing else."""
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE and b"the banks were last heard of" in self.content


@dataclass(frozen=True)
class Asker:
    """Somebody who asks at `address` with a key, or without one."""

    address: str
    key: str | None = None
    timeout: float = 60.0
    patience: float = 60.0

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        *,
        kind: str | None = OCTETS,
        headers: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
        **query: str,
    ) -> Reply:
        """One request, below /v1; a body that is not bytes is sent in chunks.

        Told to ask again because the banks were not heard of, as when other tests keep the disk busy, it does
        what docs/integrating.md says and asks again, for as long as its patience lasts.
        """
        reply = self._once(method, path, body, kind, headers, {**(options or {}), **query})
        began = time.monotonic()
        while reply.says_not_heard and isinstance(body, bytes) and time.monotonic() - began < self.patience:
            reply = self._once(method, path, body, kind, headers, {**(options or {}), **query})
        return reply

    def _once(  # what a request is made of
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        kind: str | None,
        headers: Mapping[str, str] | None,
        asked: Mapping[str, str],
    ) -> Reply:
        target = f"/v1{path}" + (f"?{urlencode(asked)}" if asked else "")
        given = {"Authorization": f"Bearer {self.key}"} if self.key is not None else {}
        given |= {"Content-Type": kind} if kind else {}
        connection = HTTPConnection(self.address, timeout=self.timeout)
        try:
            chunked = not isinstance(body, bytes) and body is not None
            with suppress(BrokenPipeError, ConnectionResetError):  # an early answer may end the sending
                connection.request(
                    method, target, body=body, headers={**given, **(headers or {})}, encode_chunked=chunked
                )
            response = connection.getresponse()
            return checked(Reply(response.status, response.headers, response.read()))
        finally:
            connection.close()

    def send(self, method: str, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Reply:
        """One request with a JSON body."""
        return self.ask(method, path, json.dumps(body).encode(), kind=JSON, headers=headers)

    def announce(self, path: str, declared: int, body: bytes, *, kind: str = OCTETS) -> Reply:
        """A POST that announces more bytes than it sends, and then ends."""
        reply = self.break_off(path, f"Content-Length: {declared}", body, kind=kind)
        assert reply is not None
        return reply

    def break_off(self, path: str, length: str, body: bytes, *, kind: str = OCTETS) -> Reply | None:
        """A POST that ends after `body`, whatever its header said; None if no answer came."""
        host, _, port = self.address.rpartition(":")
        head = (
            f"POST /v1{path} HTTP/1.1\r\nHost: {self.address}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: {kind}\r\n{length}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection((host, int(port)), timeout=self.timeout) as connection:
            connection.sendall(head.encode() + body)
            connection.shutdown(socket.SHUT_WR)
            response = HTTPResponse(connection)
            try:
                response.begin()
            except (BadStatusLine, ConnectionResetError):
                return None
            return checked(Reply(response.status, response.headers, response.read()))


def checked(reply: Reply) -> Reply:
    """What holds for every answer: nothing of our insides, nothing that may be kept or sniffed, errors as problems."""
    assert b"Traceback" not in reply.content
    assert b'File "/' not in reply.content
    assert b".py" not in reply.content
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    if reply.status >= 400:
        check_problem(reply)
    return reply


def check_problem(reply: Reply) -> None:
    """An error is problem+json of one shape."""
    assert reply.headers["Content-Type"] == "application/problem+json", (reply.status, reply.content)
    body = reply.json
    assert {name: type(value) for name, value in body.items()} == PROBLEM
    assert body["status"] == reply.status
    assert body["type"] == f"urn:holdfast:error:{body['code']}"
    assert all(body[name] for name in ("title", "code", "detail", "advice"))
    assert ("Retry-After" in reply.headers) == body["retry"] == (reply.status == 503)
    assert ("WWW-Authenticate" in reply.headers) == (reply.status == 401)


def refused(reply: Reply, status: int, code: str) -> str:
    """Insist on this error; returns its detail."""
    assert (reply.status, reply.json.get("code")) == (status, code), reply.content
    return str(reply.json["detail"])


def form(*parts: tuple[str, str] | tuple[str, str, bytes]) -> tuple[bytes, str]:
    """A multipart body and its content type: (name, text) is a field, (name, file name, bytes) a file."""
    boundary = "a-boundary-that-no-picture-contains"
    body = b""
    for part in parts:
        about = f'form-data; name="{part[0]}"'
        if len(part) == 2:
            head, content = f"Content-Disposition: {about}", part[1].encode()
        else:
            head = f'Content-Disposition: {about}; filename="{part[1]}"\r\nContent-Type: image/jpeg'
            content = part[2]
        body += f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def in_pieces(body: bytes, size: int = 1000) -> Iterable[bytes]:
    """The body piece by piece, so that its length is not announced."""
    return (body[start : start + size] for start in range(0, len(body), size))
