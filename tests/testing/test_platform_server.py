# SPDX-License-Identifier: Apache-2.0
"""The platform's side of docs/platform.md, which authors compare theirs with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast.adapters.platform import SignedPlatform
from holdfast.adapters.stranger import HttpStranger
from holdfast.effect.webhook import sign
from holdfast.hold.platform import Sight
from holdfast.start import clock
from holdfast.testing.asking import item_at, spots_of
from holdfast.testing.platform_server import Reply, is_signed, reply_to, serve_platform
from holdfast.testing.simulators import How, SimulatedPlatform
from holdfast.testing.site import Site

KEY = bytes(range(32))
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def headers(body: bytes, *, key: bytes = KEY, at: datetime = NOW, name: str = "eff_1") -> dict[str, str]:
    time = int(at.timestamp())
    return {
        "webhook-id": name,
        "webhook-timestamp": str(time),
        "webhook-signature": sign(key, name, time, body),
    }


def ask(platform: SimulatedPlatform, call: str, asked: Mapping[str, Any]) -> Reply:
    body = json.dumps(asked).encode()
    return reply_to(platform, call, headers(body), body, KEY, NOW)


# --- signatures


def test_a_call_that_is_signed_now_is_believed_also_beside_a_signature_with_an_older_key() -> None:
    signed = headers(b"{}")
    both = sign(bytes(32), "eff_1", int(NOW.timestamp()), b"{}") + " " + signed["webhook-signature"]
    assert is_signed(signed, b"{}", KEY, NOW)
    assert is_signed({**signed, "webhook-signature": both}, b"{}", KEY, NOW)
    for apart in (-299, 299):
        assert is_signed(headers(b"{}", at=NOW + timedelta(seconds=apart)), b"{}", KEY, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        *({"webhook-id": ""}, {"webhook-id": "eff_2"}, {"webhook-timestamp": ""}, {"webhook-timestamp": "²"}),
        *({"webhook-timestamp": "1e9"}, {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}),
        *({"webhook-signature": ""}, {"webhook-signature": "v1,"}, {"webhook-signature": "ä"}),
    ],
    ids=str,
)
def test_what_is_not_signed_like_that_is_not_believed(changed: dict[str, str]) -> None:
    assert not is_signed({**headers(b"{}"), **changed}, b"{}", KEY, NOW)
    assert not is_signed({}, b"{}", KEY, NOW)


def test_another_body_another_key_and_another_hour_are_not_believed() -> None:
    assert not is_signed(headers(b"{}"), b"{ }", KEY, NOW)
    assert not is_signed(headers(b"{}", key=bytes(32)), b"{}", KEY, NOW)
    for apart in (-301, 301):
        assert not is_signed(headers(b"{}", at=NOW + timedelta(seconds=apart)), b"{}", KEY, NOW)


def test_what_is_not_signed_is_not_even_read() -> None:
    assert reply_to(SimulatedPlatform(), "hold", {}, b"no JSON", KEY, NOW).status == 401


# --- statuses


def test_a_platform_that_cannot_tell_answers_503_and_one_that_refuses_422() -> None:
    platform = SimulatedPlatform()
    for how, status in ((How.AWAY, 503), (How.LOST, 503), (How.REFUSED, 422)):
        platform.fail("copies", how, times=1)
        assert ask(platform, "copies", {"content": "post-1", "version": "1"}).status == status


@pytest.mark.parametrize(
    ("call", "asked", "status"),
    [
        ("open", {"content": "post-9", "version": "1"}, 404),
        ("no-such-call", {}, 404),
        ("hold", {}, 422),
        ("hold", {"spots": [{"content": "post-1"}]}, 422),
        ("hold", [], 422),
        ("views", {"locations": [], "at": "yesterday"}, 422),
    ],
)
def test_what_cannot_be_answered_is_4xx(call: str, asked: Any, status: int) -> None:
    assert ask(SimulatedPlatform(), call, asked).status == status


def test_fields_that_are_new_are_ignored() -> None:
    spot = {"content": "post-1", "version": "1", "location": "page:post-1", "new": 1}
    assert ask(SimulatedPlatform(), "hold", {"spots": [spot], "new": 1}).body == b'{"results": [{"state": "gone"}]}'


def test_where_no_facts_are_kept_null_is_answered() -> None:
    assert ask(SimulatedPlatform(), "freeze", {"account": "a", "content": "b"}).body == b'{"facts": null}'


# --- what strangers see


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def platform(site: Site) -> SimulatedPlatform:
    return SimulatedPlatform(site)


@pytest.fixture
def reached(site: Site, platform: SimulatedPlatform) -> Iterator[tuple[SignedPlatform, HttpStranger]]:
    with serve_platform(platform, KEY, site) as url:
        signed, stranger = SignedPlatform(url, KEY, clock), HttpStranger([site.origin])
        yield signed, stranger
        signed.close()
        stranger.close()


def test_a_stranger_sees_what_is_shown_and_the_same_nothing_for_all_else(
    site: Site, reached: tuple[SignedPlatform, HttpStranger]
) -> None:
    signed, stranger = reached
    item = item_at(signed, site.publish("somebody", places=3))
    urls = [location.url or "" for location in item.locations]
    assert stranger.look(urls) == [Sight.VISIBLE] * 3
    signed.hold("k1", spots_of(item, item.locations[1]))
    assert stranger.look(urls) == [Sight.VISIBLE, Sight.HIDDEN, Sight.VISIBLE]
    signed.hold("k2", spots_of(item))
    assert stranger.look([*urls, f"{site.origin}/never"]) == [Sight.HIDDEN] * 4
    signed.release("k3", spots_of(item))
    assert stranger.look(urls) == [Sight.VISIBLE] * 3
    signed.remove("k4", spots_of(item))
    assert stranger.look(urls) == [Sight.HIDDEN] * 3


def test_a_platform_that_lies_is_found_out_by_looking(
    site: Site, platform: SimulatedPlatform, reached: tuple[SignedPlatform, HttpStranger]
) -> None:
    signed, stranger = reached
    item = item_at(signed, site.publish("somebody"))
    platform.fail("hold", How.LIES, times=1)
    signed.hold("k1", spots_of(item))
    assert stranger.look([location.url or "" for location in item.locations]) == [Sight.VISIBLE] * 2
