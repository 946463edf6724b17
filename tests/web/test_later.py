# SPDX-License-Identifier: Apache-2.0
"""Uploads that are answered later, through the front door: 202, how it stands, and one answer in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.key import Scope
from holdfast.demo import videos
from holdfast.demo.pictures import encoded, hills
from holdfast.web.prefer import Preferences, preferences
from tests.conftest import Server, environment_for, start_server, stop
from tests.web.http import Asker, Reply, form, refused

LATER = {"Prefer": "respond-async"}
PICTURE = encoded(hills(51, (640, 480)))
ENDED = ("answered", "held_for_person")
video = pytest.mark.skipif(not videos.can_make(), reason="the optional video parts are not installed")


def ended(asker: Asker, screening: str) -> Reply:
    """Ask how it stands, as often as it takes."""
    pause = threading.Event()
    while True:
        reply = asker.ask("GET", f"/screenings/{screening}")
        assert reply.status == 200, reply.content
        if reply.json["status"] in ENDED:
            return reply
        assert reply.json["answer"] == "hold"
        assert int(reply.headers["Retry-After"]) >= 1
        pause.wait(0.05)


@pytest.fixture(scope="module")
def narrow(folder: Path) -> Iterator[Server]:
    """A server whose spool is a megabyte, and that screens nothing later: nobody takes up what waits there."""
    environment = environment_for(folder / "narrow", HOLDFAST_SPOOL_BYTES=str(2**20), HOLDFAST_MAX_VIDEO_BYTES="400000")
    running = start_server(environment)
    yield running
    stop(running.process)


def test_who_prefers_it_is_answered_202_and_told_where_to_ask(everyone: Asker, name: str) -> None:
    reply = everyone.ask("POST", "/screen", PICTURE, headers=LATER, content_id=name)

    assert reply.status == 202
    assert set(reply.json) == {"answer", "screening", "status", "status_url"}
    assert reply.json["answer"] == "hold"
    assert reply.json["status"] in ("waiting", "running")
    assert reply.headers["Location"] == reply.json["status_url"] == f"/v1/screenings/{reply.json['screening']}"
    assert reply.headers["Preference-Applied"] == "respond-async"

    last = ended(everyone, reply.json["screening"])
    assert (last.json["status"], last.json["answer"], last.json["verdict"]) == ("answered", "publish", "no_match")
    assert last.json["content"] == name
    assert "Retry-After" not in last.headers


def test_in_a_form_too(everyone: Asker, name: str) -> None:
    body, kind = form(("content_id", name), ("file", "a.jpg", PICTURE))
    reply = everyone.ask("POST", "/screen", body, kind=kind, headers=LATER)
    assert reply.status == 202
    assert ended(everyone, reply.json["screening"]).json["content"] == name


def test_who_may_only_screen_learns_the_answer_and_not_why(everyone: Asker, uploader: Asker, name: str) -> None:
    reply = uploader.ask("POST", "/screen", b"no picture", headers=LATER, content_id=name)
    assert reply.status == 202
    ended(everyone, reply.json["screening"])
    told = uploader.ask("GET", f"/screenings/{reply.json['screening']}").json
    assert told == {"screening": reply.json["screening"], "status": "held_for_person", "answer": "hold"}


def test_what_is_held_for_a_person_has_an_owner_and_a_clock(everyone: Asker, name: str) -> None:
    reply = everyone.ask("POST", "/screen", b"no picture", headers=LATER, content_id=name)
    last = ended(everyone, reply.json["screening"]).json
    assert (last["status"], last["reason"]) == ("held_for_person", "unknown_type")
    held = [item for item in everyone.ask("GET", "/unscreened").json if item["content_id"] == name]
    assert [item["state"] for item in held] == ["open"]


def test_who_waits_long_enough_gets_the_answer_at_once(everyone: Asker, name: str) -> None:
    reply = everyone.ask("POST", "/screen", PICTURE, headers={"Prefer": "respond-async, wait=30"}, content_id=name)
    assert reply.status == 200
    assert reply.json["answer"] == "publish"
    assert reply.json["explanation"]["verdict"] == "no_match"
    assert reply.headers["Preference-Applied"] == "respond-async, wait=30"


def test_the_same_key_is_the_same_screening_and_another_upload_under_it_is_refused(everyone: Asker, name: str) -> None:
    headers = {**LATER, "Idempotency-Key": name}
    first = everyone.ask("POST", "/screen", PICTURE, headers=headers, content_id=name)
    again = everyone.ask("POST", "/screen", PICTURE, headers=headers, content_id=name)
    assert again.json["screening"] == first.json["screening"]
    ended(everyone, first.json["screening"])
    at_once = everyone.ask("POST", "/screen", PICTURE, headers={"Idempotency-Key": name}, content_id=name)
    assert (at_once.status, at_once.json["screening"]) == (200, first.json["screening"])
    other = everyone.ask("POST", "/screen", PICTURE + b"x", headers=headers, content_id=name)
    refused(other, 409, "request.idempotency_conflict")


def test_a_screening_that_never_was_is_not_there(everyone: Asker, uploader: Asker) -> None:
    for asker in (everyone, uploader):
        refused(asker.ask("GET", "/screenings/scr_none"), 404, "screening.unknown")


def test_when_there_is_no_room_it_is_refused_with_a_word_when_to_come_again(narrow: Server) -> None:
    asker = Asker(narrow.address, narrow.key(*Scope))
    reply = asker.ask("POST", "/screen", PICTURE + bytes(2**20), headers=LATER)
    refused(reply, 503, "upload.no_room")
    assert asker.ask("POST", "/screen", PICTURE, headers=LATER).status == 202


def test_half_an_upload_is_refused_and_leaves_nothing(narrow: Server) -> None:
    asker = Asker(narrow.address, narrow.key(*Scope))
    body, kind = form(("file", "a.jpg", PICTURE))
    for path_kind, content in (("application/octet-stream", PICTURE), (kind, body)):
        asker.announce("/screen", len(content), content[:20_000], kind=path_kind)
    spool = Path(narrow.environment["HOLDFAST_DATA"]) / "spool"
    assert list(spool.glob("*.part")) == []


def test_slow_uploads_keep_nobody_else_waiting(server: Server, everyone: Asker) -> None:
    import socket

    host, _, port = server.address.rpartition(":")
    slow = []
    for _ in range(12):
        connection = socket.create_connection((host, int(port)), timeout=30)
        head = f"POST /v1/screen HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {everyone.key}\r\n"
        connection.sendall(f"{head}Content-Length: 2000000\r\n\r\nabc".encode())
        slow.append(connection)
    try:
        answers = [everyone.ask("POST", "/screen", PICTURE).status for _ in range(8)]
    finally:
        for connection in slow:
            connection.close()
    assert answers == [200] * 8


@video
def test_a_video_is_answered_later_without_being_asked(everyone: Asker, bank: str, name: str) -> None:
    known = everyone.ask("POST", f"/banks/{bank}/entries/picture", videos.encoded(videos.known()), provenance="tests")
    assert known.status == 201

    reply = everyone.ask("POST", "/screen", videos.encoded(videos.late((240, 180)), crf="33"), content_id=name)

    assert reply.status == 202
    last = ended(everyone, reply.json["screening"]).json
    assert (last["status"], last["answer"], last["verdict"]) == ("answered", "hold", "matched")
    assert bank in {match["bank"] for match in last["matches"]}


@video
def test_a_video_that_is_too_long_in_bytes_is_held_unread(narrow: Server) -> None:
    asker = Asker(narrow.address, narrow.key(*Scope))
    content = videos.encoded(videos.others(1, 52))
    reply = asker.ask("POST", "/screen", content + bytes(500_000))
    assert (reply.status, reply.json["answer"]) == (200, "hold")
    assert reply.json["explanation"]["reason"] == "too_large"


@video
def test_a_video_in_two_seconds_of_patience_or_later(everyone: Asker, name: str) -> None:
    reply = everyone.ask(
        "POST", "/screen", videos.encoded(videos.others(2, 53)), headers={"Prefer": "wait=30"}, content_id=name
    )
    assert (reply.status, reply.json["answer"]) == (200, "publish")


# --- preferences


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", Preferences()),
        ("respond-async", Preferences(respond_async=True)),
        ("Respond-Async, wait=5", Preferences(respond_async=True, wait=5)),
        ('wait="7"; because=x, return=minimal', Preferences(wait=7)),
        ("wait=1, wait=2", Preferences(wait=1)),
        ("wait=-1", Preferences()),
        ("wait=9999999", Preferences()),
        ("wait=²", Preferences()),
        ("respond-asynchronously", Preferences()),
    ],
)
def test_preferences_are_read_as_rfc_7240_has_them(value: str, expected: Preferences) -> None:
    assert preferences(value) == expected


@given(st.text())
def test_no_preference_is_an_error(value: str) -> None:
    found = preferences(value)
    assert found.wait is None or found.wait >= 0
