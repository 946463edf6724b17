# SPDX-License-Identifier: Apache-2.0
"""The journal's promises, and the row it holds.

The journal is append-only: the app role may INSERT and SELECT, nothing else. A row is written in
the transaction that writes what it reports, so neither can exist without the other. Rows of one
subject are numbered 1, 2, 3 ...; `unique(subject, version)` is how two writers that decided on
the same past find out. Nobody may read the journal by "id greater than the last I saw": ids are
drawn at insert and become visible at commit, so such a reader misses rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from holdfast.log.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One journal row: what happened, to what, as its n-th event, by whom, when (UTC)."""

    subject: str
    version: int
    happened: Event
    actor: str
    at: datetime


class Journal(Protocol):
    """Where events are appended, inside the caller's transaction."""

    def append(self, subject: str, *, after: int, events: Sequence[Event], actor: str, at: datetime) -> Sequence[Event]:
        """Append `events` as versions after+1, after+2, ... of `subject`; returns them with their texts sealed.

        An adapter MUST write in the transaction that is open and MUST NOT commit it. Raises
        JournalConflict if the subject already has such a version; the caller's transaction is then
        of no more use and MUST be rolled back.
        """

    def read(self, subject: str) -> Sequence[Recorded]:
        """All rows of one subject, in version order."""
