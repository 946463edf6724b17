# SPDX-License-Identifier: Apache-2.0
"""What published clients of HMA send is answered as they need it: call by call, from their own sources."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from holdfast.demo.pictures import encoded, hills
from tests.conftest import Server
from tests.store.making import pdq
from tests.web.hma import Client, check, replayed, transcript

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


def test_coop_gets_what_it_needs_behind_a_proxy_that_adds_the_key(server: Server, keys: dict[str, str]) -> None:
    """The proxy of docs/hma.md adds a header and changes nothing else."""
    client = Client(server.address, keys["all"])
    bank = f"COOP_{uuid4().hex[:16].upper()}"
    assert client.ask("GET", f"/c/bank/{bank}", X_Forwarded_For="203.0.113.9").status == 404
    assert client.send("POST", "/c/banks", {"name": bank, "enabled_ratio": "1"}).status == 201
