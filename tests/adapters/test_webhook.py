# SPDX-License-Identifier: Apache-2.0
"""Webhooks: signed as Standard Webhooks has it, to one address, believed only when they are confirmed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.webhook import Webhook
from holdfast.bootstrap import webhook_of
from holdfast.effect.effect import Weight
from holdfast.effect.handler import Done, Failed, Leased, Refused
from holdfast.effect.webhook import KIND, Announcement, secret_bytes, sign
from holdfast.errors import InvalidSetting
from holdfast.settings import Settings
from tests.conftest import free_port
from tests.log.vectors import VECTORS

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
KEY = bytes(range(32))
TOLD = Announcement(
    screening="scr_1", content_id="post-1", content_version="2", status="answered", answer="hold", at=NOW
)
EFFECT = Leased(
    id="eff_1",
    kind=KIND,
    item="post-1",
    location="webhook",
    payload={"screening": "scr_1"},
    weight=Weight.NEUTRAL,
    tries=1,
    owner="somebody",
    fence=1,
    until=NOW,
)
PUBLISHED = VECTORS / "standard_webhooks.json"


class Platform(HTTPServer):
    """A platform's own server that answers in one way and keeps what it got."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Receiving)
        self.status, self.headers = status, headers
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Receiving(BaseHTTPRequestHandler):
    server: Platform

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def platform(status: int = 204, **headers: str) -> Iterator[Platform]:
    with Platform(status, {name.replace("_", "-"): value for name, value in headers.items()}) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def webhook(url: str) -> Webhook:
    return Webhook(url, KEY, lambda screening: TOLD if screening == "scr_1" else None, lambda: NOW, seconds=5)


def test_a_message_tells_the_answer_and_nothing_of_why_or_of_the_media() -> None:
    with platform() as running:
        assert webhook(running.url)(EFFECT) == Done()
    (_, body) = running.got[0]
    assert json.loads(body) == {
        "type": "screening.ended",
        "timestamp": "2026-07-01T12:00:00+00:00",
        "data": {
            "screening": "scr_1",
            "content_id": "post-1",
            "content_version": "2",
            "status": "answered",
            "answer": "hold",
        },
    }


def test_it_is_signed_over_its_id_its_time_and_its_body() -> None:
    with platform() as running:
        webhook(running.url)(EFFECT)
    headers, body = running.got[0]
    assert headers["webhook-id"] == "eff_1"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    signed = f"eff_1.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the public vectors of Standard Webhooks are not on this machine")
def test_the_public_vectors_of_standard_webhooks() -> None:
    for vector in json.loads(PUBLISHED.read_text()):
        key = base64.b64decode(vector["secret"].removeprefix("whsec_"))
        assert sign(key, vector["id"], vector["timestamp"], vector["payload"].encode()) == vector["signature"]


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_whatever_is_no_confirmation_is_tried_again(status: int) -> None:
    with platform(status) as running:
        assert webhook(running.url)(EFFECT) == Failed(f"status_{status}")


def test_a_redirect_is_not_followed() -> None:
    with platform() as elsewhere, platform(307, Location=elsewhere.url) as running:
        assert webhook(running.url)(EFFECT) == Failed("status_307")
    assert elsewhere.got == []


@pytest.mark.parametrize(
    ("said", "wait"),
    [("120", 120), ("0", None), ("999999", 3600), ("-5", None), ("Wed, 01 Jul 2026 12:05:00 GMT", None), ("²", None)],
)
def test_who_says_when_to_come_again_is_obeyed_within_an_hour(said: str, wait: int | None) -> None:
    with platform(503, Retry_After=said) as running:
        outcome = webhook(running.url)(EFFECT)
    assert outcome == Failed("status_503", retry_at=NOW + timedelta(seconds=wait) if wait else None)


def test_where_nobody_listens_it_is_tried_again() -> None:
    assert webhook(f"http://127.0.0.1:{free_port()}/")(EFFECT) == Failed("ConnectError")


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with platform() as running:
        assert webhook(running.url)(EFFECT) == Done()


def test_a_screening_that_is_not_there_is_refused() -> None:
    outcome = Webhook("http://127.0.0.1:1/", KEY, lambda _: None, lambda: NOW)(EFFECT)
    assert outcome == Refused("no_such_screening")


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_of_24_to_64_bytes_is_taken(key: bytes) -> None:
    assert secret_bytes("whsec_" + base64.b64encode(key).decode()) == key


@given(st.one_of(st.text(), st.binary(max_size=23), st.binary(min_size=65, max_size=90)))
def test_any_other_secret_is_refused(given_one: str | bytes) -> None:
    secret = given_one if isinstance(given_one, str) else "whsec_" + base64.b64encode(given_one).decode()
    with pytest.raises(ValueError, match="whsec_"):
        secret_bytes(secret)


def test_an_address_without_a_good_secret_is_refused_and_the_secret_is_not_told(tmp_path: Path) -> None:
    assert webhook_of(Settings(data=tmp_path)) is None
    for more in ({}, {"webhook_secret": "whsec_c2hvcnQ="}, {"webhook_secret_file": tmp_path / "none"}):
        with pytest.raises(InvalidSetting) as refused:
            webhook_of(Settings(data=tmp_path, webhook_url="https://platform.example/hook", **more))
        assert "c2hvcnQ" not in str(refused.value)


def test_a_secret_in_a_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(KEY).decode() + "\n")
    target = webhook_of(
        Settings(data=tmp_path, webhook_url="https://platform.example/hook", webhook_secret_file=tmp_path / "secret")
    )
    assert target is not None
    assert (target.url, target.key) == ("https://platform.example/hook", KEY)
    assert repr(KEY) not in repr(target)
