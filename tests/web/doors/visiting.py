# SPDX-License-Identifier: Apache-2.0
"""Somebody who visits the pages with a browser that knows no scripts: plain requests, and the HTML that came back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPMessage
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from holdfast.intake.words import WORDS

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
EMERGENCY: Final = ("tel:112", "tel:999", "tel:911")
_VOID: Final = frozenset({"meta", "link", "input", "br", "img", "hr"})
_RAW: Final = frozenset({"script", "style", "template"})


@dataclass
class Element:
    """One element that was opened: its name, attributes and the text in it, its children's too."""

    name: str
    given: dict[str, str]
    text: str = ""


@dataclass
class Form:
    """One form: where it leads, and what would be sent if nobody touched it."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.forms: list[Form] = []
        self._open: list[Element] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(found)
        if tag not in _VOID:
            self._open.append(found)
        if tag == "form":
            self.forms.append(Form(found.given.get("action", "")))
        if self.forms:
            self._fill(tag, found.given)

    def _fill(self, tag: str, given: dict[str, str]) -> None:
        name, value, fields = given.get("name", ""), given.get("value", ""), self.forms[-1].fields
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            fields.append((self._select, value))
        elif tag == "input" and given.get("type") in ("radio", "checkbox"):
            fields += [(name, value or "on")] if "checked" in given else []
        elif tag == "input" and given.get("type") != "file":
            fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        closed = self._open.pop()
        assert closed.name == tag, f"<{closed.name}> was closed by </{tag}>"
        if tag == "textarea":
            # The first line end in a textarea is the parser's own.
            self.forms[-1].fields.append((closed.given["name"], closed.text.removeprefix("\n")))

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data

    def whole(self) -> None:
        """Insist that everything that was opened was closed."""
        assert [one.name for one in self._open] == []


@dataclass(frozen=True)
class Page:
    """What came back, read."""

    status: int
    headers: HTTPMessage
    content: bytes
    elements: list[Element]
    forms: list[Form]

    @property
    def html(self) -> str:
        """The page as it was sent."""
        return self.content.decode()

    def all(self, kind: str, **given: str) -> list[Element]:
        """The elements of that kind that have these attributes."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in given.items()}
        return [one for one in self.elements if one.name == kind and wanted.items() <= one.given.items()]

    @property
    def main(self) -> str:
        """What the page itself says, without what all pages say; one space between words."""
        (main,) = self.all("main")
        return " ".join(main.text.split())

    @property
    def title(self) -> str:
        (title,) = self.all("title")
        return title.text

    def form(self, action: str) -> Form:
        """The form that leads there."""
        (found,) = [form for form in self.forms if form.action == action]
        return found

    @property
    def words(self) -> str:
        """The secret words of a receipt, as they are shown."""
        (shown,) = self.all("ol", class_="words")
        words = shown.text.split()
        assert len(words) == 8
        assert set(words) <= set(WORDS)
        return " ".join(words)

    @property
    def named(self) -> list[tuple[str, str]]:
        """(address, how it stands) of everything that was named."""
        (shown,) = self.all("ol", class_="named")
        at = self.elements.index(shown)
        rest = [one for one in self.elements[at:] if one.name == "strong" or one.given.get("class") == "address"]
        pairs = zip(rest[::2], rest[1::2], strict=False)
        return [(address.text, told.text) for address, told in pairs if address.given.get("class") == "address"]

    def faults(self) -> list[str]:
        """What the summary says is to be looked at again."""
        summaries = self.all("div", class_="summary")
        return [line.strip() for one in summaries for line in one.text.splitlines() if line.strip()]


@dataclass(frozen=True)
class Visitor:
    """Somebody, at an address of their own."""

    address: str
    network: str = field(default_factory=lambda: f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::7")
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        """Open an address."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> Page:
        """Send a form without a file."""
        body = urlencode(list(fields.items() if isinstance(fields, Mapping) else fields)).encode()
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def send(
        self, path: str, fields: Mapping[str, str] | Iterable[tuple[str, str]], file: bytes, name: str = "proof"
    ) -> Page:
        """Send a form with a file."""
        mark = uuid4().hex
        pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in pairs]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="IMG 1.jpg"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = "".join([*parts, head]).encode() + file + f"\r\n--{mark}--\r\n".encode()
        return self._ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={mark}"})

    def report(self, *addresses: str, **fields: str) -> Page:
        """Report these addresses; the receipt."""
        receipt = self.post("/report", {"addresses": "\n".join(addresses), **fields})
        assert receipt.status == 200, receipt.html
        return receipt

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        connection = HTTPConnection(self.address, timeout=60)
        try:
            given = {"X-Forwarded-For": self.network, **headers, **self.headers}
            with suppress(BrokenPipeError, ConnectionResetError):  # an early answer may end the sending
                connection.request(method, path, body=body, headers=given)
            response = connection.getresponse()
            return checked(read(response.status, response.headers, response.read()))
        finally:
            connection.close()


def until(so: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Go on asking until it is so. What is waited for is done by other processes."""
    pause, ends = threading.Event(), time.monotonic() + seconds
    while not so():
        assert time.monotonic() < ends, "it did not become so"
        pause.wait(0.1)


def read(status: int, headers: HTTPMessage, content: bytes) -> Page:
    """The answer, taken apart if it is a page. Insists that it is well-formed."""
    reader = _Reader()
    if headers["Content-Type"].startswith("text/html"):
        reader.feed(content.decode())
        reader.close()
        reader.whole()
    return Page(status, headers, content, reader.elements, reader.forms)


def checked(page: Page) -> Page:
    """What holds for every answer of these pages, whatever was asked."""
    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert b"Traceback" not in page.content
    assert b".py" not in page.content
    if page.headers["Content-Type"].startswith("text/html"):
        _check_html(page)
    return page


def _check_html(page: Page) -> None:
    assert page.headers["Content-Security-Policy"] == POLICY
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in page.headers["Permissions-Policy"]
    assert not [one for one in page.elements if one.name in _RAW], "no script, and no style in the page"
    handlers = [name for one in page.elements for name in one.given if name.startswith("on") or name == "style"]
    assert handlers == []
    loaded = [one.given.get("href", "") for one in page.all("link")] + [one.given["src"] for one in page.all("img")]
    assert loaded == ["/style.css", "data:,"]
    links = [one.given["href"] for one in page.all("a")]
    assert set(EMERGENCY) <= set(links), "whom to call stands on every page"
    assert all(form.action.startswith(("/report", "/case")) and "?" not in form.action for form in page.forms)
    _check_labels(page)


def _check_labels(page: Page) -> None:
    """Every field has a label that is there, ids are unique, and what describes a field is there."""
    ids = [one.given["id"] for one in page.elements if "id" in one.given]
    assert len(ids) == len(set(ids))
    labelled = {one.given["for"] for one in page.all("label")}
    shown = [one for one in page.elements if one.name in ("input", "textarea", "select")]
    for one in shown:
        if one.given.get("type") != "hidden":
            assert one.given["id"] in labelled, one
    assert labelled <= set(ids)
    for one in page.elements:
        for name in ("aria-describedby", "aria-labelledby"):
            assert set(one.given.get(name, "").split()) <= set(ids), one
    targets = [one.given["href"][1:] for one in page.all("a") if one.given["href"].startswith("#")]
    assert set(targets) <= set(ids)
    assert all(one.text.strip() for one in [*page.all("label"), *page.all("legend"), *page.all("button")])
