# SPDX-License-Identifier: Apache-2.0
"""From the upload to the page, with a real Holdfast: what it knows is never seen, and what it does not know is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from holdfast.demo import videos
from holdfast.demo.pictures import encoded, hills
from tests.conftest import Server
from tests.examples.commons.running import Running, environment_of, picture, urls

KNOWN = hills(79_001, (640, 480))


@pytest.fixture(scope="module")
def bank(server: Server) -> str:
    """A bank of Holdfast's with one known picture."""
    name = f"test-{uuid4().hex[:16]}"
    assert server.client.send_json("POST", "/banks", {"name": name, "meaning": "m", "source": "s"}).status == 201
    path = f"/banks/{name}/entries/picture"
    assert server.client.call("POST", path, body=encoded(KNOWN), provenance="tests").status == 201
    return name


def until(condition: Callable[[], bool]) -> None:
    """Return once it is so; pytest's time limit ends it otherwise."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.05)


@pytest.mark.usefixtures("bank")
def test_a_known_picture_is_never_seen_however_it_is_brought(commons: Running) -> None:
    anna = commons.person()
    good = anna.post("harmless", picture())
    assert good.public
    for disguised in (encoded(KNOWN), encoded(KNOWN, quality=40), encoded(KNOWN.resize((320, 240)))):
        made = anna.post("known", disguised)
        assert not made.public
        assert all(commons.get(url).status_code == 404 for url in urls(commons.item(made.path)))
        assert commons.send("open", {"content": made.content, "version": "1"}).content == disguised
    assert not anna.edit(int(good.path[3:]), "changed", encoded(KNOWN)).public
    text = commons.get(good.path).text
    assert "harmless" in text
    assert "changed" not in text
    assert not anna.show_face(encoded(KNOWN, quality=60)).public
    own = anna.read("/me").text
    assert own.count("This is being checked.") == 4
    assert own.count("Your change is being checked.") == 1
    assert "/assets/avatar.png" in commons.get(good.path).text


@pytest.mark.skipif(not videos.can_make(), reason="the optional video parts are not installed")
def test_a_film_is_held_until_it_was_watched_and_then_seen_as_it_came(commons: Running) -> None:
    film = videos.encoded(videos.shot(79_100, 3.0, (320, 240)))
    made = commons.person().post("a film", film)
    item = commons.item(made.path)
    page, media = urls(item)
    until(lambda: commons.get(page).status_code == 200)
    assert "<video" in commons.get(page).text
    seen = commons.get(media)
    assert (seen.content, seen.headers["content-type"]) == (film, "video/mp4")


def test_what_could_not_be_asked_about_is_asked_about_once_it_can_be(
    server: Server, upload_key: str, tmp_path: Path, starting: Callable[[dict[str, str]], Running]
) -> None:
    running = starting(environment_of(tmp_path, f"http://{server.address}", "hf_not_yet"))
    anna = running.person()
    made = anna.post("early", picture())
    assert not made.public
    assert "This is being checked." in anna.read("/me").text
    assert running.get(made.path).status_code == 404

    Path(running.environment["COMMONS_HOLDFAST_KEY"]).write_text(upload_key)
    until(lambda: running.get(made.path).status_code == 200)
    assert "being checked" not in anna.read("/me").text
