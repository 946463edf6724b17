# SPDX-License-Identifier: Apache-2.0
"""`holdfast searches` says how far the archive was looked through, and what was found."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from holdfast.demo.pictures import encoded, hills
from tests.cli.forking import Shell


def blocked(shell: Shell, bank: str) -> dict[str, Any]:
    """The newest search for something of a bank, once its entries are blocked."""
    pause = threading.Event()
    while True:
        found: dict[str, Any] = shell.run("searches", "list", "--bank", bank, "--json").json[0]
        if found["state"] == "blocked":
            return found
        pause.wait(0.05)


def test_what_was_screened_before_it_was_banked_is_shown(shell: Shell, bank: str, tmp_path: Path) -> None:
    picture = tmp_path / "late.jpg"
    picture.write_bytes(encoded(hills(52_001, (640, 480))))
    assert shell.run("screen", str(picture)).code == 0
    assert shell.run("bank", "add", bank, str(picture)).code == 0
    found = blocked(shell, bank)
    assert found["copies"] == 1
    assert found["looked_at"] == found["items"]
    shown = shell.run("searches", "show", found["id"])
    assert "blocked" in shown.out
    assert "looked up and found, in this system" in shown.out
    copies = shell.run("searches", "copies", found["id"], "--json").json
    assert {copy["content"] for copy in copies} == {"file:late.jpg"}
    assert "late.jpg" in shell.run("searches", "copies", found["id"]).out
    assert found["id"][:12] in shell.run("searches", "list").out


def test_a_search_that_is_not_there_is_said_in_words(shell: Shell) -> None:
    done = shell.run("searches", "show", "bws_none")
    assert done.code == 3
    assert "search.unknown" in done.err
