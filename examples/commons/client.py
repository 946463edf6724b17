# SPDX-License-Identifier: Apache-2.0
"""A person at Commons, for scripts: plain forms over plain HTTP, as a browser would send them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import httpx

_TIMEOUT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Made:
    """What was posted: its reference, and whether everybody sees it already."""

    content: str
    public: bool

    @property
    def path(self) -> str:
        """The address of a post, below the site's."""
        return f"/p/{self.content.rpartition('-')[2]}"


class Person:
    """Somebody with an account. Every method raises httpx.HTTPStatusError if the site says that something is wrong."""

    def __init__(self, site: str, name: str, password: str, *, new: bool = True) -> None:
        """Sign up at `site`, such as http://127.0.0.1:9000, or log in if not `new`."""
        self._http = httpx.Client(base_url=site, timeout=_TIMEOUT, trust_env=False)
        self.name = name
        self._send("/signup" if new else "/login", {"name": name, "password": password})

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connection."""
        self._http.close()

    def post(self, text: str = "", file: bytes | None = None) -> Made:
        """Post words, a picture or a film."""
        return _made(self._send("/new", {"text": text}, file))

    def share(self, number: int, text: str = "") -> Made:
        """Show the picture of post `number` again."""
        return _made(self._send(f"/p/{number}/share", {"text": text}))

    def edit(self, number: int, text: str = "", file: bytes | None = None) -> Made:
        """Change a post of one's own; without a file, its picture stays."""
        return _made(self._send(f"/p/{number}/edit", {"text": text}, file))

    def show_face(self, file: bytes) -> Made:
        """Choose a profile picture."""
        return _made(self._send("/me/face", {}, file))

    def delete(self, number: int) -> None:
        """Take a post of one's own away."""
        self._send(f"/p/{number}/delete", {})

    def close(self) -> None:
        """End the account."""
        self._send("/me/close", {})

    def read(self, path: str) -> httpx.Response:
        """Any page, as this person gets it."""
        return self._http.get(path)

    def _send(self, path: str, fields: dict[str, str], file: bytes | None = None) -> httpx.Response:
        files = {"file": ("upload", file)} if file is not None else None
        answer = self._http.post(path, data=fields, files=files)
        if answer.status_code != httpx.codes.SEE_OTHER:
            answer.raise_for_status()
        return answer


def _made(answer: httpx.Response) -> Made:
    return Made(answer.headers["Commons-Content"], answer.headers["Commons-State"] == "public")
