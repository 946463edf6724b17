# SPDX-License-Identifier: Apache-2.0
"""Tells whoever posted it what was decided, through the platform, as they were told that it was hidden (DSA 17).

Owed with each decision. Nothing is told before it is so: a removal not while whoever found so can take it back, and
that something is visible again is owed once a stranger has seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from holdfast.decision.take import NOT_YET, Wait
from holdfast.effect.handler import Failed, Leased, Outcome
from holdfast.hold.follow_up import tell
from holdfast.hold.platform import Notice, Platform

TELL: Final = "decision.tell"
"""Owed for a decision: whoever posted it is to be told; payload: `decision`."""


class Tellable(Protocol):
    """What the handler needs of the decisions."""

    def to_tell(self, decision_id: str) -> Wait | Sequence[Notice]:
        """What each account is to be told; nothing of what was reversed meanwhile. A wait, if it is too early.

        The same decision MUST give notices of the same ids: a platform shows each once, however often it comes.
        """


@dataclass(frozen=True, slots=True)
class TellDecided:
    """Tells them. A `Handler`."""

    platform: Platform
    decided: Tellable
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        notices = self.decided.to_tell(effect.payload["decision"])
        if isinstance(notices, Wait):
            return Failed(NOT_YET, retry_at=notices.until)
        return tell(self.platform, effect, notices, self.clock)
