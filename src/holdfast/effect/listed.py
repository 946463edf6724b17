# SPDX-License-Identifier: Apache-2.0
"""Effects as people see them in a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.effect.effect import Effect


@dataclass(frozen=True, slots=True)
class EffectItem:
    """An effect with its id, since when it is owed, what went wrong last, and when it may be tried again."""

    id: str
    since: datetime
    effect: Effect
    fault: str | None
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Lag:
    """How many effects are owed, quarantined and late, and for how long the oldest that waits has been owed."""

    waiting: int
    quarantined: int
    late: int
    oldest_seconds: float
