# SPDX-License-Identifier: Apache-2.0
"""What whoever posted a held item is told: what happened, what it does not mean, and how to answer (DSA 17).

Neutral for every reason. It names no reporter and describes nobody. Where the account may belong to the
person depicted, it does not mention that anybody reported anything: somebody else may read it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A title and sentences, in plain language."""

    title: str
    text: str

    @property
    def digest(self) -> str:
        """What the journal keeps of it: which words were in force."""
        return hashlib.sha256(f"{self.title}\n{self.text}".encode()).hexdigest()


_TITLE: Final = "Something you posted is not visible at the moment"
_COMMON: Final = """
No finding has been made. Your account is not affected and nothing was deleted. Nobody has been reported to any
authority because of this.

You can say why it should be visible again: open the page named here and type the words that belong to it. A
person reads what you write within a day. You need no account for that.

You are told this under article 17 of Regulation (EU) 2022/2065.
"""
_REPORTED: Final = """
We received a report about something you posted. It is not visible while we check it.

What is reported for reasons like this is hidden first and checked after; our rules say so. A computer hid it; a
person looks before anything else happens.
"""
_NEUTRAL: Final = """
Something on this account is not visible while we check it. A computer hid it; a person looks before anything else
happens.

If you did not post it, or somebody made you post it: you did nothing wrong, and nothing happens to you.
"""


def held_notice(*, blameless: bool) -> NoticeText:
    """The text for whoever posted it; `blameless` if the account may be the depicted person's."""
    first = _NEUTRAL if blameless else _REPORTED
    return NoticeText(_TITLE, "\n\n".join(_paragraphs(first) + _paragraphs(_COMMON)))


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]
