# SPDX-License-Identifier: Apache-2.0
"""JPEG: decoded straight to luma at a fraction of its size, and strictly.

A file whose data break off or are damaged is not decoded, whatever a lenient decoder would paint in
the gaps. A JPEG may carry further ones behind it (a second view, a map of brightness): each is a
picture of the file. Runs inside the confined decoder.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import simplejpeg
from PIL import Image

from holdfast.media.canonical import lumas_of, smaller
from holdfast.media.colour import luma_of, managed, transform_for
from holdfast.media.jpeg import all_scans_there, segments
from holdfast.media.plane import LEAST_SIDE, Luma, Plane
from holdfast.media.reason import NotDecoded, Reason, Unreadable
from holdfast.media.shape import Limits, orientation_of, reason_for, refuse_pixels, upright

JPEG_PIXEL_FACTOR: Final = 4  # a JPEG never exists at full size, so it may be larger
_MODES: Final = {"Gray": "L", "YCbCr": "RGB", "RGB": "RGB"}


def photos_in(untrusted: bytes, limits: Limits) -> Iterator[tuple[Plane, ...]]:
    """The planes of each JPEG that the file lists, the first one first."""
    yield _photo(untrusted, limits)
    found = segments(untrusted)
    if found and not found.several:
        return
    with _opened(untrusted) as image:
        count = int(getattr(image, "n_frames", 1))
        for number in range(1, count):
            image.seek(number)
            yield _photo(untrusted[image.offset :], limits)  # type: ignore[attr-defined]  # only a list of pictures has it
    if found and count == 1:
        raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, "a list of pictures that cannot be read"))


def _photo(untrusted: bytes, limits: Limits) -> tuple[Plane, ...]:
    found = segments(untrusted)
    allowed = limits.max_pixels * JPEG_PIXEL_FACTOR
    if found is None or found.exif or (read := _header(untrusted)) is None:
        with _opened(untrusted) as image:
            refuse_pixels(*image.size, allowed)
            return upright(_lumas(untrusted, image.info.get("icc_profile")), image.size, orientation_of(image))
    refuse_pixels(*read, allowed)
    return upright(_lumas(untrusted, found.profile), read, 1)


def _opened(untrusted: bytes) -> Image.Image:
    return Image.open(io.BytesIO(untrusted), formats=("JPEG", "MPO"))


def _header(untrusted: bytes) -> tuple[int, int] | None:
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(untrusted)
    except ValueError:
        return None
    return width, height


def _lumas(untrusted: bytes, profile: bytes | None) -> list[Luma]:
    found = segments(untrusted)
    if (found is None or found.in_scans) and not all_scans_there(untrusted):
        raise Unreadable(NotDecoded(Reason.TRUNCATED, "JPEG"))  # cut between its scans, which no decoder warns of
    try:
        _, _, space, _ = simplejpeg.decode_jpeg_header(untrusted)
        if space in _MODES:
            return _straight(untrusted, _MODES[space], profile)
        simplejpeg.decode_jpeg(untrusted, "CMYK", min_height=1, min_width=1)  # only to see that it is whole
    except ValueError as fault:
        raise Unreadable(NotDecoded(reason_for(fault), "JPEG")) from fault
    with _opened(untrusted) as image:
        image.draft(None, (2 * LEAST_SIDE, 2 * LEAST_SIDE))
        return lumas_of(image, profile)


def _straight(untrusted: bytes, mode: str, profile: bytes | None) -> list[Luma]:
    """Its brightness at a fraction, and again with its colours managed if that changes it."""
    plane = smaller(_scaled(untrusted, "GRAY")[:, :, 0])
    transform = transform_for(profile, mode)
    if transform is None:
        return [plane]
    colours = _scaled(untrusted, "GRAY")[:, :, 0] if mode == "L" else _scaled(untrusted, "RGB")
    return [plane, smaller(luma_of(managed(Image.fromarray(colours), transform)))]


def _scaled(untrusted: bytes, space: str) -> Luma:
    pixels: Luma = simplejpeg.decode_jpeg(untrusted, space, min_height=LEAST_SIDE, min_width=LEAST_SIDE)
    return pixels
