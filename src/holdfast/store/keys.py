# SPDX-License-Identifier: Apache-2.0
"""API keys in PostgreSQL. Every request asks the table, so a revocation holds from the next request on."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connection, transaction

from holdfast.access import key as keys
from holdfast.access.key import CreateKey, Key, KeyCreated, Scope, Voices
from holdfast.access.person import People, person_named
from holdfast.access.two_people import Actor, Agreed, acting
from holdfast.errors import KeyRefused, KeyUnknown, Refusal, Refused
from holdfast.pipeline import FirstAnswer
from holdfast.store.bank_changes import allowed
from holdfast.store.bank_rows import record_of
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import ApiKeyRow
from holdfast.store.people import people_alone, people_at
from holdfast.store.prepared import one_row_or_none

_OPEN: Final = """
select k.prefix, k.secret_digest, k.label, k.scopes, k.expires_at, k.revoked_at is not null, k.person,
    k.half_for is not null, k.half_digest, i.request_digest, i.body
from api_key k left join idempotency i on i.api_key = k.prefix and i.idempotency_key = %(once)s::text
where k.prefix = %(prefix)s::text
"""


class PostgresKeys:
    """The API keys."""

    def __init__(self, journal: PostgresJournal, clock: Callable[[], datetime]) -> None:
        """Use `clock` for time."""
        self._journal = journal
        self._clock = clock

    def create(  # each is one fact about a key
        self,
        *,
        label: str,
        scopes: frozenset[Scope],
        expires_at: datetime | None,
        actor: str,
        person: str | None = None,
        asker: str | None = None,
    ) -> str:
        """Make a key, of `person` if it is somebody's, and return it whole: the only time it can be seen.

        `asker` is the person who asks. Raises InvalidRequest, InvalidName, or SecondPersonNeeded: then no key was
        made. Whoever wants one that waits draws it with `new_key` and hands it to `write`.
        """
        command, whole = new_key(label=label, scopes=scopes, expires_at=expires_at, person=person)
        self.write(command, actor=actor, asker=asker)
        return whole

    def write(self, command: CreateKey, *, actor: Actor, asker: str | None = None) -> None:
        """Let a key that was drawn open doors. Raises what `create` raises."""
        now, subject = self._clock(), keys.key_subject(command.prefix)
        with transaction.atomic():
            people = people_alone(now)
            (made,) = allowed(keys.decide_key(None, command))
            assert isinstance(made, KeyCreated)
            because = f"a key for {made.person}"
            voices = Voices(people=people, asker=asker)
            by = acting(actor, command, voices, subject=subject, version=0, because=because)
            (sealed,) = self._journal.append(subject, after=0, events=[made], actor=by, at=now)
            assert isinstance(sealed, KeyCreated)
            ApiKeyRow.objects.create(
                prefix=command.prefix,
                secret_digest=command.secret_digest,
                label_record=record_of(sealed.label),
                scopes=list(made.scopes),
                person=made.person,
                half_for=actor.proposal if isinstance(actor, Agreed) else None,
                version=1,
                created_at=now,
                expires_at=made.expires_at,
            )

    def draw_half(self, prefix: str, proposal: str) -> str | None:
        """The other half of a key that two people made, once; None if it was drawn, or the key is ended."""
        with transaction.atomic(durable=True):
            row = ApiKeyRow.objects.select_for_update().filter(prefix=prefix, half_for=proposal).first()
            if row is None or row.half_digest or row.revoked_at:
                return None
            drawn = keys.half(secrets.token_bytes(keys.SECRET_BYTES))
            row.half_digest = keys.digest(drawn)
            row.save(update_fields=["half_digest"])
        return drawn

    def revoke(self, prefix: str, *, actor: str) -> None:
        """End a key. Raises KeyUnknown, or Refused if it was ended before."""
        if not keys.is_prefix(prefix):
            raise KeyUnknown(ascii(prefix))
        with transaction.atomic(durable=True):
            row = ApiKeyRow.objects.select_for_update().filter(prefix=prefix).first()
            if row is None:
                raise KeyUnknown(prefix)
            events = keys.decide_key(_key(row), keys.RevokeKey())
            if isinstance(events, Refusal):
                raise Refused(events)
            now = self._clock()
            self._journal.append(keys.key_subject(prefix), after=row.version, events=events, actor=actor, at=now)
            ApiKeyRow.objects.filter(prefix=prefix).update(revoked_at=now, version=row.version + len(events))

    def open(self, untrusted_token: str) -> Key:
        """The key that `untrusted_token` opens. Raises KeyRefused, for every cause in the same words."""
        return self.open_for(untrusted_token, None)[0]

    def open_for(self, untrusted_token: str, idempotency_key: str | None) -> tuple[Key, FirstAnswer | None]:
        """The key that `untrusted_token` opens, and what it was answered to an Idempotency-Key before, if anything.

        Both in one statement: nearly every request asks for both. Raises KeyRefused as `open` does.
        """
        parts = keys.split(untrusted_token)
        row = _read(parts[0], idempotency_key) if parts else None
        if parts is None or row is None:
            raise KeyRefused
        prefix, secret_digest, label, scopes, expires_at, revoked, person, in_halves, half_digest, digest, body = row
        found = Key(
            prefix=prefix,
            secret_digest=secret_digest,
            label=label or "",
            scopes=frozenset(map(Scope, json.loads(scopes))),
            expires_at=expires_at,
            revoked=revoked,
            person=person,
            in_halves=in_halves,
            half_digest=half_digest,
        )
        if not found.opens_with(parts[1], self._clock()):
            raise KeyRefused
        return found, None if digest is None else FirstAnswer(digest, json.loads(body))

    def people(self) -> People:
        """Every person there ever was, and those with a good key or an account now."""
        return people_at(self._clock())

    def all_keys(self) -> list[Key]:
        """Every key, newest first."""
        rows = list(ApiKeyRow.objects.order_by("-created_at"))
        says = self._journal.sealer.open_texts(row.label_record for row in rows if row.label_record)
        return [_key(row, says) for row in rows]


def new_key(
    *, label: str, scopes: frozenset[Scope], expires_at: datetime | None, person: str | None
) -> tuple[CreateKey, str]:
    """Draw a key: the command that makes it, which holds only the digest of its secret, and the whole key.

    Raises InvalidName for a person's name that is none.
    """
    prefix, secret, whole = keys.token(secrets.token_bytes(keys.PREFIX_BYTES), secrets.token_bytes(keys.SECRET_BYTES))
    command = CreateKey(
        prefix=prefix,
        secret_digest=keys.digest(secret),
        label=label,
        scopes=scopes,
        expires_at=expires_at,
        person=None if person is None else person_named(person),
    )
    return command, whole


def _read(prefix: str, idempotency_key: str | None) -> tuple[Any, ...] | None:
    """The columns of one key and of its first answer.

    Each request begins with this, so it is also how a connection that broke meanwhile (the database was
    started again) is noticed, at no further round trip: nothing has been done yet, so it is asked again.
    """
    values = {"prefix": prefix, "once": idempotency_key}
    try:
        return one_row_or_none(_OPEN, values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
    return one_row_or_none(_OPEN, values)


def _key(row: ApiKeyRow, says: Mapping[str, str] = MappingProxyType({})) -> Key:
    """The key that a row holds. Its label is empty unless `says` tells it: who only uses a key has no need of it."""
    return Key(
        prefix=row.prefix,
        secret_digest=row.secret_digest,
        label=row.label or says.get(row.label_record or "", ""),
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        expires_at=row.expires_at,
        revoked=row.revoked_at is not None,
        person=row.person,
        in_halves=row.half_for is not None,
        half_digest=row.half_digest,
    )
