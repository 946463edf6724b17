# SPDX-License-Identifier: Apache-2.0
"""An Idempotency-Key claimed in the transaction of the change that it stands for.

Whoever carries out a request that bears a key sets it (`carrying`); whatever opens the transaction of the
change claims it (`claim_key`), so that key and change are committed together or not at all. The answer is
written beside the key afterwards. A key with a change and no answer is one whose process died in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models.functions import Now

from holdfast.errors import AnswerLost, AnswerPending, IdempotencyConflict
from holdfast.store.models import IdempotencyRow
from holdfast.store.prepared import one_row_or_none

_CLAIMED: Final = 0
_PATIENCE_SECONDS: Final = 60
_CLAIM: Final = """
insert into idempotency (api_key, idempotency_key, request_digest, status, body, at)
values (%(api_key)s::text, %(key)s::text, %(digest)s::text, 0, '{}', statement_timestamp())
on conflict (api_key, idempotency_key) do nothing returning 1
"""


@dataclass(slots=True)
class Claim:
    """A key, whose it is, and the digest of its request, which may be known only once the body was read."""

    api_key: str
    idempotency_key: str
    digest: Callable[[], str]
    made: bool = False
    """Whether a change was committed under it."""


_current: ContextVar[Claim | None] = ContextVar("claim", default=None)


@contextmanager
def carrying(claim: Claim) -> Iterator[None]:
    """Let what happens inside be done under this key."""
    token = _current.set(claim)
    try:
        yield
    finally:
        _current.reset(token)


def claim_key() -> None:
    """Claim the key of the request that is being carried out, if it bears one, in the transaction that is open.

    Raises AnswerPending if it was claimed meanwhile: nothing may be changed then.
    """
    claim = _current.get()
    if claim is None or claim.made:
        return
    values = {"api_key": claim.api_key, "key": claim.idempotency_key, "digest": claim.digest()}
    if one_row_or_none(_CLAIM, values) is None:
        raise AnswerPending
    transaction.on_commit(lambda: _made(claim))


def first_answer(claim: Claim) -> tuple[int, Any] | None:
    """(status, body) of the first answer under this key; None if it is free.

    Raises IdempotencyConflict for another request, AnswerPending while the first is being carried out, and
    AnswerLost if its process died before it could answer.
    """
    row = _row(claim)
    if row is None:
        return None
    if row.request_digest != claim.digest():
        raise IdempotencyConflict
    if row.status == _CLAIMED:
        raise AnswerPending if _fresh(row.at) else AnswerLost
    return row.status, row.body


def is_taken(claim: Claim) -> bool:
    """Whether there is a first request under this key."""
    return _row(claim) is not None


def keep_answer(claim: Claim, status: int, body: Any) -> None:  # noqa: ANN401  # whatever JSON can hold
    """Write the answer beside the key, claiming it now if nothing had to be changed."""
    values = {"status": status, "body": body, "at": Now()}
    with transaction.atomic(durable=True):
        IdempotencyRow.objects.update_or_create(
            api_key=claim.api_key,
            idempotency_key=claim.idempotency_key,
            defaults=values,
            create_defaults={**values, "request_digest": claim.digest()},
        )


def _row(claim: Claim) -> IdempotencyRow | None:
    return IdempotencyRow.objects.filter(api_key=claim.api_key, idempotency_key=claim.idempotency_key).first()


def _fresh(at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select statement_timestamp() - %s < make_interval(secs => %s)", [at, _PATIENCE_SECONDS])
        return bool(cursor.fetchone()[0])


def _made(claim: Claim) -> None:
    claim.made = True
