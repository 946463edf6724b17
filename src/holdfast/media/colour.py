# SPDX-License-Identifier: Apache-2.0
"""Colour profiles: what a viewer that obeys a picture's ICC profile would show.

The profiles of most pictures are sRGB or Display P3, which hardly change the brightness of anything.
One is left aside only if it is as good as one of these: described by three curves alone, with every
level of every channel where theirs is. Any other makes a second picture: viewers that obey it show
that one, the many tools that do not show the other, and banks hold hashes of either. One that cannot
be obeyed, or turns smooth shades to jumps, leaves it open what a viewer shows, and that is said.
"""

from __future__ import annotations

import io
import itertools
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from holdfast.media.plane import Luma
from holdfast.media.reason import NotDecoded, Reason

MOST_PROFILE_BYTES: Final = 4 * 1024 * 1024  # press profiles have up to 3 MB
HARDLY: Final = 4  # levels of any channel: what rounding makes of one and the same profile
STEEPEST: Final = 4  # grey levels from one level of a channel to the next
_RIPPLE: Final = 2  # grey levels against the direction: rounding
_STEPS: Final = (0, 64, 128, 192, 255)
_LEVELS: Final = 256
_CHANNELS: Final = {"L": 1, "RGB": 3, "CMYK": 4}
_FITTING: Final = {(b"GRAY", "L"): "L", (b"RGB ", "L"): "RGB", (b"RGB ", "RGB"): "RGB", (b"CMYK", "CMYK"): "CMYK"}
_SPACE: Final = slice(16, 20)
_FIRST_TAG: Final = 132
_TABLES: Final = (b"A2B", b"D2B")  # tags that map colours in any way whatever, beside or instead of the curves
_USUAL_GAMMA: Final = 1 / 2.2
_GAMMA_OFF: Final = 0.02

Transform = ImageCms.ImageCmsTransform
Levels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Managed:
    """How a profile changes a picture that is given to it as `mode`; not at all without a transform.

    `tables`: not by curves alone, so that it must see every pixel before any are averaged.
    `missed` is why a viewer may show something else all the same.
    """

    mode: str = "RGB"
    transform: Transform | None = None
    tables: bool = False
    missed: NotDecoded | None = None

    def shown(self, image: Image.Image) -> Image.Image:
        """The picture in sRGB, pixel by pixel."""
        assert self.transform is not None
        return _applied(image if image.mode == self.mode else image.convert(self.mode), self.transform)


_CANNOT: Final = Managed(missed=NotDecoded(Reason.UNSUPPORTED, "a colour profile that cannot be used"))
_ROUGH: Final = NotDecoded(Reason.UNSUPPORTED, "a colour profile that turns shades to jumps")


def profile_of(image: Image.Image) -> bytes | None:
    """The profile a picture carries; empty if none, None if it, or a curve beside it, is not to be understood."""
    if abs(float(image.info.get("gamma", _USUAL_GAMMA)) - _USUAL_GAMMA) > _GAMMA_OFF:
        return None  # a PNG may say by this alone that it shows something else
    profile = image.info.get("icc_profile", b"")
    return profile if isinstance(profile, bytes) else None


@lru_cache(maxsize=2)
def managed_by(profile: bytes | None, mode: str) -> Managed:
    """What this profile (empty: none; None: one that could not be read) does to pictures of this mode."""
    if profile == b"" or (profile and mode == "LAB" and profile[_SPACE] == b"Lab "):
        return Managed()  # CIE L*a*b* says by itself what its colours are
    if profile is None or len(profile) > MOST_PROFILE_BYTES or (profile[_SPACE], mode) not in _FITTING:
        return _CANNOT
    taken = _FITTING[profile[_SPACE], mode]
    try:
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        # Not optimised, for a few colours: preparing that takes longer than decoding a small picture.
        quick = ImageCms.buildTransform(read, _SRGB, taken, "RGB", flags=ImageCms.Flags.NOOPTIMIZE)
        tables, shown = _has_tables(profile), _applied(_colours(taken), quick)
        if not tables and _is_usual(np.asarray(shown)[0], taken):
            return Managed()
        missed = _ROUGH if _is_rough(luma_of(shown)[0], taken) else None
        return Managed(taken, ImageCms.buildTransform(read, _SRGB, taken, "RGB"), tables, missed)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return _CANNOT


def lab_to_rgb(image: Image.Image) -> Image.Image:
    """A picture stored as CIE L*a*b* in sRGB."""
    return _applied(image, _LAB_TO_RGB)


def luma_of(image: Image.Image) -> Luma:
    """Its brightness, as every other module here means it."""
    return np.asarray(image if image.mode == "L" else image.convert("RGB").convert("L"))


def _applied(image: Image.Image, transform: Transform) -> Image.Image:
    shown = ImageCms.applyTransform(image, transform)
    assert shown is not None  # it is only ever None when asked to work in place
    return shown


def _has_tables(profile: bytes) -> bool:
    """Whether it maps colours by more than a curve for each channel; true if its list of tags makes no sense."""
    (count,) = struct.unpack_from(">I", profile, _FIRST_TAG - 4)
    names = [profile[at : at + 3] for at in range(_FIRST_TAG, _FIRST_TAG + 12 * min(count, 1000), 12)]
    return len(names) < count or any(name in _TABLES for name in names)


@lru_cache(maxsize=4)
def _colours(mode: str) -> Image.Image:
    """A row of pixels: every level of each channel alone, of all at once, and combinations of a few steps of each."""
    channels, levels = _CHANNELS[mode], np.arange(_LEVELS)[:, None]
    ramps = [levels * channel for channel in (*np.eye(channels, dtype=int), np.ones(channels, dtype=int))]
    rows = np.vstack([*ramps, list(itertools.product(_STEPS, repeat=channels))]).astype(np.uint8)
    return Image.frombytes(mode, (len(rows), 1), rows.tobytes())


def _is_usual(shown: Levels, mode: str) -> bool:
    """Whether every colour is shown as one of the usual profiles would show it."""
    return mode != "CMYK" and any(np.abs(shown - usual).max() <= HARDLY for usual in _usual(mode))


@lru_cache(maxsize=2)
def _usual(mode: str) -> list[NDArray[np.float64]]:
    """What sRGB and Display P3 make of `_colours`, with sRGB's curve or the plain one that often stands for it."""
    stored = np.asarray(_colours(mode).convert("RGB"))[0] / 255
    curves = (np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4), stored**2.2)  # noqa: PLR2004  # sRGB
    found = []
    for light in (mixed for curve in curves for mixed in (curve, curve @ _P3_TO_SRGB.T)):
        cut = np.clip(light, 0, 1)
        found.append(255 * np.where(cut <= 0.0031308, 12.92 * cut, 1.055 * cut ** (1 / 2.4) - 0.055))  # noqa: PLR2004  # sRGB
    return found


def _is_rough(lumas: Luma, mode: str) -> bool:
    """Whether some channel alone makes the picture now brighter and now darker, or jumps."""
    for channel in range(_CHANNELS[mode]):
        ramp = lumas[_LEVELS * channel : _LEVELS * (channel + 1)].astype(int)
        rising = ramp if ramp[-1] >= ramp[0] else ramp[::-1]
        back = (np.maximum.accumulate(rising) - rising).max()
        if back > _RIPPLE or np.diff(rising).max() > STEEPEST:
            return True
    return False


_P3_TO_SRGB: Final = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
_SRGB: Final = ImageCms.createProfile("sRGB")
_LAB_TO_RGB: Final = ImageCms.buildTransform(ImageCms.createProfile("LAB"), _SRGB, "LAB", "RGB")
