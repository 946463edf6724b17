# SPDX-License-Identifier: Apache-2.0
"""Colour profiles: what a viewer that obeys a picture's ICC profile would show.

The profiles of most pictures (sRGB, Display P3) hardly change the brightness of anything, and are
left aside after a look at a few colours. One that does makes a second picture: viewers that obey it
show that one, the many tools that do not show the other, and banks hold hashes of either. A
profile that is broken is ignored, as viewers do.
"""

from __future__ import annotations

import io
import itertools
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from holdfast.media.plane import Luma

PROFILED: Final = frozenset({"L", "RGB", "CMYK"})
MOST_PROFILE_BYTES: Final = 4 * 1024 * 1024  # press profiles have up to 3 MB
HARDLY: Final = 6.5  # grey levels on the mean over all colours: more than Display P3, less than Adobe RGB
_STEPS: Final = (0, 64, 128, 192, 255)
_CHANNELS: Final = {"L": 1, "RGB": 3, "CMYK": 4}

Transform = ImageCms.ImageCmsTransform


def transform_for(profile: bytes | None, mode: str) -> Transform | None:
    """How this profile changes a picture of this mode, or None if it hardly does or cannot be used."""
    if not profile or mode not in PROFILED or len(profile) > MOST_PROFILE_BYTES:
        return None
    try:
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        # Not optimised, for a few colours: preparing that takes longer than decoding a small picture.
        quick = ImageCms.buildTransform(read, _SRGB, mode, "RGB", flags=ImageCms.Flags.NOOPTIMIZE)
        colours = _every_colour(mode)
        change = np.abs(luma_of(managed(colours, quick)).astype(int) - luma_of(colours)).mean()
        return ImageCms.buildTransform(read, _SRGB, mode, "RGB") if change > HARDLY else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def managed(image: Image.Image, transform: Transform) -> Image.Image:
    """The picture in sRGB."""
    shown = ImageCms.applyTransform(image, transform)
    assert shown is not None  # it is only ever None when asked to work in place
    return shown


def lab_to_rgb(image: Image.Image) -> Image.Image:
    """A picture stored as CIE L*a*b* in sRGB."""
    return managed(image, _LAB_TO_RGB)


def luma_of(image: Image.Image) -> Luma:
    """Its brightness, as every other module here means it."""
    return np.asarray(image if image.mode == "L" else image.convert("RGB").convert("L"))


def _every_colour(mode: str) -> Image.Image:
    """A row of pixels: every combination of a few steps of each channel."""
    rows = np.array(list(itertools.product(_STEPS, repeat=_CHANNELS[mode])), np.uint8)
    return Image.frombytes(mode, (len(rows), 1), rows.tobytes())


_SRGB: Final = ImageCms.createProfile("sRGB")
_LAB_TO_RGB: Final = ImageCms.buildTransform(ImageCms.createProfile("LAB"), _SRGB, "LAB", "RGB")
