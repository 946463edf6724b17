# SPDX-License-Identifier: Apache-2.0
"""Seals what stands in clear in tables from before there were sealed records; nothing to do ever after.

The journal cannot be changed: what old events say in clear stays readable, and stays in clear.
"""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from holdfast.store.sealing import PostgresSealer

_BATCH: Final = 1000
_TEXTS: Final = (
    ("entry", "provenance", "provenance_record", "bank.entry.added.provenance"),
    ("bank_import", "source", "source_record", "bank.import.begun.source"),
    ("api_key", "label", "label_record", "key.created.label"),
)
"""Table, column in clear, column of the sealed record, and what it is."""
_SUBJECT: Final = """
insert into sealed_subject (id, kind, finds, wrapped_key, kek_id, state, version, made_at)
values (%(sealed_subject)s, 'uploader', %(finds)s, %(wrapped_key)s, %(kek)s, 'sealed', 0, now())
on conflict (finds) do update set finds = excluded.finds returning id
"""
_RECORD: Final = """
insert into sealed_record (id, subject_id, field, schema, sealed, commitment)
values (%(sealed_record)s, %(sealed_subject)s, 'uploader', 1, %(sealed_box)s, %(sealed_commitment)s)
"""


def seal_what_is_clear(sealer: PostgresSealer) -> int:
    """Seal every text and uploader that stands in clear; returns how many different ones there were."""
    count = 0
    for table, clear, record, field in _TEXTS:
        while texts := _clear(table, clear):
            with transaction.atomic(durable=True):
                sealed = sealer.seal_texts([(field, text) for text in texts])
                statement = f"update {table} set {record} = %s, {clear} = null where {clear} = %s"  # noqa: S608  # constants
                with connection.cursor() as cursor:
                    cursor.executemany(statement, [(made.record, text) for (_, text), made in sealed.items()])
            count += len(texts)
    while uploaders := _clear("screening", "uploader"):
        for reference in uploaders:
            _seal_uploader(reference, sealer)
        count += len(uploaders)
    return count


def _clear(table: str, column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select distinct {column} from {table} where {column} is not null limit %s",  # noqa: S608  # constants
            [_BATCH],
        )
        return [row[0] for row in cursor.fetchall()]


def _seal_uploader(reference: str, sealer: PostgresSealer) -> None:
    columns = sealer.uploader_columns(reference)
    assert columns["sealed_subject"] is not None
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_SUBJECT, columns)
        subject = cursor.fetchone()[0]
        if subject == columns["sealed_subject"]:
            cursor.execute(_RECORD, columns)
        cursor.execute(
            "update screening set uploader_subject = %s, uploader = null where uploader = %s", [subject, reference]
        )
