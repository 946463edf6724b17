# SPDX-License-Identifier: Apache-2.0
"""What a telephone would say, for tests: the digits of a second factor, by RFC 6238's own arithmetic."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import datetime


def digits_of(secret: str, now: datetime) -> str:
    """The six digits of this half minute."""
    counter = struct.pack(">Q", int(now.timestamp()) // 30)
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
