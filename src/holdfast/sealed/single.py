# SPDX-License-Identifier: Apache-2.0
"""Something that one token opens: whoever has the database and not the token has nothing.

The key follows from the token, which is drawn at random for this one content and handed out; what is kept is a digest
to find it by, from which nothing follows. So the key seals one thing in its life, and its nonce may be a constant.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.errors import SealedDamaged

LONGEST_TOKEN: Final = 64
_TOKEN_BYTES: Final = 32
_NONCE: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class Locked:
    """What is kept."""

    digest: bytes
    sealed: bytes


def lock(content: bytes) -> tuple[str, Locked]:
    """A token drawn for this content alone, and what to keep."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    digest = digest_of(token)
    return token, Locked(digest, AESGCM(_key(token)).encrypt(_NONCE, content, digest))


def unlock(locked: Locked, token: str) -> bytes:
    """The content. Raises SealedDamaged if this token did not seal it."""
    try:
        return AESGCM(_key(token)).decrypt(_NONCE, locked.sealed, locked.digest)
    except InvalidTag as cause:
        message = "it does not open with this token"
        raise SealedDamaged(message) from cause


def digest_of(untrusted_token: str) -> bytes:
    """By what it is found."""
    return _derived("find", untrusted_token)


def _key(token: str) -> bytes:
    return _derived("open", token)


def _derived(use: str, token: str) -> bytes:
    """A token has 256 random bits, so that one digest of it is as good a key as a slow one."""
    return hashlib.sha256(f"holdfast single {use}\x00{token}".encode(errors="replace")).digest()
