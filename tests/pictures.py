# SPDX-License-Identifier: Apache-2.0
"""Benign pictures made by code from a seed: smooth colour noise with as much to hold on to as a photograph has."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holdfast.media.filetype import FileType
from holdfast.media.plane import Plane

Pixels = NDArray[np.uint8]

LOSSLESS: Final[Mapping[FileType, Mapping[str, Any]]] = {
    FileType.PNG: {},
    FileType.WEBP: {"lossless": True, "exact": True},
    FileType.BMP: {},
    FileType.TIFF: {"compression": "tiff_lzw"},
}
"""The types that can keep every pixel, with the options that make them do so."""

_OCTAVES: Final = 6
_DRAFT_SIDE: Final = 256  # the finest layer has 65 cells a side: there is nothing to see beyond
_FALLOFF: Final = 0.6  # how much weaker each finer layer is: much like the spectrum of photographs


def natural(height: int, width: int, seed: int = 0) -> Pixels:
    """A colour picture of shape (height, width, 3): clouds of six sizes laid over each other."""
    random = np.random.default_rng(seed)
    draft = min(width, _DRAFT_SIDE), min(height, _DRAFT_SIDE)
    mixed = np.zeros((draft[1], draft[0], 3))
    for octave in range(_OCTAVES):
        cells = 2 ** (octave + 1) + 1
        for channel in range(3):
            few = Image.fromarray(random.normal(size=(cells, cells)).astype(np.float32))
            mixed[:, :, channel] += np.asarray(few.resize(draft, Image.Resampling.BICUBIC)) * _FALLOFF**octave
    mixed -= mixed.min()
    small = Image.fromarray(np.asarray(mixed * (255 / max(mixed.max(), 1e-6)), np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def grey(height: int, width: int, seed: int = 0) -> Pixels:
    """The brightness of `natural`, of shape (height, width)."""
    return np.asarray(Image.fromarray(natural(height, width, seed)).convert("L"))


def plane_of(picture: Pixels) -> Plane:
    """A colour or grey picture as the decoder would give it back, at its full size."""
    luma = picture if picture.ndim == 2 else np.asarray(Image.fromarray(picture).convert("L"))
    return Plane(np.ascontiguousarray(luma), *luma.shape)


def encoded(picture: Pixels | Image.Image, kind: FileType, **options: Any) -> bytes:
    """A picture as a file of this type; options go to Pillow."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.ascontiguousarray(picture))
    if kind is FileType.ICO:
        options = {"sizes": [image.size], **options}
    if kind is FileType.HEIC:
        return heic([image], **options)
    file = io.BytesIO()
    image.save(file, kind.value, **options)
    return file.getvalue()


def heic(images: Sequence[Image.Image], **options: Any) -> bytes:
    """Pictures as one HEIC, the first of them its primary one. Its encoder is only installed for tests."""
    import pillow_heif  # it starts threads when it encodes

    first, *more = images
    file = io.BytesIO()
    pillow_heif.from_pillow(first).save(
        file, append_images=[pillow_heif.from_pillow(one)[0] for one in more], **{"quality": 90, **options}
    )
    return file.getvalue()


def losslessly(picture: Pixels | Image.Image, kind: FileType = FileType.PNG) -> bytes:
    """A picture as a file that keeps every pixel."""
    return encoded(picture, kind, **LOSSLESS[kind])


def photograph(height: int, width: int, seed: int = 0, quality: int = 90) -> bytes:
    """A JPEG of `natural`."""
    return encoded(natural(height, width, seed), FileType.JPEG, quality=quality)


def animation(kind: FileType = FileType.GIF, frames: int = 2, side: int = 64) -> bytes:
    """A file that holds several different pictures."""
    pictures = [Image.fromarray(natural(side, side, seed)) for seed in range(frames)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:])
