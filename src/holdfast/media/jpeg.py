# SPDX-License-Identifier: Apache-2.0
"""What a JPEG says of itself beside its pixels: its application segments, and whether all its scans are there.

Most carry neither EXIF nor further pictures, and knowing that costs a walk over a few markers
instead of opening the file with a general library. Runs inside the confined decoder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0-SOF15
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FIRST_WITH_LENGTH: Final = 0xC0  # markers below are reserved; readers do not agree what follows them
_WITHOUT_LENGTH: Final = frozenset(range(0xD0, 0xDA))  # restarts, start and end of image
_APP1: Final = 0xE1
_APP2: Final = 0xE2
_PROFILE: Final = b"ICC_PROFILE\0"
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_COEFFICIENTS: Final = 64


@dataclass(frozen=True, slots=True)
class Segments:
    """What the header carries: EXIF (it may turn the picture), a list of further pictures, several scans, a profile."""

    exif: bool
    several: bool
    in_scans: bool = False
    profile: bytes = b""


def segments(untrusted: bytes) -> Segments | None:
    """What stands before the first scan, or None if anything there is not plainly a segment.

    Readers skip stray bytes and reserved markers each in their own way; such a file is for the general library.
    """
    exif = several = progressive = False
    components = 0
    profile: dict[int, bytes] = {}
    for marker, body in _until_scan(untrusted):
        if marker == _START_OF_SCAN:
            in_scans = progressive or body[:1] != bytes([components])
            return Segments(exif, several, in_scans, b"".join(part for _, part in sorted(profile.items())))
        exif |= marker == _APP1 and body.startswith(b"Exif")
        several |= marker == _APP2 and body.startswith(b"MPF\0")
        if marker == _APP2 and body.startswith(_PROFILE) and len(body) > len(_PROFILE):
            profile[body[len(_PROFILE)]] = body[len(_PROFILE) + 2 :]  # after its number, and how many there are
        if marker in _FRAMES:
            progressive, components = marker in _PROGRESSIVE, body[5] if len(body) > 5 else 0  # noqa: PLR2004
    return None


def _until_scan(untrusted: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment up to and including the first start of scan; ends early at anything else."""
    at = 2
    while at + 4 <= len(untrusted) and untrusted[at] == 0xFF:  # noqa: PLR2004  # every marker begins so
        marker = untrusted[at + 1]
        if marker == 0xFF:  # noqa: PLR2004  # a fill byte
            at += 1
            continue
        if marker < _FIRST_WITH_LENGTH or marker in _WITHOUT_LENGTH:
            return
        length = int.from_bytes(untrusted[at + 2 : at + 4], "big")
        yield marker, untrusted[at + 4 : at + 2 + length]
        if marker == _START_OF_SCAN:
            return
        at += 2 + length


def all_scans_there(untrusted: bytes) -> bool:
    """Whether the scans bring every coefficient of every component to full precision (ITU-T T.81, G.1.1.1).

    A file cut between two scans and closed with an end mark decodes without a warning, and shows less than its
    sender had: it is not the whole picture. True for a file with one scan of everything.
    """
    missing: dict[int, list[int]] = {}
    at = 2
    while found := _NEXT_MARKER.search(untrusted, at):
        marker, at = untrusted[found.start() + 1], found.end()
        if marker == _END_OF_IMAGE:
            break
        if marker in _WITHOUT_LENGTH or marker < _FIRST_WITH_LENGTH:
            continue
        body = untrusted[at + 2 : at + int.from_bytes(untrusted[at : at + 2], "big")]
        if marker in _FRAMES and not missing:
            missing = {body[6 + 3 * n]: [1] * _COEFFICIENTS for n in range(body[5])}
        if marker == _START_OF_SCAN:
            _take(body, missing)
        at += 2 + len(body)
    return bool(missing) and not any(any(left) for left in missing.values())


def _take(scan: bytes, missing: dict[int, list[int]]) -> None:
    """Note what one scan brings: for its components, how many low bits of its coefficients are still to come."""
    count = scan[0]
    first, last, precision = scan[1 + 2 * count : 4 + 2 * count]
    for component in scan[1 : 1 + 2 * count : 2]:
        span = slice(first, last + 1)
        missing[component][span] = [precision & 15] * len(missing[component][span])
