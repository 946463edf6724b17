# SPDX-License-Identifier: Apache-2.0
"""Our side of every comparison: the product's own functions, called as its decoder process calls them.

In this process, without the sandbox around it: what the sandbox costs is measured elsewhere.
"""

from __future__ import annotations

from typing import Final

from bench.errors import BenchError
from holdfast.match.pdq import PdqHashes, hash_plane
from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.plane import Plane
from holdfast.media.reason import NotDecoded
from holdfast.media.shape import Limits

LIMITS: Final = Limits(max_pixels=64_000_000)


def plane_of(picture: bytes, kind: FileType = FileType.JPEG) -> Plane:
    """The first luma plane of a picture of the corpus."""
    decoded = decode(picture, kind, LIMITS)
    if isinstance(decoded, NotDecoded):
        message = f"a picture of the corpus could not be decoded: {decoded}"
        raise BenchError(message)
    return decoded.frames[0].planes[0]


def hashes_of(picture: bytes, kind: FileType = FileType.JPEG) -> PdqHashes:
    """From the bytes of a file to its sixteen hashes."""
    return hash_plane(plane_of(picture, kind))
