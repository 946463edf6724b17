# SPDX-License-Identifier: Apache-2.0
"""One frame of a video as planes: its brightness straight from the decoder, upright, with and without a border.

No colour is converted where the decoder gives brightness by itself. Limited range is stretched to the
full one after averaging down, so that quality means the same as for pictures. Runs inside the
confined decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holdfast.media.canonical import smaller
from holdfast.media.colour import luma_of
from holdfast.media.plane import Luma, Plane
from holdfast.media.reason import NotDecoded, Reason, Unreadable

_FULL_RANGE: Final = 2  # AVCOL_RANGE_JPEG
_STRETCHED: Final = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8).tobytes()
_BYTE: Final = 8
_COLOURS: Final = frozenset({"rgb24", "bgr24", "rgba", "bgra", "argb", "abgr", "gbrp", "pal8", "rgb8", "bgr8"})
_PACKED: Final = {"yuyv422": 0, "uyvy422": 1}  # where the first brightness stands
_TOP_ALIGNED: Final = ("p010", "p012", "p016", "p210", "p212", "p216", "p410", "p412", "p416")
_EVEN: Final = 12  # grey levels within which a border's pixels lie
_LEAST_BORDER: Final = 0.02  # of a side; less does not move a hash
_LEAST_INSIDE: Final = 0.2  # of a side; what is less is no picture with a border


@dataclass(frozen=True, slots=True)
class _Form:
    """How brightness lies in the first plane of a form of pixel: which numbers, how far apart, how wide."""

    kind: str
    first: int = 0
    step: int = 1
    shift: int = 0


def luma_of_frame(frame: av.VideoFrame) -> Luma:
    """Its brightness as the decoder gives it, of shape (height, width); perhaps a view into the frame.

    Raises Unreadable for a form of pixel that is not known here.
    """
    name = frame.format.name
    if name in _COLOURS:
        return _from_colours(frame)
    form = _form_of(name)
    rows: NDArray[Any] = np.frombuffer(memoryview(frame.planes[0]), form.kind).reshape(frame.height, -1)
    luma = rows[:, form.first : form.step * frame.width : form.step]
    return (luma >> form.shift).astype(np.uint8) if form.shift else luma


@lru_cache(maxsize=64)
def _form_of(name: str) -> _Form:
    form = av.VideoFormat(name)
    first = form.components[0]
    if name in _PACKED:
        return _Form("u1", _PACKED[name], 2)
    plain = not (form.is_rgb or form.has_palette or form.is_bit_stream) and first.plane == 0
    if not plain or not (form.is_planar or name.startswith(("gray", "nv"))):
        raise Unreadable(NotDecoded(Reason.UNSUPPORTED, "pixels"))
    if first.bits <= _BYTE:
        return _Form("u1")
    bits = 2 * _BYTE if name.startswith(_TOP_ALIGNED) else first.bits
    return _Form(">u2" if form.is_big_endian else "<u2", shift=bits - _BYTE)


def planes_of(frame: av.VideoFrame, luma: Luma) -> tuple[Plane, ...]:
    """The frame as it is shown; and if it has a border of one colour, also what is inside."""
    full = _is_full_range(frame)
    whole = _plane(luma, frame.rotation, full=full)
    inside = _inside(luma)
    return (whole,) if inside is None else (whole, _plane(inside, frame.rotation, full=full))


def _plane(luma: Luma, rotation: int, *, full: bool) -> Plane:
    height, width = luma.shape
    small = smaller(np.ascontiguousarray(luma))
    if not full:
        small = np.frombuffer(small.tobytes().translate(_STRETCHED), np.uint8).reshape(small.shape)
    quarters = round(rotation / 90) % 4
    if quarters:
        small = np.rot90(small, quarters)
    if quarters % 2:
        height, width = width, height
    return Plane(np.ascontiguousarray(small), height, width)


def _inside(luma: Luma) -> Luma | None:
    """What a border of one colour leaves, or None if there is no such border worth cutting off."""
    colour = int(luma[0, 0])
    top, bottom = _edges(luma, colour)
    if bottom - top < _LEAST_INSIDE * luma.shape[0]:
        return None
    left, right = _edges(luma[top:bottom].T, colour)
    if right - left < _LEAST_INSIDE * luma.shape[1]:
        return None
    cut = max((luma.shape[0] - (bottom - top)) / luma.shape[0], (luma.shape[1] - (right - left)) / luma.shape[1])
    return luma[top:bottom, left:right] if cut >= _LEAST_BORDER else None


def _edges(luma: Luma, colour: int) -> tuple[int, int]:
    """The first row that is not of this colour alone, and the row after the last; (0, 0) if there is none."""
    low, high = max(0, colour - _EVEN), min(255, colour + _EVEN)
    other = np.flatnonzero((luma.min(axis=1) < low) | (luma.max(axis=1) > high))
    return (int(other[0]), int(other[-1]) + 1) if other.size else (0, 0)


def _is_full_range(frame: av.VideoFrame) -> bool:
    name = frame.format.name
    return frame.color_range == _FULL_RANGE or name.startswith(("yuvj", "gray")) or name in _COLOURS


def _from_colours(frame: av.VideoFrame) -> Luma:
    if frame.format.name == "pal8":
        indices, palette = frame.to_ndarray()
        shown: Luma = _grey(palette[:, 1:4])[0][indices]
        return shown
    pixels = frame.to_ndarray()
    if frame.format.name in ("argb", "abgr"):
        pixels = pixels[:, :, 1:]
    if frame.format.name in ("bgr24", "bgra", "abgr"):
        pixels = pixels[:, :, 2::-1]
    return np.asarray(luma_of(Image.fromarray(np.ascontiguousarray(pixels[:, :, :3]))))


def _grey(palette: NDArray[np.uint8]) -> Luma:
    return np.asarray(luma_of(Image.fromarray(np.ascontiguousarray(palette[None]))))
