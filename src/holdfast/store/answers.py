# SPDX-License-Identifier: Apache-2.0
"""One answer, written by one statement: the idempotency row, the events, the screening, what the archive keeps.

A statement sees one moment and is a transaction of its own, so that nearly every upload costs one
round trip to be looked up and recorded. It writes only if the banks are still at the change that was
looked up in, and no digest of the upload stands in any of them unless that was looked into; that it
also writes only where nothing else is to be done in the same transaction is up to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError

from holdfast.errors import JournalConflict
from holdfast.log.event import Event, encode
from holdfast.match.archive import ArchivedItem, packed
from holdfast.match.known import Level
from holdfast.match.screen import HashesGiven, NotScreened, ScreeningAnswered
from holdfast.match.signal import Signal, SignalType
from holdfast.pipeline import Answered, Once
from holdfast.store.journal import columns_of
from holdfast.store.prepared import one_row
from holdfast.store.sealing import UPLOADER_COLUMNS

_RECORD: Final = """
with level as materialized (
    select 1 from bank_change
    where number = %(number)s and token = %(token)s::uuid and number = (select max(number) from bank_change)
), known as materialized (
    select 1 from entry_signal where value = any(%(unless)s::text[]) and type <> 'pdq' limit 1
), held as materialized (
    select 1 from unscreened where content_id = %(content)s::text and state <> 'settled' limit 1
), may as materialized (
    select 1 from level
    where not exists (select 1 from known) and not (%(alone)s::bool and exists (select 1 from held))
), claimed as (
    insert into idempotency (api_key, idempotency_key, request_digest, status, body, at)
    select %(api_key)s::text, %(idempotency_key)s::text, %(request_digest)s::text, 200, %(body)s::jsonb,
        %(at)s::timestamptz from may where %(once)s::bool
    on conflict (api_key, idempotency_key) do nothing returning 1
), gate as materialized (
    select 1 from may where not %(once)s::bool or exists (select 1 from claimed)
), told as (
    insert into journal (subject, version, tag, schema, body, actor, at)
    select event.*, %(asked_by)s::text, %(at)s::timestamptz from gate, unnest(
        %(subjects)s::text[], %(versions)s::int[], %(tags)s::text[], %(schemas)s::smallint[], %(bodies)s::jsonb[]
    ) as event
), uploader as materialized (
    select id from sealed_subject where finds = %(finds)s::bytea
), minted as (
    insert into sealed_subject (id, kind, finds, wrapped_key, kek_id, state, version, made_at)
    select %(sealed_subject)s::text, 'uploader', %(finds)s::bytea, %(wrapped_key)s::bytea, %(kek)s::text, 'sealed', 0,
        %(at)s::timestamptz from gate
    where %(finds)s::bytea is not null and not exists (select 1 from uploader)
    on conflict (finds) do update set finds = excluded.finds returning id
), boxed as (
    insert into sealed_record (id, subject_id, field, schema, sealed, commitment)
    select %(sealed_record)s::text, id, 'uploader', 1, %(sealed_box)s::bytea, %(sealed_commitment)s::text
    from minted where id = %(sealed_subject)s::text
), written as (
    insert into screening (id, content_id, content_version, surface, uploader_subject, verdict, reason, answer, shadow,
        list_version, matches, asked_by, at)
    select %(id)s::text, %(content)s::text, %(version)s::text, %(surface)s::text,
        coalesce(%(uploader_subject)s::text, (select id from uploader), (select id from minted)),
        %(verdict)s::text, %(reason)s::text, %(answer)s::text, %(shadow)s::bool, %(number)s, %(matches)s::jsonb,
        %(asked_by)s::text, %(at)s::timestamptz from gate
), archived as (
    insert into archive (screening, content_id, content_version, surface, verdict, md5, sha1, sha256, hashes,
        frames, at)
    select %(id)s::text, %(content)s::text, %(version)s::text, %(surface)s::text, %(verdict)s::text,
        %(md5)s::bytea, %(sha1)s::bytea, %(sha256)s::bytea, %(hashes)s::bytea,
        %(frames)s::bytea, %(at)s::timestamptz
    from gate where %(kept)s::bool
)
select exists (select 1 from level), exists (select 1 from known), exists (select 1 from held),
    exists (select 1 from gate)
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """How it went: were the banks level, does a digest stand in them, is the item held unscreened, was it written."""

    level: bool
    known: bool
    held: bool
    written: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When an answer may be written.

    `alone`: not if the item is held unscreened: something more is then to be done in the same transaction.
    `unless`: not if one of these digests stands in any bank: it was not looked up yet.
    """

    alone: bool
    unless: Sequence[Signal] = ()


def send(
    answered: Answered,
    body: dict[str, Any],
    level: Level,
    once: Once | None,
    left: ArchivedItem | None,
    uploader: Mapping[str, Any],
    conditions: Conditions,
) -> Sent:
    """Write one answer if the banks are at `level`, its Idempotency-Key is free and the conditions hold.

    `uploader` is what `PostgresSealer.uploader_columns` made, or `of_subject`. Raises JournalConflict if one of
    the rows is there already, or the key that seals the uploader was destroyed at this moment.
    """
    values = {**_facts(answered, level), **_claim(once, body), **_left(left), **uploader}
    values |= {"alone": conditions.alone, "unless": [signal.value for signal in conditions.unless]}
    try:
        return Sent(*one_row(_RECORD, values))
    except IntegrityError as cause:
        raise JournalConflict from cause


def of_subject(uploader: str | None) -> dict[str, Any]:
    """For `send`: an uploader whose sealed subject is there already, or nobody."""
    return {**dict.fromkeys(UPLOADER_COLUMNS), "uploader_subject": uploader}


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
        "frames": packed(left.frames) if left else b"",
    }
