# SPDX-License-Identifier: Apache-2.0
"""Key-encryption keys in PostgreSQL: the first one, and the rotation to the next while everything goes on.

Of each key there is a row for as long as a data key may be wrapped with it. A constraint ties data keys to
these rows, so a process that still wraps with a key whose row is gone is refused by the database: nothing
can be written that nobody could open. Every step is safe to repeat, and `rotate` begins where the last one
was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import IntegrityError, connection, transaction

from holdfast.errors import SealingKeyMissing
from holdfast.sealed.kek import (
    DestroyKek,
    KekCommand,
    KekState,
    MakeKek,
    RetireKek,
    UseKek,
    decide_kek,
    evolve_kek,
    kek_subject,
)
from holdfast.sealed.keyring import Kek, Keyring, Keyrings, new_kek, new_keyring
from holdfast.sealed.sealing import unwrap, wrap
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import SealedKekRow

_LOCK: Final = 0x484F4C44_5345414C  # "HOLDSEAL"
BATCH: Final = 1000
_OLD: Final = """
select id, wrapped_key from sealed_subject where kek_id = %s order by id limit %s for update
"""
_REWRAP: Final = """
update sealed_subject s set kek_id = %s, wrapped_key = row.wrapped
from unnest(%s::text[], %s::bytea[]) as row (id, wrapped) where s.id = row.id
"""


class Rotation:
    """Makes and changes key-encryption keys."""

    def __init__(self, journal: PostgresJournal, keyrings: Keyrings, clock: Callable[[], datetime]) -> None:
        """Keep keys in `keyrings`, tell `journal`, use `clock` for time."""
        self._journal = journal
        self._keyrings = keyrings
        self._clock = clock

    def prepare(self, *, actor: str) -> None:
        """Make the first key if nothing was ever sealed here; insist that it is there if something was.

        Raises SealingKeyMissing: a new key beside records that need an old one would hide the loss.
        """
        if not _in_the_database():
            with _alone():
                self._begin(actor)
        for last_look in (False, True):
            missing = sorted(_in_the_database() - set(self._keyrings.read().keys))
            # A rotation may have come to its end between the two looks.
            if missing and last_look:
                message = f"this database is sealed with {', '.join(missing)}, which the keyring does not have"
                raise SealingKeyMissing(message)

    def rotate(self, *, actor: str, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
        """Wrap every data key with a new key and destroy the old one; returns how many were wrapped anew.

        `progress` is called with (done, all). Killed anywhere, the next call goes on. Raises
        SealingKeyMissing if the keyring is not the database's.
        """
        with _alone():
            keyring = self._next_in_use(self._keyrings.read(), actor)
            done, count = 0, _old_ones(keyring.current)
            progress(done, count)
            for old in keyring.others:
                while not self._destroyed(old, actor):
                    while wrapped := self._rewrap(old, keyring.used):
                        done += wrapped
                        progress(done, max(done, count))
                keyring = keyring.without(old.id)
                self._keyrings.write(keyring)
            return done

    @contextmanager
    def standing(self) -> Iterator[None]:
        """While it lasts, no key is made or destroyed: what is wrapped stays wrapped as it is. Waits for a rotation."""
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock_shared(%s)", [_LOCK])
            try:
                yield
            finally:
                cursor.execute("select pg_advisory_unlock_shared(%s)", [_LOCK])

    def _begin(self, actor: str) -> None:
        """Make the first key, unless another process was faster."""
        if _in_the_database():
            return
        if not self._keyrings.there():
            self._keyrings.create(new_keyring(self._clock()))
        first = self._keyrings.read().used
        with transaction.atomic(durable=True):
            self._told(first, MakeKek(), actor)
            self._told(first, UseKek(), actor)

    def _next_in_use(self, keyring: Keyring, actor: str) -> Keyring:
        """The keyring with a new key in use beside the one before: each step in the file first, then the database.

        A keyring with two keys is one that an earlier rotation left: where it stood, the database says.
        """
        if not keyring.others:
            keyring = keyring.with_key(new_kek(self._clock()))
            self._keyrings.write(keyring)
        (other,) = keyring.others
        state = self._state(other.id)
        if state in (None, KekState.NEXT):
            with transaction.atomic(durable=True):
                self._told(other, MakeKek(), actor)
                self._told(other, UseKek(), actor)
                self._told(keyring.used, RetireKek(), actor)
        if state in (None, KekState.NEXT, KekState.USED):
            keyring = keyring.using(other.id)
            self._keyrings.write(keyring)
        return keyring

    def _rewrap(self, old: Kek, used: Kek) -> int:
        """Wrap one batch anew; returns how many."""
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(_OLD, [old.id, BATCH])
            rows = cursor.fetchall()
            anew = [
                wrap(unwrap(bytes(wrapped), subject, old.id, old.secret), subject, used.id, used.secret)
                for subject, wrapped in rows
            ]
            if rows:
                cursor.execute(_REWRAP, [used.id, [subject for subject, _ in rows], anew])
        return len(rows)

    def _destroyed(self, old: Kek, actor: str) -> bool:
        """Take a key out of the database; False if something was wrapped with it meanwhile."""
        if self._state(old.id) is KekState.DESTROYED:
            return True
        try:
            with transaction.atomic(durable=True):
                self._told(old, DestroyKek(), actor)
                with connection.cursor() as cursor:
                    cursor.execute("delete from sealed_kek where id = %s", [old.id])
        except IntegrityError:
            return False
        return True

    def _told(self, key: Kek, command: KekCommand, actor: str) -> None:
        """Decide, append, and write the key's row, inside the open transaction."""
        new = SealedKekRow(id=key.id, state="", version=0, made_at=key.made_at)
        row = SealedKekRow.objects.filter(id=key.id).first() or new
        state = KekState(row.state) if row.state else None
        events = allowed(decide_kek(state, command))
        self._journal.append(kek_subject(key.id), after=row.version, events=events, actor=actor, at=self._clock())
        row.state, row.version = evolve_kek(state, events[0]), row.version + len(events)
        row.save()

    def _state(self, kek_id: str) -> KekState | None:
        """Where a key stands: a row that is gone was destroyed, if the journal knows the key at all."""
        found = SealedKekRow.objects.filter(id=kek_id).values_list("state", flat=True).first()
        if found:
            return KekState(found)
        return KekState.DESTROYED if self._journal.last_version(kek_subject(kek_id)) else None


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time changes keys; others wait."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [_LOCK])


def _in_the_database() -> set[str]:
    """The keys that data keys may be wrapped with."""
    return set(SealedKekRow.objects.values_list("id", flat=True))


def _old_ones(used: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from sealed_subject where kek_id <> %s", [used])
        return int(cursor.fetchone()[0])
