# SPDX-License-Identifier: Apache-2.0
"""HEIC and HEIF: every top-level picture, the primary one first.

The compiled part of pi-heif is used without its Python part, which leaves out pictures that it
cannot open without a word. It turns pictures upright by itself. Decoding takes one thread: the
address space of a confined decoder has no room for more. Runs inside the confined decoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import _pi_heif
from PIL import Image

from holdfast.media.canonical import lumas_of
from holdfast.media.containers import is_sequence
from holdfast.media.plane import Picture
from holdfast.media.reason import NotDecoded, Reason, Unreadable
from holdfast.media.shape import Limits, refuse_pixels, upright

_THREADS = 1


def pictures_in_heif(untrusted: bytes, limits: Limits) -> Iterator[Picture]:
    """Each top-level picture."""
    found = _pi_heif.load_file(untrusted, _THREADS, True, False, True, True, "", False)  # noqa: FBT003  # takes no names
    found.sort(key=lambda item: item is None or not item.primary)
    while found:
        item = found.pop(0)  # let go of each in turn: it keeps its pixels
        if item is None:
            raise Unreadable(NotDecoded(Reason.UNSUPPORTED, "an item of another kind"))
        yield _planes(item, limits)
    if is_sequence(untrusted):
        raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, "a sequence"))


def _planes(item: Any, limits: Limits) -> Picture:  # noqa: ANN401  # the library has no types
    (width, height), _ = item.size_mode
    refuse_pixels(width, height, limits.max_pixels)
    pixels = item.data
    size, mode = item.size_mode  # asked anew: only decoding tells for sure
    refuse_pixels(size[0], size[1], limits.max_pixels)
    image = Image.frombuffer(mode, size, pixels, "raw", mode, item.stride, 1)
    profile = item.color_profile if item.color_profile.get("type") in ("rICC", "prof") else {}
    return upright(lumas_of(image, profile.get("data", b"")), size, 1)
