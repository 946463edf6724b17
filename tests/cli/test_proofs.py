# SPDX-License-Identifier: Apache-2.0
"""Whoever checks proofs sees what waits, looks at one with a record of it, and says what it shows."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from holdfast.access.key import Scope
from holdfast.demo.pictures import encoded, hills
from tests.cli.forking import Shell
from tests.conftest import Server

PASSPORT = encoded(hills(77_001, (320, 200)))


@pytest.fixture
def proof(server: Server, shell: Shell) -> dict[str, Any]:
    """A proof that came with a report over HTTP, as the list shows it."""
    shown = {"says": ["birth_date", "identity"], "content": base64.b64encode(PASSPORT).decode()}
    body = {"reporter": "parent", "category": "csam", "words": "my child", "proof": shown}
    reply = server.with_key(Scope.REPORT).send_json("POST", "/reports", body)
    assert reply.status == 201, reply.body
    listed = shell.run("proofs", "list", "--json").json
    (found,) = [one for one in listed if one["report"] == reply.body["reference"]]
    return dict(found)


def test_what_waits_is_listed_without_anything_of_what_it_shows(proof: dict[str, Any]) -> None:
    assert (proof["state"], proof["says"], proof["looked at"]) == ("received", "birth_date, identity", 0)


def test_it_is_written_into_a_file_that_nobody_else_reads_and_the_look_is_counted(
    shell: Shell, proof: dict[str, Any], tmp_path: Path
) -> None:
    into = tmp_path / "shown"
    done = shell.run("proofs", "show", proof["proof"], "--into", str(into))
    assert done.code == 0, done.words
    assert "recorded" in done.words
    assert into.read_bytes() == PASSPORT
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    (again,) = [one for one in shell.run("proofs", "list", "--json").json if one["proof"] == proof["proof"]]
    assert again["looked at"] == 1


def test_a_file_that_is_there_is_not_touched_and_nothing_is_looked_at(
    shell: Shell, proof: dict[str, Any], tmp_path: Path
) -> None:
    into = tmp_path / "mine"
    into.write_text("mine")
    assert shell.run("proofs", "show", proof["proof"], "--into", str(into)).code == 2
    assert into.read_text() == "mine"
    (again,) = [one for one in shell.run("proofs", "list", "--json").json if one["proof"] == proof["proof"]]
    assert again["looked at"] == 0


def test_a_proof_that_is_not_there_leaves_no_file(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("proofs", "show", "prf_none", "--into", str(tmp_path / "shown"))
    assert done.code == 3
    assert "proof.unknown" in done.words
    assert list(tmp_path.iterdir()) == []


def test_what_it_shows_is_said_once(shell: Shell, proof: dict[str, Any]) -> None:
    done = shell.run("proofs", "verify", proof["proof"], "--shows", "birth_date", "--json")
    assert (done.json["state"], done.json["verified"]) == ("verified", "birth_date")
    assert proof["proof"] not in [one["proof"] for one in shell.run("proofs", "list", "--json").json]
    assert shell.run("proofs", "unclear", proof["proof"], "--because", "on second thought").code == 3


def test_that_it_cannot_be_told_is_said_with_a_reason(shell: Shell, proof: dict[str, Any]) -> None:
    assert shell.run("proofs", "unclear", proof["proof"]).code == 2
    done = shell.run("proofs", "unclear", proof["proof"], "--because", "too dark to read")
    assert done.code == 0
    assert "unclear" in done.words
    listed = shell.run("proofs", "list", "--all", "--json").json
    assert {one["proof"]: one["state"] for one in listed}[proof["proof"]] == "unclear"
