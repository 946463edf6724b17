# SPDX-License-Identifier: Apache-2.0
"""Known words put into every field that people or platforms can fill lie nowhere but where the ADR says.

What is sealed (0021) lies nowhere at all: not in any column of any table, not in the files of the database
with its write-ahead log, not in the logs, not in an answer to a mistake. What is a name of a thing and not
of a person lies in the columns listed here, and nowhere else. Neither leaves with an alarm.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from holdfast.demo.client import Client
from holdfast.demo.pictures import encoded, hills
from holdfast.testing.platform_server import serve_platform
from holdfast.testing.simulators import SimulatedPlatform
from holdfast.testing.site import Site
from tests.adapters.test_webhook import Platform as Pager
from tests.adapters.test_webhook import platform
from tests.alarm.post_office import PostOffice, post_office
from tests.conftest import READY_SECONDS, Server, environment_for, holdfast, stop, superuser
from tests.two_people import key_for, this_account
from tests.web.doors.visiting import Visitor, until
from tests.web.http import Asker

PLATFORM_KEY = bytes(range(32))
PICTURE = encoded(hills(78_001, (640, 480)))


def word(about: str) -> str:
    return f"canary-{about}-{uuid4().hex[:12]}"


SEALED = {
    name: word(name)
    for name in (
        "uploader",
        "provenance",
        "picture-provenance",
        "threshold-because",
        "action-because",
        "video-rule-because",
        "later-uploader",
        "opinion-because",
        "removal-because",
        "import-provenance",
        "line-provenance",
        "roll-back-because",
        "file-name",
        "label",
        "cli-provenance",
        "cli-because",
        "erasure-because",
        "hashes-uploader",
        "refused-uploader",
        "agreement-because",
        "refusal-because",
        "withdrawal-because",
        "new-label",
        "settings-because",
        "lift-because",
        *("door-address", "door-description", "door-words", "door-contact", "door-name", "door-proof"),
        *("door-added-address", "door-added-words", "door-added-proof", "door-refused", "contest-words"),
        *("api-address", "api-words", "api-contact", "api-source", "api-proof", "api-added-address", "api-added-words"),
        "waiting-because",
    )
}
"""Where each word is put: it may be found nowhere."""
SET = {name: word(name) for name in ("mailbox", "deputy-mailbox", "alarm-path")}
"""Words in settings, which are addresses of people or secrets: nowhere either, but in the environment."""

NAMED = {
    "bank": {
        "bank.name",
        "entry.bank_id",
        "bank_import.bank_id",
        "archive_search.bank",
        "journal.subject",
        "journal.body",
        "screening.matches",
        "idempotency.body",
        "long_screening.answer",
        "proposal.subject",
        "log_leaf.subject",
    },
    "meaning": {"bank.meaning", "journal.body", "idempotency.body"},
    "source": {"bank.source", "journal.body", "idempotency.body"},
    "content": {
        "screening.content_id",
        "archive.content_id",
        "archive_hit.content_id",
        "unscreened.content_id",
        "long_screening.content_id",
        "long_screening.answer",
        "journal.body",
    },
    "version": {
        "screening.content_version",
        "archive.content_version",
        "archive_hit.content_version",
        "unscreened.content_version",
        "long_screening.content_version",
        "long_screening.answer",
        "journal.body",
    },
    "surface": {
        "screening.surface",
        "archive.surface",
        "archive_hit.surface",
        "long_screening.surface",
        "long_screening.answer",
        "journal.body",
    },
    "idempotency": {"idempotency.idempotency_key"},
}
"""Names of things: the columns in which each may stand, and no other."""
WORDS = {name: word(name)[:60] for name in NAMED}


RECORD_SETTINGS = """
from holdfast.bootstrap import running
from holdfast.settings import Settings
with running(Settings.from_environment()) as system:
    system.safety.record(system.settings, actor="cli:test")
