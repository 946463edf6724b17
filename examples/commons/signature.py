# SPDX-License-Identifier: Apache-2.0
"""Whether a message is Holdfast's: signed as Standard Webhooks says, and of these five minutes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

PATIENCE_SECONDS: Final = 300
"""A timestamp further away than this is refused: an old message cannot be played again."""
_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_LONGEST_ID: Final = 200


class NotSigned(Exception):  # noqa: N818  # the name says what is so
    """The message is not Holdfast's, or too old; the text says what is wrong."""


def check(key: bytes, untrusted_headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The message's `webhook-id`, once its signature fits. Raises NotSigned.

    `untrusted_headers` has names in lower case. The id and the time are signed too. Of several signatures one must fit.
    """
    message, timestamp, signatures = (
        untrusted_headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if _SECONDS.fullmatch(timestamp) is None:
        raise NotSigned("webhook-timestamp must be seconds since 1970")
    expected = signature(key, message, timestamp, body)
    given = [each.encode("utf-8", "replace") for each in signatures.split()]
    # Every one is compared, in constant time: how long it takes tells nothing.
    if sum(hmac.compare_digest(expected, each) for each in given) == 0:
        raise NotSigned("webhook-signature does not fit")
    if abs(now - int(timestamp)) > PATIENCE_SECONDS:
        raise NotSigned("webhook-timestamp is more than five minutes away")
    if not 0 < len(message) <= _LONGEST_ID:
        raise NotSigned("webhook-id is missing or too long")
    return message


def signature(key: bytes, message: str, timestamp: str, body: bytes) -> bytes:
    """The signature of a message: over its id, its time and its body."""
    signed = b".".join([message.encode("utf-8", "replace"), timestamp.encode(), body])
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
