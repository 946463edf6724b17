# SPDX-License-Identifier: Apache-2.0
"""The commands about personal data, as a person would use them."""

from __future__ import annotations

import json
from typing import Any

from holdfast.demo.pictures import encoded, hills
from tests.cli.forking import Shell
from tests.conftest import Server
from tests.two_people import Second

PICTURE = encoded(hills(79_001, (320, 240)))


def told(shell: Shell, *arguments: str, code: int = 0) -> Any:
    ran = shell.run("sealed", *arguments, "--json")
    assert ran.code == code, ran
    return json.loads(ran.out)


def test_a_person_is_found_preserved_read_and_waits_for_a_second_to_be_erased(
    server: Server, shell: Shell, second: Second, name: str
) -> None:
    assert server.client.call("POST", "/screen", body=PICTURE, uploader=name).status == 200
    found = told(shell, "find", "--uploader", name)
    subject = found["subject"]
    assert (found["state"], found["holds"]) == ("sealed", [])

    (hold,) = told(shell, "preserve", subject, "--because", "police", "--until", "2999-01-01")["holds"]
    assert told(shell, "erase", subject, "--because", "x", code=3)["error"]["code"] == "sealed.preserved"
    second.agrees_to(told(shell, "lift", subject, hold["hold"], "--because", "over", code=6)["proposal"])
    assert told(shell, "find", "--uploader", name)["holds"] == []

    proposal = told(shell, "erase", subject, "--because", "asked to", code=6)["proposal"]
    alone = shell.run("proposals", "agree", proposal, "--because", "x", "--yes", "--json")
    assert (alone.code, alone.json["error"]["code"]) == (3, "proposal.same_person")
    # Whoever looks before they agree, changes nothing by that.
    assert list(told(shell, "read", subject, "--because", "a test", "--role", "identity").values()) == [name]
    second.agrees_to(proposal)
    assert told(shell, "find", "--uploader", name, code=3)["error"]["code"] == "sealed.unknown"


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
