# SPDX-License-Identifier: Apache-2.0
"""Only 200 with "publish" publishes. Everything else that Holdfast, or whatever stands there, may say is a hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from commons.holdfast import Hold, Holdfast, NotTold, Publish, Question, Said
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import free_port

STANDING = "/v1/screenings/scr_1"
SCREENED = {"answer": "publish", "screening": "scr_1"}


class Strange(HTTPServer):
    """Something at Holdfast's address that answers in one way, and keeps what it got."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.status, self.body, self.headers = status, body, headers
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []


class Answering(BaseHTTPRequestHandler):
    server: Strange

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        named = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append((self.command, self.path, named, body))
        self.send_response(self.server.status)
        for name, value in {"Content-Length": str(len(self.server.body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def strange(status: int, body: Any, **headers: str) -> Iterator[Strange]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with Strange(status, content, {name.replace("_", "-"): value for name, value in headers.items()}) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def question(tmp_path: Path) -> Question:
    (tmp_path / "media").write_bytes(b"the bytes")
    (tmp_path / "key").write_text("hf_key\n")
    return Question(
        content="post-1", version=2, surface="post", uploader="acc-5", media=tmp_path / "media", key="post-1-v2-r1"
    )


def asked(server: Strange, question: Question, *, tries: int = 0) -> Said:
    return holdfast(server.server_port, question).ask(question, tries=tries)


def holdfast(port: int, question: Question) -> Holdfast:
    return Holdfast(f"http://127.0.0.1:{port}", question.media.with_name("key"))


def test_it_is_asked_as_the_documentation_says(question: Question) -> None:
    with strange(200, SCREENED) as server:
        assert asked(server, question) == Publish()
    ((method, path, headers, body),) = server.got
    assert (method, path) == ("POST", "/v1/screen")
    assert headers["authorization"] == "Bearer hf_key"
    assert headers["idempotency-key"] == "post-1-v2-r1"
    assert int(headers["content-length"]) == len(body)
    for part in (
        b'name="content_id"\r\n\r\npost-1',
        b'name="content_version"\r\n\r\n2',
        b'name="surface"\r\n\r\npost',
        b'name="uploader"\r\n\r\nacc-5',
        b"the bytes",
    ):
        assert part in body


def test_a_hold_is_a_hold(question: Question) -> None:
    with strange(200, {**SCREENED, "answer": "hold"}) as server:
        assert asked(server, question) == Hold()


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503])
def test_publish_with_any_other_status_is_no_answer(question: Question, status: int) -> None:
    with strange(status, b"" if status == 204 else SCREENED, Location="/elsewhere") as server:
        assert asked(server, question) == NotTold(1.0)
        assert len(server.got) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"publish",
        b'"publish"',
        b'["publish"]',
        b"null",
        b"{",
        b"\xff",
        {"answer": "Publish"},
        {"answer": "publish "},
        {"answer": True},
        {"answer": ["publish"]},
        {"verdict": "publish"},
    ],
)
def test_a_body_that_does_not_say_publish_is_no_answer(question: Question, body: Any) -> None:
    with strange(200, body) as server:
        assert asked(server, question) == NotTold(1.0)


def test_an_answer_cut_short_is_none(question: Question) -> None:
    with strange(200, SCREENED, Content_Length="1000") as server:
        assert asked(server, question) == NotTold(1.0)


def test_where_nobody_answers_it_is_asked_again_after_ever_longer(question: Question) -> None:
    nobody = holdfast(free_port(), question)
    pauses = [nobody.ask(question, tries=tries) for tries in range(20)]
    seconds = [said.seconds for said in pauses if isinstance(said, NotTold)]
    assert len(seconds) == 20
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[-1]) == (1.0, 300.0)


def test_a_key_that_cannot_be_read_is_no_answer(question: Question) -> None:
    with strange(200, SCREENED) as server:
        question.media.with_name("key").unlink()
        assert asked(server, question) == NotTold(1.0)
        assert server.got == []


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7.0), ("99999", 300.0), ("", 1.0), ("-3", 1.0), ("Wed, 01 Jul 2026", 1.0), ("²", 1.0)]
)
def test_what_is_answered_later_is_asked_for_where_holdfast_says(question: Question, said: str, seconds: float) -> None:
    body = {"answer": "hold", "screening": "scr_1", "status": "waiting", "status_url": STANDING}
    with strange(202, body, Retry_After=said.encode().decode("latin-1")) as server:
        assert asked(server, question) == NotTold(seconds, STANDING)


@pytest.mark.parametrize("place", ["http://elsewhere.example/v1/screenings/x", "//elsewhere.example", "", None, 3])
def test_it_is_not_asked_for_elsewhere(question: Question, place: object) -> None:
    with strange(202, {"answer": "hold", "status_url": place}) as server:
        assert asked(server, question) == NotTold(1.0, None)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"status": "answered", "answer": "publish"}, Publish()),
        (200, {"status": "answered", "answer": "hold"}, Hold()),
        (200, {"status": "held_for_person", "answer": "hold"}, Hold()),
        (200, {"status": "waiting", "answer": "hold"}, NotTold(1.0, STANDING)),
        (200, {"status": "running", "answer": "publish"}, NotTold(1.0, STANDING)),
        (200, {"status": "held_for_person", "answer": "publish"}, NotTold(1.0, STANDING)),
        (200, {"answer": "publish"}, NotTold(1.0, STANDING)),
        (503, {"status": "answered", "answer": "publish"}, NotTold(1.0, STANDING)),
        (404, {"status": "answered", "answer": "publish"}, NotTold(1.0)),
    ],
)
def test_how_it_stands_is_believed_only_once_it_was_answered(
    question: Question, status: int, body: Any, expected: Said
) -> None:
    with strange(status, body) as server:
        assert holdfast(server.server_port, question).look(STANDING, tries=0) == expected
        ((method, path, headers, _),) = server.got
    assert (method, path, headers["authorization"]) == ("GET", STANDING, "Bearer hf_key")


WORDS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["publish", "hold", "answered"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["answer", "status", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.integers(200, 599), WORDS)
def test_whatever_is_said_publishes_only_as_it_should(status: int, body: Any) -> None:
    import httpx
    from commons.holdfast import _said

    said = _said(httpx.Response(status, json=body), 0)
    meant = status == 200 and isinstance(body, dict) and body.get("answer") == "publish"
    assert (said == Publish()) is meant
