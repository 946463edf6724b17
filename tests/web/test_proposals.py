# SPDX-License-Identifier: Apache-2.0
"""/v1/proposals: what weakens is asked for, looked at and agreed to by another person, over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from uuid import uuid4

import pytest

from holdfast.match.video import USUAL
from tests.store.making import md5
from tests.two_people import Second, proposal_in
from tests.web.http import Asker, Reply, refused

ASKED = {"proposal", "state", "needs"}
SHOWN = {
    *("id", "state", "command", "about", "at_version", "person", "because", "asked_at", "owner", "due"),
    *("answered_by", "answer", "answered_at", "solo", "digest", "does"),
}


@pytest.fixture
def entry(everyone: Asker, bank: str) -> str:
    """The address of an entry of one's own."""
    signals = [{"signal_type": "md5", "value": md5(uuid4().int).value}]
    new = {"entries": [{"signals": signals, "provenance": "tests"}]}
    (made,) = everyone.send("POST", f"/banks/{bank}/entries", new).json["added"]
    return f"/banks/{bank}/entries/{made}"


def shown(asker: Asker, proposal: str) -> dict[str, object]:
    reply = asker.ask("GET", f"/proposals/{proposal}")
    assert reply.status == 200
    return dict(reply.json)


def agreed(asker: Asker, proposal: str, **other: object) -> Reply:
    given = {"digest": shown(asker, proposal)["digest"], "because": "looked at it", **other}
    return asker.send("POST", f"/proposals/{proposal}/agree", given)


def test_what_weakens_is_asked_for_shown_with_what_it_does_and_done_when_another_agrees(
    everyone: Asker, second: Second, bank: str
) -> None:
    asked = everyone.send("POST", f"/banks/{bank}/threshold", {"threshold": 9, "because": "too many strangers"})
    assert (asked.status, set(asked.json)) == (202, ASKED)
    assert (asked.json["state"], asked.json["needs"]) == ("asked", "a second person")
    one = shown(second.asker, asked.json["proposal"])
    assert set(one) == SHOWN
    assert (one["person"], one["because"], one["about"], one["command"]) == (
        "first",
        "too many strangers",
        f"bank:{bank}",
        "change_threshold",
    )
    video = dict(asdict(USUAL))
    assert one["does"] == {
        "before": {"state": "active", "threshold": 31, "action": "hold", "video": video},
        "after": {"state": "active", "threshold": 9, "action": "hold", "video": video},
        "entries": 0,
    }
    listed = second.asker.ask("GET", "/proposals").json
    assert [found["id"] for found in listed if found["about"] == f"bank:{bank}"] == [one["id"]]
    done = agreed(second.asker, str(one["id"]))
    assert (done.status, done.json["state"], done.json["solo"]) == (200, "agreed", False)
    after = shown(second.asker, str(one["id"]))
    assert (after["answer"], after["does"]) == ("looked at it", None)
    assert one["id"] not in [found["id"] for found in second.asker.ask("GET", "/proposals").json]
    assert one["id"] in [found["id"] for found in second.asker.ask("GET", "/proposals", state="all").json]
    assert [found["threshold"] for found in everyone.ask("GET", "/banks").json if found["name"] == bank] == [9]


def test_neither_the_same_key_nor_another_of_the_same_person_agrees(
    everyone: Asker, second: Second, keys: dict[str, str], entry: str
) -> None:
    proposal = proposal_in(everyone.ask("DELETE", entry, because="a test"))
    for key in ("all", "again"):
        refused(agreed(Asker(everyone.address, keys[key]), proposal), 409, "proposal.same_person")
    refused(agreed(Asker(everyone.address, keys["impersonal"]), proposal), 403, "access.person_missing")
    assert agreed(second.asker, proposal).status == 200
    refused(agreed(second.asker, proposal), 409, "proposal.not_in_this_state")


