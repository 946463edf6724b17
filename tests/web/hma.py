# SPDX-License-Identifier: Apache-2.0
"""Requests as clients of HMA send them, and transcripts of whole conversations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.web.http import JSON, Reply, form

FOLDER = Path(__file__).parent / "transcripts"
_KINDS = {"int": int, "bool": bool, "text": str, "hash": str}


def ask(
    address: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """One request, just as given."""
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Client:
    """A client of HMA with a key, or without one."""

    address: str
    key: str | None = None

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request; _ in a header's name stands for a hyphen."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            given = {"Authorization": f"Bearer {self.key}", **given}
        return ask(self.address, method, path, body, given)

    def send(self, method: str, path: str, body: Any) -> Reply:
        """One request with a JSON body."""
        return self.ask(method, path, json.dumps(body).encode(), Content_Type=JSON)

    def upload(self, path: str, content: bytes, field: str = "photo", **fields: str) -> Reply:
        """A form with one file."""
        body, kind = form((field, "x", content), *fields.items())
        return self.ask("POST", path, body, Content_Type=kind)

    def lookup(self, value: str, kind: str = "pdq", **more: str) -> Reply:
        """The banks that hold a hash."""
        rest = "".join(f"&{name}={text}" for name, text in more.items())
        return self.ask("GET", f"/m/lookup?signal_type={kind}&signal={value}{rest}")


@dataclass(frozen=True)
class Exchange:
    """One call of a client, and what it needs to get back."""

    title: str
    method: str
    path: str
    headers: dict[str, str]
    body: str
    status: int
    expected: str


def transcript(name: str) -> Iterator[Exchange]:
    """The exchanges of a file."""
    for part in re.split(r"^### ", (FOLDER / name).read_text(), flags=re.MULTILINE)[1:]:
        title, _, rest = part.partition("\n")
        request, status, expected = re.split(r"^HTTP (\d+)$", rest.strip(), flags=re.MULTILINE)
        head, _, body = request.strip().partition("\n\n")
        line, *headers = head.splitlines()
        method, _, path = line.partition(" ")
        pairs = dict(header.split(": ", 1) for header in headers)
        yield Exchange(title, method, path, pairs, body.strip(), int(status), expected.strip())


def filled(text: str, values: Mapping[str, Any]) -> str:
    """The text with every {name} of the run in its place."""
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)


def replayed(exchange: Exchange, address: str, values: Mapping[str, Any], picture: bytes) -> Reply:
    """What the server answers to the request of an exchange."""
    headers = {name: filled(value, values) for name, value in exchange.headers.items()}
    body = filled(exchange.body, values).encode() or None
    if headers.get("Content-Type") == "multipart/form-data":
        lines = [line.split(": ", 1) for line in filled(exchange.body, values).splitlines()]
        parts = [(name, "x", picture) if value == "@picture" else (name, value) for name, value in lines]
        body, headers["Content-Type"] = form(*parts)
    return ask(address, exchange.method, filled(exchange.path, values), body, headers)


def check(found: Any, expected: Any, values: dict[str, Any]) -> None:
    """Insist that an answer has the expected form; catches the values that it names."""
    if isinstance(expected, dict):
        names = {filled(name, values): value for name, value in expected.items() if name != "..."}
        assert isinstance(found, dict)
        assert set(names) == set(found) or ("..." in expected and set(names) <= set(found)), found
        for name, value in names.items():
            check(found[name], value, values)
    elif isinstance(expected, list):
        assert len(found) == len(expected), found
        for one, value in zip(found, expected, strict=True):
            check(one, value, values)
    elif isinstance(expected, str) and (kind := re.fullmatch(r"<(\w+)(?::(\w+))?>", expected)):
        assert type(found) is _KINDS[kind[1]]
        if kind[2]:
            values[kind[2]] = found
    else:
        named = re.fullmatch(r"\{(\w+)\}", expected) if isinstance(expected, str) else None
        wanted = values[named[1]] if named else expected
        assert (type(found), found) == (type(wanted), wanted)
