# SPDX-License-Identifier: Apache-2.0
"""A known picture in every format that is read, plain or hidden among others, as it may be uploaded.

All are written here but HEIC, for which no free encoder is at hand: `hills.heic` beside this module
is `hills(0)`, made smaller and encoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from holdfast.demo.pictures import encoded, hills

_SMALL: Final = (640, 480)
_ICON: Final = (256, 192)
_FLASH: Final = [100, 100, 10, 100]  # milliseconds; the third picture is the one that matters


def _small(image: Image.Image) -> Image.Image:
    return image.resize(_SMALL)


def _plain(form: str, mode: str = "RGB", **how: object) -> Callable[[Image.Image], bytes]:
    return lambda image: encoded(_small(image).convert(mode), form, **how)


def _flashed(form: str) -> Callable[[Image.Image], bytes]:
    """One of four pictures of an animation, shown for 10 ms."""

    def make(image: Image.Image) -> bytes:
        other = hills(500, _SMALL)
        frames = [other, _small(image), other]
        return encoded(other, form, save_all=True, append_images=frames, duration=_FLASH)

    return make


def _second(form: str) -> Callable[[Image.Image], bytes]:
    return lambda image: encoded(hills(501, _SMALL), form, save_all=True, append_images=[_small(image)])


def _icon(image: Image.Image) -> bytes:
    """No icon is larger."""
    return encoded(image.resize(_ICON), "ICO", sizes=[_ICON])


def _shade(image: Image.Image) -> bytes:
    """White everywhere; the picture is in how transparent it is, and shows on black only."""
    white = Image.new("RGB", _SMALL, "white")
    white.putalpha(_small(image).convert("L"))
    return encoded(white, "PNG")


def _sixteen_bits(image: Image.Image) -> bytes:
    grey = np.asarray(_small(image).convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG")


def _heic(_: Image.Image) -> bytes:
    return (Path(__file__).parent / "hills.heic").read_bytes()


FORMATS: Final[Mapping[str, Callable[[Image.Image], bytes]]] = {
    "progressive JPEG": _plain("JPEG", progressive=True),
    "PNG of 256 colours": lambda image: encoded(_small(image).quantize(256), "PNG"),
    "PNG of 16 bits": _sixteen_bits,
    "PNG that shows on black only": _shade,
    "APNG, for 10 ms": _flashed("PNG"),
    "GIF": _plain("GIF"),
    "GIF, for 10 ms": _flashed("GIF"),
    "WebP": _plain("WEBP"),
    "WebP, for 10 ms": _flashed("WEBP"),
    "AVIF": _plain("AVIF", speed=10),
    "HEIC": _heic,
    "TIFF, second page": _second("TIFF"),
    "BMP": _plain("BMP"),
    "ICO": _icon,
    "MPO, behind another": _second("MPO"),
}


def animation(seeds: tuple[int, ...]) -> bytes:
    """A GIF of pictures that nobody knows."""
    first, *more = (hills(seed, _SMALL) for seed in seeds)
    return encoded(first, "GIF", save_all=True, append_images=more, duration=100)
