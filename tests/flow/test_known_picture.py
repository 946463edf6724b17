# SPDX-License-Identifier: Apache-2.0
"""The main job, end to end: a known picture does not get published."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from holdfast.demo import videos
from holdfast.demo.formats import FORMATS
from holdfast.demo.pictures import DISGUISES
from holdfast.demo.story import KNOWN, UNRELATED
from tests.conftest import Server, environment_for, free_port

pytestmark = pytest.mark.timeout(900)  # a whole demonstration, beside the other tests


@pytest.fixture(scope="module")
def ran(folder: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One run of the demonstration, as a newcomer would start it."""
    sheet = folder / "sheet"
    environment = environment_for(folder / "demo-data")
    command = [sys.executable, "-m", "holdfast", "demo", "--once", "--json", "--sheet", str(sheet)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600), sheet


def test_the_demonstration_holds_the_known_and_publishes_the_others(
    ran: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = ran
    body = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert body["wrong"] == []
    assert body["facts"]["known, held"] == f"{KNOWN} of {KNOWN}"
    assert body["facts"]["disguised, held"] == f"{KNOWN * len(DISGUISES)} of {KNOWN * len(DISGUISES)}"
    assert body["facts"]["other formats, held"] == f"{len(FORMATS)} of {len(FORMATS)}"
    others = UNRELATED + 1 + videos.can_make()  # and an animation, and a video
    assert body["facts"]["others, published"] == f"{others} of {others}"
    assert [step["answer"] for step in body["steps"]] == ["hold", "hold", "publish", "publish", "hold"]


def test_one_held_upload_is_proven_offline_and_a_changed_proof_is_refused(
    ran: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    proof = json.loads(ran[0].stdout)["proof"]

    assert proof["proven"] is True
    assert next(one["event"] for one in proof["events"]) == "screening.answered"
    assert proof["says"][-1] == "It proves this."
    file = Path(proof["file"])
    verify = [sys.executable, "-m", "holdfast", "verify", str(file)]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0
    changed = file.with_name("changed.json")
    changed.write_text(file.read_text().replace("screening.answered", "screening.answerea"))
    assert subprocess.run([*verify[:-1], str(changed)], capture_output=True, check=False).returncode == 1


def test_it_says_nothing_on_standard_error_but_which_setting_it_made_weaker(
    ran: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    (said,) = ran[0].stderr.splitlines()
    told = json.loads(said)
    assert (told["event"], told["settings"]) == ("settings_weakened", ["afterthought_seconds"])


def test_the_contact_sheet_shows_every_upload_with_its_verdict(
    ran: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    class Reader(HTMLParser):
        cards = 0
        badges = 0
        fetched: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            self.cards += tag == "li"
            self.badges += tag == "b"
            source = given.get("src") or given.get("href") or ""
            if tag == "script" or source.startswith(("http", "//")):
                self.fetched.append(source or tag)

    reader = Reader()
    reader.fetched = []
    reader.feed((ran[1] / "contact-sheet.html").read_text())

    films = len(videos.VIDEOS) + 2 if videos.can_make() else 0  # and one that is unknown, and one that breaks off
    assert reader.cards == KNOWN * (1 + len(DISGUISES)) + len(FORMATS) + UNRELATED + 1 + 8 + films
    assert reader.badges == reader.cards + 5
    assert reader.fetched == []
    with Image.open(ran[1] / "contact-sheet.png") as picture:
        assert picture.width > 1000


def test_a_demonstration_on_a_taken_port_takes_the_next_one(server: Server, folder: Path) -> None:
    from holdfast.cli.stage import _free_address
    from holdfast.settings import Settings

    taken = server.address

    assert _free_address(Settings(data=folder, listen=taken)) != taken


def test_a_directory_that_is_not_a_demonstration_is_not_touched(folder: Path) -> None:
    data = folder / "precious"
    (data / "demo").mkdir(parents=True)
    (data / "demo" / "letters.txt").write_text("keep me")
    environment = {**environment_for(data), "HOLDFAST_LISTEN": f"127.0.0.1:{free_port()}"}

    command = [sys.executable, "-m", "holdfast", "demo", "--once"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 4
    assert "was not made by a demonstration" in done.stderr
    assert (data / "demo" / "letters.txt").read_text() == "keep me"
