# SPDX-License-Identifier: Apache-2.0
"""A reviewer's page shows nothing unasked, then pictures in steps; an address answers its page once, nobody else."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.html import format_html
from django.utils.safestring import SafeString
from PIL import Image

from holdfast.bootstrap import System
from holdfast.media.filetype import FileType
from holdfast.review.finding import saw_enough
from holdfast.review.showing import SignedIn
from holdfast.review.viewing import Step
from holdfast.testing.simulators import How
from holdfast.web.staff.looking import Looking
from tests.pictures import encoded, natural
from tests.review.looking import ANN, REVIEW, looking
from tests.review.looking import Looking as Case
from tests.videos import Coding, film, steady

PAGE: Mapping[str, str] = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class Signed:
    """Somebody who is signed in."""

    person: str = ANN.person
    session: str = ANN.session


class Read(HTMLParser):
    """What stands on a page: pictures, buttons with what they ask for, words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pictures: dict[str, str] = {}
        self.buttons: dict[str, str] = {}
        self.hidden = 0
        self.words = ""
        self._asks: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "img":
            self.pictures[told["alt"]] = told["src"].removeprefix("/staff/pictures/")
        self._asks = told["value"] if tag == "button" else None
        self.hidden += tag == "input"

    def handle_data(self, data: str) -> None:
        if self._asks is not None:
            self.buttons[data] = self._asks
        self.words += data + " "


@dataclass
class Browser:
    """Somebody at a page of a review."""

    case: Case
    views: Looking
    signed: SignedIn = Signed()
    status: int = 0

    def opens(self) -> Read:
        return Read(self.views.part(RequestFactory().get("/"), REVIEW))

    def asks(self, show: str) -> Read:
        answer = self.views.ask(RequestFactory().post("/", {"show": show}), self.signed, REVIEW)
        self.status = answer.status_code
        return Read(answer.content.decode())

    def loads(self, token: str, *, method: str = "GET", headers: Mapping[str, str] = PAGE) -> HttpResponse:
        request = RequestFactory().generic(method, "/", headers=dict(headers))
        return self.views.picture(request, self.signed, token)


def browser_at(case: Case) -> Browser:
    def shows(_: HttpRequest, signed: SignedIn, review: str, part: SafeString, status: int) -> HttpResponse:
        return HttpResponse(format_html("<title>{} {}</title>{}", review, signed.person, part), status=status)

    views = Looking(
        showing=lambda: case.showing,
        shows=shows,
        hidden=lambda _: format_html('<input type="hidden" name="{}" value="{}">', "token", "t"),
        ask_at=lambda review: f"/staff/reviews/{review}/look",
        picture_at=lambda token: f"/staff/pictures/{token}",
    )
    return Browser(case, views)


@pytest.fixture
def film_at(system: System) -> Browser:
    return browser_at(looking(system, film(steady([1, 2, 3], seconds=2.0))))


@pytest.fixture
def browser(system: System) -> Browser:
    return browser_at(looking(system, encoded(natural(300, 400), FileType.JPEG)))


def test_nothing_is_shown_before_somebody_asks(browser: Browser) -> None:
    page = browser.opens()
    assert page.pictures == {}
    assert page.buttons == {"Show it blurred": "blurred:0-47"}
    assert page.hidden == len(page.buttons), "every form holds what the frame asks for"


def test_from_blurred_to_grey_by_the_buttons_of_the_page(browser: Browser) -> None:
    blurred = browser.asks(browser.opens().buttons["Show it blurred"])
    assert list(blurred.pictures) == ["Picture 1 of 1, blurred"]
    assert browser.loads(blurred.pictures["Picture 1 of 1, blurred"]).status_code == 200
    grey = browser.asks(blurred.buttons["Show picture 1 in grey"])
    (token,) = grey.pictures.values()
    with Image.open(io.BytesIO(browser.loads(token).content)) as image:
        assert (image.mode, max(image.size)) == ("L", 256)


def test_the_words_beside_a_picture_say_number_time_and_step_and_no_more(film_at: Browser) -> None:
    page = film_at.asks("blurred:0-47")
    assert [re.sub(r"0:0[1-6]", "0:0N", says) for says in page.pictures] == [
        "Picture 1 of 3, at 0:00, blurred",
        "Picture 2 of 3, at 0:0N, blurred",
        "Picture 3 of 3, at 0:0N, blurred",
    ]
    assert "3 of 3 pictures." in page.words


def test_all_of_a_page_is_shown_in_grey_once_it_was_seen_blurred(film_at: Browser) -> None:
    page = film_at.asks("blurred:0-47")
    assert film_at.asks(page.buttons["Show pictures 1 to 3 in grey"]).pictures == {}
    assert film_at.status == 409
    for token in film_at.asks("blurred:0-47").pictures.values():
        assert film_at.loads(token).status_code == 200
    assert len(film_at.asks(page.buttons["Show pictures 1 to 3 in grey"]).pictures) == 3


