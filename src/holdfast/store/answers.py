# SPDX-License-Identifier: Apache-2.0
"""One answer, written by one statement: the idempotency row, the events, the screening, what the archive keeps.

A statement sees one moment and is a transaction of its own, so that nearly every upload costs one
round trip to be recorded. It writes only if the banks are still at the change that was looked up in;
that it also writes only where nothing else is to be done in the same transaction is up to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, connection

from holdfast.errors import JournalConflict
from holdfast.log.event import Event, encode
from holdfast.match.archive import ArchivedItem
from holdfast.match.known import Level
from holdfast.match.screen import HashesGiven, NotScreened, ScreeningAnswered
from holdfast.match.signal import SignalType
from holdfast.pipeline import Answered, Once
from holdfast.store.journal import columns_of

_RECORD: Final = """
with level as materialized (
    select 1 from bank_change
    where number = %(number)s and token = %(token)s::uuid and number = (select max(number) from bank_change)
), held as materialized (
    select 1 from unscreened where content_id = %(content)s and state <> 'settled' limit 1
), may as materialized (
    select 1 from level where not (%(alone)s and exists (select 1 from held))
), claimed as (
    insert into idempotency (api_key, idempotency_key, request_digest, status, body, at)
    select %(api_key)s, %(idempotency_key)s, %(request_digest)s, 200, %(body)s, %(at)s from may where %(once)s
    on conflict (api_key, idempotency_key) do nothing returning 1
), gate as materialized (
    select 1 from may where not %(once)s or exists (select 1 from claimed)
), told as (
    insert into journal (subject, version, tag, schema, body, actor, at)
    select event.*, %(asked_by)s, %(at)s from gate, unnest(
        %(subjects)s::text[], %(versions)s::int[], %(tags)s::text[], %(schemas)s::smallint[], %(bodies)s::jsonb[]
    ) as event
), uploader as materialized (
    select id from sealed_subject where finds = %(finds)s
), minted as (
    insert into sealed_subject (id, kind, finds, wrapped_key, kek_id, state, version, made_at)
    select %(sealed_subject)s, 'uploader', %(finds)s::bytea, %(wrapped_key)s, %(kek)s, 'sealed', 0, %(at)s from gate
    where %(finds)s::bytea is not null and not exists (select 1 from uploader)
    on conflict (finds) do update set finds = excluded.finds returning id
), boxed as (
    insert into sealed_record (id, subject_id, field, schema, sealed, commitment)
    select %(sealed_record)s, id, 'uploader', 1, %(sealed_box)s, %(sealed_commitment)s
    from minted where id = %(sealed_subject)s
), written as (
    insert into screening (id, content_id, content_version, surface, uploader_subject, verdict, reason, answer, shadow,
        list_version, matches, asked_by, at)
    select %(id)s, %(content)s, %(version)s, %(surface)s,
        coalesce((select id from uploader), (select id from minted)), %(verdict)s, %(reason)s, %(answer)s,
        %(shadow)s, %(number)s, %(matches)s, %(asked_by)s, %(at)s from gate
), archived as (
    insert into archive (screening, content_id, content_version, surface, verdict, md5, sha1, sha256, hashes, at)
    select %(id)s, %(content)s, %(version)s, %(surface)s, %(verdict)s,
        %(md5)s, %(sha1)s, %(sha256)s, %(hashes)s, %(at)s from gate where %(kept)s
)
select exists (select 1 from level), exists (select 1 from held), exists (select 1 from gate)
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """How it went: whether the banks were level, whether the item is held unscreened, whether it was written."""

    level: bool
    held: bool
    written: bool


def send(  # each is one part of what is written
    answered: Answered,
    body: dict[str, Any],
    level: Level,
    once: Once | None,
    left: ArchivedItem | None,
    uploader: Mapping[str, Any],
    *,
    alone: bool,
) -> Sent:
    """Write one answer if the banks are at `level` and its Idempotency-Key is free.

    With `alone`, not if the item is held unscreened: something more is then to be done in the same transaction.
    `uploader` is what `PostgresSealer.uploader_columns` made. Raises JournalConflict if one of the rows is
    there already, or the key that seals the uploader was destroyed at this moment.
    """
    values = {**_facts(answered, level), **_claim(once, body), **_left(left), **uploader, "alone": alone}
    with connection.cursor() as cursor:
        try:
            cursor.execute(_RECORD, values)
        except IntegrityError as cause:
            raise JournalConflict from cause
        return Sent(*cursor.fetchone())


def _facts(answered: Answered, level: Level) -> dict[str, Any]:
    content, event = answered.content, answer_event(answered)
    told = encode(event)
    events: list[Event] = [event, *([HashesGiven(signal_types=answered.given)] if answered.given else [])]
    names = ("subjects", "versions", "tags", "schemas", "bodies")
    return {
        **dict(zip(names, columns_of([(f"screening:{answered.id}", 0, events)]), strict=True)),
        "number": level.number,
        "token": level.token,
        "id": answered.id,
        "content": content.id,
        "version": content.version,
        "surface": content.surface,
        "verdict": told["verdict"],
        "reason": told["reason"],
        "answer": told["answer"],
        "shadow": answered.shadow,
        "matches": json.dumps(told["matches"]),
        "asked_by": answered.asked_by,
        "at": answered.at,
    }


def answer_event(answered: Answered) -> ScreeningAnswered:
    """What the journal is told of an answer."""
    screening = answered.screening
    return ScreeningAnswered(
        content=answered.content.id,
        content_version=answered.content.version,
        surface=answered.content.surface,
        verdict=answered.verdict,
        reason=screening.reason if isinstance(screening, NotScreened) else None,
        answer=answered.answer,
        shadow=answered.shadow,
        list_version=answered.list_version,
        matches=answered.matches,
        looked_up_at=answered.at,
    )


def _claim(once: Once | None, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "once": once is not None,
        "api_key": once.api_key if once else "",
        "idempotency_key": once.idempotency_key if once else "",
        "request_digest": once.request_digest if once else "",
        "body": json.dumps(body) if once else "{}",
    }


def _left(left: ArchivedItem | None) -> dict[str, Any]:
    digests = {signal.type: bytes.fromhex(signal.value) for signal in left.exact} if left else {}
    return {
        "kept": left is not None,
        "md5": digests.get(SignalType.MD5, b""),
        "sha1": digests.get(SignalType.SHA1, b""),
        "sha256": digests.get(SignalType.SHA256, b""),
        "hashes": left.hashes.tobytes() if left else b"",
    }
