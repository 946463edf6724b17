# SPDX-License-Identifier: Apache-2.0
"""What backwards searches find, where it goes, and how searches are shown to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from holdfast.match.backwards import Search, SearchProven
from holdfast.match.bank import Bank
from holdfast.match.signal import SignalType


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCopy:
    """One archived item that an entry matches now: which, by what, and how far."""

    screening: str
    content: str
    content_version: str
    surface: str
    verdict: str
    """What was answered then."""
    screened_at: datetime
    entry: str
    signal: SignalType
    distance: int
    signals: int
    """How many of the entry's signals lie near it: of a known video one alone may be any title card."""


class FoundCopies(Protocol):
    """Where found copies go: whoever puts holds on them."""

    def __call__(self, search: str, bank: Bank, copies: Sequence[FoundCopy], *, at: datetime) -> None:
        """Take over these copies, found by this search, each of which is handed over once.

        Called inside the transaction that keeps them: what it writes stands if they do. An implementation
        MUST NOT do anything outside the database; it MAY owe effects.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchItem:
    """A search with its id, how far it has come, and how it was proven, if it was and was asked for."""

    id: str
    search: Search
    owed_at: datetime
    looked_at: int
    """Items looked at for the signals that are being looked for."""
    ended_at: datetime | None
    blocked_at: datetime | None
    fault: str | None
    """Of the last step that failed, a short word."""
    proof: SearchProven | None = None
