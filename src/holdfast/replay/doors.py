# SPDX-License-Identifier: Apache-2.0
"""Those who come to Holdfast's public doors: no account, no script, no cookie, and the words of a receipt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import httpx

from holdfast.errors import DependencyError
from holdfast.replay.staff import words_of

_WORDS: Final = re.compile(r'<ol class="words"[^>]*>(.*?)</ol>', re.DOTALL)
_WORD: Final = re.compile(r"<li>([a-z]+)</li>")
_TIMEOUT: Final = 60.0


def report(door: str, address: str, *, proof: bytes | None = None, **fields: str) -> str:
    """Send the form; the words of the receipt. Raises DependencyError if there is none."""
    files = {"proof": ("proof.jpg", proof, "image/jpeg")} if proof is not None else None
    data = {"addresses": address, **fields}
    answer = httpx.post(f"{door}/report", data=data, files=files, timeout=_TIMEOUT, trust_env=False)
    shown = _WORDS.search(answer.text)
    if answer.status_code != httpx.codes.OK or shown is None:
        message = f"the page for reports answered {answer.status_code}"
        raise DependencyError(message)
    return " ".join(_WORD.findall(shown[1]))


def told(door: str, words: str) -> str:
    """What the page of a receipt says."""
    return words_of(_case(door, "/case", code=words).text)


def contest(door: str, code: str, why: str) -> str:
    """Say why something should be seen again, with the code of a notice; what the page answers."""
    return words_of(_case(door, "/case/contest", code=code, words=why).text)


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody's own page at the platform tells them."""

    text: str
    code: str


def _case(door: str, path: str, **fields: str) -> httpx.Response:
    answer = httpx.post(f"{door}{path}", data=fields, timeout=_TIMEOUT, trust_env=False)
    if answer.status_code != httpx.codes.OK:
        message = f"{path} answered {answer.status_code}"
        raise DependencyError(message)
    return answer
