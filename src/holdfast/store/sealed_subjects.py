# SPDX-License-Identifier: Apache-2.0
"""Sealed subjects in PostgreSQL: read on the record, preserved, erased by two people, and counted.

An erasure is written to a file outside the database before it is committed, so that a database restored
from yesterday does not bring anybody back: what the file names is erased again when the tables are prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from holdfast.access import sealed_rules as _rules  # noqa: F401  # what takes two is registered there
from holdfast.access.two_people import Actor, Agreed, acting
from holdfast.errors import SealedUnknown
from holdfast.sealed.keyring import Erasures, Keyrings
from holdfast.sealed.subject import (
    ReadSealed,
    RepeatErasure,
    SealedCommand,
    SealedErased,
    SealedRead,
    SealedState,
    SealedSubject,
    decide_sealed,
    evolve_sealed,
    sealed_subject,
)
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import JournalRow, SealedRecordRow, SealedSubjectRow
from holdfast.store.sealing import UPLOADER

_SYSTEM: Final = "system:restore"
_COUNTS: Final = """
select count(*) filter (where state <> 'erased'),
    count(*) filter (where state = 'erased'), (select count(*) from sealed_record where sealed is not null)
from sealed_subject
"""
_KEKS: Final = """
select k.id, k.state, k.made_at, (select count(*) from sealed_subject s where s.kek_id = k.id)
from sealed_kek k order by k.made_at, k.id
"""
_ERASED_SINCE: Final = """
select count(*) from journal where tag = 'sealed.erased'
    and at >= coalesce((select max(at) from journal where tag = 'sealed.key.destroyed'), '-infinity')
"""
_MAY_VACUUM: Final = """
select current_setting('server_version_num')::int >= 170000
    and has_table_privilege(current_user, 'sealed_subject', 'MAINTAIN')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCounts:
    """How much is sealed, under which keys, and what an erasure has not reached yet."""

    subjects: int
    erased: int
    records: int
    keys: tuple[Mapping[str, Any], ...]
    erased_since_rotation: int
    """Erased subjects whose wrapped keys dead rows, the write-ahead log and backups may hold until the next one."""


