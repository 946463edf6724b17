# SPDX-License-Identifier: Apache-2.0
"""A preview: a few grey pixels of a picture, made of the brightness that a confined decoder gave back.

It promises what it does not show: never more pixels than its form allows, no colour, no sound, and of the original
no byte. It is written anew from bare pixels as a PNG that holds a size and pixels and nothing else. In the
blurred form all detail is gone before it is written: the picture is brought down to a few cells and up again.
"""

from __future__ import annotations

import io
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holdfast.media.plane import Decoded, Plane

MEDIA_TYPE: Final = "image/png"
_SAME: Final = 16  # grey levels, everywhere: as far apart as a photograph is with its colour profile obeyed and without


@dataclass(frozen=True, slots=True)
class Form:
    """How much a preview shows: pixels on its longer side, and how many cells of detail those rest on at most."""

    side: int
    cells: int


BLURRED: Final = Form(side=96, cells=16)
GREY: Final = Form(side=256, cells=256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One picture of a file, as it may be shown. `number` counts from 0."""

    number: int
    content: bytes
    seconds: float | None = None
    """When it is shown, in a video."""
    lasts: float = 0.0
    """How much of the video it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """The pictures of a file that were asked for, in order."""

    pictures: tuple[Preview, ...]
    counted: int
    """How many were found."""
    complete: bool
    """Whether there are no others: where something could not be read, nobody knows."""

    @property
    def of(self) -> int:
        """How many there are; 0 if nobody knows."""
        return self.counted if self.complete else 0


def render(plane: Plane, form: Form) -> bytes:
    """One plane as a preview: at its own proportions, never enlarged."""
    written = io.BytesIO()
    Image.fromarray(shrunk(plane, form)).save(written, "PNG")
    return written.getvalue()


def shrunk(plane: Plane, form: Form) -> NDArray[np.uint8]:
    """The pixels of a preview, of shape (height, width)."""
    width, height = _size(plane, form.side)
    image = Image.fromarray(plane.luma)
    if form.cells >= form.side:
        return np.asarray(image.resize((width, height), Image.Resampling.BOX))
    share = form.cells / form.side
    few = image.resize((max(1, round(width * share)), max(1, round(height * share))), Image.Resampling.BOX)
    return np.asarray(few.resize((width, height), Image.Resampling.BICUBIC))


def pictures_of(decoded: Decoded, form: Form, wanted: Container[int]) -> Previews:
    """The pictures of a file that is no video. Where one may show in several ways, each that differs is a picture."""
    planes = [plane for frame in decoded.frames for plane in _different(frame.planes)]
    shown = [Preview(number=at, content=render(plane, form)) for at, plane in enumerate(planes) if at in wanted]
    return Previews(pictures=tuple(shown), counted=len(planes), complete=decoded.missed is None)


def _different(planes: Iterable[Plane]) -> list[Plane]:
    """The planes that look different from all before them, as large as a preview gets."""
    kept: list[tuple[Plane, NDArray[np.uint8]]] = []
    for plane in planes:
        looks = shrunk(plane, GREY)
        if not any(_same(looks, other) for _, other in kept):
            kept.append((plane, looks))
    return [plane for plane, _ in kept]


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return one.shape == other.shape and int(np.abs(one.astype(np.int16) - other).max()) <= _SAME


def _size(plane: Plane, side: int) -> tuple[int, int]:
    """Width and height: the longer one at most `side`. What is averaged down one way only has its own proportions."""
    share = min(1.0, side / max(plane.full_width, plane.full_height))
    return max(1, round(plane.full_width * share)), max(1, round(plane.full_height * share))
