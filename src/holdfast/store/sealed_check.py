# SPDX-License-Identifier: Apache-2.0
"""The check of sealed records, for `holdfast fsck`: both ways, and each one opened.

No reference without a record, no record without a reference; every record that was not erased opens with
its subject's key to what its commitment says, which is what the journal says; of what was erased nothing
is left that could open it. It reads everything and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from django.db import connection

from holdfast.errors import SealedDamaged, SealingKeyMissing
from holdfast.log.check import Check, Difference, Progress
from holdfast.log.event import registered
from holdfast.sealed.text import private_fields
from holdfast.store.sealing import PostgresSealer, as_stored

NAME: Final = "sealed records"
_BATCH: Final = 1000
_IN_TABLES: Final = (
    ("entry", "id", "provenance_record"),
    ("bank_import", "id", "source_record"),
    ("api_key", "prefix", "label_record"),
    ("staff", "person", "factor_record"),
    ("proposal", "id", "body_record"),
    ("proposal", "id", "because_record"),
    ("proposal", "id", "answer_record"),
    ("report", "id", "words_record"),
    ("report", "id", "contact_record"),
    ("report", "id", "ages_record"),
    ("reported", "id", "address_record"),
    ("proof", "id", "shown_record"),
    ("hold", "id", "url_record"),
)
_SUBJECTS_IN_TABLES: Final = (
    ("screening", "id", "uploader_subject"),
    ("long_screening", "id", "uploader_subject"),
    ("bank_import", "id", "provenance_subject"),
    ("case_item", "content_id", "account_subject"),
    ("contest", "id", "account_subject"),
)
_LOST: Final = """
select j.subject || ' ' || j.version, j.body->%(name)s->>'sealed' from journal j
where j.tag = %(tag)s and j.schema = %(schema)s and not exists (
    select from sealed_record r where r.id = j.body->%(name)s->>'sealed'
        and r.commitment = j.body->%(name)s->>'commitment' and r.field = %(field)s
)
"""
_HALF_ERASED: Final = """
select s.id from sealed_subject s where (s.state = 'erased') <> (s.wrapped_key is null)
    or (s.wrapped_key is null) <> (s.kek_id is null) or (s.state = 'erased' and s.finds is not null)
    or exists (select from sealed_record r where r.subject_id = s.id and (r.sealed is null) <> (s.state = 'erased'))
"""
_EMPTY: Final = """
select s.id from sealed_subject s left join sealed_record r on r.subject_id = s.id where r.id is null
"""
_ALL: Final = """
select r.id, r.subject_id, r.field, r.schema, r.sealed, r.commitment, s.wrapped_key, s.kek_id
from sealed_record r join sealed_subject s on s.id = r.subject_id order by r.id
"""


def sealed_check(sealer: PostgresSealer) -> Check:
    """The whole check as one of `holdfast fsck`. Keys must not be rotated meanwhile: see `Rotation.standing`."""

    def differences(progress: Progress) -> Iterator[Difference]:
        for says in sealed_records(sealer, lambda rows: progress(NAME, rows)):
            about, _, what = says.partition(": ")
            yield Difference(check=NAME, table="sealed", key=about, column="sealed", journal="", found=what)

    return Check(NAME, differences)


def sealed_records(sealer: PostgresSealer, progress: Callable[[int], None] = lambda _: None) -> Iterator[str]:
    """Every difference, in words; nothing if all is well. Tells ids alone; `progress` is told how many opened."""
    yield from _references_without_record()
    yield from _records_without_reference()
    yield from _half_erased()
    yield from _closed(sealer, progress)


def _references_without_record() -> Iterator[str]:
    for (tag, schema), kind in sorted(registered().items()):
        for name in private_fields(kind):
            about = {"tag": tag, "schema": schema, "name": name, "field": f"{tag}.{name}"}
            for event, record in _rows(_LOST, about):
                yield f"journal {event}: {tag} refers to sealed record {record}, which is not there or says otherwise"
    for table, key, column in _IN_TABLES:
        for row, record in _rows(_dangling(table, key, column, "sealed_record")):
            yield f"{table} {row}: {column} names sealed record {record}, which is not there"
    for table, key, column in _SUBJECTS_IN_TABLES:
        for row, subject in _rows(_dangling(table, key, column, "sealed_subject")):
            yield f"{table} {row}: {column} names sealed subject {subject}, which is not there"


def _records_without_reference() -> Iterator[str]:
    named = " union all ".join(f"select {column} from {table}" for table, _, column in _IN_TABLES)  # noqa: S608  # constants
    whose = " union all ".join(f"select {column} from {table}" for table, _, column in _SUBJECTS_IN_TABLES)  # noqa: S608
    told = " union all ".join(
        f"select body->'{name}'->>'sealed' from journal where tag = '{tag}' and schema = {schema}"  # noqa: S608
        for (tag, schema), kind in registered().items()
        for name in private_fields(kind)
    )
    for (record,) in _rows(
        f"select r.id from sealed_record r where not exists (select from ({named} union all {told}) n(id)"  # noqa: S608
        f" where n.id = r.id) and not exists (select from ({whose}) w(id) where w.id = r.subject_id)"
    ):
        yield f"sealed record {record}: nothing refers to it"
    for (subject,) in _rows(_EMPTY):
        yield f"sealed subject {subject}: nothing is sealed of it"


def _half_erased() -> Iterator[str]:
    for (subject,) in _rows(_HALF_ERASED):
        yield f"sealed subject {subject}: neither whole nor erased"
    for (subject,) in _rows(
        "select s.id from sealed_subject s where (s.state = 'erased') <> exists (select from journal j"
        " where j.subject = 'sealed:' || s.id and j.tag = 'sealed.erased')"
    ):
        yield f"sealed subject {subject}: the journal and the record do not agree on whether it was erased"


def _closed(sealer: PostgresSealer, progress: Callable[[int], None]) -> Iterator[str]:
    """Records that do not open, or open to something else than was committed to."""
    for number, row in enumerate(_rows(_ALL), start=1):
        progress(number)
        one = as_stored(row)
        try:
            if not sealer.proven(one):
                yield f"sealed record {one.place.record}: it opens to something else than was committed to"
        except (SealedDamaged, SealingKeyMissing) as fault:
            yield f"sealed record {one.place.record}: {fault}"


def _dangling(table: str, key: str, column: str, of: str) -> str:
    return f"select t.{key}, t.{column} from {table} t left join {of} r on r.id = t.{column} where t.{column} is not null and r.id is null"  # noqa: E501, S608  # constants


def _rows(statement: str, values: dict[str, Any] | None = None) -> Iterator[Sequence[Any]]:
    """The rows, some at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while some := cursor.fetchmany(_BATCH):
            yield from some