"""
"""What each start of `serve` does with its settings."""


@dataclass(frozen=True)
class Filled:
    """A server whose every field was filled, its data folder, and what it said on its outputs."""

    server: Server
    second: Asker
    data: Path
    said: Path
    answers: list[str]
    site: Site
    office: PostOffice
    pager: Pager
    codes: list[str]
    """The secret words of every report that was made, and of the other side of one."""

    def agree(self, asked: Mapping[str, Any]) -> None:
        """Be the second person, and say so twice under one key."""
        shown = self.second.ask("GET", f"/proposals/{asked['proposal']}").json
        given = {"digest": shown["digest"], "because": SEALED["agreement-because"]}
        for _ in range(2):
            once = {"Idempotency-Key": f"{asked['proposal']}"}
            reply = self.second.send("POST", f"/proposals/{asked['proposal']}/agree", given, headers=once)
            assert reply.status == 200, reply.content


@pytest.fixture(scope="module")
def filled(folder: Path) -> Iterator[Filled]:
    """A server of its own, filled through its API and its commands."""
    site = Site()
    beside = serve_platform(SimulatedPlatform(site), PLATFORM_KEY, site)
    with post_office() as office, platform() as pager, beside as url:
        yield from filled_with(folder, office, pager, site, url)


def alarming(office: PostOffice, pager: Pager) -> dict[str, str]:
    """Settings with which alarms soon go out, on both ways."""
    return {
        "HOLDFAST_PROPOSAL_HOURS": "0.0001",
        "HOLDFAST_ALARM_SMTP": f"smtp://127.0.0.1:{office.port}",
        "HOLDFAST_ALARM_EMAIL": f"{SET['mailbox']}@platform.example",
        "HOLDFAST_ALARM_DEPUTY_EMAIL": f"{SET['deputy-mailbox']}@platform.example",
        "HOLDFAST_ALARM_URL": f"{pager.url}/{SET['alarm-path']}",
        "HOLDFAST_ALARM_SECRET": "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    }


def filled_with(folder: Path, office: PostOffice, pager: Pager, site: Site, url: str) -> Iterator[Filled]:
    data, said = folder / "canary", folder / "canary.log"
    secret = f"whsec_{base64.b64encode(PLATFORM_KEY).decode()}"
    beside = {"HOLDFAST_PLATFORM_URL": url, "HOLDFAST_PLATFORM_SECRET": secret}
    environment = environment_for(data, **alarming(office, pager), **beside)
    with said.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "holdfast", "serve"], env=environment, stdout=log, stderr=log)
    address = environment["HOLDFAST_LISTEN"]
    Client(address, "").wait_until_ready(patience=READY_SECONDS)
    bare = Server(process, environment, address, Client(address, ""))
    ours = key_for(environment, this_account())
    server = replace(bare, client=Client(address, ours))
    second = Asker(address, key_for(environment, "somebody-else"))
    place = Filled(server, second, data, said, [], site, office, pager, [])
    fill_by_api(place)
    fill_by_mistake(place)
    fill_by_page(place)
    fill_by_partner(place)
    fill_contest(place)
    fill_by_commands(place, folder)
    wait_for_alarms(place)
    yield place
    stop(process)


def fill_by_api(place: Filled) -> None:
    """Every field of the API that takes words, in requests that succeed."""
    ask = place.server.client.call

    def told(method: str, path: str, body: object, status: int = 200) -> dict[str, object]:
        # What is kept beside a key may not be in clear either.
        once = {"Idempotency-Key": uuid4().hex}
        reply = ask(method, path, body=json.dumps(body).encode(), kind="application/json", headers=once)
        assert reply.status == status, reply
        return dict(reply.body)

    bank = WORDS["bank"]
    told("POST", "/banks", {"name": bank, "meaning": WORDS["meaning"], "source": WORDS["source"]}, 201)
    for path, change in (
        ("threshold", {"threshold": 20, "because": SEALED["threshold-because"]}),
        ("action", {"action": "review", "because": SEALED["action-because"]}),
        ("video", {"least_frames": 10, "because": SEALED["video-rule-because"]}),
    ):
        place.agree(told("POST", f"/banks/{bank}/{path}", change, 202))
    for how, word_of in (("refuse", "refusal-because"), ("withdraw", "withdrawal-because")):
        asked = told("POST", f"/banks/{bank}/threshold", {"threshold": 24, "because": "a test"}, 202)
        told("POST", f"/proposals/{asked['proposal']}/{how}", {"because": SEALED[word_of]})
    signals = [{"signal_type": "md5", "value": uuid4().hex}]
    entry = {"signals": signals, "provenance": SEALED["provenance"]}
    added = told("POST", f"/banks/{bank}/entries", {"entries": [entry]}, 201)["added"]
    assert isinstance(added, list)
    (made,) = added
    path = f"/banks/{bank}/entries/{made}"
    place.agree(told("POST", f"{path}/opinion", {"opinion": "disputed", "because": SEALED["opinion-because"]}, 202))
    place.agree(ask("DELETE", path, because=SEALED["removal-because"]).body)
    reply = ask(
        "POST",
        f"/banks/{bank}/entries/picture",
        body=PICTURE,
        headers={"Idempotency-Key": uuid4().hex},
        provenance=SEALED["picture-provenance"],
    )
    assert reply.status == 201
    fill_by_import(place, bank)
    about = {"content_version": WORDS["version"], "surface": WORDS["surface"]}
    once = {"Idempotency-Key": WORDS["idempotency"]}
    for number, upload in enumerate((PICTURE, PICTURE[: len(PICTURE) // 2])):
        options = {**about, "content_id": f"{WORDS['content']}-{number}", "uploader": SEALED["uploader"]}
        reply = ask("POST", "/screen", body=upload, headers=once if not number else None, **options)
        assert (reply.status, reply.body["answer"]) == (200, "hold")
    fill_later(place, {**about, "content_id": f"{WORDS['content']}-later", "uploader": SEALED["later-uploader"]})


def wait_for_alarms(place: Filled) -> None:
    """Something that nobody answers in time, until it was told on both ways."""
    change = json.dumps({"threshold": 24, "because": SEALED["waiting-because"]}).encode()
    path = f"/banks/{WORDS['bank']}/threshold"
    asked = place.server.client.call("POST", path, body=change, kind="application/json").body["proposal"]
    pause, ends, about = threading.Event(), time.monotonic() + READY_SECONDS, f"proposal:{asked}".encode()
    while not all(any(about in told for told in way) for way in told_by(place).values()):
        assert time.monotonic() < ends
        pause.wait(0.05)


def told_by(place: Filled) -> dict[str, list[bytes]]:
    """Everything that left with alarms, on each way."""
    return {
        "e-mail": [one.content for one in place.office.letters],
        "webhook": [body for _, body in place.pager.got],
    }


def fill_later(place: Filled, options: dict[str, str]) -> None:
    """An upload that is answered later, from its receipt to its answer."""
    later = {"Prefer": "respond-async"}
    reply = place.server.client.call("POST", "/screen", body=PICTURE, headers=later, **options)
    assert reply.status == 202, reply
    pause, ends = threading.Event(), time.monotonic() + READY_SECONDS
    while (standing := place.server.client.call("GET", f"/screenings/{reply.body['screening']}").body)["status"] in (
        "waiting",
        "running",
    ):
        assert time.monotonic() < ends
        pause.wait(0.05)
    assert standing["answer"] == "hold"


def fill_by_import(place: Filled, bank: str) -> None:
    line = {"signal_type": "md5", "value": uuid4().hex, "provenance": SEALED["line-provenance"]}
    other = {"signal_type": "md5", "value": uuid4().hex}
    body = "\n".join(map(json.dumps, (line, other))).encode()
    path, kind = f"/banks/{bank}/import", "application/x-ndjson"
    reply = place.server.client.call(
        "POST",
        path,
        body=body,
        kind=kind,
        headers={"Idempotency-Key": uuid4().hex},
        provenance=SEALED["import-provenance"],
    )
    assert reply.status in (200, 201), reply
    undo = json.dumps({"because": SEALED["roll-back-because"]}).encode()
    gone = place.server.client.call(
        "POST", f"/banks/{bank}/imports/{reply.body['id']}/roll-back", body=undo, kind="application/json"
    )
    assert gone.status == 202, gone
    place.agree(gone.body)


def fill_by_mistake(place: Filled) -> None:
    """Requests that are refused: what they carried is not told back, nor logged."""
    ask, secret = place.server.client.call, SEALED["refused-uploader"]
    for method, path, body, options in (
        ("POST", "/screen", PICTURE, {"uploader": secret * 20}),
        ("POST", "/screen", PICTURE, {"uploader": secret + "\x01"}),
        ("POST", "/screen", PICTURE, {"uploader": secret, "unknown": "1"}),
        ("POST", "/screen/hashes", json.dumps({"uploader": [secret]}).encode(), {}),
        ("POST", f"/banks/{WORDS['bank']}/entries", json.dumps({"provenance": secret}).encode(), {}),
        ("DELETE", f"/banks/{WORDS['bank']}/entries/ent_none", None, {"because": secret}),
    ):
        kind = "application/json" if "{" in str(body)[:5] else "image/jpeg"
        reply = ask(method, path, body=body, kind=kind, headers=None, **options)
        assert reply.status >= 400, (path, reply)
        place.answers.append(json.dumps(reply.body))


def fill_by_page(place: Filled) -> None:
    """Every field of the page of a report, and of what may be added; and the same in one that is refused."""
    visitor = Visitor(place.server.address)
    fields = {
        "addresses": f"https://a.example/{SEALED['door-address']}\n{SEALED['door-description']}",
        "words": SEALED["door-words"],
        "contact": SEALED["door-contact"],
        "name": SEALED["door-name"],
        "who": "depicted_child",
        "category": "csam",
        "youngest": "13",
        "oldest": "14",
        "born_year": "2008",
    }
    receipt = visitor.send("/report", fields, b"%PDF-1.7\n" + SEALED["door-proof"].encode())
    code = {"code": receipt.words}
    added = {"addresses": f"https://a.example/{SEALED['door-added-address']}", "words": SEALED["door-added-words"]}
    proof = b"%PDF-1.7\n" + SEALED["door-added-proof"].encode()
    assert visitor.send("/case/add", {**code, **added}, proof).faults() == ["It was added to your report."]
    for act in ("kept", "small", "full", "quiet", "withdraw"):
        assert visitor.post(f"/case/{act}", code).status == 200
    secret = SEALED["door-refused"]
    refused = {"words": secret, "born_year": secret, "who": secret, "addresses": f"{secret} " * 500}
    assert visitor.send("/report", refused, secret.encode()).status == 422
    assert visitor.post("/case", {"code": secret}).status == 422
    place.codes.append(receipt.words)


def fill_by_partner(place: Filled) -> None:
    """The same over the API, under keys, so that what is kept beside them is looked at too."""

    def told(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        once = {"Idempotency-Key": uuid4().hex}
        sent = json.dumps(body).encode()
        for _ in range(2):
            reply = place.server.client.call("POST", path, body=sent, kind="application/json", headers=once)
            place.answers.append(json.dumps(reply.body) if reply.status == 409 else "")
            if not _:
                first = dict(reply.body)
        return first

    answer = told(
        "/reports",
        {
            "reporter": "depicted_child",
            "category": "csam",
            "items": [{"address": f"https://a.example/{SEALED['api-address']}"}],
            "words": SEALED["api-words"],
            "contact": SEALED["api-contact"],
            "ages": {"lower": 13, "born": {"year": 2008}},
            "source": SEALED["api-source"],
            "proof": {"content": base64.b64encode(b"%PDF-1.7\n" + SEALED["api-proof"].encode()).decode()},
        },
    )
    items = [{"address": f"https://a.example/{SEALED['api-added-address']}"}]
    told("/reports/add", {"code": answer["code"], "words": SEALED["api-added-words"], "items": items})
    for path in ("open", "stop-contact", "withdraw"):
        told(f"/reports/{path}", {"code": answer["code"]})
    place.codes.append(answer["code"])


def fill_contest(place: Filled) -> None:
    """What whoever posted something held says to that."""
    visitor = Visitor(place.server.address)
    visitor.report(place.site.publish("poster"), category="csam")
    until(lambda: bool(place.site.told("poster")))
    code = str(place.site.told("poster")[0].answer_code)
    page = visitor.post("/case/contest", {"code": code, "words": SEALED["contest-words"]})
    assert page.faults() == ["Thank you. A person reads what you wrote."]
    place.codes.append(code)


def fill_by_commands(place: Filled, folder: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return holdfast(place.server.environment, *arguments)

    assert run("key", "create", SEALED["label"]).returncode == 0
    asked = run("key", "create", SEALED["new-label"], "--for", "a-third", "--json")
    assert asked.returncode == 6, asked.stdout
    place.agree(json.loads(asked.stdout))
    weaker = {**place.server.environment, "HOLDFAST_UNSCREENED_HOURS": "48"}
    subprocess.run([sys.executable, "-c", RECORD_SETTINGS], env=weaker, check=True)
    place.agree(json.loads(run("settings", "accept", "--because", SEALED["settings-because"], "--json").stdout))
    bank = WORDS["bank"]
    added = run("bank", "add", bank, "--signal", f"md5:{uuid4().hex}", "--provenance", SEALED["cli-provenance"])
    assert added.returncode == 0, added.stderr
    file = folder / f"{SEALED['file-name']}.jsonl"
    file.write_text(json.dumps({"signal_type": "md5", "value": uuid4().hex}))
    assert run("bank", "import", bank, str(file)).returncode == 0
    subject = json.loads(run("sealed", "find", "--uploader", SEALED["uploader"], "--json").stdout)["subject"]
    preserved = json.loads(run("sealed", "preserve", subject, "--because", SEALED["cli-because"], "--json").stdout)
    hold = preserved["holds"][0]["hold"]
    place.agree(json.loads(run("sealed", "lift", subject, hold, "--because", SEALED["lift-because"], "--json").stdout))
    assert run("sealed", "preserve", subject, "--because", SEALED["cli-because"]).returncode == 0
    refused = run("sealed", "erase", subject, "--because", SEALED["erasure-because"], "--json")
    assert refused.returncode == 3
    place.answers.append(refused.stdout + refused.stderr)


def forms_of(secret: str) -> list[bytes]:
    """A word as it may lie in a file: plain, quoted for an address, in hex, in base64 at each offset."""
    plain = secret.encode()
    whole = [base64.b64encode(b"x" * pad + plain)[4:-4] for pad in range(3)]
    return [plain, quote(secret).encode(), plain.hex().encode(), *(one for one in whole if len(one) > 12)]


def columns_with(data: Path, secret: str) -> set[str]:
    """Every column of every table in which a word stands."""
    found = set()
    with psycopg.connect(superuser(data)) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'"
        ).fetchall()
        for table, column, kind in columns:
            text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
            where = f"select 1 from {table} where position(%s in {text}) > 0 limit 1"
            if connection.execute(where, [secret]).fetchone():
                found.add(f"{table}.{column}")
    return found


@pytest.mark.parametrize("name", [*SEALED, *SET])
def test_a_word_that_is_sealed_stands_in_no_column(filled: Filled, name: str) -> None:
    assert columns_with(filled.data, {**SEALED, **SET}[name]) == set()


@pytest.mark.parametrize("way", ["e-mail", "webhook"])
def test_no_word_that_anybody_gave_leaves_with_an_alarm(filled: Filled, way: str) -> None:
    told = told_by(filled)[way]
    assert any(b"proposal_overdue" in one for one in told)
    bodies = [one.partition(b"\r\n\r\n")[2] if way == "e-mail" else one for one in told]
    found = {
        name
        for name, given in {**SEALED, **WORDS, **SET}.items()
        for form in forms_of(given)
        if any(form in body for body in bodies)
    }
    assert found == set()


@pytest.mark.parametrize("name", NAMED)
def test_a_name_of_a_thing_stands_only_where_it_is_said_to(filled: Filled, name: str) -> None:
    found = columns_with(filled.data, WORDS[name])
    assert found
    assert found <= NAMED[name]


def test_no_word_that_is_sealed_lies_in_any_file_of_the_database_its_log_or_its_outputs(filled: Filled) -> None:
    with psycopg.connect(superuser(filled.data), autocommit=True) as connection:
        connection.execute("checkpoint")
    files = [path for path in filled.data.rglob("*") if path.is_file()]
    contents = {path: path.read_bytes() for path in [*files, filled.said]}
    assert any("pg_wal" in str(path) for path in contents), "the write-ahead log is among them"
    meaning = WORDS["meaning"].encode()
    assert any(meaning in content for path, content in contents.items() if "pg_wal" in str(path)), "it would be seen"
    assert any(meaning in content for path, content in contents.items() if "base" in str(path)), "it would be seen"
    found = {
        (name, str(path))
        for name, secret in {**SEALED, **SET}.items()
        for form in forms_of(secret)
        for path, content in contents.items()
        if form in content
    }
    assert found == set()


def test_no_words_that_open_a_report_stand_anywhere_but_with_whoever_was_given_them(filled: Filled) -> None:
    assert len(filled.codes) == 3
    for code in filled.codes:
        assert columns_with(filled.data, code) == set()
    contents = [path.read_bytes() for path in [*filled.data.rglob("*"), filled.said] if path.is_file()]
    forms = [form for code in filled.codes for one in (code, code.replace(" ", "+")) for form in forms_of(one)]
    assert not [form for form in forms for content in contents if form in content]


def test_no_word_comes_back_in_the_answer_to_a_mistake(filled: Filled) -> None:
    assert filled.answers
    for answer in filled.answers:
        for secret in SEALED.values():
            assert secret not in answer


def test_all_of_it_opens_for_those_who_may(filled: Filled) -> None:
    done = holdfast(filled.server.environment, "bank", "export", WORDS["bank"], "-")
    said = {json.loads(line)["provenance"] for line in done.stdout.splitlines()}
    assert {SEALED["picture-provenance"], SEALED["cli-provenance"]} <= said
    assert SEALED["label"] in holdfast(filled.server.environment, "key", "list", "--json").stdout
    status = json.loads(holdfast(filled.server.environment, "sealed", "status", "--json").stdout)
    assert status["subjects"] >= len(SEALED) - 4
