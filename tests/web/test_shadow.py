# SPDX-License-Identifier: Apache-2.0
"""Shadow mode: everything is answered `publish`, what is true is recorded, and every answer says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, environment_for, start_server, stop
from tests.store.making import md5
from tests.web.http import Asker
from tests.web.test_hashes import digest, screened, why


@pytest.fixture(scope="module")
def shadow(folder: Path) -> Iterator[Server]:
    """A server that only watches."""
    running = start_server(environment_for(folder / "shadow", HOLDFAST_SHADOW="true", HOLDFAST_WEB_WORKERS="1"))
    yield running
    stop(running.process)


@pytest.fixture
def asker(shadow: Server) -> Asker:
    return Asker(shadow.address, shadow.client.key)


def test_it_answers_publish_records_the_truth_and_says_so(shadow: Server, asker: Asker) -> None:
    reply = asker.ask("POST", "/screen", b"not a picture")
    assert reply.headers["Holdfast-Shadow"] == "on"
    assert reply.json["answer"] == "publish"
    assert reply.json["explanation"]["verdict"] == "not_screened"
    assert shadow.client.call("GET", f"/screenings/{reply.json['screening']}").body["shadow"] is True
    assert shadow.client.call("GET", "/unscreened").body == []
    assert shadow.client.call("GET", "/health/ready").body["shadow"] is True


def test_the_platforms_own_hashes_are_published_too(asker: Asker) -> None:
    reply = screened(asker, digest(md5(1).value))
    assert why(reply) == ("publish", "not_screened", "only_digests")
    assert reply.headers["Holdfast-Shadow"] == "on"
