# SPDX-License-Identifier: Apache-2.0
"""Looking at an item: a part of a review's page, the question for pictures, and one picture at its address.

Nothing is shown until somebody asks: first blurred, then each picture in grey, by buttons that a keyboard reaches.
Words beside a picture say its number, its step and its time, and nothing of what it shows. There is no address of the
item itself, and nothing to download. A picture's address is opened by the page that it stands on and by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from holdfast.errors import Refusal
from holdfast.media.preview import MEDIA_TYPE
from holdfast.review.look import MOST_AT_ONCE, NOTHING_HERE
from holdfast.review.seeing import NotOpened
from holdfast.review.showing import Given, Page, Showing, SignedIn, viewer_of
from holdfast.review.viewing import Step

HEADERS: Final = {
    "Accept-Ranges": "none",
    "Cache-Control": "no-store",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of a picture, and of what is said where there is none."""
_ASKED: Final = re.compile(r"(blurred|grey):(\d{1,6})(?:-(\d{1,6}))?")
_CLOSED, _UNREADABLE, _MISSING, _LATER = 409, 422, 404, 503


Shows = Callable[[HttpRequest, SignedIn, str, SafeString, int], HttpResponse]
"""Shows the page of a review with this part in it, and this status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """The views.

    `hidden` is what every form of a signed-in person holds; `ask_at` and `picture_at` are the addresses of a review's
    question for pictures and of one picture.
    """

    showing: Callable[[], Showing]
    shows: Shows
    hidden: Callable[[HttpRequest], SafeString]
    ask_at: Callable[[str], str]
    picture_at: Callable[[str], str]

    def part(self, request: HttpRequest, review: str) -> SafeString:
        """The part of a review's page before anything is shown."""
        says = _says("Nothing is shown until you ask for it. What you are shown is written down.")
        return _framed(says, self._first(request, review))

    def ask(self, request: HttpRequest, signed: SignedIn, review: str) -> HttpResponse:
        """Answer with the page of the review and the pictures that were asked for, or why there are none."""
        wanted = _wanted(request.POST.get("show", ""))
        if wanted is None:
            return self._told(request, signed, review, "This page does not ask for that.", _UNREADABLE)
        step, numbers = wanted
        found = self.showing().ask(viewer_of(signed), review, step, numbers)
        match found:
            case Page():
                return self.shows(request, signed, review, self._page(request, review, found, step, numbers), 200)
            case NotOpened():
                return self._told(request, signed, review, found.says, _LATER if found.passes else _CLOSED)
        return self._told(request, signed, review, f"{found.because[:1].upper()}{found.because[1:]}.", _CLOSED)

    def picture(self, request: HttpRequest, signed: SignedIn, token: str) -> HttpResponse:
        """One picture, once. That it is shown is written before its first byte is."""
        if request.method != "GET":
            return _with_headers(HttpResponseNotAllowed(["GET"]))
        found = self.showing().open(viewer_of(signed), token) if _is_for_the_page(request) else NOTHING_HERE
        if isinstance(found, Refusal):
            said = f"There is nothing to be seen here: {found.because}.\n"
            return _with_headers(HttpResponse(said, status=_MISSING, content_type="text/plain; charset=utf-8"))
        return _with_headers(HttpResponse(found, content_type=MEDIA_TYPE))

    def _told(self, request: HttpRequest, signed: SignedIn, review: str, says: str, status: int) -> HttpResponse:
        return self.shows(request, signed, review, _framed(_says(says), self._first(request, review)), status)

    def _page(self, request: HttpRequest, review: str, page: Page, step: Step, numbers: frozenset[int]) -> SafeString:
        shown = [self._figure(request, review, one, page) for one in page.given]
        return _framed(
            _says(_how_many(page, numbers)),
            format_html('<div class="pictures">{}</div>', format_html_join("", "{}", ((one,) for one in shown))),
            self._more(request, review, page, step, numbers),
        )

    def _figure(self, request: HttpRequest, review: str, one: Given, page: Page) -> SafeString:
        says = describe(one, page)
        more = (
            self._button(request, review, f"grey:{one.number}", f"Show picture {one.number + 1} in grey")
            if one.step is Step.BLURRED
            else ""
        )
        return format_html(
            '<figure><img src="{}" alt="{}"><figcaption>{}</figcaption>{}</figure>',
            self.picture_at(one.token),
            says,
            says,
            more,
        )

    def _more(self, request: HttpRequest, review: str, page: Page, step: Step, numbers: frozenset[int]) -> SafeString:
        """Buttons for all of this page in grey, and for the next page."""
        found = sorted(one.number for one in page.given)
        buttons = [self._first(request, review)] if step is not Step.BLURRED else []
        if step is Step.BLURRED and len(found) > 1:
            asks = f"grey:{found[0]}-{found[-1]}"
            buttons.append(
                self._button(request, review, asks, f"Show pictures {found[0] + 1} to {found[-1] + 1} in grey")
            )
        after = max(numbers) + 1
        if step is Step.BLURRED and page.counted > after and len(found) == len(numbers):
            buttons.append(
                self._button(request, review, f"blurred:{after}-{after + MOST_AT_ONCE - 1}", "Show the next")
            )
        return format_html_join("", "{}", ((one,) for one in buttons))

    def _first(self, request: HttpRequest, review: str) -> SafeString:
        return self._button(request, review, f"blurred:0-{MOST_AT_ONCE - 1}", "Show it blurred")

    def _button(self, request: HttpRequest, review: str, asks: str, says: str) -> SafeString:
        return format_html(
            '<form method="post" action="{}">{}<button name="show" value="{}">{}</button></form>',
            self.ask_at(review),
            self.hidden(request),
            asks,
            says,
        )


