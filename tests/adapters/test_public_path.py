# SPDX-License-Identifier: Apache-2.0
"""The self-test asks the running server as a platform would, and takes nothing but a clear answer for one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from holdfast.access.key import Scope
from holdfast.adapters.public_path import HttpPath
from holdfast.bootstrap import self_test_of
from holdfast.errors import DependencyError, InvalidSetting
from holdfast.match.signal import InVideo, Signal, SignalType
from holdfast.settings import Settings
from tests.conftest import Server, free_port
from tests.store.making import md5, pdq

SEEDS = iter(range(7_000_000, 8_000_000))


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything in one way; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def path(server: Server) -> HttpPath:
    return HttpPath(f"http://{server.address}/", server.key(Scope.SCREEN, Scope.EXPLAIN))


@pytest.fixture
def bank(server: Server) -> str:
    name = f"path-{uuid4().hex[:12]}"
    about = {"name": name, "meaning": "a test", "source": "tests"}
    assert server.client.send_json("POST", "/banks", about).status == 201
    return name


def added(server: Server, bank: str, *signals: Signal) -> str:
    told = [{"signal_type": one.type.value, "value": one.value} for one in signals]
    entry = {"signals": told, "provenance": "tests"}
    reply = server.client.send_json("POST", f"/banks/{bank}/entries", {"entries": [entry]})
    assert reply.status == 201, reply
    return str(reply.body["added"][0])


@pytest.mark.parametrize("make", [pdq, md5])
def test_what_is_banked_is_found_there_and_what_is_not_is_not(
    server: Server, path: HttpPath, bank: str, make: Callable[[int], Signal]
) -> None:
    signal = make(next(SEEDS))
    assert not path.finds(bank, "ent_none", [signal])
    entry = added(server, bank, signal)
    assert path.finds(bank, entry, [signal])
    assert path.finds(bank, "ent_twin", [signal]), "an equal signal of its bank is as good"
    assert not path.finds("another", entry, [signal])


def test_the_frames_of_a_video_are_asked_about_as_pictures(server: Server, path: HttpPath, bank: str) -> None:
    seeds = [next(SEEDS) for _ in range(250)]
    entry = added(server, bank, *(pdq(seed) for seed in seeds[::10]))
    frames = [Signal(SignalType.VPDQ, pdq(seed).value, InVideo(at, at, 90)) for at, seed in enumerate(seeds)]
    assert path.finds(bank, entry, frames), "of so many, no more are sent than one request takes"


@pytest.mark.parametrize(
    ("body", "held"),
    [
        ({"answer": "hold", "explanation": {"matches": [{"bank": "b", "entry": "e", "distance": 3}]}}, True),
        ({"answer": "hold", "explanation": {"matches": [{"bank": "b", "entry": "x", "distance": 3}]}}, False),
        ({"answer": "hold", "explanation": {"matches": []}}, False),
        ({"answer": "publish", "explanation": {"matches": [{"bank": "b", "entry": "e", "distance": 0}]}}, False),
    ],
)
def test_only_an_item_that_is_held_because_of_the_entry_proves_anything(body: object, *, held: bool) -> None:
    with answering(200, json.dumps(body).encode()) as url:
        assert HttpPath(url, "hf_x").finds("b", "e", [md5(1)]) is held


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"answer": "hold", "screening": "scr_1"}'),
        (200, b'{"answer": "hold", "explanation": null}'),
        (200, b"not json"),
        (503, b"{}"),
        (401, b"{}"),
        (302, b""),
    ],
    ids=["no scope explain", "no explanation", "no json", "not ready", "no key", "elsewhere"],
)
def test_what_is_no_clear_answer_is_none(status: int, body: bytes) -> None:
    with answering(status, body) as url, pytest.raises(DependencyError):
        HttpPath(url, "hf_x").finds("b", "e", [md5(1)])


def test_where_nobody_answers_it_cannot_tell() -> None:
    with pytest.raises(DependencyError):
        HttpPath(f"http://127.0.0.1:{free_port()}", "hf_x", seconds=2).finds("b", "e", [md5(1)])


# --- its settings


def test_without_an_address_there_is_none() -> None:
    assert self_test_of(Settings()) is None


def test_the_key_is_read_from_its_file_and_is_an_actor(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"hf_abcdefgh_{'a' * 26}\n")
    found = self_test_of(Settings(self_test_url="https://screen.example", self_test_key_file=file))
    assert found is not None
    assert found.actor == "key:abcdefgh"
    assert "aaaa" not in repr(found)


@pytest.mark.parametrize("content", [None, "", "no key", "hf_abcdefgh_short"])
def test_an_address_without_a_good_key_is_refused_in_words(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    for given in (file, None):
        with pytest.raises(InvalidSetting, match="HOLDFAST_SELF_TEST_KEY_FILE"):
            self_test_of(Settings(self_test_url="https://screen.example", self_test_key_file=given))
