# SPDX-License-Identifier: Apache-2.0
"""The stranger says hidden for 404 and 410 alone, and connects to the sites that were named and nowhere else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.stranger import HttpStranger, url_of
from holdfast.hold.platform import Sight
from holdfast.origin import read_address
from tests.adapters.raw_server import Asked, Raw, Script, Talk, raw_server, self_signed
from tests.conftest import free_port
from tests.log.vectors import VECTORS

PUBLISHED = VECTORS / "ssrf_hosts.json"
HIDDEN, VISIBLE, UNKNOWN = Sight.HIDDEN, Sight.VISIBLE, Sight.UNKNOWN


@contextmanager
def looking(script: Script, seconds: float = 10.0) -> Iterator[tuple[Callable[[str], Sight], Raw]]:
    """Looks at paths of a server that answers by a script."""
    with raw_server(script) as raw:
        stranger = HttpStranger([raw.origin], seconds)
        yield lambda path: stranger.look([f"{raw.origin}{path}"])[0], raw
        stranger.close()


# --- what is seen


@pytest.mark.parametrize("status", [404, 410])
def test_not_found_and_gone_are_hidden(status: int) -> None:
    with looking(lambda talk, _: talk.answer(status)) as (look, _):
        assert look("/p/17") is HIDDEN


@pytest.mark.parametrize("status", [200, 201, 203, 204, 206])
def test_what_is_served_is_visible(status: int) -> None:
    with looking(lambda talk, _: talk.answer(status, b"")) as (look, _):
        assert look("/p/17") is VISIBLE


@pytest.mark.parametrize("status", [300, 304, 305, 400, 401, 402, 403, 405, 406, 418, 429, 451, 500, 502, 503, 999])
def test_every_other_answer_says_neither(status: int) -> None:
    with looking(lambda talk, _: talk.answer(status, b"")) as (look, _):
        assert look("/p/17") is UNKNOWN


def silent(talk: Talk, _: Asked) -> None:
    talk.wait()


NO_ANSWER: dict[str, Script] = {
    "closed without a word": lambda _talk, _: None,
    "no HTTP": lambda talk, _: talk.say(b"220 mail.example ESMTP\r\n"),
    "silent": silent,
    "a head without end": lambda talk, _: talk.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "404 whose page never ends": lambda talk, _: (
        talk.say(b"HTTP/1.1 404 No\r\nContent-Length: 1000\r\n\r\n") or talk.drip(b"x")  # type: ignore[func-returns-value]
    ),
    "404 cut short": lambda talk, _: talk.say(b"HTTP/1.1 404 No\r\nContent-Length: 1000\r\n\r\nx"),
}


@pytest.mark.parametrize("how", NO_ANSWER)
def test_no_answer_or_half_of_one_is_never_hidden(how: str) -> None:
    with looking(NO_ANSWER[how], seconds=0.25) as (look, _):
        assert look("/p/17") is UNKNOWN


def test_where_nobody_listens_nobody_can_tell() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    stranger = HttpStranger([nobody], 10.0)
    assert stranger.look([f"{nobody}/p/17"]) == [UNKNOWN]
    stranger.close()


def test_a_certificate_that_nobody_vouches_for_says_neither(tmp_path: Path) -> None:
    with raw_server(lambda talk, _: talk.answer(404), tls=self_signed(tmp_path)) as raw:
        stranger = HttpStranger([raw.origin], 10.0)
        assert stranger.look([f"{raw.origin}/p/17"]) == [UNKNOWN]
        stranger.close()
    assert (raw.connections, raw.asked) == (1, [])


def test_what_comes_slowly_can_be_seen_all_the_same() -> None:
    def slowly(talk: Talk, _: Asked) -> None:
        talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        talk.drip(b"x")

    with looking(slowly, seconds=0.5) as (look, _):
        assert look("/p/17") is VISIBLE


def test_of_a_page_without_end_little_is_read() -> None:
    sent = 0

    def endless(talk: Talk, _: Asked) -> None:
        nonlocal sent
        talk.say(b"HTTP/1.1 404 No\r\nConnection: close\r\n\r\n")
        while True:
            talk.say(b"x" * 65536)
            sent += 65536

    with looking(endless) as (look, _):
        assert look("/p/17") is HIDDEN
    assert sent < 64 * 1024 * 1024, "what the buffers of the kernel take, and no more"


# --- redirects


def redirecting(to: Callable[[str], str | None], status: int = 302, end: int = 200) -> Script:
    """Redirect each path to what `to` says; where it says None, answer with `end`."""

    def script(talk: Talk, asked: Asked) -> bool:
        there = to(asked.line.split()[1])
        return talk.answer(end, b"") if there is None else talk.answer(status, b"", f"Location: {there}")

    return script


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_site_whose_end_is_served_is_visible(status: int) -> None:
    with looking(redirecting({"/p/17": "/p/17-title"}.get, status)) as (look, raw):
        assert look("/p/17") is VISIBLE
    assert [asked.line for asked in raw.asked] == ["GET /p/17 HTTP/1.1", "GET /p/17-title HTTP/1.1"]


@pytest.mark.parametrize("end", [404, 410, 403, 500])
def test_a_redirect_whose_end_is_not_served_says_neither(end: int) -> None:
    with looking(redirecting({"/p/17": "/missing"}.get, end=end)) as (look, _):
        assert look("/p/17") is UNKNOWN


def test_three_steps_are_followed_and_no_more() -> None:
    def onward(path: str) -> str | None:
        number = int(path[1:])
        return f"/{number - 1}" if number else None

    with looking(redirecting(onward)) as (look, raw):
        assert look("/3") is VISIBLE
        assert len(raw.asked) == 4
        assert look("/4") is UNKNOWN
        assert len(raw.asked) == 8


def test_a_redirect_without_a_place_says_neither() -> None:
    with looking(lambda talk, _: talk.answer(302, b"")) as (look, _):
        assert look("/p/17") is UNKNOWN


@pytest.mark.parametrize(
    "there",
    [
        *("http://127.0.0.1:{other}/", "//127.0.0.1:{other}/", "https://127.0.0.1:{own}/", "http://localhost:{own}/"),
        *("http://127.0.0.1:{own}@127.0.0.1:{other}/", "http://127.0.0.1:{other}\\@127.0.0.1:{own}/", "http://["),
        *("\\\\127.0.0.1:{other}/", "/\\127.0.0.1:{other}/", "javascript:alert(1)", "file:///etc/passwd"),
    ],
)
def test_a_redirect_elsewhere_is_not_followed(there: str) -> None:
    with raw_server(lambda talk, _: talk.answer(200)) as other:
        script = redirecting(lambda path: there.format(own=raw.port, other=other.port) if path == "/p/17" else None)
        with raw_server(script) as raw:
            stranger = HttpStranger([raw.origin], 10.0)
            assert stranger.look([f"{raw.origin}/p/17"]) == [UNKNOWN]
            stranger.close()
            assert len(raw.asked) == 1
    assert other.connections == 0


def test_a_redirect_to_another_site_of_the_platform_is_not_followed_either() -> None:
    def elsewhere(talk: Talk, _: Asked) -> bool:
        return talk.answer(302, b"", f"Location: {media.origin}/x")

    with raw_server(lambda talk, _: talk.answer(200)) as media, raw_server(elsewhere) as pages:
        stranger = HttpStranger([pages.origin, media.origin], 10.0)
        assert stranger.look([f"{pages.origin}/p/17"]) == [UNKNOWN]
        stranger.close()
    assert media.connections == 0


# --- what it looks like to those who serve


def test_it_is_nobody_and_asks_caches_for_nothing_special() -> None:
    with looking(lambda talk, _: talk.answer(404, b"", "Set-Cookie: a=b", 'ETag: "x"')) as (look, raw):
        for _ in range(2):
            assert look("/p/17?a=b#part") is HIDDEN
    for asked in raw.asked:
        assert asked.line == "GET /p/17?a=b HTTP/1.1"
        allowed = {"host", "accept", "accept-encoding", "user-agent", "connection"}
        assert set(asked.headers) <= allowed, "no cookie, no cache-control, no validator, no referer, no authorization"
    assert raw.connections == 1


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with looking(lambda talk, _: talk.answer(404)) as (look, _):
        assert look("/p/17") is HIDDEN


# --- where it looks


def test_it_looks_only_where_the_platform_serves() -> None:
    with raw_server(lambda talk, _: talk.answer(404)) as site, raw_server(lambda talk, _: talk.answer(404)) as other:
        here, there = site.origin, f"127.0.0.1:{other.port}"
        tricks = [
            *(f"http://{there}/", f"http://{there}#@127.0.0.1:{site.port}/", f"{here}@{there}/", f"{here}:@{there}/"),
            *(f"http://a@127.0.0.1:{site.port}/", f"{here}\\@{there}/", f"http://{there}\\@127.0.0.1:{site.port}/"),
            *(f"http://127.1:{site.port}/", f"http://2130706433:{site.port}/", f"http://0x7f.1:{site.port}/"),
            *(f"http://localhost:{site.port}/", f"http://127.0.0.1.:{site.port}/", f"https://127.0.0.1:{site.port}/"),
            *(f"http://①②⑦.⓪.⓪.①:{site.port}/", f"http://127。0。0。1:{site.port}/", f"{here}.evil.test/"),
            *(f"//127.0.0.1:{site.port}/", f"http:/127.0.0.1:{site.port}/", f"{here[5:]}/", "", " ", "/p/17"),
            *(f" {here}/", f"{here}/ ", f"{here}/\r\nHost: {there}", f"{here}\t/", f"{here}%2f@{there}/"),
            *(f"http://[::1]:{site.port}/", f"http://[::ffff:127.0.0.1]:{site.port}/", "http://["),
        ]
        stranger = HttpStranger([here], 10.0)
        assert stranger.look(tricks) == [UNKNOWN] * len(tricks)
        stranger.close()
    assert (site.connections, other.connections) == (0, 0)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published spellings are not on this machine")
def test_no_published_spelling_makes_it_connect_elsewhere() -> None:
    published = json.loads(PUBLISHED.read_text())
    hosts = [*published["must_refuse_hosts"], *published["must_allow_hosts"], *published["may_allow_or_refuse_hosts"]]
    stranger = HttpStranger(["http://allowed.example"], 10.0)
    urls = [
        *(f"http://{host}/" for host in hosts),
        *(f"http://[{host}]/" for host in hosts if ":" in host),
        *published["must_refuse_urls"],
    ]
    assert stranger.look(urls) == [UNKNOWN] * len(urls)
    assert stranger._calls._running is None, "not even begun"


@given(st.lists(st.text(), max_size=5))
def test_whatever_is_asked_is_answered_in_its_number_and_nothing_is_taken_for_hidden(urls: list[str]) -> None:
    assert HttpStranger(["http://allowed.example"]).look(urls) == [UNKNOWN] * len(urls)


def test_an_address_that_becomes_too_long_when_it_is_written_out_cannot_be_told() -> None:
    with looking(lambda talk, _: talk.answer(404)) as (look, raw):
        assert look("/" + "\U0001f512" * 8000) is UNKNOWN
        assert look("/" + "\U0001f512" * 80) is HIDDEN
    assert raw.asked[0].line == f"GET /{'%F0%9F%94%92' * 80} HTTP/1.1"


def test_a_site_that_is_none_is_a_mistake_of_whoever_sets_it() -> None:
    with pytest.raises(ValueError, match="must be origins such as"):
        HttpStranger(["example.org"])


def test_without_sites_nobody_can_tell() -> None:
    assert HttpStranger([]).look(["https://example.org/"]) == [UNKNOWN]


# --- many at once


def test_many_are_answered_in_their_order() -> None:
    def by_path(talk: Talk, asked: Asked) -> bool:
        return talk.answer(int(asked.line.split()[1][1:4]), b"")

    wanted = [(200, VISIBLE), (404, HIDDEN), (503, UNKNOWN), (410, HIDDEN)] * 25
    with raw_server(by_path) as raw:
        stranger = HttpStranger([raw.origin], 10.0)
        urls = [f"{raw.origin}/{status}?{number}" for number, (status, _) in enumerate(wanted)]
        assert stranger.look(urls) == [sight for _, sight in wanted]
        stranger.close()


def test_eight_are_looked_at_at_once_and_their_connections_serve_again() -> None:
    together = threading.Barrier(8, timeout=30)

    def by_eights(talk: Talk, _: Asked) -> bool:
        together.wait()
        return talk.answer(404)

    with raw_server(by_eights) as raw:
        stranger = HttpStranger([raw.origin], 30.0)
        assert stranger.look([f"{raw.origin}/{number}" for number in range(48)]) == [HIDDEN] * 48
        stranger.close()
    assert raw.connections == 8


def test_fifty_looks_take_little() -> None:
    with raw_server(lambda talk, _: talk.answer(404)) as raw:
        stranger = HttpStranger([raw.origin], 30.0)
        stranger.look([raw.origin])
        began = time.process_time()
        assert stranger.look([f"{raw.origin}/{number}" for number in range(50)]) == [HIDDEN] * 50
        assert time.process_time() - began < 0.5, "of processor time, the server's included: others use this machine"
        stranger.close()


def test_slow_ones_do_not_keep_the_others_from_being_seen() -> None:
    def some(talk: Talk, asked: Asked) -> bool:
        if "slow" in asked.line:
            talk.wait()
        return talk.answer(404)

    with raw_server(some) as raw:
        stranger = HttpStranger([raw.origin], seconds=0.25)
        urls = [f"{raw.origin}/slow-{number}" for number in range(8)] + [f"{raw.origin}/{n}" for n in range(8)]
        assert stranger.look(urls) == [UNKNOWN] * 8 + [HIDDEN] * 8
        stranger.close()


def test_all_together_have_a_time_too_and_what_was_seen_until_then_counts() -> None:
    def some(talk: Talk, asked: Asked) -> bool:
        if "slow" in asked.line:
            talk.wait()
        return talk.answer(404)

    with raw_server(some) as raw:
        stranger = HttpStranger([raw.origin], seconds=60, all_seconds=0.5)
        urls = [f"{raw.origin}/1", *(f"{raw.origin}/slow-{number}" for number in range(20)), f"{raw.origin}/2"]
        assert stranger.look(urls) == [HIDDEN] + [UNKNOWN] * 21
        stranger.close()


@pytest.mark.parametrize(
    "text",
    [
        "http://[::1]:8080/x?y=%20a%2Bb&c#part",
        "https://example.org/a%2Fb//c/../d",
        "http://a_b.example/?q=1?2",
        "https://example.org:8443",
        "http://127.0.0.1:80/\u00e9",
    ],
)
def test_who_is_asked_and_for_what_are_the_parts_that_were_compared(text: str) -> None:
    address = read_address(text)
    assert address is not None
    asked = url_of(address)
    assert (asked.scheme, asked.raw_host, asked.port) == (
        address.origin.scheme,
        address.origin.host.strip("[]"),
        address.origin.port,
    )
    assert asked.raw_path_qs == address.target
