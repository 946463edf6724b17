# SPDX-License-Identifier: Apache-2.0
"""A banked picture is searched for among what was screened before, and whoever asks sees how far that has come."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg

from holdfast.demo.pictures import encoded, hills
from tests.conftest import Server, superuser
from tests.store.making import md5
from tests.web.http import Asker, refused


def blocked(asker: Asker, entry: str) -> dict[str, Any]:
    """The search for this entry, once it is blocked."""
    pause = threading.Event()
    while True:
        (found,) = asker.ask("GET", "/searches", entry=entry).json
        told: dict[str, Any] = asker.ask("GET", f"/searches/{found['id']}").json
        assert told["state"] in ("owed", "running", "searched", "blocked"), told
        if told["state"] == "blocked":
            return told
        pause.wait(0.02)


def test_a_banked_picture_is_found_among_earlier_uploads_and_then_blocked(
    server: Server, everyone: Asker, bank: str, name: str
) -> None:
    picture = hills(72_001, (640, 480))
    assert everyone.ask("POST", "/screen", encoded(picture), content_id=name).json["answer"] == "publish"
    disguised = encoded(picture.resize((500, 375)), quality=60)
    entry = everyone.ask("POST", f"/banks/{bank}/entries/picture", disguised, provenance="a report").json["id"]
    told = blocked(everyone, entry)
    assert (told["bank"], told["entries"], told["count"], told["copies"]) == (bank, [entry], 1, 1)
    assert told["progress"]["items"] == told["progress"]["looked_at"] > 0
    assert told["proof"] == {"entries": 1, "over_http": 0, "list_version": told["proof"]["list_version"]}
    (copy,) = everyone.ask("POST", f"/searches/{told['id']}/copies").json
    assert (copy["content"], copy["entry"], copy["verdict"], copy["signal"]) == (name, entry, "no_match", "pdq")
    assert 0 <= copy["distance"] <= 31
    with psycopg.connect(superuser(Path(server.environment["HOLDFAST_DATA"]))) as connection:
        shown = connection.execute(
            "select actor from journal where subject = %s and tag = 'archive.search.shown'",
            [f"archive.search:{told['id']}"],
        ).fetchall()
    assert [actor[:4] for (actor,) in shown] == ["key:"]


def test_searches_are_listed_by_bank_the_newest_first(everyone: Asker, bank: str) -> None:
    entries = []
    for seed in (81_001, 81_002):
        signal = md5(seed)
        body = {"entries": [{"signals": [{"signal_type": "md5", "value": signal.value}], "provenance": "tests"}]}
        entries += everyone.send("POST", f"/banks/{bank}/entries", body).json["added"]
    for entry in entries:
        assert blocked(everyone, entry)["copies"] == 0
    listed = everyone.ask("GET", "/searches", bank=bank).json
    assert [one["entries"] for one in listed] == [[entries[1]], [entries[0]]]
    assert everyone.ask("GET", "/searches", bank="no-such-bank").json == []
    assert everyone.ask("GET", "/searches", entry="ent_none").json == []


def test_a_search_that_is_not_there_is_a_404(everyone: Asker) -> None:
    refused(everyone.ask("GET", "/searches/bws_none"), 404, "search.unknown")
    refused(everyone.ask("POST", "/searches/bws_none/copies"), 404, "search.unknown")
    refused(everyone.ask("GET", "/searches", unknown="1"), 422, "request.invalid")
