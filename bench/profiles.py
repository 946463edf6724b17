# SPDX-License-Identifier: Apache-2.0
"""ICC profiles made by code: three primaries and a curve, as cameras and screens have them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

Primaries = Sequence[tuple[float, float, float]]

SRGB: Final = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
DISPLAY_P3: Final = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE_RGB: Final = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
SWAPPED: Final = (SRGB[2], SRGB[0], SRGB[1])
"""What is stored as red shows as blue, green as red and blue as green."""


def profile(primaries: Primaries, gamma: float = 2.2, curve: bytes = b"") -> bytes:
    """A matrix profile, version 2.4, for a screen; a curve given as its tag takes the place of the plain one."""
    curve = curve or b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    said = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(79)
    tags = {b"desc": said.ljust(100, b"\0"), b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": _xyz(0.9642, 1, 0.8249)}
    tags |= {name: _xyz(*one) for name, one in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _assembled(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    """A profile of one channel."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    said = (b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0").ljust(100, b"\0")
    tags = {b"desc": said, b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": _xyz(0.9642, 1, 0.8249), b"kTRC": curve}
    return _assembled(b"GRAY", tags)


def _assembled(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"\0\0\0\0", 0x02400000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _numbers(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + body


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(x, y, z)


def _numbers(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
