# SPDX-License-Identifier: Apache-2.0
"""The settings in force in PostgreSQL: recorded at each start of `serve`, accepted by two people if weaker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from holdfast.access.safety import (
    IN_FORCE,
    AcceptSettings,
    InForce,
    RecordSettings,
    decide_settings,
    evolve_settings,
    protecting,
)
from holdfast.access.two_people import Actor, acting
from holdfast.settings import Settings
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import SettingsRow

_LOCK: Final = 0x484F4C44_53455454  # "HOLDSETT"


class PostgresSafety:
    """What protects, as the last start had it."""

    def __init__(self, journal: PostgresJournal, clock: Callable[[], datetime]) -> None:
        """Use `clock` for time."""
        self._journal = journal
        self._clock = clock

    def record(self, settings: Settings, *, actor: str) -> tuple[str, ...]:
        """Record a start with `settings`; returns what is weaker than two people accepted."""
        with transaction.atomic(durable=True):
            return self._apply(RecordSettings(values=protecting(settings)), actor).weakened

    def accept(self, command: AcceptSettings, *, actor: Actor) -> None:
        """Stand behind the settings as they are. Raises SecondPersonNeeded, or Refused if none is weaker."""
        with transaction.atomic():
            self._apply(command, actor)

    def found(self) -> InForce | None:
        """The settings as last recorded; None before the first start of `serve`."""
        row = SettingsRow.objects.first()
        return InForce(values=row.values, accepted=row.accepted) if row else None

    def _apply(self, command: RecordSettings | AcceptSettings, actor: Actor) -> InForce:
        """Decide, append, write; one at a time, whatever starts beside."""
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        row = SettingsRow.objects.first() or SettingsRow(id=IN_FORCE.partition(":")[2], version=0)
        before = self.found()
        events, after = allowed(decide_settings(before, command)), before
        by = acting(actor, command, before, subject=IN_FORCE, version=row.version)
        for happened in events:
            after = evolve_settings(after, happened)
        assert after is not None
        if events:
            self._journal.append(IN_FORCE, after=row.version, events=events, actor=by, at=self._clock())
            row.values, row.accepted, row.version = dict(after.values), dict(after.accepted), row.version + len(events)
            row.save()
        return after
