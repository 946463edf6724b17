# SPDX-License-Identifier: Apache-2.0
"""`holdfast key`: shown once, good at the running server at once, and ended at once."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta

import pytest

from holdfast.access.key import split
from holdfast.start import clock
from tests.cli.forking import Shell
from tests.web.http import Asker

KEY = re.compile(r"hf_[a-z2-7]{8}_[a-z2-7]{26}")


def listed(shell: Shell, prefix: str) -> dict[str, object]:
    return next(one for one in shell.run("key", "list", "--json").json if one["prefix"] == prefix)


def test_a_key_is_good_at_the_running_server_from_when_it_is_made_until_it_is_ended(shell: Shell, name: str) -> None:
    made = shell.run("key", "create", name, "--scope", "banks:read", "--scope", "explain", "--json")
    assert (made.code, made.json["scopes"], made.json["expires_at"]) == (0, ["banks:read", "explain"], None)
    whole = made.json["key"]
    asker = Asker(shell.environment["HOLDFAST_LISTEN"], whole)
    assert asker.ask("GET", "/banks").status == 200
    assert asker.ask("GET", "/unscreened").status == 403
    prefix, secret = split(whole) or ("", "")
    assert listed(shell, prefix) == {
        "prefix": prefix,
        "label": name,
        "person": None,
        "scopes": ["banks:read", "explain"],
        "expires_at": None,
        "state": "active",
    }
    assert secret not in shell.run("key", "list", "--json").out
    assert shell.run("key", "revoke", prefix).code == 0
    assert asker.ask("GET", "/banks").status == 401
    assert listed(shell, prefix)["state"] == "revoked"
    again = shell.run("key", "revoke", prefix)
    assert (again.code, "code key.not_in_this_state" in again.words) == (3, True)


def test_without_more_a_key_may_screen_and_nothing_else(shell: Shell, name: str) -> None:
    made = shell.run("key", "create", name)
    assert made.code == 0
    (whole,) = KEY.findall(made.out)
    asker = Asker(shell.environment["HOLDFAST_LISTEN"], whole)
    assert asker.ask("GET", "/unscreened").status == 200
    assert asker.ask("GET", "/banks").status == 403


def test_a_key_may_end_by_itself(shell: Shell, name: str) -> None:
    before = clock()
    made = shell.run("key", "create", name, "--days", "7", "--json")
    ends = datetime.fromisoformat(made.json["expires_at"])
    assert before + timedelta(days=7) <= ends <= clock() + timedelta(days=7)


def test_a_key_is_ended_by_its_prefix_however_it_is_written(shell: Shell, name: str) -> None:
    for form in ("hf_{0}", "hf_{0}_whatever"):
        prefix, _ = split(shell.run("key", "create", name, "--json").json["key"]) or ("", "")
        ended = shell.run("key", "revoke", form.format(prefix), "--json")
        assert (ended.code, ended.json) == (0, {"revoked": prefix})


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", " "), 2),
        (("create", "x", "--scope", "everything"), 2),
        (("create", "x", "--days", "0"), 2),
        (("create", "x", "--days", "-1"), 2),
        (("create", "x", "--days", "99999999"), 2),
        (("create", os.fsdecode(b"\xff")), 2),
        (("revoke", "aaaaaaaa"), 3),
        (("revoke", ""), 3),
        (("revoke", os.fsdecode(b"\xff")), 3),
    ],
)
def test_what_cannot_be_is_refused_in_words(shell: Shell, arguments: tuple[str, ...], code: int) -> None:
    done = shell.run("key", *arguments)
    assert done.code == code, done.err[-300:]
    assert "Traceback" not in done.words


def test_a_label_in_brackets_is_shown_as_it_is(shell: Shell) -> None:
    prefix, _ = split(shell.run("key", "create", "[/x] [bold]", "--json").json["key"]) or ("", "")
    done = shell.run("key", "list")
    assert done.code == 0, done.err[-300:]
    assert "[/x] [bold]" in done.words
    assert prefix in done.words
