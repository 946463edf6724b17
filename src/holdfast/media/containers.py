# SPDX-License-Identifier: Apache-2.0
"""Signs that a file holds more than one picture, read from its own structure.

Libraries drop what they find odd; viewers play it. So the library's word is not enough: a file
that carries these signs at all is taken to hold several pictures. Runs inside the confined decoder.
"""

from __future__ import annotations

from typing import Final

_PNG_HEADER: Final = 8
_ANIMATION_CHUNKS: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_SEQUENCE_BRANDS: Final = frozenset({b"avis", b"msf1"})


def animated_png(untrusted: bytes) -> bool:
    """Whether any chunk of an animation stands in a PNG."""
    at = _PNG_HEADER
    while at + 8 <= len(untrusted):
        if untrusted[at + 4 : at + 8] in _ANIMATION_CHUNKS:
            return True
        at += 12 + int.from_bytes(untrusted[at : at + 4], "big")
    return False


def sequence_avif(untrusted: bytes) -> bool:
    """Whether an AVIF says, under any of its brands, that it is a sequence."""
    length = min(int.from_bytes(untrusted[:4], "big"), len(untrusted))
    return any(untrusted[at : at + 4] in _SEQUENCE_BRANDS for at in range(8, length - 3, 4))
