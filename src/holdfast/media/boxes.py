# SPDX-License-Identifier: Apache-2.0
"""Whether a video says by its own outermost lengths that it should be longer than it is.

Read from the descriptor in a few bytes a box, so that a file of any size costs little. Runs inside the
confined decoder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from holdfast.media.filetype import FileType
from holdfast.media.video import Descriptor

_MOST_BOXES: Final = 200_000  # two for each fragment of a second make a day
_LARGE: Final = 1  # a length that says: see the next eight bytes
_HEADER: Final = 8
_WIDE_HEADER: Final = 16

_Measure = Callable[[bytes], int]


def ends_early(untrusted: Descriptor, kind: FileType) -> bool:
    """Whether its last part reaches beyond its end, or it has more parts than make sense."""
    if kind is FileType.MP4:
        return _walk(untrusted, _box)
    return _walk(untrusted, _chunk) if kind is FileType.AVI else False


def _walk(untrusted: Descriptor, measure: _Measure) -> bool:
    at = 0
    for _ in range(_MOST_BOXES):
        untrusted.seek(at)
        header = untrusted.read(_WIDE_HEADER) or b""
        if len(header) < _HEADER:
            return False
        length = measure(header)
        if length < _HEADER:  # to the end of the file, or nonsense that its reader will stumble over
            return False
        at += length
        if at > untrusted.size:
            return True
    return True


def _box(header: bytes) -> int:
    length = int.from_bytes(header[:4], "big")
    return int.from_bytes(header[8:16], "big") if length == _LARGE else length


def _chunk(header: bytes) -> int:
    length = int.from_bytes(header[4:8], "little")
    return _HEADER + length + length % 2
