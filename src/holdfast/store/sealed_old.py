# SPDX-License-Identifier: Apache-2.0
"""Seals what stands in clear in tables from before there were sealed records; nothing to do ever after.

The journal cannot be changed: what old events say in clear stays readable, and stays in clear.
"""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from holdfast.store.sealing import PostgresSealer
from holdfast.store.uploaders import uploader_subject

_BATCH: Final = 1000
_TEXTS: Final = (
    ("entry", "provenance", "provenance_record", "bank.entry.added.provenance"),
    ("bank_import", "source", "source_record", "bank.import.begun.source"),
    ("api_key", "label", "label_record", "key.created.label"),
)
"""Table, column in clear, column of the sealed record, and what it is."""
_UPLOADERS: Final = ("screening", "long_screening")


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
    for table in _UPLOADERS:
        while uploaders := _clear(table, "uploader"):
            for reference in uploaders:
                _seal_uploader(table, reference, sealer)
            count += len(uploaders)
    return count


def _clear(table: str, column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select distinct {column} from {table} where {column} is not null limit %s",  # noqa: S608  # constants
            [_BATCH],
        )
        return [row[0] for row in cursor.fetchall()]


def _seal_uploader(table: str, reference: str, sealer: PostgresSealer) -> None:
    statement = f"update {table} set uploader_subject = %s, uploader = null where uploader = %s"  # noqa: S608  # constants
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(statement, [uploader_subject(reference, sealer), reference])
