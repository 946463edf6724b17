# SPDX-License-Identifier: Apache-2.0
"""Asks Holdfast, over HTTP, as docs/integrating.md says: publish only on 200 and "publish"; all else is a hold.

What it says is one of three types. `NotTold` is neither yes nor no: it is asked again, and nothing is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

_TIMEOUT: Final = httpx.Timeout(20.0, connect=3.0)
_LONGEST_PAUSE: Final = 300.0
_STANDINGS: Final = "/v1/screenings/"


@dataclass(frozen=True, slots=True)
class Publish:
    """It may be published."""


@dataclass(frozen=True, slots=True)
class Hold:
    """It may not."""


@dataclass(frozen=True, slots=True)
class NotTold:
    """No answer yet: ask again in so many seconds, at `standing` if there is one."""

    seconds: float
    standing: str | None = None


Said = Publish | Hold | NotTold


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about: one version of one item, and the bytes it has."""

    content: str
    version: int
    surface: str
    uploader: str
    media: Path
    key: str
    """The Idempotency-Key: asked twice, it is answered once."""


class Holdfast:
    """Holdfast at an address, with the key in a file."""

    def __init__(self, url: str, key: Path) -> None:
        """Nothing is asked yet."""
        self._url, self._key = url, key

    def ask(self, question: Question, *, tries: int) -> Said:
        """Ask about an upload. Never raises because of what Holdfast does or does not do."""
        fields = {
            "content_id": question.content,
            "content_version": str(question.version),
            "surface": question.surface,
            "uploader": question.uploader,
        }
        try:
            with question.media.open("rb") as file:
                upload = {"file": ("upload", file, "application/octet-stream")}
                headers = {**self._headers(), "Idempotency-Key": question.key}
                with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
                    answer = client.post(f"{self._url}/v1/screen", data=fields, files=upload, headers=headers)
        except (httpx.HTTPError, OSError):
            return NotTold(_pause(tries))
        return _said(answer, tries)

    def look(self, standing: str, *, tries: int) -> Said:
        """Ask how far one that is answered later has come."""
        try:
            with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
                answer = client.get(self._url + standing, headers=self._headers())
        except (httpx.HTTPError, OSError):
            return NotTold(_pause(tries), standing)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return NotTold(_pause(tries))  # from the beginning, under the same key
        return _stands(answer, standing, tries)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key.read_text().strip()}"}


class Nobody:
    """Where no Holdfast is: whatever is posted is public at once, as it is on most platforms."""

    def ask(self, question: Question, *, tries: int) -> Said:
        """Nobody looks."""
        del question, tries
        return Publish()

    def look(self, standing: str, *, tries: int) -> Said:
        """Nobody has looked."""
        del standing, tries
        return Publish()


def _said(answer: httpx.Response, tries: int) -> Said:
    body = _object(answer)
    match answer.status_code, body.get("answer"):
        case 200, "publish":
            return Publish()
        case 200, "hold":
            return Hold()
        case 202, _:
            return NotTold(_wait(answer), _standing(body))
    return NotTold(_pause(tries))


def _stands(answer: httpx.Response, standing: str, tries: int) -> Said:
    body = _object(answer)
    match answer.status_code, body.get("status"), body.get("answer"):
        case 200, "answered", "publish":
            return Publish()
        case 200, "answered" | "held_for_person", "hold":
            return Hold()
        case 200, "waiting" | "running", _:
            return NotTold(_wait(answer), standing)
    return NotTold(_pause(tries), standing)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _standing(body: dict[str, Any]) -> str | None:
    """Where to ask later, if it is a place at Holdfast's own address."""
    found = body.get("status_url")
    return found if isinstance(found, str) and found.startswith(_STANDINGS) else None


def _wait(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), _LONGEST_PAUSE) if said.isascii() and said.isdigit() else 1.0


def _pause(tries: int) -> float:
    """Twice as long after each try."""
    return float(min(2.0 ** min(tries, 16), _LONGEST_PAUSE))
