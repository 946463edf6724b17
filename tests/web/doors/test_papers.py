# SPDX-License-Identifier: Apache-2.0
"""What whoever reported takes home is proven offline by the real command and by the verifier that stands alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify import holdfast_verify
from tests.beside import Beside
from tests.conftest import holdfast
from tests.web.doors.visiting import Page, Visitor, until

ADDRESS, STORY, CONTACT = (
    "https://a.example/the-one",
    'It said "no", and\nI wept. \u00fc\U0001f332',
    "only@mail.example",
)


@pytest.fixture
def receipt(visitor: Visitor) -> Page:
    return visitor.report(ADDRESS, words=STORY, contact=CONTACT, who="depicted_child", category="csam")


def taken(visitor: Visitor, receipt: Page, which: str) -> dict[str, Any]:
    page = visitor.post(f"/case/{which}", {"code": receipt.words})
    assert page.status == 200
    assert page.headers["Content-Type"] == "application/json"
    assert page.headers["Content-Disposition"].startswith('attachment; filename="receipt-R-')
    assert receipt.words not in page.html
    return dict(json.loads(page.content))


def proven(visitor: Visitor, receipt: Page, which: str) -> dict[str, Any]:
    """The file once a checkpoint covers all of it."""
    until(lambda: all("events" in proof for proof in taken(visitor, receipt, which)["proofs"]))
    return taken(visitor, receipt, which)


def verified(beside: Beside, folder: Path, document: Any) -> tuple[int, str]:
    """What the real command says of a file, where there is nothing but the file."""
    file = folder / "taken-home.json"
    file.write_text(json.dumps(document))
    away = {**beside.server.environment, "HOLDFAST_DATA": str(folder / "nothing-here")}
    done = holdfast(away, "verify", str(file))
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("which", ["small", "full"])
@pytest.mark.parametrize("when", [taken, proven])
def test_the_real_command_proves_both_files_at_once_and_later(
    beside: Beside, visitor: Visitor, receipt: Page, tmp_path: Path, which: str, when: Any
) -> None:
    document = when(visitor, receipt, which)
    assert len(document["proofs"]) == 2, "the report, and what it names"
    status, says = verified(beside, tmp_path, document)
    assert status == 0, says
    assert "It proves what it says." in says
    alone = subprocess.run(
        [sys.executable, "-I", holdfast_verify.__file__, str(tmp_path / "taken-home.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (alone.returncode, alone.stdout.splitlines()[-1]) == (0, "It proves this.")


def test_the_small_file_tells_nothing_of_what_was_said_or_by_whom(visitor: Visitor, receipt: Page) -> None:
    for document in (taken(visitor, receipt, "small"), proven(visitor, receipt, "small")):
        text = json.dumps(document, ensure_ascii=False)
        for secret in (ADDRESS, "wept", CONTACT, "depicted_child", "csam", "opened", "salt", receipt.words):
            assert secret not in text
        assert document["reference"] in receipt.main


def test_the_full_file_opens_every_word_that_was_said(visitor: Visitor, receipt: Page) -> None:
    for document in (taken(visitor, receipt, "full"), proven(visitor, receipt, "full")):
        said = [json.loads(part["opened"]) for part in sealed_in(document)]
        values = {one["field"]: one["value"] for one in said}
        assert values["report.received.words"] == STORY
        assert values["report.received.contact"] == CONTACT
        assert values["reported.named.address"] == ADDRESS


def test_what_was_added_later_is_in_it_and_what_others_wrote_is_not(visitor: Visitor, receipt: Page) -> None:
    visitor.post("/case/add", {"code": receipt.words, "words": "and then", "addresses": "https://a.example/two"})
    document = proven(visitor, receipt, "full")
    until(lambda: len(sealed_in(taken(visitor, receipt, "full"))) == 6)
    document = taken(visitor, receipt, "full")
    values = [json.loads(part["opened"])["value"] for part in sealed_in(document)]
    assert {"and then", "https://a.example/two", ADDRESS, STORY} <= set(values)
    assert "cas_" not in json.dumps(document), "which case it joined is nobody's to take home"


def sealed_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    entries = [entry for proof in document["proofs"] for entry in proof.get("events", [proof])]
    return [part for entry in entries for part in entry.get("sealed", {}).values()]


@pytest.mark.parametrize("when", [taken, proven])
def test_a_word_that_was_changed_is_refused(
    beside: Beside, visitor: Visitor, receipt: Page, tmp_path: Path, when: Any
) -> None:
    document = when(visitor, receipt, "full")
    changed = json.loads(json.dumps(document))
    part = next(part for part in sealed_in(changed) if "wept" in part["opened"])
    part["opened"] = part["opened"].replace("wept", "slept")
    status, says = verified(beside, tmp_path, changed)
    assert (status, "not what the log committed to" in says) == (1, True)
    salted = json.loads(json.dumps(document))
    sealed_in(salted)[0]["salt"] = "00" * 32
    assert verified(beside, tmp_path, salted)[0] == 1


def test_sealed_words_without_the_event_that_commits_to_them_are_refused(
    beside: Beside, visitor: Visitor, receipt: Page, tmp_path: Path
) -> None:
    document = taken(visitor, receipt, "full")
    for entry in document["proofs"]:
        del entry["opened"], entry["salt"]
    assert verified(beside, tmp_path, document)[0] != 0


def test_a_file_with_nothing_in_it_proves_nothing(
    beside: Beside, visitor: Visitor, receipt: Page, tmp_path: Path
) -> None:
    document = taken(visitor, receipt, "small")
    assert verified(beside, tmp_path, {**document, "proofs": []})[0] == 2
