# SPDX-License-Identifier: Apache-2.0
"""The platform over real HTTP: it keeps the contract, and whatever goes wrong on the way is never an answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.adapters.platform import SignedPlatform
from holdfast.adapters.signed_calls import LARGEST_ANSWER
from holdfast.adapters.stranger import HttpStranger
from holdfast.bootstrap import System, platform_of, signed_platform, sites_of
from holdfast.errors import InvalidSetting, PlatformAway, PlatformGone, PlatformRefused
from holdfast.hold.platform import Act, Acted, Nowhere, Platform, Sight, Spot
from holdfast.settings import Settings
from holdfast.start import clock
from holdfast.testing.contracts import Doings, PlatformContract
from holdfast.testing.platform_server import serve_platform
from holdfast.testing.simulators import How, SimulatedPlatform
from holdfast.testing.site import Site
from tests.adapters.raw_server import Asked, Raw, Script, Talk, raw_server, self_signed
from tests.conftest import free_port

KEY = bytes(range(32))
SPOT = Spot(content="post-1", version="1", location="page:post-1")
CANARY = "canary-7731"
EMPTY = b'{"results": []}'


class TestSignedPlatform(PlatformContract):
    @pytest.fixture
    def site(self) -> Site:
        return Site()

    @pytest.fixture
    def platform(self, site: Site) -> Iterator[Platform]:
        with serve_platform(SimulatedPlatform(site), KEY, site) as url, signed(url) as platform:
            yield platform

    @pytest.fixture
    def doings(self, site: Site) -> Doings:
        return site


@contextmanager
def signed(
    url: str, seconds: float = 30.0, key: bytes = KEY, now: Callable[[], datetime] = clock
) -> Iterator[SignedPlatform]:
    platform = SignedPlatform(url, key, now, seconds)
    yield platform
    platform.close()


@contextmanager
def answering(script: Script, seconds: float = 30.0) -> Iterator[tuple[SignedPlatform, Raw]]:
    """The adapter before a server that answers by a script."""
    with raw_server(script) as raw, signed(f"{raw.origin}/holdfast/", seconds) as platform:
        yield platform, raw


def done(talk: Talk, asked: Asked) -> bool:
    """What a platform answers to a hold."""
    return talk.answer(200, json.dumps({"results": [{"state": "done"}] * asked.body.count(b'"location"')}).encode())


# --- what is sent


def test_a_call_is_signed_over_its_key_its_time_and_its_body() -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    with raw_server(done) as raw, signed(raw.origin, now=lambda: now) as platform:
        platform.hold("eff_1", [SPOT])
    (asked,) = raw.asked
    assert asked.line == "POST /hold HTTP/1.1"
    assert json.loads(asked.body) == {
        "spots": [{"content": "post-1", "version": "1", "location": "page:post-1"}],
    }
    assert (asked.headers["webhook-id"], asked.headers["webhook-timestamp"]) == ("eff_1", str(int(now.timestamp())))
    over = f"eff_1.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    right = base64.b64encode(hmac.new(KEY, over, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{right}"


def test_one_hundred_things_go_in_one_call_under_the_very_key() -> None:
    with answering(done) as (platform, raw):
        assert platform.hold("eff_1", [SPOT] * 100) == [Act(Acted.DONE)] * 100
    assert [asked.headers["webhook-id"] for asked in raw.asked] == ["eff_1"]


def test_more_go_in_several_calls_whose_keys_are_the_same_next_time() -> None:
    with answering(done) as (platform, raw):
        for _ in range(2):
            assert len(platform.hold("eff_1", [SPOT] * 201)) == 201
    assert [asked.headers["webhook-id"] for asked in raw.asked] == ["eff_1.1", "eff_1.2", "eff_1.3"] * 2
    assert [asked.body.count(b'"location"') for asked in raw.asked] == [100, 100, 1] * 2


def test_where_one_of_several_calls_has_no_answer_nothing_is_answered() -> None:
    def second_fails(talk: Talk, asked: Asked) -> bool:
        return talk.answer(503) if asked.headers["webhook-id"] == "eff_1.2" else done(talk, asked)

    with answering(second_fails) as (platform, raw):
        with pytest.raises(PlatformAway, match="hold: status 503"):
            platform.hold("eff_1", [SPOT] * 201)
        assert len(raw.asked) == 2


def test_where_nothing_is_asked_it_asks_all_the_same() -> None:
    with answering(lambda talk, _: talk.answer(200, EMPTY)) as (platform, raw):
        assert platform.resolve("doctor_1", []) == []
    assert [asked.body for asked in raw.asked] == [b'{"addresses":[]}']


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "ä", "x" * 256])
def test_a_key_that_cannot_be_a_header_is_a_mistake_of_whoever_calls(key: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"), answering(done) as (platform, _):
        platform.hold(key, [SPOT])


def test_whatever_a_reporter_typed_can_be_asked_about() -> None:
    typed = ["\ud800", "\x00", "https://example.org/ä", " \n", "x" * 5000]
    nowhere = json.dumps({"results": [{"state": "nowhere"}] * len(typed)}).encode()
    with answering(lambda talk, _: talk.answer(200, nowhere)) as (platform, raw):
        assert platform.resolve("k", typed) == [Nowhere()] * len(typed)
    assert json.loads(raw.asked[0].body)["addresses"] == typed


def test_connections_are_kept() -> None:
    with answering(done) as (platform, raw):
        for number in range(20):
            platform.hold(f"eff_{number}", [SPOT])
    assert (len(raw.asked), raw.connections) == (20, 1)


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    def once(talk: Talk, asked: Asked) -> None:
        done(talk, asked)

    with answering(once) as (platform, raw):
        for number in range(3):
            assert platform.hold(f"eff_{number}", [SPOT]) == [Act(Acted.DONE)]
    assert raw.connections == 3


def test_many_threads_may_ask_at_once() -> None:
    site = Site()
    with serve_platform(SimulatedPlatform(site), KEY, site) as url, signed(url) as platform:
        addresses = [site.publish("somebody") for _ in range(40)]

        def ask(number: int) -> str:
            (found,) = platform.resolve(f"k-{number}", [addresses[number]])
            return str(found)

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(ask, range(40)))
    assert all(f"'post-{number}'" in one for number, one in enumerate(found, start=1))


def test_neither_cookies_nor_a_proxy_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with answering(lambda talk, _: talk.answer(200, EMPTY, "Set-Cookie: a=b")) as (platform, raw):
        platform.resolve("k1", [])
        platform.resolve("k2", [])
    assert all("cookie" not in asked.headers for asked in raw.asked)


# --- what is no answer


def test_where_nobody_listens_nobody_can_tell() -> None:
    with signed(f"http://127.0.0.1:{free_port()}/") as platform, pytest.raises(PlatformAway, match="hold: no answer"):
        platform.hold("k", [SPOT])


def test_a_certificate_that_nobody_vouches_for_is_no_platform(tmp_path: Path) -> None:
    with raw_server(done, tls=self_signed(tmp_path)) as raw, signed(raw.origin) as platform:
        with pytest.raises(PlatformAway, match="hold: no answer: ConnectError"):
            platform.hold("k", [SPOT])
        assert raw.asked == []


def test_whom_to_trust_is_not_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
    with raw_server(done, tls=tls) as raw, signed(raw.origin) as platform, pytest.raises(PlatformAway):
        platform.hold("k", [SPOT])


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()


BROKEN: dict[str, Script] = {
    "closed without a word": lambda _talk, _: None,
    "closed in the head": lambda talk, _: talk.say(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "closed half-way": lambda talk, _: talk.say(head("Content-Length: 15"), EMPTY[:7]),
    "closed half-way, no length": lambda talk, _: talk.say(head("Connection: close"), EMPTY[:7]),
    "a length that is too great": lambda talk, _: talk.say(head("Content-Length: 16"), EMPTY),
    "a length that is too small": lambda talk, _: talk.say(head("Content-Length: 14"), EMPTY),
    "two lengths": lambda talk, _: talk.say(head("Content-Length: 15", "Content-Length: 14"), EMPTY),
    "chunks cut short": lambda talk, _: talk.say(head("Transfer-Encoding: chunked"), b"f\r\n", EMPTY, b"\r\n"),
    "no HTTP": lambda talk, _: talk.say(b"220 mail.example ESMTP\r\n"),
    "compressed": lambda talk, _: talk.answer(200, EMPTY, "Content-Encoding: gzip"),
    "no JSON": lambda talk, _: talk.answer(200, b"<html>fine</html>"),
    "nothing": lambda talk, _: talk.answer(200, b""),
    "a list": lambda talk, _: talk.answer(200, b"[]"),
    "no UTF-8": lambda talk, _: talk.answer(200, b'{"results": [], "x": "\xff"}'),
    "UTF-16": lambda talk, _: talk.answer(200, '{"results": []}'.encode("utf-16")),
    "twice the same name": lambda talk, _: talk.answer(200, b'{"results": [1], "results": []}'),
    "no number": lambda talk, _: talk.answer(200, b'{"results": [], "x": NaN}'),
    "nested without end": lambda talk, _: talk.answer(200, b'{"results":' + b"[" * 100_000),
    "more than was asked": lambda talk, _: talk.answer(200, b'{"results": [{"state": "nowhere"}]}'),
    "a name missing": lambda talk, _: talk.answer(200, b"{}"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_answer_that_is_broken_is_none(how: str) -> None:
    with answering(BROKEN[how]) as (platform, _), pytest.raises(PlatformAway):
        platform.resolve("k", [])


@pytest.mark.parametrize("status", [201, 202, 204, 206, 300, 301, 302, 307, 408, 409, 425, 429, 500, 502, 503, 599])
def test_a_status_that_tells_nothing_is_no_answer(status: int) -> None:
    says = pytest.raises(PlatformAway, match=f"resolve: status {status}")
    with answering(lambda talk, _: talk.answer(status, EMPTY)) as (platform, _), says:
        platform.resolve("k", [])


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 415, 418, 422, 451])
def test_other_4xx_say_that_the_call_itself_is_wrong(status: int) -> None:
    says = pytest.raises(PlatformRefused, match=f"resolve: status {status}")
    with answering(lambda talk, _: talk.answer(status, EMPTY)) as (platform, _), says:
        platform.resolve("k", [])


def test_a_redirect_is_not_followed() -> None:
    def elsewhere(talk: Talk, _: Asked) -> bool:
        return talk.answer(307, EMPTY, f"Location: {other.origin}/hold")

    says = pytest.raises(PlatformAway, match="status 307")
    with raw_server(done) as other, answering(elsewhere) as (platform, _), says:
        platform.hold("k", [SPOT])
    assert other.asked == []


def drips(first: bytes, then: bytes) -> Script:
    def script(talk: Talk, _: Asked) -> None:
        talk.say(first)
        talk.drip(then)

    return script


SLOW: dict[str, Script] = {
    "says nothing": lambda talk, _: talk.wait(),
    "drips its head": drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "sends heads without end": drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "drips its body": drips(head("Content-Type: application/octet-stream", "Content-Length: 100000"), b" "),
}


@pytest.mark.parametrize("how", SLOW)
def test_a_call_ends_in_its_time_however_each_step_goes_on(how: str) -> None:
    with answering(SLOW[how], seconds=0.25) as (platform, _):
        with pytest.raises(PlatformAway, match=r"resolve: no answer within 0\.25 seconds"):
            platform.resolve("k", [])
        with pytest.raises(PlatformAway, match=r"open: no answer within 0\.25 seconds"):
            list(platform.open("k", "post-1", "1"))


def test_several_calls_have_the_time_of_one() -> None:
    def slower(talk: Talk, asked: Asked) -> bool:
        talk.over.wait(0.3)
        return done(talk, asked)

    with answering(slower, seconds=0.5) as (platform, _), pytest.raises(PlatformAway, match="no answer within"):
        platform.hold("k", [SPOT] * 200)


def test_a_connection_whose_answer_was_none_is_not_kept() -> None:
    with answering(lambda talk, _: talk.answer(503, b"x" * 1_000_000)) as (platform, raw):
        for number in range(5):
            with pytest.raises(PlatformAway):
                platform.hold(f"k{number}", [SPOT])
            with pytest.raises(PlatformAway):
                list(platform.open(f"k{number}", "post-1", "1"))
        assert raw.all_end()
        assert raw.connections == 10


def test_an_answer_of_eight_mib_is_read_and_a_longer_one_is_not() -> None:
    def long_answer(talk: Talk, asked: Asked) -> bool:
        most = LARGEST_ANSWER + (asked.headers["webhook-id"] == "longer")
        body = b'{"results": [], "more": "' + b"x" * (most - 27) + b'"}'
        assert len(body) == most
        return talk.answer(200, body)

    with answering(long_answer) as (platform, _):
        assert platform.resolve("fits", []) == []
        with pytest.raises(PlatformAway, match="resolve: longer than 8,388,608 bytes"):
            platform.resolve("longer", [])


def test_an_answer_without_end_is_not_read_for_ever() -> None:
    def endless(talk: Talk, _: Asked) -> None:
        talk.say(head("Connection: close"))
        while True:
            talk.say(b" " * 65536)

    with answering(endless) as (platform, _), pytest.raises(PlatformAway, match="longer than"):
        platform.resolve("k", [])


def test_another_key_is_not_believed_and_the_platform_counts_as_away() -> None:
    says = pytest.raises(PlatformAway, match="resolve: the signature was refused")
    with serve_platform(SimulatedPlatform(), KEY) as url, signed(url, key=bytes(32)) as platform, says:
        platform.resolve("k", [])


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_that_is_wrong_is_a_signature_that_is_refused(minutes: int) -> None:
    now = clock() + timedelta(minutes=minutes)
    says = pytest.raises(PlatformAway, match="the signature was refused")
    with serve_platform(SimulatedPlatform(), KEY) as url, signed(url, now=lambda: now) as platform, says:
        platform.resolve("k", [])


def test_what_is_raised_holds_nothing_of_what_came() -> None:
    told = json.dumps({"results": [{"state": CANARY, "because": CANARY}], CANARY: CANARY}).encode()
    for status in (200, 302, 404, 500):
        with answering(lambda talk, _, status=status: talk.answer(status, told, f"X: {CANARY}")) as (platform, _):  # type: ignore[misc]
            with pytest.raises((PlatformAway, PlatformRefused)) as raised:
                platform.hold("k", [SPOT])
            assert CANARY not in str(raised.value)
            assert re.fullmatch(r"hold: .{1,100}", str(raised.value))


# --- answers that were lost, and the same call again


@pytest.mark.parametrize("how", [How.AWAY, How.LOST])
def test_a_call_that_failed_is_made_again_and_done_once(how: How) -> None:
    site = Site()
    simulated = SimulatedPlatform(site)
    with serve_platform(simulated, KEY, site) as url, signed(url) as platform:
        spot = Spot(content="post-1", version="1", location="page:post-1")
        address = site.publish("somebody")
        simulated.fail("hold", how, times=1)
        with pytest.raises(PlatformAway):
            platform.hold("eff_1", [spot])
        assert platform.hold("eff_1", [spot]) == [Act(Acted.DONE)]
        assert site.upload(address).is_held


# --- bytes


BYTES = b"\x00\xff" * 100_000


def bytes_answer(*more: str, kind: str = "application/octet-stream", length: int = len(BYTES)) -> Script:
    return lambda talk, _: talk.say(head(f"Content-Type: {kind}", f"Content-Length: {length}", *more), BYTES)


def test_bytes_come_as_they_are() -> None:
    with answering(bytes_answer()) as (platform, raw):
        assert b"".join(platform.open("k", "post-1", "2")) == BYTES
    assert raw.asked[0].line == "POST /holdfast/open HTTP/1.1"
    assert json.loads(raw.asked[0].body) == {"content": "post-1", "version": "2"}


NO_BYTES: dict[str, tuple[Script, type[Exception], str]] = {
    "there are none": (lambda talk, _: talk.answer(404), PlatformGone, "open: there are no bytes"),
    "the call is wrong": (lambda talk, _: talk.answer(400), PlatformRefused, "open: status 400"),
    "it cannot tell": (lambda talk, _: talk.answer(503), PlatformAway, "open: status 503"),
    "a page instead": (bytes_answer(kind="text/html"), PlatformAway, "open: no application/octet-stream"),
    "compressed": (bytes_answer("Content-Encoding: br"), PlatformAway, "open: compressed"),
    "cut short": (bytes_answer(length=len(BYTES) + 1), PlatformAway, "open: no answer: RemoteProtocolError"),
    "in chunks, whatever length it says": (
        lambda talk, _: talk.say(
            head("Content-Type: application/octet-stream", "Content-Length: 9", "Transfer-Encoding: chunked"),
            b"3\r\nabc\r\n0\r\n\r\n",
        ),
        PlatformAway,
        "open: no Content-Length",
    ),
    "no length": (
        lambda talk, _: talk.say(head("Content-Type: application/octet-stream", "Connection: close"), BYTES),
        PlatformAway,
        "open: no Content-Length",
    ),
}


@pytest.mark.parametrize("how", NO_BYTES)
def test_bytes_that_may_not_be_all_are_none(how: str) -> None:
    script, kind, says = NO_BYTES[how]
    with answering(script) as (platform, _), pytest.raises(kind, match=says):
        list(platform.open("k", "post-1", "1"))


def test_bytes_that_stop_coming_are_none() -> None:
    def stalls(talk: Talk, _: Asked) -> None:
        talk.say(head("Content-Type: application/octet-stream", "Content-Length: 1000"), b"x" * 500)
        talk.wait()

    with answering(stalls, seconds=0.25) as (platform, _):
        given = platform.open("k", "post-1", "1")
        assert next(given)
        with pytest.raises(PlatformAway, match="open: no answer within"):
            list(given)


def test_whoever_takes_the_bytes_may_take_their_time() -> None:
    body = b"x" * 300_000
    with answering(lambda talk, _: talk.answer(200, body, "Content-Type: application/octet-stream"), seconds=0.3) as (
        platform,
        _,
    ):
        given = platform.open("k", "post-1", "1")
        first = next(given)
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            pass
        assert first + b"".join(given) == body


def test_bytes_that_come_fast_enough_may_take_longer_than_a_call() -> None:
    def in_two(talk: Talk, _: Asked) -> None:
        talk.say(head("Content-Type: application/octet-stream", f"Content-Length: {4 * 2**20}"), b"x" * (3 * 2**20))
        talk.over.wait(0.5)
        talk.say(b"x" * 2**20)

    with answering(in_two, seconds=0.25) as (platform, _):
        assert sum(map(len, platform.open("k", "post-1", "1"))) == 4 * 2**20


def test_bytes_that_nobody_reads_on_keep_nobody_waiting() -> None:
    def endless(talk: Talk, _: Asked) -> None:
        talk.say(head("Content-Type: application/octet-stream", "Content-Length: 1000000000"))
        while True:
            talk.say(b"x" * 65536)

    with answering(endless) as (platform, raw):
        given = platform.open("k", "post-1", "1")
        assert next(given)
        del given
        assert raw.all_end()


# --- from the settings


SECRET = "whsec_" + base64.b64encode(KEY).decode()
SET = {"platform_url": "https://platform.example/holdfast", "platform_sites": "https://a.example,https://b.example"}


def test_without_an_address_there_is_no_platform_and_the_stranger_can_tell_nothing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, platform_secret="whsec_x")
    assert platform_of(settings) is None
    assert signed_platform(settings) is None
    assert HttpStranger(sites_of(settings)).look(["https://a.example/"]) == [Sight.UNKNOWN]


@pytest.mark.parametrize("given", ["", "whsec_c2hvcnQ=", "c2hvcnQ", "whsec_ä"])
def test_an_address_without_a_good_secret_is_refused_in_words_that_do_not_tell_it(tmp_path: Path, given: str) -> None:
    (tmp_path / "secret").write_text(given)
    for more in ({"platform_secret": given}, {"platform_secret_file": tmp_path / "secret"}):
        with pytest.raises(InvalidSetting) as refused:
            platform_of(Settings(data=tmp_path, **SET, **more))
        assert "HOLDFAST_PLATFORM_SECRET_FILE" in str(refused.value)
        assert "HOLDFAST_PLATFORM_SECRET: must be whsec_ and" in str(refused.value)
        assert "c2hvcnQ" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="none-here"):
        platform_of(Settings(data=tmp_path, **SET, platform_secret_file=tmp_path / "none-here"))


def test_a_good_secret_is_used_and_not_shown_and_a_file_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    for more in ({"platform_secret": SECRET}, {"platform_secret_file": tmp_path / "secret", "platform_secret": "x"}):
        target = platform_of(Settings(data=tmp_path, **SET, **more))
        assert target
        assert (target.url, target.key) == (SET["platform_url"], KEY)
        assert target.sites == ("https://a.example", "https://b.example")
        assert repr(KEY) not in repr(target)


def test_a_child_process_gets_the_secret_too(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, **SET, platform_secret=SECRET)
    assert SECRET not in repr(settings)
    assert platform_of(Settings.from_environment(settings.as_environment())) == platform_of(settings)


def test_a_system_is_wired_with_its_platform_and_stranger(wired: System, tmp_path: Path) -> None:
    assert wired.platform is None
    assert wired.stranger.look(["https://a.example/"]) == [Sight.UNKNOWN]
    assert isinstance(signed_platform(Settings(data=tmp_path, **SET, platform_secret=SECRET)), SignedPlatform)