def test_a_key_without_a_person_protects_and_cannot_ask(keys: dict[str, str], everyone: Asker, entry: str) -> None:
    impersonal = Asker(everyone.address, keys["impersonal"])
    refused(impersonal.ask("DELETE", entry, because="a test"), 403, "access.person_missing")
    opinion = impersonal.send("POST", f"{entry}/opinion", {"opinion": "confirmed", "because": "looked"})
    assert opinion.status == 200


def test_anybody_may_refuse_and_only_who_asked_withdraws(
    everyone: Asker, second: Second, keys: dict[str, str], entry: str
) -> None:
    proposal = proposal_in(everyone.ask("DELETE", entry, because="a test"))
    withdraw = second.asker.send("POST", f"/proposals/{proposal}/withdraw", {"because": "x"})
    refused(withdraw, 409, "proposal.not_yours")
    assert everyone.send("POST", f"/proposals/{proposal}/withdraw", {"because": "a slip"}).json["state"] == "withdrawn"
    again = proposal_in(everyone.ask("DELETE", entry, because="a test"))
    assert again != proposal
    impersonal = Asker(everyone.address, keys["impersonal"])
    assert impersonal.send("POST", f"/proposals/{again}/refuse", {"because": "no"}).json["state"] == "refused"
    refused(agreed(second.asker, again), 409, "proposal.not_in_this_state")


def test_only_what_was_shown_is_agreed_to(everyone: Asker, second: Second, entry: str) -> None:
    proposal = proposal_in(everyone.ask("DELETE", entry, because="a test"))
    refused(agreed(second.asker, proposal, digest="0" * 64), 409, "proposal.not_what_was_shown")
    refused(agreed(second.asker, proposal, digest="x"), 422, "request.invalid")
    refused(agreed(second.asker, proposal, because=" "), 422, "request.invalid")
    refused(agreed(second.asker, proposal, more=1), 422, "request.invalid")


def test_what_changed_meanwhile_is_overtaken(everyone: Asker, second: Second, entry: str) -> None:
    proposal = proposal_in(everyone.ask("DELETE", entry, because="a test"))
    assert everyone.send("POST", f"{entry}/opinion", {"opinion": "confirmed", "because": "looked"}).status == 200
    assert shown(second.asker, proposal)["does"] is None
    assert "asked for at 1" in refused(agreed(second.asker, proposal), 409, "proposal.overtaken")
    assert shown(second.asker, proposal)["state"] == "overtaken"


def test_asking_for_the_same_again_names_the_same_proposal(everyone: Asker, entry: str) -> None:
    first = everyone.ask("DELETE", entry, because="a test")
    assert everyone.ask("DELETE", entry, because="a test").json == first.json


def test_a_file_for_a_benign_bank_is_staged_and_counts_when_another_agreed(
    everyone: Asker, second: Second, name: str
) -> None:
    about = {"name": name, "meaning": "harmless", "source": "tests", "kind": "benign"}
    assert everyone.send("POST", "/banks", about).status == 201
    body = f"signal_type,value\nmd5,{md5(uuid4().int).value}\n".encode()
    path = f"/banks/{name}/import"
    asked = everyone.ask("POST", path, body, kind="text/csv", provenance="our own pictures")
    assert asked.status == 202
    assert everyone.ask("GET", f"/banks/{name}/export").content == b""
    one = shown(second.asker, proposal_in(asked))
    assert (one["because"], one["command"]) == ("sent as text/csv: our own pictures", "publish_import")
    assert agreed(second.asker, str(one["id"])).status == 200
    assert everyone.ask("GET", f"/banks/{name}/export").content.count(b"md5") == 1


@pytest.mark.parametrize("act", ["agree", "refuse", "withdraw"])
def test_a_proposal_that_is_not_there_is_a_404(everyone: Asker, act: str) -> None:
    given = {"because": "x", **({"digest": "0" * 64} if act == "agree" else {})}
    refused(everyone.send("POST", f"/proposals/pro_x/{act}", given), 404, "proposal.unknown")
    refused(everyone.ask("GET", "/proposals/pro_x"), 404, "proposal.unknown")
    refused(everyone.ask("GET", "/proposals", state="some"), 422, "request.invalid")
