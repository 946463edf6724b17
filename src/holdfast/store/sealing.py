# SPDX-License-Identifier: Apache-2.0
"""Sealed records in PostgreSQL: sealed in process, written in the open transaction, opened many at a time.

A text has a subject of its own, so that it can be erased by itself. An uploader has one subject, found by
a keyed digest of the platform's reference; its data key and box are made for every upload (20 µs) and
written only if there is none yet, so that sealing asks nothing of the database beforehand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, connection

from holdfast.errors import JournalConflict, SealingKeyMissing
from holdfast.log.event import Event
from holdfast.sealed.keyring import Kek, Keyring, Keyrings
from holdfast.sealed.sealing import Box, Opened, Place, commitment_of, new_key, seal, unseal, unwrap, wrap
from holdfast.sealed.text import ERASED, SealedText, texts_of

UPLOADER: Final = "uploader"
PROVENANCE: Final = "bank.import.provenance"
_WRITE_SUBJECTS: Final = """
insert into sealed_subject (id, kind, wrapped_key, kek_id, state, version, made_at)
select row.id, 'text', row.wrapped, %s, 'sealed', 0, %s from unnest(%s::text[], %s::bytea[]) as row (id, wrapped)
"""
_WRITE_RECORDS: Final = """
insert into sealed_record (id, subject_id, field, schema, sealed, commitment)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::smallint[], %s::bytea[], %s::text[])
"""
_READ: Final = """
select r.id, r.subject_id, r.field, r.schema, r.sealed, r.commitment, s.wrapped_key, s.kek_id
from sealed_record r join sealed_subject s on s.id = r.subject_id where r.id = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A new sealed subject: its id, its data key, and the key as it is kept."""

    id: str
    key: bytes
    wrapped: bytes
    kek: str


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A sealed record as it lies in the database; without box and key if it was erased."""

    place: Place
    sealed: bytes | None
    commitment: str
    wrapped: bytes | None
    kek: str | None


class PostgresSealer:
    """Seals and opens."""

    def __init__(self, keyrings: Keyrings, clock: Callable[[], datetime], new_id: Callable[[str], str]) -> None:
        """Use the keyring of `keyrings`, `clock` for time and `new_id` for ids."""
        self._keyrings = keyrings
        self._clock = clock
        self._new_id = new_id

    # --- sealing

    def seal_events(self, events: Sequence[Event]) -> list[Event]:
        """The events with their private texts sealed, inside the open transaction; equal texts of a call share one."""
        wanted = [(f"{one.tag}.{name}", text) for one in events for name, text in texts_of(one)]
        sealed = self.seal_texts([pair for pair in wanted if not isinstance(pair[1], SealedText)])
        return [_with_texts(one, sealed) for one in events]

    def seal_texts(self, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], SealedText]:
        """Seal each distinct (field, text) under a subject of its own."""
        texts = list(dict.fromkeys(wanted))
        if not texts:
            return {}
        subjects = [self.new_subject() for _ in texts]
        self.write_subjects(subjects)
        return self._seal([(subject, *pair) for subject, pair in zip(subjects, texts, strict=True)])

    def seal_under(self, subject: Subject, field: str, texts: Iterable[str]) -> dict[str, str]:
        """Seal each distinct text under one subject that was written before; the record of each."""
        sealed = self._seal([(subject, field, text) for text in dict.fromkeys(texts)])
        return {text: made.record for (_, text), made in sealed.items()}

    def new_subject(self) -> Subject:
        """A subject with a data key of its own; nothing is written yet."""
        return self._subject_under(self._keyrings.read().used)

    def _subject_under(self, used: Kek) -> Subject:
        subject_id, key = self._new_id("sub"), new_key()
        return Subject(subject_id, key, wrap(key, subject_id, used.id, used.secret), used.id)

    def write_subjects(self, subjects: Sequence[Subject]) -> None:
        """Write new subjects. Raises JournalConflict if the key they are wrapped with has just been destroyed."""
        ids, wrapped = [one.id for one in subjects], [one.wrapped for one in subjects]
        with connection.cursor() as cursor:
            try:
                cursor.execute(_WRITE_SUBJECTS, [subjects[0].kek, self._clock(), ids, wrapped])
            except IntegrityError as cause:
                raise JournalConflict from cause

    def uploader_columns(self, reference: str | None) -> dict[str, Any]:
        """What `holdfast.store.answers` writes for an uploader that has no subject yet; nulls for nobody."""
        if reference is None:
            return dict.fromkeys(UPLOADER_COLUMNS)
        keyring = self._keyrings.read()
        subject, record = self._subject_under(keyring.used), self._new_id("rec")
        box = seal(reference, Place(subject.id, record, UPLOADER), subject.key)
        finds = keyring.finds(UPLOADER, reference)
        values = (None, finds, subject.id, subject.wrapped, subject.kek, record, box.sealed, box.commitment)
        return dict(zip(UPLOADER_COLUMNS, values, strict=True))

    def _seal(self, wanted: Sequence[tuple[Subject, str, str]]) -> dict[tuple[str, str], SealedText]:
        made: list[tuple[Place, Box, str]] = []
        for subject, field, text in wanted:
            place = Place(subject.id, self._new_id("rec"), field)
            made.append((place, seal(text, place, subject.key), text))
        write_records([(place, box) for place, box, _ in made])
        return {
            (place.field, text): SealedText(text, record=place.record, commitment=box.commitment)
            for place, box, text in made
        }

    # --- opening

    def open_texts(self, records: Iterable[str]) -> dict[str, str]:
        """What the records say, by id; what was erased says so. Unknown ids are left out."""
        opened = self.open_records(records)
        return {record: str(found.value) if found else ERASED for record, found in opened.items()}

    def open_records(self, records: Iterable[str]) -> dict[str, Opened | None]:
        """What is in the records, by id; None for one that was erased.

        Raises SealingKeyMissing or SealedDamaged.
        """
        wanted = list(set(records))
        try:
            return self.open_stored(stored(wanted))
        except SealingKeyMissing:
            # A rotation may have wrapped the keys anew between the two looks; the second look is level.
            return self.open_stored(stored(wanted))

    def open_stored(self, found: Iterable[StoredRecord]) -> dict[str, Opened | None]:
        """Open what was read; each subject's key is unwrapped once."""
        keyring, keys = self._keyrings.read(), dict[str, bytes]()
        opened: dict[str, Opened | None] = {}
        for one in found:
            opened[one.place.record] = _open(one, keyring, keys)
        return opened

    def proven(self, one: StoredRecord) -> bool:
        """Whether a record that was not erased opens to what its commitment says. Raises as `open_records` does."""
        opened = self.open_stored([one])[one.place.record]
        return opened is None or commitment_of(opened, one.place) == one.commitment

    def finds(self, kind: str, reference: str) -> bytes:
        """A keyed digest: what finds a person's subject, or stands for what may name one."""
        return self._keyrings.read().finds(kind, reference)


