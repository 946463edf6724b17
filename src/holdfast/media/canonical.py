# SPDX-License-Identifier: Apache-2.0
"""Any picture that the library opened, as plain 8-bit luma of at most MOST_SIDE a side.

Canonical means: palette, CMYK, CIE L*a*b*, 16 bits and floating point made plain, and transparency
laid over white, over black, and thrown away, because a picture may show one thing on each. The
picture is converted and averaged down strip by strip, in whole steps, so that no second copy of it
ever exists at full size: what is left is small, and colours are managed there.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from holdfast.media.colour import Transform, lab_to_rgb, luma_of, managed, transform_for
from holdfast.media.plane import LEAST_SIDE, Luma
from holdfast.media.reason import NotDecoded, Reason, Unreadable

_WIDE: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I"})
_TRANSPARENT: Final = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_BASES: Final = {"L": "L", "LA": "L", "CMYK": "CMYK"}
_STRIP_PIXELS: Final = 2**18  # fits the processor's cache
_OPAQUE: Final = 255
_MOST_WIDE: Final = 65535


def lumas_of(image: Image.Image, profile: bytes | None = None) -> list[Luma]:
    """One plane, or three with transparency (over white, over black, without it); as many again if colours are managed.

    Raises Unreadable for a form of pixel that has no plain meaning, and what the library raises on bad files.
    """
    image.load()
    if image.mode in _WIDE:
        return _from_integers(image)
    if image.mode == "F":
        return _from_floats(image)
    clear = _has_alpha(image) and (cut := averaged(image, "RGBA")).getchannel("A").getextrema() != (_OPAQUE, _OPAQUE)
    base = _BASES.get(image.mode, "RGB")
    transform = transform_for(profile, base)
    plain = [*(_over_both(cut) if clear else ()), np.asarray(averaged(image, "L"))]
    if transform is None:
        return plain
    bare = luma_of(managed(averaged(image, base), transform))
    return [*plain, *(_over_both(_managed_cut(cut, base, transform)) if clear else ()), bare]


def averaged(image: Image.Image, mode: str) -> Image.Image:
    """The picture in another mode, averaged down in whole steps to no less than LEAST_SIDE on either side."""
    steps = steps_of(image.width, image.height)
    if image.mode in (mode, "RGB") and mode in ("L", "RGB", "CMYK") and not _has_alpha(image):
        return image.convert(mode).reduce(steps)  # at most one copy, a quarter of its size
    small = Image.new(mode, (-(-image.width // steps[0]), -(-image.height // steps[1])))
    rows = max(1, _STRIP_PIXELS // (image.width * steps[1])) * steps[1]
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(_converted(strip, mode).reduce(steps), (0, top // steps[1]))
    return small


def steps_of(width: int, height: int) -> tuple[int, int]:
    """How many pixels become one, across and down."""
    return max(1, width // LEAST_SIDE), max(1, height // LEAST_SIDE)


def smaller(luma: Luma) -> Luma:
    """A plane within MOST_SIDE."""
    height, width = luma.shape
    steps = steps_of(width, height)
    return luma if steps == (1, 1) else np.asarray(Image.fromarray(luma).reduce(steps))


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _TRANSPARENT or "transparency" in image.info


def _converted(strip: Image.Image, mode: str) -> Image.Image:
    if strip.mode == "LAB":
        strip = lab_to_rgb(strip)
    if mode == "L" and _has_alpha(strip):
        strip = strip.convert("RGBA")  # first, or a transparent colour may be given another
    return strip.convert("RGB").convert(mode) if mode == "L" and strip.mode not in ("L", "RGB") else strip.convert(mode)


def _over_both(cut: Image.Image) -> tuple[Luma, Luma]:
    """Over white and over black."""
    return _laid_over(cut, "white"), _laid_over(cut, "black")


def _laid_over(cut: Image.Image, ground: str) -> Luma:
    below = Image.new("RGB", cut.size, ground)
    below.paste(cut, mask=cut.getchannel("A"))
    return luma_of(below)


def _managed_cut(cut: Image.Image, base: str, transform: Transform) -> Image.Image:
    shown = managed(cut.convert("RGB").convert(base), transform)
    shown.putalpha(cut.getchannel("A"))
    return shown


def _from_integers(image: Image.Image) -> list[Luma]:
    """16-bit grey as its upper byte, strip by strip so that no wide copy of the whole exists."""
    wide = image.convert("I") if image.mode == "I;16B" else image
    width, height = wide.size
    plain, clear = np.empty((height, width), np.uint8), np.zeros((height, width), np.bool_)
    transparent = image.info.get("transparency")
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = np.asarray(wide.crop((0, top, width, min(top + rows, height)))).astype(np.int64)
        if strip.min() < 0 or strip.max() > _MOST_WIDE:
            raise Unreadable(NotDecoded(Reason.UNSUPPORTED, "grey values beyond 16 bits"))
        plain[top : top + rows] = strip >> 8
        clear[top : top + rows] = strip == transparent if isinstance(transparent, int) else False
    seen = [np.where(clear, ground, plain).astype(np.uint8) for ground in (255, 0)] if clear.any() else []
    return [smaller(luma) for luma in (*seen, plain)]


def _from_floats(image: Image.Image) -> list[Luma]:
    """Floating-point grey: of 0 to 1 both as it is and as light, for readers differ; else of 0 to 255, or to 65535."""
    small = np.asarray(image.reduce(steps_of(image.width, image.height)))
    least, most = image.getextrema()
    if not (isinstance(least, float) and isinstance(most, float) and least >= 0 and most <= _MOST_WIDE):
        raise Unreadable(NotDecoded(Reason.UNSUPPORTED, "floating-point grey out of range"))
    if most > 1:
        return [np.asarray(small / (256 if most > _OPAQUE else 1), np.uint8)]
    as_light = np.where(small <= 0.0031308, 12.92 * small, 1.055 * np.maximum(small, 0) ** (1 / 2.4) - 0.055)  # noqa: PLR2004  # sRGB
    return [np.asarray(np.rint(255 * np.clip(shown, 0, 1)), np.uint8) for shown in (small, as_light)]
