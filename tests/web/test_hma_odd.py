# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent to the HMA interface, it answers in words; and no error on a lookup reads as banks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Server
from tests.store.making import pdq
from tests.web.hma import Client
from tests.web.http import JSON, Reply, check_problem, form

PATHS = (
    "/h/hash",
    "/m/lookup",
    "/m/raw_lookup",
    "/m/compare",
    "/m/index/status",
    "/c/banks",
    "/c/bank/{}",
    "/c/bank/ODD",
    "/c/bank/{}/content",
    "/c/bank/ODD/content",
    "/c/bank/ODD/content/1",
    "/c/bank/ODD/signal",
    "/c/signal_type/{}",
    "/c/signal_type/index",
)
NAMES = ("signal", "signal_type", "banks", "types", "include_distance", "seed", "content_type")
FIELDS = ("name", "enabled", "enabled_ratio", "pdq", "video_md5", "sha256", "disable_until_ts", "note", "metadata")
KNOWN = ("pdq", "md5", "ODD", "1", "0", "true", pdq(81_001).value, "\0", "ä")
WORDS = st.one_of(st.text(max_size=20), st.sampled_from(KNOWN))
KEYS = st.one_of(st.sampled_from(FIELDS), WORDS)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.just(10**400)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
BODIES = st.one_of(
    st.dictionaries(KEYS, VALUES, max_size=4).map(lambda body: (as_json(body), JSON)),
    st.binary(max_size=60).map(lambda body: (body, JSON)),
    st.tuples(st.sampled_from(["photo", "video", "file"]), st.binary(max_size=60)).map(lambda one: file_form(*one)),
)


def as_json(body: Any) -> bytes:
    return json.dumps(body).encode()


def file_form(field: str, content: bytes) -> tuple[bytes, str]:
    return form((field, "x", content))


@pytest.fixture(scope="module")
def client(server: Server, keys: dict[str, str]) -> Iterator[Client]:
    made = Client(server.address, keys["all"])
    made.send("POST", "/c/banks", {"name": "ODD"})
    yield made
    made.ask("DELETE", "/c/bank/ODD")


def check(path: str, reply: Reply) -> None:
    """What holds for every answer."""
    assert b"Traceback" not in reply.content
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.status in (200, 201, 204, 400, 403, 404, 405, 409, 422), reply.content
    if path.startswith(("/m/lookup", "/m/raw_lookup")) and reply.status >= 400:
        assert reply.headers["Content-Type"].startswith("text/plain")
    elif reply.status >= 400:
        check_problem(reply)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from(PATHS),
    word=WORDS,
    query=st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=3),
    body=BODIES,
)
def test_everything_has_an_answer_in_words(
    client: Client, method: str, path: str, word: str, query: dict[str, str], body: tuple[bytes, str]
) -> None:
    target = path.replace("{}", quote(word, safe="")) + (f"?{urlencode(query)}" if query else "")
    content, kind = body if method in ("POST", "PUT") else (None, JSON)
    check(path, client.ask(method, target, content, Content_Type=kind))
