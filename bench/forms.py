# SPDX-License-Identifier: Apache-2.0
"""One picture in 25 forms, each of which shows it to somebody who opens the file.

Arithmetic JPEG is not among them because nothing that can be installed here writes it; the tests
have files of it.
"""

from __future__ import annotations

import importlib
import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms

from bench.odd import cmyk_files
from bench.profiles import ADOBE_RGB, profile
from holdfast.media.filetype import FileType

ICON_HEAD: Final = 22  # bytes before the picture
FAST_HEIC: Final = {"preset": "ultrafast"}
FLASH_AT: Final = 3
FRAMES: Final = 6
FLASH_MS: Final = 10
ORIENTATION: Final = 0x0112
# How pixels are stored for EXIF 2-8 to turn them back.
STORED: Final = (
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_90,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_270,
)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A picture, another one that it may hide behind, and its number."""

    image: Image.Image
    other: Image.Image
    number: int


def saved(image: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401  # they go to Pillow
    """A picture as a file."""
    written = io.BytesIO()
    options = {"compress_level": 1, **options} if form == "PNG" else options
    image.save(written, form, **options)
    return written.getvalue()


def heic(image: Image.Image, quality: int = 50) -> bytes:
    """A picture as HEIC; the encoder is installed for benches and tests only."""
    written = io.BytesIO()
    importlib.import_module("pillow_heif").from_pillow(image).save(written, quality=quality, enc_params=FAST_HEIC)
    return written.getvalue()


def _turned(subject: Subject) -> bytes:
    orientation = 2 + subject.number % len(STORED)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(subject.image.transpose(STORED[orientation - 2]), "JPEG", quality=88, exif=exif)


def _in_adobe_rgb(subject: Subject) -> bytes:
    """The colours of the picture in a space of its own, which its profile names."""
    icc = profile(ADOBE_RGB)
    read = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    stored = ImageCms.profileToProfile(subject.image, ImageCms.createProfile("sRGB"), read)
    assert stored is not None
    return saved(stored, "JPEG", quality=88, icc_profile=icc)


def _among_others(form: str, **options: Any) -> Callable[[Subject], bytes]:  # noqa: ANN401  # they go to Pillow
    """An animation of another picture, in which this one is shown for 10 ms."""

    def make(subject: Subject) -> bytes:
        image, other = (_few_colours(one) if form == "GIF" else one for one in (subject.image, subject.other))
        frames = [other] * FRAMES
        frames[FLASH_AT] = image
        durations = [100] * FRAMES
        durations[FLASH_AT] = FLASH_MS
        return saved(frames[0], form, save_all=True, append_images=frames[1:], duration=durations, **options)

    return make


def _few_colours(image: Image.Image) -> Image.Image:
    """With a palette of its own."""
    return image.quantize(256)


def _behind(form: str) -> Callable[[Subject], bytes]:
    """The second page, or the second photograph."""
    return lambda subject: saved(subject.other, form, save_all=True, append_images=[subject.image])


def _as_shade(ground: int) -> Callable[[Subject], bytes]:
    """One colour everywhere; the picture is in how much of it covers a ground of this brightness."""

    def make(subject: Subject) -> bytes:
        grey = np.asarray(subject.image.convert("L"))
        cover = Image.fromarray(255 - grey if ground else grey)
        image = Image.new("RGB", subject.image.size, "black" if ground else "white")
        image.putalpha(cover)
        return saved(image, "PNG")

    return make


def _wholly_transparent(subject: Subject) -> bytes:
    image = subject.image.copy()
    image.putalpha(0)
    return saved(image, "PNG")


def _lab(subject: Subject) -> bytes:
    lab = ImageCms.profileToProfile(
        subject.image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    return saved(lab, "TIFF")


def _sixteen_bits(subject: Subject) -> bytes:
    return saved(Image.fromarray(np.asarray(subject.image.convert("L")).astype(np.uint16) * 257), "PNG")


def _dots(subject: Subject) -> bytes:
    """Black and white dots, twice as fine as the picture: as coarse as its pixels they would be another picture."""
    width, height = subject.image.size
    return saved(subject.image.resize((2 * width, 2 * height)).convert("1"), "PNG")


def _icon(subject: Subject) -> bytes:
    """An icon of one PNG at the picture's own size: what Pillow writes is at most 256 a side, another picture."""
    picture = saved(subject.image, "PNG")
    head = struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 24, len(picture), ICON_HEAD)
    return head + picture


def _ink(at: int) -> Callable[[Subject], bytes]:
    return lambda subject: list(cmyk_files(subject.image))[at].file


def _plain(form: str, mode: str = "RGB", **options: Any) -> Callable[[Subject], bytes]:  # noqa: ANN401  # they go to Pillow
    return lambda subject: saved(subject.image.convert(mode), form, **options)


FORMS: Final[Mapping[str, tuple[FileType, Callable[[Subject], bytes]]]] = {
    "JPEG progressive": (FileType.JPEG, _plain("JPEG", quality=60, progressive=True)),
    "JPEG 4:4:4": (FileType.JPEG, _plain("JPEG", quality=88, subsampling=0)),
    "JPEG CMYK": (FileType.JPEG, _ink(0)),
    "JPEG YCCK": (FileType.JPEG, _ink(1)),
    "JPEG grey": (FileType.JPEG, _plain("JPEG", "L", quality=88)),
    "JPEG turned by EXIF": (FileType.JPEG, _turned),
    "JPEG in Adobe RGB": (FileType.JPEG, _in_adobe_rgb),
    "MPO, second": (FileType.JPEG, _behind("MPO")),
    "PNG 16 bits": (FileType.PNG, _sixteen_bits),
    "PNG palette": (FileType.PNG, lambda subject: saved(subject.image.quantize(256), "PNG")),
    "PNG 1 bit": (FileType.PNG, _dots),
    "PNG shade on white": (FileType.PNG, _as_shade(255)),
    "PNG shade on black": (FileType.PNG, _as_shade(0)),
    "PNG wholly transparent": (FileType.PNG, _wholly_transparent),
    "APNG, 10 ms": (FileType.PNG, _among_others("PNG")),
    "GIF": (FileType.GIF, _plain("GIF")),
    "GIF, 10 ms": (FileType.GIF, _among_others("GIF")),
    "WebP": (FileType.WEBP, _plain("WEBP", quality=80)),
    "WebP, 10 ms": (FileType.WEBP, _among_others("WEBP", quality=80)),
    "AVIF": (FileType.AVIF, _plain("AVIF", quality=50, speed=9)),
    "HEIC": (FileType.HEIC, lambda subject: heic(subject.image)),
    "TIFF CIE L*a*b*": (FileType.TIFF, _lab),
    "TIFF, second page": (FileType.TIFF, _behind("TIFF")),
    "BMP": (FileType.BMP, _plain("BMP")),
    "ICO": (FileType.ICO, _icon),
}


def files_of(subject: Subject) -> dict[str, tuple[FileType, bytes]]:
    """The picture in each form, made from fresh copies: one writer leaves settings for the next on its picture."""
    return {name: (kind, make(_copied(subject))) for name, (kind, make) in FORMS.items()}


def _copied(subject: Subject) -> Subject:
    return replace(subject, image=subject.image.copy(), other=subject.other.copy())