def test_there_are_pages_of_what_has_many_pictures(film_at: Browser) -> None:
    page = film_at.asks("blurred:0-1")
    assert len(page.pictures) == 2
    assert list(film_at.asks(page.buttons["Show the next"]).pictures) == ["Picture 3 of 3, at 0:04, blurred"]


# --- one picture


def test_a_picture_is_kept_by_nobody_and_belongs_to_its_page(browser: Browser) -> None:
    (token,) = browser.asks("blurred:0").pictures.values()
    answer = browser.loads(token)
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"] == "inline"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Accept-Ranges"] == "none"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_part_of_a_picture_cannot_be_asked_for(browser: Browser) -> None:
    (token,) = browser.asks("blurred:0").pictures.values()
    answer = browser.loads(token, headers={**PAGE, "Range": "bytes=0-3"})
    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")
    assert len(answer.content) > 4


def test_the_second_time_there_is_nothing(browser: Browser) -> None:
    (token,) = browser.asks("blurred:0").pictures.values()
    assert browser.loads(token).status_code == 200
    again = browser.loads(token)
    assert again.status_code == 404
    assert again["Content-Type"].startswith("text/plain")
    assert b"PNG" not in again.content
    assert again["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "same-site"},
        {**PAGE, "Sec-Purpose": "prefetch"},
    ],
    ids=["a tab of its own", "another site", "a neighbour", "ahead of time"],
)
def test_nothing_but_its_page_opens_an_address_nor_spends_it(browser: Browser, headers: dict[str, str]) -> None:
    (token,) = browser.asks("blurred:0").pictures.values()
    assert browser.loads(token, headers=headers).status_code == 404
    assert browser.loads(token).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_only_a_get_opens_an_address(browser: Browser, method: str) -> None:
    (token,) = browser.asks("blurred:0").pictures.values()
    assert browser.loads(token, method=method).status_code == 405
    assert browser.loads(token).status_code == 200


def test_another_session_a_minute_later_or_a_guess_all_get_the_same_answer(browser: Browser) -> None:
    (token,) = browser.asks("blurred:0").pictures.values()
    answers = [browser.loads("x" * 43)]
    answers.append(Browser(browser.case, browser.views, Signed(session="another")).loads(token))
    browser.case.at.now += timedelta(seconds=60)
    answers.append(browser.loads(token))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


# --- where there is nothing


@pytest.mark.parametrize(
    "show", ["", "clear:0", "nothing:0", "blurred", "blurred:-1", "grey:1-", "blurred:9999999", "x"]
)
def test_what_no_button_asks_for_is_refused_in_words(browser: Browser, show: str) -> None:
    page = browser.asks(show)
    assert browser.status == 422
    assert page.pictures == {}
    assert "does not ask for that" in page.words


def test_a_page_that_is_too_long_or_empty_is_refused(browser: Browser) -> None:
    for show in ("blurred:0-48", "blurred:0-999999", "blurred:5-3"):
        assert browser.asks(show).pictures == {}
        assert browser.status == 409


def test_whoever_is_not_asked_about_it_gets_no_address(browser: Browser) -> None:
    browser.case.asked.clear()
    page = browser.asks("blurred:0")
    assert (browser.status, page.pictures) == (409, {})
    assert "Somebody else is asked about this" in page.words


@pytest.mark.parametrize(
    ("how", "status", "says"), [(How.AWAY, 503, "did not answer"), (How.REFUSED, 409, "does not give this item")]
)
def test_what_cannot_be_opened_is_said_and_is_no_empty_picture(
    browser: Browser, how: How, status: int, says: str
) -> None:
    browser.case.at.platform.fail("open", how)
    page = browser.asks("blurred:0")
    assert (browser.status, page.pictures) == (status, {})
    assert says in page.words


def test_when_the_day_is_over_it_says_so_without_blame(system: System) -> None:
    at = browser_at(looking(system, film(steady([1, 2, 3, 4])), budget=1))
    assert len(at.asks("blurred:0-47").pictures) == 4
    page = at.asks("blurred:0-47")
    assert "enough for today" in page.words
    assert at.case.given_back == [(REVIEW, "ann")]


def test_that_parts_could_not_be_read_is_said_and_counts_as_not_all(system: System) -> None:
    whole = film(steady([1, 2, 3], seconds=2.0), coding=Coding(muxing={"movflags": "faststart"}))
    at = browser_at(looking(system, whole[: len(whole) * 4 // 5]))
    page = at.asks("blurred:0-47")
    assert "there may be more, and nobody has seen all of it" in page.words
    assert next(iter(page.pictures)) == "Picture 1, at 0:00, blurred"
    for token in page.pictures.values():
        assert at.loads(token).status_code == 200
    seen = at.case.at.desk.viewings.seen("ann", at.case.item.content, at.case.item.version)
    assert (seen.pictures, seen.of) == (len(page.pictures), 0)
    assert not saw_enough(seen, Step.BLURRED)
