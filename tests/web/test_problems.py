# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked, the answer is of a known shape: never a traceback, never another kind of error page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.web.http import JSON, Asker, refused
from tests.web.test_access import NEEDED, PUBLIC

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
ADDRESSES = sorted({path for _, path in {*NEEDED, *PUBLIC}})
JSON_ADDRESSES = ("/banks", "/banks/nothing-here/entries")
GARBAGE = {
    "nothing": b"",
    "not JSON": b"{",
    "not text": b"\xff\xfe\xfd",
    "very deep": b"[" * 100_000,
    "deep and closed": b"[" * 5000 + b"]" * 5000,
    "a huge number": b'{"threshold": ' + b"9" * 10_000 + b"}",
    "not a number": b'{"threshold": NaN}',
    "infinity": b'{"threshold": -Infinity}',
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "half a character": b'{"name": "b", "meaning": "\\ud800", "source": "s"}',
    "a zero byte": b'{"name": "b", "meaning": "a\\u0000b", "source": "s"}',
    "a lone zero byte": b'{"name": "b", "meaning": "\\u0000", "source": "s"}',
    "the same name twice": b'{"name": "a b", "name": "c d"}',
    "two documents": b"{}{}",
    "UTF-16": '{"name": "b"}'.encode("utf-16"),
}


@pytest.mark.parametrize(
    "path",
    ["/", "/nothing", "/screen/", "/bank", "/banks/", "/banks/x", "/banks/x/entries/y/z", "/../etc/passwd", "/%2e%2e/"],
)
def test_an_address_that_is_not_there_is_a_404_with_a_code(nobody: Asker, everyone: Asker, path: str) -> None:
    for asker in (nobody, everyone):
        refused(asker.ask("GET", path), 404, "request.address_unknown")


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_method_that_an_address_does_not_take_is_a_405_that_names_those_it_does(everyone: Asker, path: str) -> None:
    taken = {method for method, listed in {*NEEDED, *PUBLIC} if listed == path}
    filled = path.removeprefix("/v1").format(
        name="nothing-here",
        entry_id="ent_x",
        screening_id="scr_x",
        import_id="imp_x",
        alarm_id="alm_x",
        proposal_id="pro_x",
        search_id="bws_x",
    )
    for method in [method for method in METHODS if method not in taken]:
        reply = everyone.ask(method, filled)
        refused(reply, 405, "request.method")
        assert {one.strip() for one in reply.headers["Allow"].split(",")} == taken


@pytest.mark.parametrize("path", JSON_ADDRESSES)
@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
def test_a_body_that_is_not_the_json_asked_for_is_a_422_with_a_code(everyone: Asker, path: str, body: bytes) -> None:
    refused(everyone.ask("POST", path, body, kind=JSON), 422, "request.invalid")


@pytest.mark.parametrize("path", JSON_ADDRESSES)
def test_a_json_body_that_ends_early_is_a_422_with_a_code(everyone: Asker, path: str) -> None:
    refused(everyone.announce(path, 5000, b'{"name": "b", ', kind=JSON), 422, "request.invalid")


@pytest.mark.parametrize("path", JSON_ADDRESSES)
def test_a_json_body_that_is_too_long_is_a_422_with_a_code(everyone: Asker, path: str) -> None:
    refused(everyone.ask("POST", path, b" " * (17 * 1024 * 1024), kind=JSON), 422, "request.invalid")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
likely = (
    st.sampled_from(["hold", "md5", "31", 31, 0, "", " ", "\0", "a\0b", "\ud800", "x" * 501, [], {}, True, 1e9])
    | values
)
FIELDS = {
    "/banks": ["name", "meaning", "source", "threshold", "action", "more"],
    "/banks/nothing-here/entries": ["entries", "signals", "signal_type", "value", "provenance"],
}


