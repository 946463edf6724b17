# SPDX-License-Identifier: Apache-2.0
"""The same request under the same Idempotency-Key is carried out once and answered alike, whatever it changes."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from holdfast.demo.pictures import encoded, hills
from tests.two_people import Second, proposal_in
from tests.web.http import Asker, Reply, refused

PICTURE = encoded(hills(77, (320, 240)))
BECAUSE = "a test of keys"


def under(asker: Asker, key: str, method: str, path: str, body: Any = None) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    kind = "application/json" if body is not None and not isinstance(body, bytes) else "application/octet-stream"
    return asker.ask(method, path, raw, kind=kind, headers={"Idempotency-Key": key})


def signal(number: int) -> dict[str, Any]:
    return {"entries": [{"signals": [{"signal_type": "md5", "value": f"{number:032x}"}], "provenance": "tests"}]}


def added(everyone: Asker, bank: str) -> str:
    made = everyone.send("POST", f"/banks/{bank}/entries", signal(uuid4().int % 2**120))
    return str(made.json["added"][0])


def changes(everyone: Asker, bank: str) -> list[tuple[str, str, Any]]:
    """One request for each way to change a bank, in an order in which each is possible."""
    entry = added(everyone, bank)
    return [
        ("POST", f"/banks/{bank}/threshold", {"threshold": 20, "because": BECAUSE}),
        ("POST", f"/banks/{bank}/video", {"least_frames": 5, "because": BECAUSE}),
        ("POST", f"/banks/{bank}/action", {"action": "review", "because": BECAUSE}),
        ("POST", f"/banks/{bank}/disable?because=tests", None),
        ("POST", f"/banks/{bank}/enable", None),
        ("POST", f"/banks/{bank}/entries", signal(uuid4().int % 2**120)),
        ("POST", f"/banks/{bank}/entries/picture?provenance=tests", PICTURE),
        ("POST", f"/banks/{bank}/entries/{entry}/opinion", {"opinion": "disputed", "because": BECAUSE}),
        ("POST", f"/banks/{bank}/entries/{entry}/disable?because=tests", None),
        ("POST", f"/banks/{bank}/entries/{entry}/enable", None),
        ("DELETE", f"/banks/{bank}/entries/{entry}?because=tests", None),
    ]


def test_every_change_is_made_once_however_often_it_is_asked_for_under_one_key(
    everyone: Asker, second: Second, bank: str
) -> None:
    for method, path, body in changes(everyone, bank):
        key = uuid4().hex
        first = under(everyone, key, method, path, body)
        assert first.status in (200, 201, 202), (path, first.content)
        again = under(everyone, key, method, path, body)
        assert (again.status, again.json) == (first.status, first.json), path
        if first.status == 202:
            agreed_once(second.asker, proposal_in(first))


def agreed_once(asker: Asker, proposal: str) -> None:
    """Agree twice under one key, and hear the same twice."""
    shown, key = asker.ask("GET", f"/proposals/{proposal}").json, uuid4().hex
    given = {"digest": shown["digest"], "because": BECAUSE}
    first, again = (under(asker, key, "POST", f"/proposals/{proposal}/agree", given) for _ in range(2))
    assert (first.status, first.json["state"]) == (200, "agreed")
    assert (again.status, again.json) == (first.status, first.json)


def test_whoever_agreed_to_what_had_changed_hears_under_that_key_that_it_was_overtaken(
    everyone: Asker, second: Second, bank: str
) -> None:
    asked = proposal_in(everyone.send("POST", f"/banks/{bank}/threshold", {"threshold": 20, "because": BECAUSE}))
    shown, key = second.asker.ask("GET", f"/proposals/{asked}").json, uuid4().hex
    second.agrees(everyone.send("POST", f"/banks/{bank}/threshold", {"threshold": 21, "because": BECAUSE}))
    given = {"digest": shown["digest"], "because": BECAUSE}
    first, again = (under(second.asker, key, "POST", f"/proposals/{asked}/agree", given) for _ in range(2))
    refused(first, 409, "proposal.overtaken")
    refused(again, 409, "proposal.overtaken")
    assert again.json == first.json


def test_another_request_under_the_same_key_is_refused_and_changes_nothing(everyone: Asker, bank: str) -> None:
    key = uuid4().hex
    path = f"/banks/{bank}/threshold"
    assert under(everyone, key, "POST", path, {"threshold": 20, "because": BECAUSE}).status == 202
    other = under(everyone, key, "POST", path, {"threshold": 21, "because": BECAUSE})
    refused(other, 409, "request.idempotency_conflict")
    refused(under(everyone, key, "POST", f"/banks/{bank}/disable?because=x"), 409, "request.idempotency_conflict")
    (found,) = [one for one in everyone.ask("GET", "/banks").json if one["name"] == bank]
    assert (found["threshold"], found["state"]) == (31, "active")
    waiting = [one for one in everyone.ask("GET", "/proposals").json if one["about"] == f"bank:{bank}"]
    assert len(waiting) == 1


def test_an_import_is_made_once_under_one_key_and_its_file_is_part_of_the_request(everyone: Asker, bank: str) -> None:
    key, path = uuid4().hex, f"/banks/{bank}/import?provenance=tests"
    file = f"signal_type,value\nmd5,{uuid4().hex}\n".encode()
    headers = {"Idempotency-Key": key}
    first = everyone.ask("POST", path, file, kind="text/csv", headers=headers)
    assert (first.status, first.json["added"]) == (200, 1)
    again = everyone.ask("POST", path, file, kind="text/csv", headers=headers)
    assert (again.status, again.json) == (200, first.json)
    other = everyone.ask("POST", path, file + b"md5," + b"0" * 32, kind="text/csv", headers=headers)
    refused(other, 409, "request.idempotency_conflict")
    assert len(everyone.ask("GET", f"/banks/{bank}/imports").json) == 1


def test_what_was_refused_may_be_asked_for_again_under_the_same_key(everyone: Asker, second: Second, bank: str) -> None:
    key = uuid4().hex
    refused(under(everyone, key, "POST", f"/banks/{bank}/enable"), 409, "bank.not_in_this_state")
    second.agrees(everyone.ask("POST", f"/banks/{bank}/disable", because="tests"))
    assert under(everyone, key, "POST", f"/banks/{bank}/enable").status == 200


def test_twenty_at_once_under_one_key_make_one_change(everyone: Asker, bank: str) -> None:
    key, body = uuid4().hex, signal(uuid4().int % 2**120)

    def ask(_: int) -> Reply:
        for _try in range(200):
            reply = under(everyone, key, "POST", f"/banks/{bank}/entries", body)
            if reply.status != 503:
                return reply
            assert reply.json["code"] in ("request.answer_pending", "dependency.database")
        raise AssertionError

    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(ask, range(20)))
    assert Counter(reply.status for reply in replies) == {201: 20}
    assert len({reply.json["added"][0] for reply in replies}) == 1
    (found,) = [one for one in everyone.ask("GET", "/banks").json if one["name"] == bank]
    assert found["entries"] == 1


def test_a_key_is_its_api_keys_own(
    everyone: Asker, second: Second, nobody: Asker, keys: dict[str, str], bank: str
) -> None:
    key = uuid4().hex
    second.agrees(under(everyone, key, "POST", f"/banks/{bank}/disable?because=tests"))
    other = Asker(nobody.address, keys["banks:write"])
    refused(under(other, key, "POST", f"/banks/{bank}/disable"), 409, "bank.not_in_this_state")
    for bad in ("revoked", "expired"):
        reply = under(Asker(nobody.address, keys[bad]), key, "POST", f"/banks/{bank}/disable")
        refused(reply, 401, "access.key_refused")
    refused(under(nobody, key, "POST", f"/banks/{bank}/disable"), 401, "access.key_missing")


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_cannot_be_one_is_refused(everyone: Asker, bank: str, key: str) -> None:
    assert "Idempotency-Key" in refused(under(everyone, key, "POST", f"/banks/{bank}/disable"), 422, "request.invalid")


def test_the_document_says_of_every_change_that_it_takes_a_key(nobody: Asker) -> None:
    paths = nobody.ask("GET", "/openapi.json").json["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            names = [one["name"] for one in operation.get("parameters", [])]
            assert ("Idempotency-Key" in names) == (method != "get"), (method, path)
