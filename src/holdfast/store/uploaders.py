# SPDX-License-Identifier: Apache-2.0
"""The sealed subject of an uploader, found or made, where it is written by a statement of its own.

An answer writes it in its one statement (`holdfast.store.answers`); whoever has a transaction open anyway
uses this.
"""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, connection

from holdfast.errors import JournalConflict
from holdfast.store.sealing import PostgresSealer

_SUBJECT: Final = """
insert into sealed_subject (id, kind, finds, wrapped_key, kek_id, state, version, made_at)
values (%(sealed_subject)s, 'uploader', %(finds)s, %(wrapped_key)s, %(kek)s, 'sealed', 0, now())
on conflict (finds) do update set finds = excluded.finds returning id
"""
_RECORD: Final = """
insert into sealed_record (id, subject_id, field, schema, sealed, commitment)
values (%(sealed_record)s, %(sealed_subject)s, 'uploader', 1, %(sealed_box)s, %(sealed_commitment)s)
"""


def uploader_subject(reference: str | None, sealer: PostgresSealer) -> str | None:
    """The id of the subject of whoever a platform calls `reference`, inside the open transaction; None for nobody.

    Raises JournalConflict if the key that seals it was destroyed at this moment; asking again is safe.
    """
    if reference is None:
        return None
    columns = sealer.uploader_columns(reference)
    with connection.cursor() as cursor:
        try:
            cursor.execute(_SUBJECT, columns)
            subject = str(cursor.fetchone()[0])
            if subject == columns["sealed_subject"]:
                cursor.execute(_RECORD, columns)
        except IntegrityError as cause:
            raise JournalConflict from cause
    return subject
