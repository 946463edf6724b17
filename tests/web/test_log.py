# SPDX-License-Identifier: Apache-2.0
"""The log over HTTP: a receipt at once, a bundle soon, and static files that an outsider's client can read."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from holdfast.adapters.log_folder import checked_head
from holdfast.demo.pictures import encoded, hills
from holdfast.log import merkle
from holdfast.log.keys import read_history
from holdfast.log.tile import Tile, entries_of, entries_path, split_hashes
from holdfast.verify.holdfast_verify import check
from tests.conftest import Server
from tests.web.http import Asker

PICTURE = encoded(hills(71_001, (640, 480)))


def _get(server: Server, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://{server.address}/log/{path}", headers=headers)


def _bundle(everyone: Asker, screening: str) -> dict[str, Any]:
    """Ask until a checkpoint covers it: the supervisor's worker signs in its own rhythm."""
    while True:
        document: dict[str, Any] = everyone.ask("GET", f"/screenings/{screening}/proof").json
        if document["kind"] == "holdfast.bundle":
            return document
        assert document["kind"] == "holdfast.receipt"
        threading.Event().wait(0.05)


@pytest.fixture(scope="module")
def proven(server: Server) -> dict[str, Any]:
    asker = Asker(server.address, server.client.key)
    screening = asker.ask("POST", "/screen", PICTURE).json["screening"]
    first = asker.ask("GET", f"/screenings/{screening}/proof")
    assert first.status == 200
    assert check(json.dumps(first.json))
    return _bundle(asker, screening)


def test_an_answer_is_proven_with_the_published_key(server: Server, proven: dict[str, Any]) -> None:
    keys = read_history(_get(server, "keys").json())
    says = check(json.dumps(proven), str(keys.log[-1]))
    assert any("screening.answered" in one for one in says)


def test_a_screening_that_was_never_made_has_no_proof(everyone: Asker) -> None:
    assert everyone.ask("GET", "/screenings/scr_nothing/proof").status == 404


def test_checkpoint_and_tiles_are_for_everyone_and_make_the_signed_root(server: Server, proven: dict[str, Any]) -> None:
    assert proven
    note = _get(server, "checkpoint")
    head = checked_head(note.text, read_history(_get(server, "keys").json()))
    assert head.size < 256 * 256
    leaves: list[bytes] = []
    for index in range(-(-head.size // 256)):
        tile = _get(server, Tile(0, index, min(256, head.size - index * 256)).path())
        assert "immutable" in tile.headers["Cache-Control"]
        leaves += split_hashes(tile.content)
    assert merkle.root(head.size, merkle.nodes_over(leaves)) == head.root
    assert "immutable" not in note.headers["Cache-Control"]


def test_entries_take_a_key_with_the_scope_explain(server: Server, everyone: Asker, proven: dict[str, Any]) -> None:
    head = checked_head(proven["checkpoint"], read_history(proven["keys"]))
    path = entries_path((head.size - 1) // 256, (head.size - 1) % 256 + 1)
    assert _get(server, path).status_code == 401
    allowed = _get(server, path, Authorization=f"Bearer {everyone.key}")
    if allowed.status_code == 404:  # a newer head has a full file in its place
        allowed = _get(server, entries_path((head.size - 1) // 256), Authorization=f"Bearer {everyone.key}")
    assert allowed.status_code == 200
    assert proven["events"][0]["leaf"].encode() in entries_of(
        _get(
            server,
            entries_path(proven["events"][0]["index"] // 256, (head.size - 1) % 256 + 1),
            Authorization=f"Bearer {everyone.key}",
        ).content
    )


@pytest.mark.parametrize(
    "path", ["log.key", "receipt.key", "head", "keys.json", "tile/../log.key", "tile/0/../../log.key"]
)
def test_nothing_else_of_the_folder_is_served(server: Server, path: str) -> None:
    assert _get(server, path).status_code == 404
    assert httpx.post(f"http://{server.address}/log/checkpoint").status_code == 405


@pytest.mark.parametrize("path", ["tile/0/999", "tile/64/000", "tile/0/000.p/0", "tile/entries/999"])
def test_a_tile_that_is_not_there_is_a_404(server: Server, everyone: Asker, path: str) -> None:
    assert _get(server, path, Authorization=f"Bearer {everyone.key}").status_code == 404
