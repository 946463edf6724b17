# SPDX-License-Identifier: Apache-2.0
"""The keyring: the key-encryption keys at hand, which of them is used, and what finds a person's records.

A keyring is a value. Rotation goes through four of them: one key; a second one made and not used yet;
the second used while the first still opens; the second alone. Each is written to disk before the
database is told, so that a process killed anywhere goes on where it was. A key's id is a digest of the
key, so a key can never be taken for another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from holdfast.errors import SealingKeyMissing

KEK_BYTES: Final = 32


class Keeper(Protocol):
    """What keeps the keyring's secrets while they lie on disk: nothing but file rights, an age identity, a KMS."""

    @property
    def kind(self) -> str:
        """What it is, in a word: it stands beside what it locked."""

    def lock(self, secret: bytes) -> bytes:
        """A form that may lie on disk.

        An adapter MUST give a form that `unlock` of the same keeper opens, in any later process.
        Raises InvalidSetting in words if it cannot lock here.
        """

    def unlock(self, locked: bytes) -> bytes:
        """The secret again. Raises SealingKeyMissing if this keeper cannot open it; never anything else."""


@dataclass(frozen=True, slots=True)
class Kek:
    """One key-encryption key, its id, and since when it is there."""

    id: str
    secret: bytes
    made_at: datetime

    def __repr__(self) -> str:
        """Without the key."""
        return f"Kek({self.id})"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys by id, the id of the one that is used, and the secret that finds people."""

    keys: Mapping[str, Kek]
    current: str
    finding: bytes

    def __repr__(self) -> str:
        """Without the keys."""
        return f"Keyring(current={self.current})"

    @property
    def used(self) -> Kek:
        """The key that new data keys are wrapped with."""
        return self.keys[self.current]

    @property
    def others(self) -> tuple[Kek, ...]:
        """Keys that are made and not used yet, or no longer used and not destroyed yet."""
        return tuple(key for key in self.keys.values() if key.id != self.current)

    def get(self, kek_id: str) -> Kek:
        """A key. Raises SealingKeyMissing."""
        found = self.keys.get(kek_id)
        if found is None:
            message = f"the key {kek_id} is not in the keyring"
            raise SealingKeyMissing(message)
        return found

    def with_key(self, key: Kek) -> Keyring:
        """With one more key, not used yet."""
        return replace(self, keys={**self.keys, key.id: key})

    def using(self, kek_id: str) -> Keyring:
        """The same keys, another one used."""
        return replace(self, current=self.get(kek_id).id)

    def without(self, kek_id: str) -> Keyring:
        """Without a key that is not used."""
        assert kek_id != self.current
        return replace(self, keys={name: key for name, key in self.keys.items() if name != kek_id})

    def finds(self, kind: str, reference: str) -> bytes:
        """What finds a person's subject by the platform's reference; it tells nothing to whoever lacks the keyring."""
        return hmac.digest(self.finding, f"{kind}\x00{reference}".encode(), "sha256")


def new_kek(now: datetime) -> Kek:
    """A new key-encryption key."""
    secret = os.urandom(KEK_BYTES)
    return Kek(kek_id(secret), secret, now)


def kek_id(secret: bytes) -> str:
    """The id of a key: a digest of it."""
    digest = hashlib.sha256(b"holdfast key-encryption key\x00" + secret).digest()
    return f"kek_{base64.b32encode(digest[:15]).decode().lower()}"


def new_keyring(now: datetime) -> Keyring:
    """A keyring with one key."""
    first = new_kek(now)
    return Keyring({first.id: first}, first.id, os.urandom(KEK_BYTES))


class Keyrings(Protocol):
    """Where the keyring is kept: outside the database, and never in one copy with it."""

    def there(self) -> bool:
        """Whether there is a keyring yet."""

    def read(self) -> Keyring:
        """The keyring as it stands now, also if another process has just changed it.

        It is asked with every sealed value: an adapter MUST answer within microseconds while nothing
        changes. Raises SealingKeyMissing if there is none or it cannot be opened.
        """

    def create(self, keyring: Keyring) -> None:
        """Keep the first one. If there is one already, an adapter MUST leave it as it is."""

    def write(self, keyring: Keyring) -> None:
        """Keep `keyring` instead of the one that stands: whole, and on disk for good before this returns."""


class Erasures(Protocol):
    """The list of what was erased, outside the database."""

    def add(self, subject: str, proposal: str) -> None:
        """Add one line. An adapter MUST have it on disk for good before this returns."""

    def all(self) -> list[tuple[str, str]]:
        """Every (subject, the proposal that two people agreed to), in order."""
