# SPDX-License-Identifier: Apache-2.0
"""`holdfast log` and `holdfast verify` against the running server: clear words and exit codes."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from holdfast.log.checkpoint import parse_checkpoint
from tests.cli.forking import Shell


def _saved(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.fixture
def kept(shell: Shell, tmp_path: Path, bank: str) -> str:
    """A checkpoint that covers what happened to a bank of one's own."""
    while json.loads(shell.run("log", "prove", f"bank:{bank}").out)["kind"] != "holdfast.bundle":
        threading.Event().wait(0.05)
    return _saved(tmp_path / "kept", shell.run("log", "checkpoint").out)


def test_a_bundle_is_printed_and_verified_with_the_logs_key(shell: Shell, tmp_path: Path, bank: str, kept: str) -> None:
    key = shell.run("log", "key").out.strip()
    bundle = _saved(tmp_path / "bundle", shell.run("log", "prove", f"bank:{bank}").out)
    done = shell.run("verify", bundle, "--key", key)
    assert (done.code, "proves what it says" in done.words) == (0, True), done.words
    assert bank in done.words
    assert shell.run("verify", kept, "--key", key, "--json").json["proven"] is True
    changed = _saved(tmp_path / "changed", Path(bundle).read_text().replace("bank.created", "bank.removed"))
    done = shell.run("verify", changed, "--key", key)
    assert (done.code, "REFUSED" in done.words) == (1, True)
    assert shell.run("verify", changed, "--json").json["proven"] is False


def test_growth_since_a_kept_checkpoint_is_shown_and_a_rollback_refused(
    shell: Shell, tmp_path: Path, name: str, kept: str
) -> None:
    key = shell.run("log", "key").out.strip()
    assert shell.run("key", "create", name).code == 0
    before = parse_checkpoint(Path(kept).read_text()).size
    while shell.run("log", "checkpoint", "--json").json["size"] <= before:
        threading.Event().wait(0.05)
    grown = _saved(tmp_path / "grown", shell.run("log", "consistency", kept).out)
    assert shell.run("verify", grown, "--key", key, "--earlier", kept).code == 0
    newest = _saved(tmp_path / "newest", shell.run("log", "checkpoint").out)
    done = shell.run("verify", kept, "--key", key, "--earlier", newest)
    assert (done.code, "ROLLED BACK" in done.words) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("verify", "/nothing/here"), 2),
        (("verify", "/dev/null"), 1),
        (("log", "prove", "bank:nothing-of-that-name"), 3),
        (("log", "consistency", "/nothing/here"), 2),
        (("log", "consistency", "/dev/null"), 2),
    ],
)
def test_what_cannot_be_is_refused_in_words(shell: Shell, arguments: tuple[str, ...], code: int) -> None:
    done = shell.run(*arguments)
    assert done.code == code, done.words[-400:]
    assert "Traceback" not in done.words
