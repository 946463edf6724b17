# SPDX-License-Identifier: Apache-2.0
"""What the stores of reports, cases, holds and contests all work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from holdfast.case.clock import Place
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.clocks import PostgresClocks
from holdfast.store.effects import PostgresEffects
from holdfast.store.journal import PostgresJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The journal, what is owed, who is alarmed, the time, and new ids."""

    journal: PostgresJournal
    effects: PostgresEffects
    alarms: PostgresAlarms
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    clocks: PostgresClocks
    places: frozenset[Place]
    """Whose law binds the platform."""
    owner: str
    """Answers for whatever a person must look at."""
