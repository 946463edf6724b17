# SPDX-License-Identifier: Apache-2.0
"""A bank change reaches every process within a second, and what was screened before it can be found."""

from __future__ import annotations

import time

import pytest

from holdfast.demo.pictures import encoded, hills
from tests.web.http import Asker, refused

PATIENCE = 30.0


def test_every_process_says_how_far_it_has_followed(everyone: Asker, bank: str) -> None:
    assert bank
    newest = everyone.ask("GET", "/processes").json["newest_change"]
    began = time.monotonic()
    while True:
        told = everyone.ask("GET", "/processes").json
        live = [process for process in told["processes"] if not process["stale"]]
        if all(process["ready_to"] >= newest for process in live) or time.monotonic() - began > PATIENCE:
            break
    assert {process["kind"] for process in live} == {"web", "worker", "screener"}
    assert all(process["ready_to"] >= newest for process in live)


def test_a_picture_screened_before_it_was_known_is_found_when_looked_back_for(
    everyone: Asker, bank: str, name: str
) -> None:
    picture = hills(71_001, (640, 480))
    assert everyone.ask("POST", "/screen", encoded(picture), content_id=name).json["answer"] == "publish"
    disguised = encoded(picture.resize((500, 375)), quality=60)
    added = everyone.ask("POST", f"/banks/{bank}/entries/picture", disguised, provenance="a report")
    assert added.status == 201
    past = everyone.ask("POST", f"/banks/{bank}/entries/{added.json['id']}/look-back").json
    found = [one for one in past if one["content"] == name]
    assert [(one["verdict"], one["signal"], one["surface"]) for one in found] == [("no_match", "pdq", "default")]
    assert 0 <= found[0]["distance"] <= 31


@pytest.mark.parametrize("entry", ["ent_none", "x" * 300])
def test_only_what_is_banked_can_be_looked_back_for(everyone: Asker, bank: str, entry: str) -> None:
    refused(everyone.ask("POST", f"/banks/{bank}/entries/{entry}/look-back"), 404, "entry.unknown")