UPLOADER_COLUMNS: Final = (
    "uploader_subject",
    "finds", "sealed_subject", "wrapped_key", "kek", "sealed_record", "sealed_box", "sealed_commitment"
)  # fmt: skip


def write_records(made: Sequence[tuple[Place, Box]]) -> None:
    """Write sealed records in one statement."""
    rows = [(at.record, at.subject, at.field, at.schema, box.sealed, box.commitment) for at, box in made]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_RECORDS, [list(column) for column in zip(*rows, strict=True)])


def stored(records: Sequence[str]) -> list[StoredRecord]:
    """The records of these ids as they lie in the database."""
    if not records:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_READ, [list(records)])
        return [as_stored(row) for row in cursor.fetchall()]


def as_stored(row: Sequence[Any]) -> StoredRecord:
    """A row of the form (id, subject, field, schema, sealed, commitment, wrapped key, key-encryption key)."""
    record, subject, field, schema, sealed, commitment, wrapped, kek = row
    place = Place(subject, record, field, schema)
    return StoredRecord(place, _bytes(sealed), commitment, _bytes(wrapped), kek)


def opened_events(events: Sequence[Event], sealer: PostgresSealer) -> list[Event]:
    """The events with what their private texts say."""
    records = {text.record for one in events for _, text in texts_of(one) if isinstance(text, SealedText)}
    says = sealer.open_texts(records) if records else {}
    return [_opened(one, says) for one in events]


def _open(one: StoredRecord, keyring: Keyring, keys: dict[str, bytes]) -> Opened | None:
    if one.sealed is None or one.wrapped is None or one.kek is None:
        return None
    subject = one.place.subject
    if subject not in keys:
        keys[subject] = unwrap(one.wrapped, subject, one.kek, keyring.get(one.kek).secret)
    return unseal(one.sealed, one.place, keys[subject])


def _bytes(found: Any) -> bytes | None:  # noqa: ANN401  # bytes or memoryview, as the driver likes
    return None if found is None else bytes(found)


def _with_texts(happened: Event, sealed: Mapping[tuple[str, str], SealedText]) -> Event:
    replaced = {
        name: sealed[f"{happened.tag}.{name}", text]
        for name, text in texts_of(happened)
        if not isinstance(text, SealedText)
    }
    return dataclasses.replace(happened, **replaced) if replaced else happened


def _opened(happened: Event, says: Mapping[str, str]) -> Event:
    replaced = {
        name: text.opened(says[text.record])
        for name, text in texts_of(happened)
        if isinstance(text, SealedText) and text.record in says
    }
    return dataclasses.replace(happened, **replaced) if replaced else happened
