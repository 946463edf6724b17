# SPDX-License-Identifier: Apache-2.0
"""What somebody signs in with: a password of their own, and six digits that change every half minute (RFC 6238).

A number is good once, in its half minute or the ones beside it. Codes that begin an account are drawn here too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from typing import Final
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES: Final = 20
CODE_BYTES: Final = 10
_LETTERS: Final = CODE_BYTES * 8 // 5
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1024
STEP_SECONDS: Final = 30
_DIGITS: Final = 6
_GROUP: Final = 4


def code_of(random_bytes: bytes) -> str:
    """A code that begins an account, from CODE_BYTES random bytes, in groups that can be read out."""
    plain = base64.b32encode(random_bytes).decode().rstrip("=").lower()
    return "-".join(plain[at : at + _GROUP] for at in range(0, len(plain), _GROUP))


def code_digest(untrusted_code: str) -> str:
    """What is stored of a code: SHA-256 over it as it is meant, whatever its spaces, dashes and capitals."""
    plain = "".join(letter for letter in untrusted_code.lower() if letter.isascii() and letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def halves(untrusted_code: str) -> tuple[str, str]:
    """The half of whoever asked for an account and that of whoever agreed, typed one after the other."""
    plain = "".join(letter for letter in untrusted_code if letter.isascii() and letter.isalnum())
    return plain[:_LETTERS], plain[_LETTERS:]


def secret_of(random_bytes: bytes) -> str:
    """The secret of a second factor, as programs and people type it."""
    return base64.b32encode(random_bytes).decode()


def address_of(secret: str, person: str) -> str:
    """The `otpauth:` address that a telephone reads."""
    return f"otpauth://totp/Holdfast:{quote(person)}?secret={secret}&issuer=Holdfast"


def matches(secret: str, untrusted_digits: str, now: datetime, after: int = -1) -> int | None:
    """Which half minute since 1970 these digits are of, if they are good at `now` and of none before; else None.

    `after` is the half minute of the last number that was used: none of that one or before is good again.
    """
    digits = untrusted_digits.replace(" ", "")
    key = _key(secret)
    if key is None or not (digits.isascii() and digits.isdecimal() and len(digits) == _DIGITS):
        return None
    totp = TOTP(key, _DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303  # RFC 6238's own; every telephone knows no other
    at = int(now.timestamp()) // STEP_SECONDS
    return next((step for step in (at - 1, at, at + 1) if step > after and _is_good(totp, digits, step)), None)


def weakness_of(untrusted_password: str, person: str) -> str | None:
    """Why a password will not do, in a sentence; None if it will. Length counts, and nothing else is asked for."""
    if len(untrusted_password) < SHORTEST_PASSWORD:
        return (
            f"A password has at least {SHORTEST_PASSWORD} characters. Four words that do not belong together are good."
        )
    if len(untrusted_password) > LONGEST_PASSWORD:
        return f"A password has at most {LONGEST_PASSWORD} characters."
    if person in untrusted_password.lower() or len(set(untrusted_password)) < _GROUP:
        return "This is too easy to guess: it is your name, or the same character again and again."
    return None


def _is_good(totp: TOTP, digits: str, step: int) -> bool:
    try:
        totp.verify(digits.encode(), step * STEP_SECONDS)
    except InvalidToken:
        return False
    return True


def _key(secret: str) -> bytes | None:
    try:
        key = base64.b32decode(secret, casefold=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == SECRET_BYTES else None
