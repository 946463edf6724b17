# SPDX-License-Identifier: Apache-2.0
"""docs/integrating.md, followed to the letter: what it shows is sent as it stands, and what it promises comes back."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from holdfast.access.key import Scope
from holdfast.alarm.message import Message, Occasion
from holdfast.demo.pictures import encoded, hills
from holdfast.effect.webhook import Announcement
from holdfast.settings import Settings, env_name
from tests.cli.forking import Shell
from tests.conftest import Server

PAGE = (Path(__file__).parents[2] / "docs" / "integrating.md").read_text()
SHOWN = re.findall(r"^```\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def shown(word: str) -> str:
    """The one example that begins with this word."""
    (found,) = [one for one in SHOWN if one.startswith(word)]
    return str(found)


def fields(example: str) -> set[str]:
    """The names in an example that is JSON, or nearly so."""
    return set(re.findall(r'"([a-z_]+)":', example))


def names_in(body: Any) -> set[str]:
    """The names in an answer, however deep."""
    if isinstance(body, dict):
        return set(body) | {name for value in body.values() for name in names_in(value)}
    return {name for value in body for name in names_in(value)} if isinstance(body, list) else set()


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    """A key for uploads and reports."""
    return server.key(Scope.SCREEN, Scope.REPORT)


def sent_as_shown(server: Server, key: str, example: str, body: bytes, **more: str) -> tuple[int, Any]:
    """Send an example's first line and headers as they stand, with a key that opens something."""
    head, _, _ = example.partition("\n\n")
    first, *headers = head.splitlines()
    method, target, _ = first.split(" ")
    given = dict(line.split(": ", 1) for line in headers) | more
    given["Authorization"] = f"Bearer {key}"
    connection = HTTPConnection(server.address)
    connection.request(method, target, body=body, headers=given)
    reply = connection.getresponse()
    answer = reply.status, json.loads(reply.read())
    connection.close()
    return answer


def test_an_upload_is_asked_about_as_shown_and_the_answer_has_the_fields_that_are_shown(
    server: Server, key: str
) -> None:
    picture = encoded(hills(88_001))
    status, answer = sent_as_shown(server, key, shown("POST /v1/screen"), picture)
    assert status == 200
    assert answer["answer"] == "publish"
    assert set(answer) == fields(shown('{"answer": "hold", "screening": "scr_..."}\n'))
    assert sent_as_shown(server, key, shown("POST /v1/screen"), picture) == (200, answer), (
        "the same key, the same answer"
    )
    assert sent_as_shown(server, key, shown("POST /v1/screen"), picture + b"x")[0] == 409


def test_what_is_answered_later_says_so_with_the_fields_that_are_shown(server: Server, key: str) -> None:
    again = {"Prefer": "respond-async", "Idempotency-Key": "answered later"}
    status, answer = sent_as_shown(server, key, shown("POST /v1/screen"), encoded(hills(88_002)), **again)
    assert status == 202
    assert set(answer) == fields(shown('{"answer": "hold", "screening": "scr_...", "status"'))


def test_the_messages_have_the_fields_that_are_shown() -> None:
    now = datetime.now(UTC)
    ended = Announcement(
        screening="scr_1", content_id="post-17", content_version="1", status="answered", answer="publish", at=now
    )
    assert names_in(json.loads(ended.as_payload())) == fields(shown('{"type": "screening.ended"'))
    raised = shown('{"type": "alarm.raised"')
    message = Message(occasion=Occasion.RAISED, alarms=(), at=now)
    assert names_in(json.loads(message.as_payload())) < fields(raised)


def test_a_report_is_handed_in_as_shown_and_answered_as_shown(server: Server, key: str) -> None:
    asked, _, promised = shown("POST /v1/reports").partition("\n\n")
    line, _, body = asked.partition("\n")
    status, answer = sent_as_shown(server, key, f"{line} HTTP/1.1\nContent-Type: application/json", body.encode())
    assert promised.startswith(f"{status} ")
    assert set(answer) >= fields(promised)
    assert len(answer["code"].split()) == 8


def test_the_files_that_are_shown_are_imported_as_they_stand(shell: Shell, bank: str, tmp_path: Path) -> None:
    for begins, name in (("signal_type,value", "hashes.csv"), ('{"signals"', "hashes.jsonl")):
        (tmp_path / name).write_text(shown(begins))
        done = shell.run("bank", "import", bank, str(tmp_path / name))
        assert done.code == 0, done.words


def test_the_commands_that_are_shown_run_as_they_stand(shell: Shell) -> None:
    create, listed, agree = [shlex.split(line)[1:] for line in shown('holdfast key create "Bob').splitlines()]
    assert shell.run(*create, "--json").json["key"].startswith("hf_")
    assert shell.run(*listed).code == 0
    assert "proposal.unknown" in shell.run(*agree).words


def test_every_address_that_is_named_is_served(server: Server) -> None:
    served = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
        for path, methods in server.client.call("GET", "/openapi.json").body["paths"].items()
        for method in methods
    } | {("GET", "/v1/openapi.json")}
    named = re.findall(r"`(GET|POST|DELETE) (/v1/[^`?]*)", PAGE)
    assert len(named) > 15
    missing = [f"{method} {path}" for method, path in named if (method, re.sub(r"\{[^}]*\}", "{}", path)) not in served]
    assert missing == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"HOLDFAST_[A-Z_]+[A-Z]", PAGE))))
def test_every_setting_that_is_named_exists(name: str) -> None:
    assert name in {env_name(field) for field in Settings.model_fields}
