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
from PIL.JpegImagePlugin import JpegImageFile

from holdfast.media.canonical import lumas_of, smaller
from holdfast.media.colour import Managed, luma_of, managed_by, profile_of
from holdfast.media.jpeg import all_scans_there, segments
from holdfast.media.pdq import hash_plane
from holdfast.media.plane import LEAST_SIDE, Luma, Lumas, Picture
from holdfast.media.reason import NotDecoded, Reason, Unreadable
from holdfast.media.shape import Limits, orientation_of, reason_for, refuse_pixels, upright

JPEG_PIXEL_FACTOR: Final = 4  # a JPEG never exists at full size, so it may be larger
_MODES: Final = {"Gray": "L", "YCbCr": "RGB", "RGB": "RGB"}
_WHOLE: Final = {"Gray": "GRAY", "YCbCr": "GRAY", "RGB": "GRAY"}
_TOO_LARGE: Final = NotDecoded(Reason.TOO_LARGE, "for its colour profile")
_ENTRIES: Final = 0xB002
_NOT_SHOWN: Final = "Undefined"


def photos_in(untrusted: bytes, limits: Limits) -> Iterator[Picture]:
    """Each JPEG that the file lists, the first one first."""
    yield _photo(untrusted, limits)
    found = segments(untrusted)
    if found and not found.several:
        return
    listed = _listed(untrusted)
    for at, shown in listed:
        picture = _photo(untrusted[at:], limits)
        yield picture if shown or _is_clear(picture) else Picture(())
    if found and not listed:
        raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, "a list of pictures that cannot be read"))


def _listed(untrusted: bytes) -> list[tuple[int, bool]]:
    """Where each further picture begins, and whether it is one to be shown.

    Telephones put a map of brightness behind a photograph, listed as of no type that is shown to anyone.
    """
    # Not by the library's own choice of reader: it takes a photograph with such a map for a single one.
    with JpegImageFile(io.BytesIO(untrusted)) as image:
        try:
            listed = image._getmp()  # noqa: SLF001  # nothing public gives it without that choice
        except SyntaxError:
            return []
        if not listed:
            return []
        start = int(image.info["mpoffset"])
        entries = listed[_ENTRIES][1:]
        return [(start + entry["DataOffset"], entry["Attribute"]["MPType"] != _NOT_SHOWN) for entry in entries]


def _is_clear(picture: Picture) -> bool:
    return any(any(hash_plane(plane).usable) for plane in picture.planes)


def _photo(untrusted: bytes, limits: Limits) -> Picture:
    found = segments(untrusted)
    allowed = limits.max_pixels * JPEG_PIXEL_FACTOR
    if found is None or found.exif or (read := _header(untrusted)) is None:
        with _opened(untrusted) as image:
            refuse_pixels(*image.size, allowed)
            return upright(_lumas(untrusted, profile_of(image), limits), image.size, orientation_of(image))
    refuse_pixels(*read, allowed)
    return upright(_lumas(untrusted, found.profile, limits), read, 1)


def _opened(untrusted: bytes) -> Image.Image:
    return Image.open(io.BytesIO(untrusted), formats=("JPEG", "MPO"))


def _header(untrusted: bytes) -> tuple[int, int] | None:
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(untrusted)
    except ValueError:
        return None
    return width, height


def _lumas(untrusted: bytes, profile: bytes | None, limits: Limits) -> Lumas:
    found = segments(untrusted)
    if (found is None or found.in_scans) and not all_scans_there(untrusted):
        raise Unreadable(NotDecoded(Reason.TRUNCATED, "JPEG"))  # cut between its scans, which no decoder warns of
    try:
        _, _, space, _ = simplejpeg.decode_jpeg_header(untrusted)
        managed = managed_by(profile, _MODES.get(space, "CMYK"))
        if space in _MODES and not managed.tables:
            return _straight(untrusted, managed, grey=_MODES[space] == "L")
        simplejpeg.decode_jpeg(
            untrusted, _WHOLE.get(space, "CMYK"), min_height=1, min_width=1
        )  # to see that it is whole
    except ValueError as fault:
        raise Unreadable(NotDecoded(reason_for(fault), "JPEG")) from fault
    with _opened(untrusted) as image:
        whole = not managed.tables or image.width * image.height <= limits.max_pixels
        if not (managed.tables and whole):
            image.draft(None, (2 * LEAST_SIDE, 2 * LEAST_SIDE))
        seen = lumas_of(image, profile)
        return seen if whole else Lumas(seen.planes, _TOO_LARGE)


def _straight(untrusted: bytes, managed: Managed, *, grey: bool) -> Lumas:
    """Its brightness at a fraction, and again with its colours managed if that changes it."""
    planes = [smaller(_scaled(untrusted, "GRAY")[:, :, 0])]
    if managed.transform:
        colours = _scaled(untrusted, "GRAY")[:, :, 0] if grey else _scaled(untrusted, "RGB")
        planes.append(smaller(luma_of(managed.shown(Image.fromarray(colours)))))
    return Lumas(planes, managed.missed)


def _scaled(untrusted: bytes, space: str) -> Luma:
    pixels: Luma = simplejpeg.decode_jpeg(untrusted, space, min_height=LEAST_SIDE, min_width=LEAST_SIDE)
    return pixels
