# SPDX-License-Identifier: Apache-2.0
"""PDQ, for those who match: it is computed in `media`, where a decoder tells by it which pictures of a file differ."""

from __future__ import annotations

from holdfast.media.pdq import (
    MINIMUM_QUALITY,
    NEAREST_SIDE,
    Family,
    Form,
    Hashes,
    PdqHashes,
    from_hex,
    hash_plane,
    to_hex,
)

__all__ = [
    "MINIMUM_QUALITY",
    "NEAREST_SIDE",
    "Family",
    "Form",
    "Hashes",
    "PdqHashes",
    "from_hex",
    "hash_plane",
    "to_hex",
]
