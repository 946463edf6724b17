# SPDX-License-Identifier: Apache-2.0
"""Every picture of a file, one after the other, whatever its type: frames, pages and sizes.

A generator of pictures per type. Each checks a picture's header against the limits before a pixel of
it is decoded, and raises Unreadable, or whatever its library raises, where a picture cannot be
read or where a file carries signs of more than could be shown. Runs inside the confined decoder.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from PIL import AvifImagePlugin, Image, ImageFile
from PIL.IcoImagePlugin import IcoFile

from holdfast.media.canonical import lumas_of
from holdfast.media.colour import profile_of
from holdfast.media.containers import icon_sizes, is_sequence, pictures_in_png
from holdfast.media.filetype import FileType
from holdfast.media.heif import pictures_in_heif
from holdfast.media.photo import photos_in
from holdfast.media.plane import Picture
from holdfast.media.reason import NotDecoded, Reason, Unreadable
from holdfast.media.shape import Limits, orientation_of, refuse_pixels, upright

AvifImagePlugin.DEFAULT_MAX_THREADS = 1
_BRAND: Final = slice(8, 12)
_WHOLE: Final = frozenset({FileType.WEBP, FileType.AVIF})
"""Types whose codecs give all pixels at once; the library then copies them, in one piece if it may."""
_ANY_SIZE: Final = 2**31

Pictures = Iterator[Picture]


def pictures_in(untrusted: bytes, kind: FileType, limits: Limits) -> Pictures:
    """Each picture in turn."""
    match kind:
        case FileType.JPEG:
            return photos_in(untrusted, limits)
        case FileType.HEIC:
            return pictures_in_heif(untrusted, limits)
        case FileType.ICO:
            return _icons(untrusted, limits)
        case FileType.AVIF if is_sequence(untrusted):
            return _avif_sequence(untrusted, limits)
        case FileType.PNG:
            return _opened(untrusted, kind, limits, least=pictures_in_png(untrusted))
        case _:
            return _opened(untrusted, kind, limits)


def _opened(untrusted: bytes, kind: FileType, limits: Limits, *, least: int = 1) -> Pictures:
    """Each picture that the library steps to."""
    with Image.open(io.BytesIO(untrusted), formats=(kind.value,)) as image:
        if kind in _WHOLE and isinstance(image, ImageFile.ImageFile):
            image.decodermaxblock = _ANY_SIZE
        number = 0
        while True:
            refuse_pixels(*image.size, limits.max_pixels)
            yield _picture(image)
            number += 1
            try:
                image.seek(number)
            except EOFError:
                break
        if number < max(least, int(getattr(image, "n_frames", 1))):
            raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, f"only {number} of them can be read"))


def _picture(image: Image.Image) -> Picture:
    lumas = lumas_of(image, profile_of(image))
    # Asked after loading: the TIFF reader turns the picture itself and then forgets the flag.
    return upright(lumas, image.size, orientation_of(image))


def _icons(untrusted: bytes, limits: Limits) -> Pictures:
    """Every size of an icon, in the order of the directory by size, the largest first."""
    sizes = icon_sizes(untrusted)
    for width, height in sizes:
        refuse_pixels(width, height, limits.max_pixels)
    icon = IcoFile(io.BytesIO(untrusted))
    for number in range(len(sizes)):
        with icon.frame(number) as image:
            refuse_pixels(*image.size, limits.max_pixels)
            yield _picture(image)


def _avif_sequence(untrusted: bytes, limits: Limits) -> Pictures:
    """The moving pictures and the still one: by its first brand, a reader shows either."""
    yield from _opened(_branded(untrusted, b"avis"), FileType.AVIF, limits)
    yield from _opened(_branded(untrusted, b"avif"), FileType.AVIF, limits)


def _branded(untrusted: bytes, brand: bytes) -> bytes:
    return untrusted[: _BRAND.start] + brand + untrusted[_BRAND.stop :]
