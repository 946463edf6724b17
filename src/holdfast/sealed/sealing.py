# SPDX-License-Identifier: Apache-2.0
"""How a value is sealed: AES-256-GCM under its subject's data key, with a salted commitment that proves it later.

A box holds a salt and the value, and opens only where it was put: subject, record, field and schema are
bound to it as associated data. The commitment, SHA-256(salt ‖ canonical JSON), may stand anywhere: without
the salt nobody can try out what it says, and the salt lies in the box. So destroying the data key leaves
every proof that was made with the commitment valid, and opens nothing. Nonces are drawn here, at random,
and nowhere else. A box's length tells the value's only to the next 64 bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.errors import InvalidRequest, SealedDamaged

KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one value as canonical JSON; what is larger is a file, and lies in the vault."""
_NONCE_BYTES: Final = 12
_BLOCK: Final = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value belongs: whose it is, in which record, as which field, in which form."""

    subject: str
    record: str
    field: str
    schema: int = 1

    def bound(self) -> bytes:
        """The associated data: a box that was moved or relabelled does not open."""
        return _bound("holdfast sealed value", self.subject, self.record, self.field, str(self.schema))


@dataclass(frozen=True, slots=True)
class Box:
    """A sealed value, and what commits to it (hex)."""

    sealed: bytes
    commitment: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in a box: the value, and the salt that proves the commitment to whoever is shown both."""

    value: Any
    salt: bytes


def new_key() -> bytes:
    """A data key."""
    return os.urandom(KEY_BYTES)


def seal(value: Any, place: Place, key: bytes) -> Box:  # noqa: ANN401  # whatever JSON can hold
    """Seal a JSON value. Raises InvalidRequest if it is longer than MOST_BYTES."""
    salt, plain = os.urandom(SALT_BYTES), _canonical(value)
    if len(plain) > MOST_BYTES:
        message = f"{place.field}: at most {MOST_BYTES} bytes"
        raise InvalidRequest(message)
    padded = salt + plain + b" " * (-len(plain) % _BLOCK)
    nonce = os.urandom(_NONCE_BYTES)
    return Box(nonce + AESGCM(key).encrypt(nonce, padded, place.bound()), _commit(salt, plain, place))


def unseal(sealed: bytes, place: Place, key: bytes) -> Opened:
    """What is in a box. Raises SealedDamaged if it is not what was sealed here with this key."""
    padded = _decrypt(key, sealed, place.bound(), f"the sealed record {place.record}")
    return Opened(json.loads(padded[SALT_BYTES:]), padded[:SALT_BYTES])


def commitment_of(opened: Opened, place: Place) -> str:
    """What commits to an opened value: compare it with what the journal says."""
    return _commit(opened.salt, _canonical(opened.value), place)


def committed(opened: Opened, place: Place) -> str:
    """The text that an opened value's commitment is made of: its SHA-256 behind the salt is the commitment."""
    return _text(_canonical(opened.value), place).decode()


def wrap(key: bytes, subject: str, kek_id: str, kek: bytes) -> bytes:
    """A data key, encrypted by the key-encryption key `kek` for this subject alone."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(kek).encrypt(nonce, key, _owned(subject, kek_id))


def unwrap(wrapped: bytes, subject: str, kek_id: str, kek: bytes) -> bytes:
    """The data key of a subject. Raises SealedDamaged if `kek` did not wrap it for that subject."""
    return _decrypt(kek, wrapped, _owned(subject, kek_id), f"the data key of {subject}")


def _owned(subject: str, kek_id: str) -> bytes:
    return _bound("holdfast data key", subject, kek_id)


def _bound(*parts: str) -> bytes:
    """Associated data: ids and names of ours, of which none has a NUL in it."""
    return "\x00".join(parts).encode()


def _decrypt(key: bytes, sealed: bytes, bound: bytes, what: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as cause:
        message = f"{what} does not open with its key"
        raise SealedDamaged(message) from cause


def _canonical(value: Any) -> bytes:  # noqa: ANN401  # whatever JSON can hold
    return rfc8785.dumps(value)


def _commit(salt: bytes, plain: bytes, place: Place) -> str:
    """SHA-256 over the salt and {"field": ..., "schema": ..., "value": ...} as canonical JSON."""
    return hashlib.sha256(salt + _text(plain, place)).hexdigest()


def _text(plain: bytes, place: Place) -> bytes:
    return b"".join((_before_the_value(place.field, place.schema), plain, b"}"))


@cache
def _before_the_value(field: str, schema: int) -> bytes:
    return b'{"field":' + _canonical(field) + b',"schema":' + _canonical(schema) + b',"value":'
