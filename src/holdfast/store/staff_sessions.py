# SPDX-License-Identifier: Apache-2.0
"""Signing in and out, in PostgreSQL.

The promises: a wrong name, a wrong password and wrong digits are answered in the same words and after the same work;
whoever tries again and again waits, and nobody else: tries are counted for each account and network, so that a crowd
that knows a name cannot lock out whoever it belongs to; digits are good once; and a session ends by itself, or when
its account is blocked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from holdfast.access.factor import LONGEST_PASSWORD, matches
from holdfast.access.person import person_if_named
from holdfast.access.role import Role
from holdfast.access.session import TOKEN_BYTES, Signed, is_over, session_key
from holdfast.access.staff import StaffState
from holdfast.errors import SignInRefused
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import StaffRow, StaffSessionRow

MOST_TRIES: Final = 10
WAIT: Final = timedelta(minutes=15)
"""For which an account opens to nobody from a network after so many tries from there."""
_NETWORK: Final = "staff network"
_MOST_NETWORKS: Final = 200
_USED_EACH: Final = timedelta(minutes=1)


class StaffSessions:
    """The sessions."""

    def __init__(self, journal: PostgresJournal, clock: Callable[[], datetime]) -> None:
        """Use `clock` for time; the journal's sealer opens second factors."""
        self._sealer = journal.sealer
        self._clock = clock

    def sign_in(
        self, untrusted_person: str, untrusted_password: str, untrusted_digits: str, *, network: str = ""
    ) -> Signed:
        """A session of their own. Raises SignInRefused, in the same words whatever was wrong.

        `network` is where they ask from; of it a keyed digest is kept for as long as it makes a difference.
        """
        now, place = self._clock(), self._sealer.finds(_NETWORK, network).hex()
        with transaction.atomic(durable=True):
            row = StaffRow.objects.select_for_update().filter(person=person_if_named(untrusted_person)).first()
            right = self._opens(row, untrusted_password[: LONGEST_PASSWORD + 1], untrusted_digits, now)
            step = None if row is None or _waits(row, place, now) else right
            if row is not None:
                _count(row, place, step, now)
            signed = None if row is None or step is None else _begun(row, now)
        if signed is None:
            raise SignInRefused
        return signed

    def _opens(self, row: StaffRow | None, password: str, digits: str, now: datetime) -> int | None:
        """The half minute of the digits, if all is right. As much is done for a name that nobody has."""
        right = check_password(password, (row and row.password) or _nobodys())
        if row is None or row.state != StaffState.ACTIVE or row.factor_record is None:
            return None
        secret = self._sealer.open_texts([row.factor_record])[row.factor_record]
        step = matches(secret, digits, now, after=row.factor_step)
        return step if right else None

    def signed(self, untrusted_token: str) -> Signed | None:
        """Whoever is signed in with this; None if nobody is, or not any more."""
        now = self._clock()
        found = StaffSessionRow.objects.select_related("staff").filter(digest=session_key(untrusted_token)).first()
        if found is None or found.ended_at is not None or found.staff.state != StaffState.ACTIVE:
            return None
        if is_over(found.opened_at, found.used_at, now):
            return None
        if now >= found.used_at + _USED_EACH:
            StaffSessionRow.objects.filter(digest=found.digest, ended_at__isnull=True).update(used_at=now)
        return _signed(found.staff, untrusted_token)

    def sign_out(self, signed: Signed) -> None:
        """End a session."""
        rows = StaffSessionRow.objects.filter(digest=session_key(signed.session), ended_at__isnull=True)
        rows.update(ended_at=self._clock())


@cache
def _nobodys() -> str:
    """A password's hash that nothing matches."""
    return make_password(secrets.token_hex(TOKEN_BYTES))


def _waits(row: StaffRow, place: str, now: datetime) -> bool:
    """Whether too many tries from there opened nothing lately."""
    tries, last = row.tries.get(place, (0, None))
    return bool(tries >= MOST_TRIES and now < datetime.fromisoformat(last) + WAIT)


def _count(row: StaffRow, place: str, step: int | None, now: datetime) -> None:
    """One more try from there that opened nothing; or the first that does, after which digits up to these are used."""
    if _waits(row, place, now):
        return
    lately = {key: told for key, told in row.tries.items() if now < datetime.fromisoformat(told[1]) + WAIT}
    tries = lately.pop(place, (0, None))[0]
    kept = dict(sorted(lately.items(), key=lambda one: str(one[1][1]))[-_MOST_NETWORKS:])
    row.tries = kept if step is not None else {**kept, place: (tries + 1, now.isoformat())}
    row.factor_step = row.factor_step if step is None else step
    row.save(update_fields=["tries", "factor_step"])


def _begun(row: StaffRow, now: datetime) -> Signed:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    StaffSessionRow.objects.create(digest=session_key(token), staff=row, opened_at=now, used_at=now)
    return _signed(row, token)


def _signed(row: StaffRow, token: str) -> Signed:
    return Signed(person=row.person, roles=frozenset(map(Role, row.roles)), session=token)
