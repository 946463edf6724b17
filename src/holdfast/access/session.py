# SPDX-License-Identifier: Apache-2.0
"""Somebody who is signed in: as whom, with which roles, and in which session. How long a session lasts."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.access.role import Role

TOKEN_BYTES: Final = 32
IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Whoever is signed in."""

    person: str
    roles: frozenset[Role]
    session: str
    """The token that their browser sends; never written anywhere."""

    @property
    def form_token(self) -> str:
        """What each form of theirs holds, so that no foreign page can send one."""
        return hashlib.sha256(f"holdfast form {self.session}".encode()).hexdigest()

    @property
    def actor(self) -> str:
        """How the journal names them."""
        return f"staff:{self.person}"

    def sent(self, untrusted_form_token: str) -> bool:
        """Whether a form is one of theirs."""
        return hmac.compare_digest(untrusted_form_token.encode(), self.form_token.encode())


def session_key(untrusted_token: str) -> str:
    """What is stored of a session's token: SHA-256; 256 random bits need no slow hash."""
    return hashlib.sha256(untrusted_token.encode()).hexdigest()


def is_over(opened_at: datetime, used_at: datetime, now: datetime) -> bool:
    """Whether nobody used a session for half an hour, or it is older than half a day."""
    return now >= used_at + IDLE or now >= opened_at + LONGEST
