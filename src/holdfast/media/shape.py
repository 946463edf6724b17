# SPDX-License-Identifier: Apache-2.0
"""Sizes and sides: what a picture may measure, and which way up it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from holdfast.media.plane import LONGEST_SIDE, Luma, Lumas, Picture, Plane
from holdfast.media.reason import NotDecoded, Reason, Unreadable

_ORIENTATION: Final = 0x0112
_FIRST_ON_ITS_SIDE: Final = 5  # EXIF 5-8 swap the sides
_CUT_SHORT: Final = (
    "truncated",
    "premature end",
    "unexpected end",
    "not enough image data",
    "end of file",
    "end-of-file",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one upload may ask for: pixels in one picture, and seconds for those after the first."""

    max_pixels: int
    seconds: float = 6.0


def refuse_pixels(width: int, height: int, allowed: int) -> None:
    """Raises Unreadable for a picture larger than allowed, or of no size; asked before a pixel is decoded."""
    if width < 1 or height < 1:
        raise Unreadable(NotDecoded(Reason.UNDECODABLE, "no pixels"))
    if max(width, height) > LONGEST_SIDE:
        detail = f"{width} x {height} pixels; no side may be longer than {LONGEST_SIDE}"
        raise Unreadable(NotDecoded(Reason.TOO_LARGE, detail))
    if width * height > allowed:
        raise Unreadable(NotDecoded(Reason.TOO_LARGE, f"{width} x {height} pixels; {allowed} are allowed"))


def orientation_of(image: Image.Image) -> int:
    """What EXIF says was done to the picture, 1-8; 1 if it says nothing that makes sense."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # a broken EXIF block does not make the picture unreadable
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004


def upright(lumas: Lumas, size: tuple[int, int], orientation: int) -> Picture:
    """A picture of `size` (width, height), with what `orientation` says was done undone."""
    width, height = size if orientation < _FIRST_ON_ITS_SIDE else size[::-1]
    return Picture(tuple(Plane(_turned(luma, orientation), height, width) for luma in lumas.planes), lumas.missed)


def reason_for(fault: Exception) -> Reason:
    """Whether a library's words mean that the file ends early, or takes too much memory."""
    words = str(fault).lower()
    if "memory" in words:
        return Reason.TOO_LARGE
    return Reason.TRUNCATED if any(said in words for said in _CUT_SHORT) else Reason.UNDECODABLE


def _turned(luma: Luma, orientation: int) -> Luma:
    """Undo what EXIF orientation 1-8 says was done."""
    turned = {3: np.rot90(luma, 2), 4: luma[::-1], 5: luma.T, 6: np.rot90(luma, 3), 7: np.rot90(luma, 2).T}
    mirrored = {2: luma[:, ::-1], 8: np.rot90(luma)}
    return np.ascontiguousarray({**turned, **mirrored}.get(orientation, luma))
