# SPDX-License-Identifier: Apache-2.0
"""What published clients of HMA send is answered as they need it: call by call, from their own sources."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

from holdfast.demo.pictures import encoded, hills
from tests.conftest import Server
from tests.store.making import pdq
from tests.web.hma import Client, ask, check, replayed, transcript

SIZE = (640, 480)


def conversation(name: str, address: str, key: str, helper: Client) -> None:
    """Replay a transcript on a picture and a bank of its own."""
    seed = uuid4().int % 2**32
    picture = encoded(hills(seed, SIZE))
    values: dict[str, Any] = {
        "bank": f"COOP_{uuid4().hex[:16].upper()}",
        "key": key,
        "hash": helper.upload("/h/hash", picture).json["pdq"],
        "other": pdq(seed).value,
    }
    for exchange in transcript(name):
        reply = replayed(exchange, address, values, picture)
        assert reply.status == exchange.status, (exchange.title, reply.content)
        if exchange.expected:
            check(reply.json, json.loads(exchange.expected), values)


@pytest.mark.parametrize("name", ["policyserv.http", "hma.http"])
def test_a_client_that_sends_a_key_gets_what_it_needs(server: Server, keys: dict[str, str], name: str) -> None:
    conversation(name, server.address, keys["all"], Client(server.address, keys["all"]))


def test_coop_gets_what_it_needs_from_an_address_that_needs_no_key(opened: Server) -> None:
    conversation("coop.http", opened.address, "", Client(opened.address))


@pytest.fixture
def proxy(server: Server, keys: dict[str, str]) -> Iterator[str]:
    """The proxy of docs/hma.md: it adds a header and changes nothing else."""

    class Forwarder(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            headers["Authorization"] = f"Bearer {keys['all']}"
            reply = ask(server.address, self.command, self.path, body, headers)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = do_DELETE = forward  # noqa: N815  # the names that http.server asks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the same
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Forwarder)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


def test_coop_gets_what_it_needs_behind_a_proxy_that_adds_the_key(proxy: str) -> None:
    conversation("coop.http", proxy, "", Client(proxy))
