# SPDX-License-Identifier: Apache-2.0
"""Signed notes (C2SP signed-note) with Ed25519: a text for people, and signatures below it.

A signer has a name and a key; the key's id is the beginning of a hash over both, so that a verifier
finds the signature meant for it and passes over those it does not know. A note counts only if the
very key that the verifier trusts has signed it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.errors import ProofInvalid

_ED25519: Final = b"\x01"
_BEFORE: Final = "\u2014 "
_KEY_BYTES: Final = 33
_LONGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the name of who signs with it."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read NAME+ID+KEY. Raises ProofInvalid if it is not of that form or its id is not that of its key."""
        parts = text.strip().split("+", 2)
        try:
            name, key_id, key = parts[0], parts[1], base64.b64decode(parts[2], validate=True)
        except (IndexError, binascii.Error):
            raise ProofInvalid("not a verifier key of the form NAME+ID+KEY") from None
        made = cls(name, key[1:])
        if len(key) != _KEY_BYTES or key[:1] != _ED25519 or made.key_id.hex() != key_id or not _a_name(name):
            raise ProofInvalid("not an Ed25519 verifier key, or its id is not that of its key")
        return made

    @property
    def key_id(self) -> bytes:
        """The four bytes by which signatures are found."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """NAME+ID+KEY, as it is handed to others."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def check(self, message: bytes, signature: bytes) -> None:
        """Insist that this key signed `message`. Raises ProofInvalid."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise ProofInvalid("the signature is not of this key over this text") from None


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the name of who signs with it."""

    name: str
    private: bytes

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        key = Ed25519PrivateKey.from_private_bytes(self.private)
        return Verifier(self.name, key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature."""
        return Ed25519PrivateKey.from_private_bytes(self.private).sign(message)

    def note(self, text: str) -> str:
        """A text, which must end with a line's end, with this signer's signature below it."""
        assert text.endswith("\n")
        signature = base64.b64encode(self.verifier.key_id + self.sign(text.encode())).decode()
        return f"{text}\n{_BEFORE}{self.name} {signature}\n"


def new_signer(name: str) -> Signer:
    """A signer with a fresh key."""
    return Signer(name, Ed25519PrivateKey.generate().private_bytes_raw())


def open_note(untrusted_note: str, verifier: Verifier) -> str:
    """The text of a note that `verifier` has signed. Raises ProofInvalid."""
    text, signatures = parse_note(untrusted_note)
    mine = [signature for name, key_id, signature in signatures if (name, key_id) == (verifier.name, verifier.key_id)]
    if len(mine) != 1:
        message = f"not signed once by {verifier.name}+{verifier.key_id.hex()}"
        raise ProofInvalid(message)
    verifier.check(text.encode(), mine[0])
    return text


def parse_note(untrusted_note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text and the signatures (name, key id, bytes) of a note; nothing is checked but its form."""
    if len(untrusted_note) > _LONGEST or any(ord(one) < 32 and one != "\n" for one in untrusted_note):  # noqa: PLR2004
        raise ProofInvalid("not a note: too long, or with control characters")
    text, gap, below = untrusted_note.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise ProofInvalid("not a note: no signatures below the text")
    return text + "\n", [_signature(line) for line in below[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_BEFORE).partition(" ")
    try:
        whole = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ProofInvalid("a signature line cannot be read") from None
    if not line.startswith(_BEFORE) or not _a_name(name) or len(whole) <= 4:  # noqa: PLR2004  # an id and something signed
        raise ProofInvalid("a signature line cannot be read")
    return name, whole[:4], whole[4:]


def _a_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(one.isspace() for one in name)
