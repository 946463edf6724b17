# SPDX-License-Identifier: Apache-2.0
"""What a JPEG says of itself before its pixels: which application segments it carries.

Most carry neither EXIF nor further pictures, and knowing that costs a walk over a few markers
instead of opening the file with a general library. Runs inside the confined decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers that no length follows
_APP1: Final = 0xE1
_APP2: Final = 0xE2


@dataclass(frozen=True, slots=True)
class Segments:
    """What the header carries: EXIF (which may turn the picture), a list of further pictures."""

    exif: bool
    several: bool


def segments(untrusted: bytes) -> Segments | None:
    """What stands before the first scan, or None if the markers cannot be followed that far."""
    exif = several = False
    at = 2
    while at + 4 <= len(untrusted) and untrusted[at] == 0xFF:  # noqa: PLR2004  # every marker begins so
        marker = untrusted[at + 1]
        if marker == _START_OF_SCAN:
            return Segments(exif, several)
        if marker == 0xFF or marker in _ALONE:  # noqa: PLR2004  # a fill byte
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        if marker == _END_OF_IMAGE:
            return None
        exif |= marker == _APP1 and untrusted[at + 4 : at + 8] == b"Exif"
        several |= marker == _APP2 and untrusted[at + 4 : at + 8] == b"MPF\0"
        at += 2 + int.from_bytes(untrusted[at + 2 : at + 4], "big")
    return None
