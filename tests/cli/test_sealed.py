# SPDX-License-Identifier: Apache-2.0
"""The commands about personal data, as a person would use them."""

from __future__ import annotations

import json
from typing import Any

from holdfast.demo.pictures import encoded, hills
from tests.cli.forking import Shell
from tests.conftest import Server

PICTURE = encoded(hills(79_001, (320, 240)))


def told(shell: Shell, *arguments: str, code: int = 0) -> Any:
    ran = shell.run("sealed", *arguments, "--json")
    assert ran.code == code, ran
    return json.loads(ran.out)


def test_a_person_is_found_preserved_read_and_waits_for_a_second_to_be_erased(
    server: Server, shell: Shell, name: str
) -> None:
    assert server.client.call("POST", "/screen", body=PICTURE, uploader=name).status == 200
    found = told(shell, "find", "--uploader", name)
    subject = found["subject"]
    assert (found["state"], found["holds"]) == ("sealed", [])

    (hold,) = told(shell, "preserve", subject, "--because", "police", "--until", "2999-01-01")["holds"]
    assert told(shell, "ask-erasure", subject, "--because", "x", code=3)["error"]["code"] == "sealed.preserved"
    alone = told(shell, "lift", subject, hold["hold"], "--because", "over", "--asked-by", me(shell, subject), code=3)
    assert alone["error"]["code"] == "sealed.same_person"
    assert told(shell, "lift", subject, hold["hold"], "--because", "over", "--asked-by", "cli:anna")["holds"] == []

    assert told(shell, "ask-erasure", subject, "--because", "asked to")["state"] == "erasing"
    assert told(shell, "erase", subject, code=3)["error"]["code"] == "sealed.same_person"
    assert told(shell, "withdraw-erasure", subject, "--because", "a mistake")["state"] == "sealed"
    assert list(told(shell, "read", subject, "--because", "a test", "--role", "identity").values()) == [name]


def me(shell: Shell, subject: str) -> str:
    """Who the command line says we are."""
    who = str(told(shell, "ask-erasure", "sub_none", "--because", "x", code=3)["error"]["code"])
    assert who == "sealed.unknown", subject
    from holdfast.cli.session import actor

    return actor()


def test_rotation_goes_on_beside_a_running_server(server: Server, shell: Shell, name: str) -> None:
    assert server.client.call("POST", "/screen", body=PICTURE, uploader=name).status == 200
    before = told(shell, "status")
    done = told(shell, "rotate")
    after = told(shell, "status")
    assert done["wrapped_anew"] >= 1
    assert [key["id"] for key in after["keys"]] == [done["key"]] != [key["id"] for key in before["keys"]]
    assert server.client.call("POST", "/screen", body=PICTURE, uploader=f"{name}-2").status == 200
    assert told(shell, "find", "--uploader", f"{name}-2")["state"] == "sealed"
    assert told(shell, "status")["subjects"] == after["subjects"] + 1


def test_in_words_too(server: Server, shell: Shell, name: str) -> None:
    assert server.client.call("POST", "/screen", body=PICTURE, uploader=name).status == 200
    subject = told(shell, "find", "--uploader", name)["subject"]
    assert "subjects with" in shell.run("sealed", "status").out
    assert f"{subject}: sealed" in shell.run("sealed", "find", "--uploader", name).out
    assert shell.run("sealed", "find", "--uploader", "nobody").code == 3
