# SPDX-License-Identifier: Apache-2.0
"""A webhook: one signed message that says that a screening has ended, and how. No media, and no reason why."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.effect.effect import Order, PayloadId, Weight

KIND: Final = "webhook.screening_ended"
_LOCATION: Final = "webhook"
_PREFIX: Final = "whsec_"
_LEAST_SECRET, _MOST_SECRET = 24, 64
_DEADLINE: Final = timedelta(hours=1)
_MOST_TRIES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """All that a webhook tells."""

    screening: str
    content_id: str
    content_version: str
    status: str
    answer: str
    at: datetime

    def as_payload(self) -> bytes:
        """The body, as Standard Webhooks lays it out."""
        data = {
            "screening": self.screening,
            "content_id": self.content_id,
            "content_version": self.content_version,
            "status": self.status,
            "answer": self.answer,
        }
        told = {"type": "screening.ended", "timestamp": self.at.isoformat(), "data": data}
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def webhook_order(screening: str, content_id: str, *, at: datetime, owner: str) -> Order:
    """The effect that tells the end of a screening. Messages about one item are sent in the order of its answers."""
    return Order(
        kind=KIND,
        item=content_id,
        location=_LOCATION,
        payload=(PayloadId("screening", screening),),
        weight=Weight.NEUTRAL,
        deadline=at + _DEADLINE,
        most_tries=_MOST_TRIES,
        owner=owner,
    )


def secret_bytes(secret: str) -> bytes:
    """The key in a secret of the form whsec_BASE64. Raises ValueError if it is not one, or is too short to be safe."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:  # not base64, or not even ASCII
        key = b""
    if not secret.startswith(_PREFIX) or not _LEAST_SECRET <= len(key) <= _MOST_SECRET:
        message = f"must be whsec_ and {_LEAST_SECRET} to {_MOST_SECRET} bytes in base64"
        raise ValueError(message)
    return key


def sign(key: bytes, message_id: str, timestamp: int, payload: bytes) -> str:
    """The value of `webhook-signature`: over the id, the time in seconds since 1970, and the body."""
    signed = b".".join([message_id.encode(), str(timestamp).encode(), payload])
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
