# SPDX-License-Identifier: Apache-2.0
"""From a report's picture to `blocked`: stored copies are found, the entry is looked up where platforms ask.

With an address and a key for the self-test, as an operator sets them; and what the self-test asks is no item.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from holdfast.demo.pictures import encoded, hills
from tests.conftest import Server, environment_for, holdfast, start_server, stop, superuser

PICTURE = hills(73_001, (640, 480))


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[Server]:
    """A server that looks new entries up at its own address."""
    environment, key_file = environment_for(folder / "self-test"), folder / "self-test.key"
    made = holdfast(environment, "key", "create", "self-test", "--scope", "screen", "--scope", "explain")
    assert made.returncode == 0, made.stderr
    key_file.write_text(next(word for word in made.stdout.split() if word.startswith("hf_")))
    address = environment["HOLDFAST_LISTEN"]
    asked = {"HOLDFAST_SELF_TEST_URL": f"http://{address}", "HOLDFAST_SELF_TEST_KEY_FILE": str(key_file)}
    running = start_server({**environment, **asked})
    yield running
    stop(running.process)


def ended(own: Server, entry: str) -> dict[str, Any]:
    """The search for an entry, once it is blocked."""
    pause = threading.Event()
    while True:
        (found,) = own.client.call("GET", "/searches", entry=entry).body
        if found["state"] == "blocked":
            return dict(own.client.call("GET", f"/searches/{found['id']}").body)
        pause.wait(0.02)


def test_stored_copies_are_found_and_the_entry_is_looked_up_as_a_platform_would(own: Server) -> None:
    for number in range(3):
        upload = encoded(PICTURE.resize((600 - 40 * number, 450 - 30 * number)), quality=80 - 10 * number)
        assert own.client.call("POST", "/screen", body=upload, content_id=f"copy-{number}").body["answer"] == "publish"
    other = encoded(hills(73_002, (640, 480)))
    assert own.client.call("POST", "/screen", body=other, content_id="other").body["answer"] == "publish"
    assert own.client.send_json("POST", "/banks", {"name": "b", "meaning": "a test", "source": "tests"}).status == 201

    reply = own.client.call("POST", "/banks/b/entries/picture", body=encoded(PICTURE), provenance="a report")

    told = ended(own, reply.body["id"])
    assert told["proof"]["over_http"] == 1
    found = own.client.call("POST", f"/searches/{told['id']}/copies").body
    assert {copy["content"] for copy in found} == {f"copy-{number}" for number in range(3)}
    alarms = own.client.call("GET", "/alarms").body
    assert [(alarm["kind"], alarm["about"]) for alarm in alarms] == [("copies_found", f"archive.search:{told['id']}")]
    with psycopg.connect(superuser(Path(own.environment["HOLDFAST_DATA"]))) as connection:
        asked = connection.execute("select answer from screening where surface = 'holdfast-self-test'").fetchall()
        kept = connection.execute("select 1 from archive where surface = 'holdfast-self-test'").fetchall()
    assert (asked, kept) == ([("hold",)], []), "what the self-test asks is recorded, and is no stored copy"


def test_the_surface_of_the_self_test_hides_nothing_for_anybody_else(own: Server) -> None:
    upload = encoded(hills(73_003, (640, 480)))
    reply = own.client.call("POST", "/screen", body=upload, content_id="sly", surface="holdfast-self-test")
    assert reply.body["answer"] == "publish"
    assert own.client.send_json("POST", "/banks", {"name": "c", "meaning": "a test", "source": "tests"}).status == 201
    entry = own.client.call("POST", "/banks/c/entries/picture", body=upload, provenance="a report").body["id"]
    assert ended(own, entry)["copies"] == 1
