# SPDX-License-Identifier: Apache-2.0
"""/v1/reports: reports of partners, each receipted; words that are shown once; nobody is verified by saying so."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import psycopg
import pytest

from holdfast.access.key import Scope
from holdfast.bootstrap import System
from holdfast.demo.pictures import encoded, hills
from holdfast.intake.code import read_code
from holdfast.intake.proof import Claim
from holdfast.intake.report import Element
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs
from holdfast.verify import holdfast_verify
from tests.conftest import Server, superuser
from tests.web.http import Asker, Reply, refused

PHOTO = encoded(hills(4714, (320, 240)))
REPORT: Mapping[str, Any] = {
    "reporter": "depicted_child",
    "category": "csam",
    "items": [{"kind": "link", "address": "https://a.example/p/1", "uploader_is": "depicted"}],
    "words": "what happened",
    "contact": "somebody@mail.example",
    "ages": {"lower": 13, "upper": 14, "born": {"year": 2008, "month": 5}},
    "elements": ["signature", "where"],
}


@dataclass(frozen=True)
class Tables:
    """The tables of the shared server."""

    data: Path

    def report(self, report_id: str) -> tuple[str, bool, bytes | None]:
        """(who, verified, the digest of where it came from) of a report."""
        with psycopg.connect(superuser(self.data)) as connection:
            row = connection.execute(
                "select reporter, verified, source from report where id = %s", [report_id]
            ).fetchone()
        assert row is not None
        return row

    def hold(self, words: str) -> set[str]:
        """In which columns of what is kept beside Idempotency-Keys, and of the journal, these words stand."""
        with psycopg.connect(superuser(self.data)) as connection:
            kept = connection.execute("select 1 from idempotency where body::text like %s", [f"%{words}%"]).fetchone()
            told = connection.execute("select 1 from journal where body::text like %s", [f"%{words}%"]).fetchone()
        return {name for name, found in (("idempotency", kept), ("journal", told)) if found}


@pytest.fixture
def tables(server: Server) -> Tables:
    return Tables(Path(server.environment["HOLDFAST_DATA"]))


@pytest.fixture
def partner(nobody: Asker, keys: dict[str, str]) -> Asker:
    return Asker(nobody.address, keys[Scope.REPORT])


@pytest.fixture
def verified(nobody: Asker, keys: dict[str, str]) -> Asker:
    return Asker(nobody.address, keys[Scope.REPORT_VERIFIED])


def sent(asker: Asker, **change: Any) -> dict[str, Any]:
    reply = asker.send("POST", "/reports", {**REPORT, **change})
    assert reply.status == 201, reply.content
    return dict(reply.json)


def shown(asker: Asker, code: str) -> dict[str, Any]:
    reply = asker.send("POST", "/reports/open", {"code": code})
    assert reply.status == 200, reply.content
    return dict(reply.json)


def under(asker: Asker, key: str, body: Mapping[str, Any], path: str = "") -> Reply:
    return asker.send("POST", f"/reports{path}", body, headers={"Idempotency-Key": key})


# --- received


def test_a_report_is_answered_with_words_a_reference_and_a_signed_statement(partner: Asker) -> None:
    answer = sent(partner)
    assert set(answer) == {"report", "reference", "code", "received_at", "receipt"}
    assert read_code(answer["code"]) == answer["code"]
    says = holdfast_verify.check(json.dumps(answer["receipt"]))
    assert any("PROMISED" in line and f"report:{answer['report']}" in line for line in says)
    assert answer["code"] not in json.dumps(answer["receipt"])


def test_only_items_or_words_are_needed(partner: Asker) -> None:
    for least in ({"items": [{"address": "https://a.example/1"}]}, {"words": "no address"}):
        reply = partner.send("POST", "/reports", {"reporter": "bystander", "category": "csam", **least})
        assert reply.status == 201
    nothing = {"reporter": "bystander", "category": "csam", "words": " "}
    assert "items" in refused(partner.send("POST", "/reports", nothing), 422, "request.invalid")


@pytest.mark.parametrize(
    "change",
    [
        {"reporter": "me"},
        {"reporter": None},
        {"category": "nudity"},
        {"items": [{"address": ""}]},
        {"items": [{"address": "x" * 2001}]},
        {"items": [{"address": "x", "kind": "picture"}]},
        {"items": [{"address": "x", "content": "y"}]},
        {"items": [{"address": "x"}] * 101},
        {"items": "https://a.example/1"},
        {"words": 1},
        {"words": "x" * 10_001},
        {"words": "a\x00b"},
        {"contact": "x" * 501},
        {"ages": {"lower": 14, "upper": 13}},
        {"ages": {"lower": -1}},
        {"ages": {"lower": 13.5}},
        {"ages": {"lower": "13"}},
        {"ages": {"born": {"year": 2008, "month": 13}}},
        {"ages": {"born": {"year": 2008, "month": 2, "day": 30}}},
        {"elements": ["name"]},
        {"proof": {"content": "no base64"}},
        {"proof": {"content": ""}},
        {"proof": {"content": base64.b64encode(b"MZ").decode()}},
        {"proof": {"content": base64.b64encode(PHOTO).decode(), "says": ["age"]}},
        {"verified": True},
        {"code": "x"},
        {"source": ""},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_told_back(partner: Asker, change: dict[str, Any]) -> None:
    reply = partner.send("POST", "/reports", {**REPORT, "contact": "secret@mail.example", **change})
    refused(reply, 422, "request.invalid")
    assert b"secret@" not in reply.content


def test_the_shapes_name_every_word_that_there_is(wired: System) -> None:
    assert wired  # shapes need Django's settings
    from holdfast.web import report_shapes

    for shape, words in (
        (report_shapes.Kind, ItemKind),
        (report_shapes.Uploader, UploaderIs),
        (report_shapes.Reporter, ReporterKind),
        (report_shapes.What, Category),
        (report_shapes.LegalElement, Element),
        (report_shapes.Shows, Claim),
    ):
        assert set(get_args(shape)) == {word.value for word in words}


def test_a_proof_of_ten_megabytes_is_taken(partner: Asker) -> None:
    content = PHOTO + bytes(10 * 1024 * 1024 - len(PHOTO))
    answer = sent(partner, proof={"says": ["birth_date"], "content": base64.b64encode(content).decode()})
    assert [one["state"] for one in shown(partner, answer["code"])["proofs"]] == ["received"]
    longer = base64.b64encode(content + b"\0\0\0").decode()
    refused(partner.send("POST", "/reports", {**REPORT, "proof": {"content": longer}}), 422, "request.invalid")


# --- who says so


@pytest.mark.parametrize("who", ReporterKind)
def test_only_an_authority_with_a_verified_key_counts_as_verified(
    partner: Asker, verified: Asker, tables: Tables, who: ReporterKind
) -> None:
    authorities = {"flagger", "hotline", "police", "regulator", "staff"}
    assert tables.report(sent(partner, reporter=who.value)["report"])[:2] == (who.value, False)
    assert tables.report(sent(verified, reporter=who.value)["report"])[:2] == (who.value, who.value in authorities)


def test_where_it_came_from_is_kept_as_a_digest_of_key_and_source_together(
    partner: Asker, verified: Asker, tables: Tables
) -> None:
    def source(asker: Asker, **more: str) -> bytes | None:
        return tables.report(sent(asker, **more)["report"])[2]

    assert source(partner, source="one") == source(partner, source="one")
    kinds = {
        source(partner),
        source(partner, source="one"),
        source(partner, source="two"),
        source(verified, source="one"),
    }
    assert len(kinds) == 4
    assert None not in kinds


# --- opened again


def test_the_words_open_the_report_for_any_partner_and_show_what_was_named(partner: Asker, verified: Asker) -> None:
    code = sent(partner)["code"]
    for asker in (partner, verified):
        view = shown(asker, code.upper().replace(" ", "-"))
        assert view["items"][0]["address"] == "https://a.example/p/1"
        assert (view["category"], view["state"], view["copies_hidden"]) == ("csam", "received", None)


@pytest.mark.parametrize("path", ["open", "add", "stop-contact", "withdraw"])
def test_words_that_open_nothing_are_said_to_and_never_repeated(partner: Asker, path: str) -> None:
    more = {"words": "x"} if path == "add" else {}
    unknown = "acorn actor album alley almanac almond amber anchor"
    reply = partner.send("POST", f"/reports/{path}", {"code": unknown, **more})
    refused(reply, 404, "report.unknown")
    for wrong in ("", "acorn", "x" * 201, f"{unknown} anchor", unknown.replace("acorn", "secretly")):
        reply = partner.send("POST", f"/reports/{path}", {"code": wrong, **more})
        refused(reply, 422, "request.invalid")
        assert b"secretly" not in reply.content


def test_there_is_no_address_with_the_words_in_it(partner: Asker) -> None:
    code = sent(partner)["code"].replace(" ", "-")
    for path in (f"/reports/{code}", f"/reports/open/{code}", f"/reports?code={code}"):
        assert partner.ask("GET", path).status in (404, 405)


def test_more_is_added_contact_ends_and_it_is_withdrawn_and_taken_up_again(partner: Asker) -> None:
    code = sent(partner)["code"]
    more = {"code": code, "words": "and this", "items": [{"address": "https://a.example/p/2"}]}
    changed = partner.send("POST", "/reports/add", more).json
    assert set(changed) == {"report", "reference", "state", "contact_stopped"}
    assert [one["address"] for one in shown(partner, code)["items"]] == [
        "https://a.example/p/1",
        "https://a.example/p/2",
    ]
    assert partner.send("POST", "/reports/stop-contact", {"code": code}).json["contact_stopped"] is True
    assert partner.send("POST", "/reports/withdraw", {"code": code}).json["state"] == "withdrawn"
    refused(partner.send("POST", "/reports/withdraw", {"code": code}), 409, "report.not_in_this_state")
    refused(partner.send("POST", "/reports/add", {"code": code, "words": " "}), 422, "request.invalid")
    assert partner.send("POST", "/reports/add", {"code": code, "words": "again"}).json["state"] == "received"


# --- once


def test_a_report_under_one_key_is_made_once_and_its_words_are_shown_once(partner: Asker, tables: Tables) -> None:
    key = uuid4().hex
    first = under(partner, key, REPORT)
    assert first.status == 201
    again = under(partner, key, REPORT)
    detail = refused(again, 409, "report.shown_once")
    assert first.json["reference"] in detail
    assert first.json["code"].encode() not in again.content
    assert first.json["report"].encode() not in again.content
    refused(under(partner, key, {**REPORT, "words": "another"}), 409, "request.idempotency_conflict")
    assert tables.hold(first.json["code"]) == set()
    assert shown(partner, first.json["code"])["reference"] == first.json["reference"]


def test_ten_at_once_under_one_key_make_one_report(partner: Asker) -> None:
    key, body = uuid4().hex, {**REPORT, "words": uuid4().hex}

    def ask(_: int) -> Reply:
        for _try in range(200):
            reply = under(partner, key, body)
            if reply.status != 503:
                return reply
        raise AssertionError

    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(ask, range(10)))
    assert sorted(reply.status for reply in replies) == [201, *[409] * 9]


def test_what_was_refused_leaves_its_key_free(partner: Asker) -> None:
    key = uuid4().hex
    refused(under(partner, key, {**REPORT, "items": [], "words": ""}), 422, "request.invalid")
    assert under(partner, key, REPORT).status == 201


def test_a_change_under_one_key_is_made_once_and_what_is_kept_has_nobodys_words(partner: Asker, tables: Tables) -> None:
    code, story = sent(partner)["code"], uuid4().hex
    for path, more in (("/add", {"items": [{"address": story}], "words": story}), ("/withdraw", {})):
        key = uuid4().hex
        first, again = (under(partner, key, {"code": code, **more}, path) for _ in range(2))
        assert (again.status, again.json) == (first.status, first.json) == (200, first.json)
    assert len(shown(partner, code)["items"]) == 2
    assert tables.hold(story) == tables.hold(code) == set()


def test_opening_under_a_key_shows_how_it_stands_now_and_keeps_nothing(partner: Asker, tables: Tables) -> None:
    code, key = sent(partner)["code"], uuid4().hex
    assert under(partner, key, {"code": code}, "/open").json["state"] == "received"
    partner.send("POST", "/reports/withdraw", {"code": code})
    assert under(partner, key, {"code": code}, "/open").json["state"] == "withdrawn"
    assert tables.hold("https://a.example/p/1") == set()
