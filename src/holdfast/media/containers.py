# SPDX-License-Identifier: Apache-2.0
"""How many pictures a file says that it holds, read from its own structure.

Libraries drop what they find odd; viewers play it. So the library's word is not enough: where it
showed fewer pictures than a file carries signs of, some were not seen. Runs inside the confined
decoder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_PNG_HEADER: Final = 8
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ANIMATION_CHUNKS: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_SEQUENCE_BRANDS: Final = frozenset({b"avis", b"msf1", b"hevc", b"hevx", b"hevs"})


def pictures_in_png(untrusted: bytes) -> int:
    """How many pictures a PNG holds by its chunks: each control of a frame, and a still before the first."""
    names = list(_png_chunks(untrusted))
    if not _ANIMATION_CHUNKS & set(names):
        return 1
    still_first = b"fcTL" not in names or (b"IDAT" in names and names.index(b"IDAT") < names.index(b"fcTL"))
    strays = b"fcTL" not in names or b"acTL" not in names
    return names.count(b"fcTL") + still_first + strays


def is_sequence(untrusted: bytes) -> bool:
    """Whether an AVIF or HEIC says, under any of its brands or by a film's header, that it is a sequence."""
    length = min(int.from_bytes(untrusted[:4], "big"), len(untrusted))
    brands = {untrusted[at : at + 4] for at in range(8, length - 3, 4)}
    return bool(brands & _SEQUENCE_BRANDS) or b"moov" in set(_boxes(untrusted))


def icon_sizes(untrusted: bytes) -> list[tuple[int, int]]:
    """The sizes of the pictures in an icon by their own headers: its directory may say otherwise.

    Asked before the library opens the icon, because it decodes while it opens.
    """
    sizes = []
    for number in range(int.from_bytes(untrusted[4:6], "little")):
        (at,) = struct.unpack_from("<I", untrusted, 6 + 16 * number + 12)
        if untrusted[at : at + 8] == _PNG:
            sizes.append(struct.unpack_from(">II", untrusted, at + 16))
        else:
            width, twice_the_height = struct.unpack_from("<ii", untrusted, at + 4)
            sizes.append((width, abs(twice_the_height) // 2))
    return sizes


def _png_chunks(untrusted: bytes) -> Iterator[bytes]:
    at = _PNG_HEADER
    while at + 8 <= len(untrusted):
        yield untrusted[at + 4 : at + 8]
        at += 12 + int.from_bytes(untrusted[at : at + 4], "big")


def _boxes(untrusted: bytes) -> Iterator[bytes]:
    """The names of the outermost boxes; ends at one whose length makes no sense."""
    at = 0
    while at + 8 <= len(untrusted):
        length = int.from_bytes(untrusted[at : at + 4], "big")
        yield untrusted[at + 4 : at + 8]
        if length == 1:
            length = int.from_bytes(untrusted[at + 8 : at + 16], "big")
        if length < 8:  # noqa: PLR2004  # 0: to the end of the file
            return
        at += length
