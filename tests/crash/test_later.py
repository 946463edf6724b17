# SPDX-License-Identifier: Apache-2.0
"""Kill whatever works on a video in the middle of it: it is taken up again, answered once, and never published."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from holdfast.demo import videos
from holdfast.demo.client import Client, Reply
from holdfast.errors import DependencyError
from tests.conftest import Server, environment_for, start_server, stop, superuser
from tests.crash.test_serve import _descendants, _ended, _kill_9, _named

pytestmark = pytest.mark.skipif(not videos.can_make(), reason="the optional video parts are not installed")


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[Server]:
    """A server of which tests may kill what they like, and that notices within a second what was killed."""
    environment = environment_for(folder / "later", HOLDFAST_WEB_WORKERS="1", HOLDFAST_LONG_LEASE_SECONDS="1")
    running = start_server(environment)
    yield running
    if running.process.poll() is None:
        stop(running.process)


def _standing(client: Client, screening: str) -> dict[str, Any]:
    """How it stands, as soon as somebody answers; until it is answered, only ever hold."""
    pause = threading.Event()
    while True:
        try:
            reply = client.call("GET", f"/screenings/{screening}")
        except (DependencyError, ValueError):
            pause.wait(0.05)
            continue
        if reply.status == 503:
            pause.wait(0.05)
            continue
        assert reply.status == 200, reply
        if reply.body["status"] in ("waiting", "running"):
            assert reply.body["answer"] == "hold"
        return dict(reply.body)


def _known(own: Server, bank: str, known: bytes) -> Reply:
    return own.client.call("POST", f"/banks/{bank}/entries/picture", body=known, provenance="tests")


def _sent(own: Server) -> str:
    """A known video late in another, which takes some seconds to watch; the id of its screening."""
    while not (bank := _bank(own)):
        threading.Event().wait(0.1)  # what was killed before is not there again
    known = videos.encoded(videos.known())
    while (reply := _known(own, bank, known)).status == 503:
        threading.Event().wait(0.1)  # nor the decoder
    assert reply.status == 201
    return _late(own, f"post-{uuid4().hex}")


def _bank(own: Server) -> str | None:
    """A bank of one's own; None while nobody can say."""
    name = f"bank-{uuid4().hex}"
    try:
        made = own.client.send_json("POST", "/banks", {"name": name, "meaning": "a test", "source": "tests"})
    except DependencyError:
        return None
    assert made.status in (201, 503), made.body
    return name if made.status == 201 else None


def _late(own: Server, content: str) -> str:
    reply = own.client.call("POST", "/screen", body=videos.encoded(videos.late()), content_id=content)
    assert reply.status == 202, reply
    return str(reply.body["screening"])


def _sent_and_in_the_middle(own: Server) -> str:
    """The same, while it is watched. One that is through before anybody saw it being watched is sent again."""
    screening = _sent(own)
    return screening if _in_the_middle(own.client, screening) else _another_in_the_middle(own)


def _another_in_the_middle(own: Server) -> str:
    for _ in range(8):
        screening = _late(own, f"post-{uuid4().hex}")
        if _in_the_middle(own.client, screening):
            return screening
    pytest.fail("every one was through before it was seen being watched")


def _in_the_middle(client: Client, screening: str) -> bool:
    """Wait for it; False if it was missed."""
    pause = threading.Event()
    while not (standing := _standing(client, screening)).get("progress", {}).get("seconds_seen"):
        if standing["status"] not in ("waiting", "running"):
            return False
        pause.wait(0.02)
    return bool(standing["status"] == "running")


def _answered_once(own: Server, screening: str) -> int:
    """Wait until it is answered, once; how often it was taken up."""
    pause = threading.Event()
    while (standing := _standing(own.client, screening))["status"] in ("waiting", "running"):
        pause.wait(0.1)
    assert (standing["status"], standing["verdict"], standing["answer"]) == ("answered", "matched", "hold")
    data = Path(own.environment["HOLDFAST_DATA"])
    with psycopg.connect(superuser(data)) as connection:
        count = "select count(*) from journal where subject = %s and tag = %s"
        answers = connection.execute(count, [f"screening:{screening}", "screening.answered"]).fetchone()
        begun = connection.execute(count, [f"long:{screening}", "screening.long.begun"]).fetchone()
    assert answers == (1,)
    assert begun is not None
    return int(begun[0])


@pytest.mark.parametrize("part", ["hf-screener", "holdfast.media.server", "postgres -D"])
def test_killed_in_the_middle_of_a_video_it_is_taken_up_again_and_answered_once(own: Server, part: str) -> None:
    screening = _sent_and_in_the_middle(own)
    for _ in range(8):
        while not (victims := _named(_descendants(own.process.pid), part)):
            threading.Event().wait(0.05)  # it is being started again
        for victim in victims if part == "holdfast.media.server" else [min(victims)]:
            os.kill(victim, signal.SIGKILL)
            assert _ended(victim)

        # What was seen before a decoder died may be enough to hold it: then nobody need look again.
        if _answered_once(own, screening) >= (1 if part == "holdfast.media.server" else 2):
            return
        screening = _another_in_the_middle(own)  # that one had been watched to its end when the blow fell
    pytest.fail("none of them was taken up again")


def test_a_web_process_that_is_killed_takes_nothing_along_that_it_had_accepted(own: Server) -> None:
    screening = _sent(own)
    for victim in _named(_descendants(own.process.pid), "hf-web"):
        os.kill(victim, signal.SIGKILL)
    pause = threading.Event()
    while (standing := _standing(own.client, screening))["status"] in ("waiting", "running"):
        pause.wait(0.1)
    assert (standing["status"], standing["answer"]) == ("answered", "hold")


def test_when_everything_is_killed_in_the_middle_the_next_start_goes_on(own: Server) -> None:
    screening = _sent_and_in_the_middle(own)

    _kill_9(own)
    again = start_server(own.environment)

    try:
        assert _answered_once(again, screening) >= 1
    finally:
        stop(again.process)
