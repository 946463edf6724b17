# SPDX-License-Identifier: Apache-2.0
"""Our side of every comparison: the product's own functions, called as its decoder process calls them.

In this process, without the sandbox around it: what the sandbox costs is measured elsewhere.
"""

from __future__ import annotations

from typing import Final

from bench.errors import BenchError
from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.pdq import MINIMUM_QUALITY, PdqHashes, hash_plane, to_hex
from holdfast.media.plane import Plane
from holdfast.media.reason import NotDecoded
from holdfast.media.shape import Limits

LIMITS: Final = Limits(max_pixels=64_000_000)


def planes_of(picture: bytes, kind: FileType = FileType.JPEG) -> list[Plane]:
    """Every luma plane of a file made from the corpus."""
    decoded = decode(picture, kind, LIMITS)
    if isinstance(decoded, NotDecoded) or decoded.missed:
        message = f"a picture of the corpus could not be decoded: {decoded}"
        raise BenchError(message)
    return [plane for frame in decoded.frames for plane in frame.planes]


def plane_of(picture: bytes, kind: FileType = FileType.JPEG) -> Plane:
    """The first luma plane of a picture of the corpus."""
    return planes_of(picture, kind)[0]


def every_hash_of(picture: bytes, kind: FileType) -> list[str]:
    """All hashes of all pictures of a file, each once, of the planes whose quality means something."""
    hashed = [hash_plane(plane) for plane in planes_of(picture, kind)]
    good = [one for one in hashed if max(one.quality.values()) >= MINIMUM_QUALITY]
    return list(dict.fromkeys(to_hex(words) for one in good for words in one.hashes))


def hashes_of(picture: bytes, kind: FileType = FileType.JPEG) -> PdqHashes:
    """From the bytes of a file to its sixteen hashes."""
    return hash_plane(plane_of(picture, kind))