@pytest.mark.parametrize("path", JSON_ADDRESSES)
def test_no_json_whatever_is_our_fault(everyone: Asker, path: str) -> None:
    @given(st.dictionaries(st.sampled_from(FIELDS[path]), likely) | values)
    @example({"name": "test-problems", "meaning": "a\0b", "source": "s"})
    @example({"entries": [{"signals": [{"signal_type": "md5", "value": "0123456789abcdef" * 2}], "provenance": "\0"}]})
    def ask(body: Any) -> None:
        reply = everyone.ask("POST", path, json.dumps(body).encode(), kind=JSON)
        assert reply.status in (201, 404, 409, 422), reply.content

    ask()


PATHS = (
    ("GET", "/screenings/{}"),
    ("GET", "/screenings/{}/proof"),
    ("POST", "/banks/{}/disable"),
    ("GET", "/banks/{}/export"),
    ("GET", "/searches/{}"),
    ("POST", "/searches/{}/copies"),
    ("POST", "/banks/nothing-here/entries/{}/disable"),
    ("DELETE", "/banks/{}/entries/x"),
)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_no_name_in_an_address_is_our_fault(everyone: Asker, method: str, path: str) -> None:
    @given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
    @example("\0")
    @example("a\0b")
    @example("x" * 5000)
    @example("' or 1=1 --")
    @example("%00")
    def ask(name: str) -> None:
        reply = everyone.ask(method, path.format(quote(name, safe="")), because="test")
        assert reply.status in (404, 405, 422), reply.content

    ask()


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("raw", ["%ff", "%ed%a0%80", "%c0%80", "%zz", "%"])
def test_no_broken_encoding_in_an_address_is_our_fault(everyone: Asker, method: str, path: str, raw: str) -> None:
    assert everyone.ask(method, path.format(raw), because="test").status in (404, 405, 422)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
@example("\0")
@example("%")
@example("a=%ff&b=%00")
def test_no_query_whatever_is_our_fault(everyone: Asker, query: str) -> None:
    for path in ("/banks?", "/unscreened?", "/banks/nothing-here/export?"):
        reply = everyone.ask("GET", path + quote(query, safe="=&%"))
        assert reply.status in (200, 404, 422), reply.content


@pytest.mark.parametrize(
    "kind", [None, "", "x", "text/html; charset=nonsense", "application/json; charset=utf-16", ";;;"]
)
def test_no_content_type_whatever_is_our_fault(everyone: Asker, kind: str | None) -> None:
    for path in ("/banks", "/banks/nothing-here/import?provenance=x", "/screen", "/banks/nothing-here/entries/picture"):
        assert everyone.ask("POST", path, b"x", kind=kind).status in (200, 404, 422)


def test_a_wrong_host_header_changes_nothing(nobody: Asker) -> None:
    for host in ("evil.example", "a b", "[", "x" * 300):
        assert nobody.ask("GET", "/health/live", headers={"Host": host}).status == 200


def test_a_refused_signal_is_not_repeated(everyone: Asker, bank: str) -> None:
    secret = "0123456789abcdef0123456789abcdeX"
    entry = {"signals": [{"signal_type": "md5", "value": secret}], "provenance": "x"}
    reply = everyone.send("POST", f"/banks/{bank}/entries", {"entries": [entry]})
    refused(reply, 422, "input.signal")
    assert secret.encode() not in reply.content
    longer = {"signals": [{"signal_type": "md5", "value": secret * 3}], "provenance": "x"}
    reply = everyone.send("POST", f"/banks/{bank}/entries", {"entries": [longer]})
    assert reply.status == 422
    assert secret.encode() not in reply.content


def test_readiness_says_what_is_loaded(nobody: Asker) -> None:
    body = nobody.ask("GET", "/health/ready").json
    assert body["ready"] is True
    assert body["shadow"] is False
    assert set(body) == {"ready", "shadow", "list_version", "perceptual_signals", "version"}
    assert nobody.ask("GET", "/health/live").json == {"live": True}
