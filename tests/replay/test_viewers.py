# SPDX-License-Identifier: Apache-2.0
"""Viewers come as the story says, and none is counted who saw nothing, nor left out who saw something."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from holdfast.errors import DependencyError
from holdfast.replay.curve import DAY, Curve
from holdfast.replay.story import Story, the_story
from holdfast.replay.stranger import Stranger
from holdfast.replay.viewers import Viewers

PAGES = [f"/p/{number}" for number in range(1, 12)]


class Site:
    """Pages that are there, or not."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append(self.path)
                self.send_response(404 if self.path in site.gone else 500 if self.path == "/p/broken" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is told."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


def story(total: int = 1000, days: float = 10.0) -> Story:
    return replace(the_story().with_shares(len(PAGES) - 3), curve=Curve(((0.0, 0), (days, total))))


def test_of_days_on_which_nothing_is_hidden_everybody_is_counted(site: Site) -> None:
    viewers = Viewers(story(), site.address, PAGES)
    viewers.skip_to(4.0)
    assert viewers.views == 400
    viewers.skip_to(10.0)
    assert viewers.views == 1000
    assert viewers.seen[-1][1] == 1000


def test_of_days_on_which_all_is_hidden_nobody_is(site: Site) -> None:
    viewers = Viewers(story(), site.address, PAGES)
    site.gone = set(PAGES)
    viewers.skip_to(10.0)
    assert viewers.views == 0


def test_whoever_opens_a_page_that_is_left_is_counted_and_nobody_else(site: Site) -> None:
    viewers, told = Viewers(story(), site.address, PAGES), story()
    site.gone = set(PAGES) - {PAGES[1]}
    viewers.skip_to(10.0)
    assert viewers.views == sum(told.place_of(viewer) == 1 for viewer in range(1000))


def test_while_the_clock_runs_each_viewer_is_one_request_and_the_first_comes_at_once(site: Site) -> None:
    fast = story(total=40, days=2 / DAY)  # forty in two seconds
    viewers = Viewers(fast, site.address, PAGES)
    with viewers.looking():
        while len(site.asked) < 40:
            threading.Event().wait(0.01)
    assert site.asked == [PAGES[fast.place_of(viewer)] for viewer in range(40)]
    assert viewers.views == 40


def test_a_page_of_which_nothing_can_be_told_counts_as_seen(site: Site) -> None:
    stranger = Stranger(site.address)
    assert stranger.sees("/p/broken")
    assert stranger.visible(["/p/1", "/p/broken"]) == {"/p/1", "/p/broken"}
    stranger.close()


def test_a_site_that_does_not_answer_ends_the_play_and_is_not_taken_for_hidden(site: Site) -> None:
    site.server.server_close()
    site.server.shutdown()
    viewers = Viewers(story(), site.address, PAGES)
    with pytest.raises(DependencyError):
        viewers.skip_to(1.0)


def test_waiting_tells_what_did_not_become_so(site: Site) -> None:
    site.gone = {PAGES[0]}
    stranger = Stranger(site.address)
    assert stranger.wait_for(PAGES[:3], seen=False, patience=0.2) == PAGES[1:3]
    assert stranger.wait_for(PAGES[:1], seen=False, patience=5.0) == []
    stranger.close()
