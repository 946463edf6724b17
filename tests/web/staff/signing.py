# SPDX-License-Identifier: Apache-2.0
"""Somebody who works with the pages for staff: a browser that knows no scripts, one cookie, and a telephone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from http.client import HTTPConnection, HTTPMessage
from urllib.parse import urlencode

from tests.access.making import digits_of
from tests.conftest import Server, holdfast

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    headers: HTTPMessage
    content: bytes

    @property
    def html(self) -> str:
        """The page."""
        return self.content.decode()

    @property
    def text(self) -> str:
        """Its words."""
        plain = re.sub(r"<(title|head)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain)))

    def hidden(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', self.html)
        assert found, self.text
        return unescape(found[1])


@dataclass
class Person:
    """One person at one browser."""

    address: str
    name: str
    cookie: str = ""
    secret: str = ""
    digits: str = ""
    """Those with which they signed in last."""
    headers: dict[str, str] = field(default_factory=lambda: {"Sec-Fetch-Site": "same-origin"})

    def get(self, path: str, **headers: str) -> Page:
        """Load a page."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, *, token: str | None = None, **fields: str) -> Page:
        """Send a form of a page of theirs."""
        held = {"form": self.form_token() if token is None else token} if self.cookie else {}
        return self._ask("POST", path, urlencode({**held, **fields}).encode(), {})

    def form_token(self) -> str:
        """What every form of theirs holds."""
        return self.get("/staff/").hidden("form")

    def begin(self, code: str) -> Page:
        """Make an account with a code."""
        page = self.post("/staff/begin", person=self.name, code=code)
        if page.status != 200:
            return page
        self.secret = page.hidden("secret")
        given = {"person": self.name, "code": code, "secret": self.secret, "password": PASSWORD, "again": PASSWORD}
        return self.post("/staff/begin", **given, digits=digits_of(self.secret, datetime.now(UTC)))

    def sign_in(self, password: str = PASSWORD, *, steps: int = 1, digits: str = "") -> Page:
        """Sign in, with the digits of the next half minute: those of this one began the account."""
        now = datetime.now(UTC) + timedelta(seconds=30 * steps)
        self.digits = digits or digits_of(self.secret, now)
        page = self.post("/staff/sign-in", person=self.name, password=password, digits=self.digits)
        cookie = page.headers.get("Set-Cookie", "")
        self.cookie = cookie.partition(";")[0] if page.status == 302 else self.cookie
        return page

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Page:
        host, port = self.address.split(":")
        connection = HTTPConnection(host, int(port), timeout=60)
        sent = {**self.headers, **headers, **({"Cookie": self.cookie} if self.cookie else {})}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        reply = connection.getresponse()
        page = Page(reply.status, reply.headers, reply.read())
        connection.close()
        return page


def hired(server: Server, name: str, *roles: str, team: str = "") -> Person:
    """Somebody whom the command line added, who made their account and signed in. Once two are known this takes two."""
    wanted = [part for role in roles for part in ("--role", role)]
    done = holdfast(server.environment, "staff", "add", name, *wanted, "--team", team, "--json")
    assert done.returncode == 0, done.stderr
    person = Person(server.address, name)
    assert "Your account is ready" in person.begin(json.loads(done.stdout)["code"]).text
    assert person.sign_in().status == 302
    return person
