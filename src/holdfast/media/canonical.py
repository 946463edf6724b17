# SPDX-License-Identifier: Apache-2.0
"""Any picture that the library opened, as plain 8-bit luma of at most MOST_SIDE a side.

Canonical means: palette, CMYK, CIE L*a*b*, 16 bits and floating point made plain, and transparency
laid over white, over black, and thrown away, because a picture may show one thing on each. The
picture is converted and averaged down strip by strip, in whole steps, so that no second copy of it
ever exists at full size.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from holdfast.media.colour import Managed, lab_to_rgb, luma_of, managed_by
from holdfast.media.plane import LEAST_SIDE, Luma, Lumas
from holdfast.media.reason import NotDecoded, Reason, Unreadable

_WIDE: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I"})
_TRANSPARENT: Final = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_BASES: Final = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK", "LAB": "LAB"}
_STRIP_PIXELS: Final = 2**18  # fits the processor's cache
_TWO_TONES: Final = 2
_DOTS: Final = 1.5  # pixels: of 500 small dithered pictures, 118 were lost without smoothing, and 9, 4, 10 at 1, 1.5, 2
_OPAQUE: Final = 255
_MOST_WIDE: Final = 65535


def lumas_of(image: Image.Image, profile: bytes | None = b"") -> Lumas:
    """One plane, two of a picture of two tones, or three with transparency (over white, over black, without it).

    As many again if colours are managed.

    Raises Unreadable for a form of pixel that has no plain meaning, and what the library raises on bad files.
    """
    image.load()
    if image.mode in _WIDE or image.mode == "F":
        wide = _from_floats(image) if image.mode == "F" else _from_integers(image)
        curve = managed_by(profile, "L")
        missed = NotDecoded(Reason.UNSUPPORTED, "a colour profile of finer levels") if curve.transform else curve.missed
        return Lumas(wide, missed)
    managed = managed_by(profile, _BASES.get(image.mode, "RGB"))
    seen = [*_over_both(image, None), np.asarray(averaged(image, "L")), *_smoothed(image)]
    if managed.transform:
        seen += [*_over_both(image, managed), np.asarray(averaged(image, "L", managed))]
    return Lumas(seen, managed.missed)


def _smoothed(image: Image.Image) -> list[Luma]:
    """What the eye makes of a picture of two tones: grey, where black and white dots alternate.

    The dots themselves are noise, which moves one hash in ten beyond the radius where a picture is small.
    """
    if len(image.getcolors(_TWO_TONES) or ()) < _TWO_TONES or _has_alpha(image):
        return []
    return [np.asarray(averaged(image, "L").filter(ImageFilter.GaussianBlur(_DOTS)))]


def averaged(image: Image.Image, mode: str, managed: Managed | None = None) -> Image.Image:
    """The picture as L or RGBA, averaged down in whole steps to no less than LEAST_SIDE on either side.

    Colours are managed before any are averaged: a profile may make of fine grain what its mean does not show.
    """
    steps = steps_of(image.width, image.height)
    if not managed and image.mode in (mode, "RGB") and mode == "L" and not _has_alpha(image):
        return image.convert(mode).reduce(steps)  # at most one copy, a quarter of its size
    small = Image.new(mode, (-(-image.width // steps[0]), -(-image.height // steps[1])))
    rows = max(1, _STRIP_PIXELS // (image.width * steps[1])) * steps[1]
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(_converted(strip, mode, managed).reduce(steps), (0, top // steps[1]))
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


def _converted(strip: Image.Image, mode: str, managed: Managed | None) -> Image.Image:
    if strip.mode == "LAB":
        strip = lab_to_rgb(strip)
    if managed:
        return _managed(strip, mode, managed)
    if mode == "L" and _has_alpha(strip):
        strip = strip.convert("RGBA")  # first, or a transparent colour may be given another
    return strip.convert("RGB").convert(mode) if mode == "L" and strip.mode not in ("L", "RGB") else strip.convert(mode)


def _managed(strip: Image.Image, mode: str, managed: Managed) -> Image.Image:
    cut = strip.convert("RGBA") if _has_alpha(strip) else strip
    shown = managed.shown(cut if cut.mode in ("L", "CMYK") else cut.convert("RGB"))
    if mode == "RGBA":
        shown.putalpha(cut.getchannel("A"))
        return shown
    return shown.convert(mode)


def _over_both(image: Image.Image, managed: Managed | None) -> list[Luma]:
    """Over white and over black, if it has any transparency."""
    if not _has_alpha(image):
        return []
    cut = averaged(image, "RGBA", managed)
    if cut.getchannel("A").getextrema() == (_OPAQUE, _OPAQUE):
        return []
    return [_laid_over(cut, "white"), _laid_over(cut, "black")]


def _laid_over(cut: Image.Image, ground: str) -> Luma:
    below = Image.new("RGB", cut.size, ground)
    below.paste(cut, mask=cut.getchannel("A"))
    return luma_of(below)


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
