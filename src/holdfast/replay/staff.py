# SPDX-License-Identifier: Apache-2.0
"""Those who work in the story: each at a browser without scripts, with a password and a telephone that makes digits.

They do what the pages let them do, and nothing else: sign in, look, find. What a page refuses is kept, as it says it.
"""

from __future__ import annotations

import base64
import html
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from holdfast.access.factor import STEP_SECONDS
from holdfast.errors import DependencyError
from holdfast.replay.world import World

_TIMEOUT: Final = 60.0
_REVIEW: Final = re.compile(r'href="/staff/reviews/(rev_\w+)"')
_PICTURE: Final = re.compile(r'<img src="(/staff/pictures/[^"]+)"')
_SAYS: Final = re.compile(r'<p class="says"[^>]*>(.*?)</p>|role="alert"[^>]*>(.*?)</', re.DOTALL)
_TAG: Final = re.compile(r"<[^>]+>")
_BUTTON: Final = re.compile(r'name="show" value="(blurred:[^"]+|grey:[^"]+)"')


@dataclass
class Person:
    """Somebody who signed in."""

    door: str
    name: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    secret: str = ""
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """A browser of their own."""
        same = {"Sec-Fetch-Site": "same-origin"}
        self._http = httpx.Client(base_url=self.door, timeout=_TIMEOUT, trust_env=False, headers=same)

    def begin(self, code: str) -> None:
        """Make the account and sign in. Raises DependencyError if the pages will not."""
        page = self._http.post("/staff/begin", data={"person": self.name, "code": code})
        self.secret = _hidden(page.text, "secret")
        given = {"person": self.name, "code": code, "secret": self.secret, "digits": self._digits(0)}
        self._http.post("/staff/begin", data={**given, "password": self.password, "again": self.password})
        entered = {"person": self.name, "password": self.password, "digits": self._digits(1)}
        if self._http.post("/staff/sign-in", data=entered).status_code != httpx.codes.FOUND:
            message = f"{self.name} could not sign in"
            raise DependencyError(message)

    def asked(self) -> list[str]:
        """The reviews they are asked, the most urgent first."""
        return _REVIEW.findall(self._get("/staff/reviews"))

    def look(self, review: str) -> int:
        """Look at all of an item in grey, step by step as the page offers it; how many pictures were shown."""
        page = self._post(f"/staff/reviews/{review}/look", show="blurred:0-47").text
        shown = self._open(page)
        for asks in [one for one in _BUTTON.findall(page) if one.startswith("grey:")]:
            shown += self._open(self._post(f"/staff/reviews/{review}/look", show=asks).text)
        return shown

    def find(self, review: str, **said: str) -> str:
        """Say what they find; what the page answers."""
        return words_of(self._post(f"/staff/reviews/{review}", **said).text)

    def load(self, path: str) -> httpx.Response:
        """Any page of theirs."""
        return self._http.get(path)

    def _open(self, page: str) -> int:
        addresses = _PICTURE.findall(page)
        for address in addresses:
            self._http.get(address, headers={"Sec-Fetch-Dest": "image"}).raise_for_status()
        return len(addresses)

    def _get(self, path: str) -> str:
        page = self._http.get(path)
        if page.status_code != httpx.codes.OK:
            message = f"{path} answered {page.status_code} to {self.name}"
            raise DependencyError(message)
        return page.text

    def _post(self, path: str, **fields: str) -> httpx.Response:
        return self._http.post(path, data={"form": _hidden(self._get("/staff/"), "form"), **fields})

    def _digits(self, steps: int) -> str:
        """The digits of this half minute, or of the next: each is good once."""
        totp = TOTP(base64.b32decode(self.secret), 6, SHA1(), STEP_SECONDS)  # noqa: S303  # RFC 6238's own
        at = datetime.now(UTC) + timedelta(seconds=STEP_SECONDS * steps)
        return totp.generate(int(at.timestamp())).decode()


PEOPLE: Final = (("ann", "senior", "day"), ("bo", "senior", "day"), ("cleo", "senior", "night"))
"""Who works there: name, role, team. A third look is a senior's, so that all are, as the first two are drawn."""


def hire_everybody(world: World) -> list[Person]:
    """All of them, at their pages."""
    return [hire(world, *one) for one in PEOPLE]


def hire(world: World, name: str, role: str, team: str) -> Person:
    """Somebody who may be asked to look: added by one, agreed to by another, and at their pages."""
    code = world.do("staff", "add", name, "--role", role, "--team", team)["code"]
    person = Person(world.door, name)
    person.begin(code)
    return person


def words_of(page: str) -> str:
    """The words of a page's main part."""
    main = page.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(html.unescape(_TAG.sub(" ", main)).split())


def wait_for_next_digits() -> None:
    """Wait until the half minute is over: digits are good once."""
    time.sleep(STEP_SECONDS - time.time() % STEP_SECONDS)


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', page)
    if found is None:
        message = f"a page for staff has no {name}: {words_of(page)[:200]}"
        raise DependencyError(message)
    return html.unescape(found[1])