def describe(one: Given, page: Page) -> str:
    """A picture in words: its number, its time and its step; nothing of what it shows."""
    of = f" of {page.counted}" if page.complete else ""
    at = "" if one.seconds is None else f", at {int(one.seconds) // 60}:{int(one.seconds) % 60:02d}"
    return f"Picture {one.number + 1}{of}{at}, {_STEPS[one.step]}"


_STEPS: Final = {Step.BLURRED: "blurred", Step.GREY: "in grey"}


def _how_many(page: Page, numbers: frozenset[int]) -> str:
    """Whether what is shown is all there is: what was not read is said, and never left out in silence."""
    asked = sum(number < page.counted for number in numbers)
    said = [f"{len(page.given)} of {page.counted} pictures."]
    if not page.complete:
        said.append("Parts of it could not be read: there may be more, and nobody has seen all of it.")
    if len(page.given) < asked:
        said.append("What you may be shown today ends here.")
    return " ".join(said)


def _says(text: str) -> SafeString:
    return format_html('<p role="status">{}</p>', text)


def _framed(*parts: SafeString) -> SafeString:
    inner = format_html_join("", "{}", ((one,) for one in parts))
    return format_html('<section class="looking" aria-label="{}">{}</section>', "The item", inner)


def _wanted(untrusted_asked: str) -> tuple[Step, frozenset[int]] | None:
    """What a button asks for; None if no button does. How many at once are too many is `Showing`'s."""
    found = _ASKED.fullmatch(untrusted_asked)
    if found is None:
        return None
    first, last = int(found[2]), int(found[3] or found[2])
    return Step(found[1]), frozenset(range(first, min(last, first + MOST_AT_ONCE) + 1))


def _is_for_the_page(request: HttpRequest) -> bool:
    """Whether a browser wants it for a picture on a page of ours: not ahead of time, for a tab, or elsewhere."""
    wanted = request.headers.get("Sec-Fetch-Dest", "image") == "image"
    ours = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    ahead = "prefetch" in request.headers.get("Sec-Purpose", "") or "Purpose" in request.headers
    return wanted and ours and not ahead


def _with_headers(response: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        response[name] = value
    return response