class PostgresSealed:
    """Whose personal data is here."""

    def __init__(
        self,
        journal: PostgresJournal,
        keyrings: Keyrings,
        erasures: Erasures,
        clock: Callable[[], datetime],
    ) -> None:
        """Write erasures to `erasures` too; use `clock` for time."""
        self._journal = journal
        self._keyrings = keyrings
        self._erasures = erasures
        self._clock = clock

    def find(self, reference: str, kind: str = UPLOADER) -> str:
        """The subject of the person whom a platform calls `reference`. Raises SealedUnknown."""
        finds = self._keyrings.read().finds(kind, reference)
        found = SealedSubjectRow.objects.filter(finds=finds).values_list("id", flat=True).first()
        if found is None:
            raise SealedUnknown("nothing is sealed of anybody by that reference")
        return found

    def subject_of(self, record: str) -> str:
        """The subject that a record belongs to. Raises SealedUnknown."""
        found = SealedRecordRow.objects.filter(id=record).values_list("subject_id", flat=True).first()
        if found is None:
            raise SealedUnknown(record)
        return found

    def get(self, subject_id: str) -> SealedSubject:
        """A subject as its events tell it. Raises SealedUnknown."""
        if not SealedSubjectRow.objects.filter(id=subject_id).exists():
            raise SealedUnknown(subject_id)
        return self._folded(subject_id)

    def read(self, subject_id: str, *, role: str, because: str, actor: str) -> dict[str, str]:
        """Open everything of a subject, by record; that it is read is committed before it is opened.

        Raises SealedUnknown, or Refused if it was erased.
        """
        rows = list(SealedRecordRow.objects.filter(subject_id=subject_id).order_by("id").values_list("id", "field"))
        fields = tuple(sorted({field for _, field in rows}))
        command = ReadSealed(reader=actor, role=role, fields=fields, because=because)
        self.change(subject_id, command, actor=actor)
        return self._journal.sealer.open_texts(record for record, _ in rows)

    def change(self, subject_id: str, command: SealedCommand, *, actor: Actor) -> SealedSubject:
        """Carry out one command on one subject.

        Raises SealedUnknown, Refused, InvalidRequest or SecondPersonNeeded; nothing is then changed.
        """
        with transaction.atomic():
            row = SealedSubjectRow.objects.select_for_update().filter(id=subject_id).first()
            if row is None:
                raise SealedUnknown(subject_id)
            after, now = self._folded(subject_id), self._clock()
            events = allowed(decide_sealed(after, command, now))
            subject = sealed_subject(subject_id)
            by = acting(actor, command, after, subject=subject, version=self.version(subject_id))
            for happened in events:
                after = evolve_sealed(after, happened)
                if isinstance(happened, SealedErased) and isinstance(actor, Agreed):
                    self._erasures.add(subject_id, actor.proposal)
            self._journal.append(subject, after=row.version, events=events, actor=by, at=now)
            row.state, row.version = after.state, row.version + len(events)
            _write(row)
            if after.state is SealedState.ERASED:
                transaction.on_commit(clear_dead_rows, robust=True)  # what it leaves, 'sealed status' tells
        return after

    def preview(self, subject_id: str, command: SealedCommand) -> tuple[SealedSubject, SealedSubject, int]:
        """The subject before and after a command as things stand, and how many records it has.

        Raises SealedUnknown, Refused or InvalidRequest.
        """
        before = after = self.get(subject_id)
        for happened in allowed(decide_sealed(before, command, self._clock())):
            after = evolve_sealed(after, happened)
        return before, after, SealedRecordRow.objects.filter(subject_id=subject_id).count()

    def version(self, subject_id: str) -> int:
        """How often the subject changed: whoever looks before they agree changes nothing by that."""
        events = JournalRow.objects.filter(subject=sealed_subject(subject_id))
        return events.exclude(tag=SealedRead.tag).count()

    def repeat_erasures(self) -> list[str]:
        """Erase again what was erased before and came back with a restored database; returns the subjects."""
        named = dict(self._erasures.all())
        back = SealedSubjectRow.objects.filter(id__in=list(named)).exclude(state=SealedState.ERASED)
        again = sorted(back.values_list("id", flat=True))
        for subject in again:
            self.change(subject, RepeatErasure(proposal=named[subject]), actor=_SYSTEM)
        return again

    def count(self) -> SealedCounts:
        """How much is sealed."""
        with connection.cursor() as cursor:
            cursor.execute(_COUNTS)
            subjects, erased, records = cursor.fetchone()
            cursor.execute(_KEKS)
            names = ("id", "state", "made_at", "subjects")
            keys = tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
            cursor.execute(_ERASED_SINCE)
            since = int(cursor.fetchone()[0])
        return SealedCounts(subjects=subjects, erased=erased, records=records, keys=keys, erased_since_rotation=since)

    def _folded(self, subject_id: str) -> SealedSubject:
        found = SealedSubject()
        for one in self._journal.read(sealed_subject(subject_id)):
            found = evolve_sealed(found, one.happened)
        return found


def clear_dead_rows() -> bool:
    """Let the database drop the old versions of erased rows now; False if this role may not."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_VACUUM)
        may = bool(cursor.fetchone()[0])
        if may and not connection.in_atomic_block:
            cursor.execute("vacuum sealed_subject")
            cursor.execute("vacuum sealed_record")
    return may


def _write(row: SealedSubjectRow) -> None:
    """Write a subject as it stands; of an erased one nothing is left that opens or finds it."""
    if row.state == SealedState.ERASED:
        SealedSubjectRow.objects.filter(id=row.id).update(wrapped_key=None, kek=None, finds=None)
        SealedRecordRow.objects.filter(subject=row).update(sealed=None)
    row.save(update_fields=["state", "version"])
