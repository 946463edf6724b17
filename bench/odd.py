# SPDX-License-Identifier: Apache-2.0
"""The same picture in forms that tools get wrong: CMYK and YCCK JPEG, and a palette PNG.

The CMYK forms are made here from RGB with black taken out (as print software does), so what the
picture looks like is known exactly and does not depend on how anybody reads CMYK. Both are stored
inverted behind an Adobe marker, as Photoshop and Pillow do and as browsers read them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from bench.derive import QUALITY
from bench.peer import Pixels
from holdfast.media.filetype import FileType

ADOBE_MARKER: Final = b"\xff\xee\x00\x0eAdobe"
TRANSFORM_AT: Final = len(ADOBE_MARKER) + 6  # after the version and two words of flags
YCCK: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class OddFile:
    """A file, what it is, and the RGB pixels that it shows."""

    form: str
    kind: FileType
    file: bytes
    pixels: Pixels


def cmyk_files(rgb: Image.Image) -> Iterator[OddFile]:
    """The picture as a plain CMYK JPEG and as a YCCK JPEG."""
    pixels = np.asarray(rgb)
    ink = _ink(pixels)
    yield OddFile("cmyk", FileType.JPEG, _four_channel_jpeg(ink), pixels)
    yield OddFile("ycck", FileType.JPEG, _ycck_jpeg(ink), pixels)


def palette_files(rgb: Image.Image) -> Iterator[OddFile]:
    """The picture as a PNG of 256 palette entries."""
    paletted = rgb.quantize(256)
    written = io.BytesIO()
    paletted.save(written, "PNG", compress_level=1)
    yield OddFile("palette", FileType.PNG, written.getvalue(), np.asarray(paletted.convert("RGB")))


def _ink(pixels: Pixels) -> Pixels:
    """Cyan, magenta, yellow and black, 255 for full ink: what all three colours lack is black."""
    light = pixels.astype(np.float32)
    brightest = light.max(axis=2, keepdims=True)
    colours = 255 - 255 * light / np.maximum(brightest, 1)
    ink: Pixels = np.rint(np.concatenate([colours, 255 - brightest], axis=2)).astype(np.uint8)
    return ink


def _ycck_jpeg(ink: Pixels) -> bytes:
    """What Photoshop writes: the three coloured inks as luma and chroma.

    Pillow cannot write it, so the channels are computed here, stored as if they were inks, and the
    marker's transform is set to say what they are. Stored inks are inverted and YCCK is of the
    inverse of what is stored: of the inks themselves.
    """
    luma_chroma = Image.fromarray(np.ascontiguousarray(ink[..., :3])).convert("YCbCr")
    written = bytearray(_four_channel_jpeg(np.dstack([255 - np.asarray(luma_chroma), ink[..., 3]])))
    written[written.index(ADOBE_MARKER) + TRANSFORM_AT] = YCCK
    return bytes(written)


def _four_channel_jpeg(channels: Pixels) -> bytes:
    """Pillow inverts what it is given and writes an Adobe marker that says: not transformed."""
    height, width = channels.shape[:2]
    written = io.BytesIO()
    Image.frombytes("CMYK", (width, height), channels.tobytes()).save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
