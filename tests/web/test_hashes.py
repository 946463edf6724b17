# SPDX-License-Identifier: Apache-2.0
"""POST /v1/screen/hashes: a platform's own hashes get the answer they deserve, and never more than they can carry."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from holdfast.media.reason import Reason
from tests.store.making import md5, pdq
from tests.web.http import Asker, Reply, refused

PATH = "/screen/hashes"
Signal = dict[str, Any]


def look(value: str, quality: int = 90) -> Signal:
    return {"signal_type": "pdq", "value": value, "quality": quality}


def digest(value: str, kind: str = "md5") -> Signal:
    return {"signal_type": kind, "value": value}


def new_look() -> str:
    return pdq(uuid4().int).value


def screened(asker: Asker, *signals: Signal, headers: dict[str, str] | None = None, **options: object) -> Reply:
    """The answer to these signals."""
    body = json.dumps({"signals": signals, **options}).encode()
    return asker.ask("POST", PATH, body, kind="application/json", headers=headers)


def why(reply: Reply) -> tuple[str, str, str | None]:
    assert reply.status == 200, reply.content
    explanation = reply.json["explanation"]
    assert explanation["hashes_by"] == "platform"
    return reply.json["answer"], explanation["verdict"], explanation["reason"]


def banked(everyone: Asker, bank: str, *signals: Signal) -> str:
    entry = {"signals": [{key: one[key] for key in ("signal_type", "value")} for one in signals], "provenance": "t"}
    return str(everyone.send("POST", f"/banks/{bank}/entries", {"entries": [entry]}).json["added"][0])


def test_a_known_look_is_held_and_an_unknown_one_published(everyone: Asker, bank: str) -> None:
    value = new_look()
    entry = banked(everyone, bank, look(value))
    near = f"{int(value, 16) ^ 0b111:064x}"
    reply = screened(everyone, look(near))
    assert why(reply) == ("hold", "matched", None)
    (match,) = reply.json["explanation"]["matches"]
    told = {key: match[key] for key in ("bank", "entry", "signal", "variant", "distance")}
    assert told == {"bank": bank, "entry": entry, "signal": "pdq", "variant": "given", "distance": 3}
    assert why(screened(everyone, look(new_look()))) == ("publish", "no_match", None)


def test_a_turned_copy_is_found_by_the_hash_of_its_turned_form_alone(everyone: Asker, bank: str) -> None:
    upright = new_look()
    banked(everyone, bank, look(upright))
    forms = [look(new_look()) for _ in range(7)]
    assert why(screened(everyone, *forms))[0] == "publish"
    assert why(screened(everyone, *forms, look(upright)))[0] == "hold"


def test_digests_alone_never_lead_to_publish(everyone: Asker, bank: str) -> None:
    value = md5(uuid4().int).value
    unknown = ("hold", "not_screened", "only_digests")
    assert why(screened(everyone, digest(value), digest("ab" * 31 + "cd", "sha256"))) == unknown
    banked(everyone, bank, digest(value))
    assert why(screened(everyone, digest(value))) == ("hold", "matched", None)


@pytest.mark.parametrize("quality", [0, 49])
def test_too_little_detail_is_held_unless_something_matches(everyone: Asker, bank: str, quality: int) -> None:
    value, exact = new_look(), md5(uuid4().int).value
    banked(everyone, bank, look(value), digest(exact))
    assert why(screened(everyone, look(value, quality))) == ("hold", "not_screened", "low_quality")
    assert why(screened(everyone, look(value, quality), digest(exact))) == ("hold", "matched", None)
    assert why(screened(everyone, look(value, 50))) == ("hold", "matched", None)


def test_what_could_not_be_told_has_an_owner_until_it_can(everyone: Asker, name: str) -> None:
    screened(everyone, digest(md5(uuid4().int).value), content_id=name)
    (held,) = [one for one in everyone.ask("GET", "/unscreened").json if one["content_id"] == name]
    assert (held["reason"], held["send_again"]) == ("only_digests", False)
    assert held["reason_says"] == Reason.ONLY_DIGESTS.says
    assert why(screened(everyone, look(new_look()), content_id=name))[0] == "publish"
    assert name not in [one["content_id"] for one in everyone.ask("GET", "/unscreened").json]


def test_the_record_says_whose_hashes_they_were(everyone: Asker, name: str) -> None:
    options: dict[str, Any] = {"content_id": name, "content_version": "2", "surface": "avatar", "uploader": "user-1"}
    given = screened(everyone, look(new_look()), digest(md5(1).value), headers=None, **options).json["screening"]
    record = everyone.ask("GET", f"/screenings/{given}")
    assert {key: record.json[key] for key in ("content", "content_version", "surface", "hashes_by")} == {
        "content": name,
        "content_version": "2",
        "surface": "avatar",
        "hashes_by": "platform",
    }
    assert b"user-1" not in record.content
    ours = everyone.ask("POST", "/screen", b"x").json["screening"]
    assert everyone.ask("GET", f"/screenings/{ours}").json["hashes_by"] == "holdfast"


def test_without_the_scope_explain_two_parts_are_told(uploader: Asker, everyone: Asker, bank: str) -> None:
    value = new_look()
    banked(everyone, bank, look(value))
    for signal, answer in ((look(value), "hold"), (look(new_look()), "publish"), (look(value, 3), "hold")):
        reply = screened(uploader, signal)
        assert set(reply.json) == {"answer", "screening"}
        assert reply.json["answer"] == answer


def test_the_same_request_again_has_the_same_answer(everyone: Asker, bank: str, name: str) -> None:
    value, key = new_look(), {"Idempotency-Key": name}
    first = screened(everyone, look(value), headers=key)
    banked(everyone, bank, look(value))
    assert screened(everyone, look(value), headers=key).json == first.json
    refused(screened(everyone, look(value, 91), headers=key), 409, "request.idempotency_conflict")
    refused(screened(everyone, look(value), surface="other", headers=key), 409, "request.idempotency_conflict")
    refused(everyone.ask("POST", "/screen", b"x", headers=key), 409, "request.idempotency_conflict")
    assert why(screened(everyone, look(value)))[0] == "hold"


WRONG: dict[str, dict[str, Any]] = {
    "no signals": {"signals": []},
    "none at all": {},
    "too many": {"signals": [digest(md5(1).value)] * 101},
    "a look without its quality": {"signals": [digest(pdq(1).value, "pdq")]},
    "a quality that is none": {"signals": [look(pdq(1).value, 101)]},
    "a quality as text": {"signals": [{**look(pdq(1).value), "quality": "90"}]},
    "an unknown option": {"signals": [look(pdq(1).value)], "contentid": "x"},
    "an unknown part of a signal": {"signals": [{**look(pdq(1).value), "form": "mirrored"}]},
    "an empty reference": {"signals": [look(pdq(1).value)], "content_id": ""},
}
BAD_SIGNALS = (look("0" * 64), look("ab"), digest("d41d8cd98f00b204e9800998ecf8427e"), digest("00", "tmk"))


@pytest.mark.parametrize("what", WRONG)
def test_a_request_of_the_wrong_form_is_refused(everyone: Asker, what: str) -> None:
    refused(everyone.send("POST", PATH, WRONG[what]), 422, "request.invalid")


@pytest.mark.parametrize("signal", BAD_SIGNALS)
def test_a_signal_that_would_match_everything_or_nothing_is_refused(everyone: Asker, signal: Signal) -> None:
    detail = refused(screened(everyone, look(new_look()), signal), 422, "input.signal")
    assert signal["value"] not in detail
