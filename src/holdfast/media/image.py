# SPDX-License-Identifier: Apache-2.0
"""Decode one picture into canonical luma planes. Runs only inside the confined decoder.

Canonical means: upright (EXIF orientation applied), palette, CMYK and 16 bits made plain, and
transparency laid over white and over black, because a picture may show one thing on each. The
header is read first and the limits are checked before a pixel is decoded. JPEG is decoded straight
to luma at the smallest scale that keeps both sides at least 512; other pictures are averaged down
in whole steps to no less than that.

Every fault of the file is an outcome (`NotDecoded`), whatever exception the library chose for it.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from holdfast.media.containers import animated_png, sequence_avif
from holdfast.media.filetype import FileType
from holdfast.media.jpeg import all_scans_there, segments
from holdfast.media.plane import LONGEST_SIDE, Plane
from holdfast.media.reason import NotDecoded, Reason

LEAST_SIDE: Final = 512  # below it the hash begins to move: 8 bits more at 128
JPEG_PIXEL_FACTOR: Final = 4  # a JPEG never exists at full size, so it may be larger
_ORIENTATION: Final = 0x0112
_DIRECT_JPEG_SPACES: Final = frozenset({"Gray", "YCbCr", "RGB"})
_SIXTEEN_BIT: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_STRIP_ROWS: Final = 256

ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # our own limit is checked first, and is stricter
warnings.simplefilter("ignore")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one upload may ask for."""

    max_pixels: int


def decode(untrusted: bytes, kind: FileType, limits: Limits) -> tuple[Plane, ...] | NotDecoded:
    """The planes of the first picture: one, or three if it has transparency (over white, over black, and without it).

    Returns NotDecoded for whatever is wrong with the file; a picture that is not the only one in
    its file is decoded all the same, and `holds_several` tells.
    """
    try:
        if kind is FileType.JPEG and (plain := _plain_jpeg(untrusted, limits)):
            return plain
        for width, height in _icon_sizes(untrusted) if kind is FileType.ICO else ():
            if too_large := _refuse_pixels(width, height, limits.max_pixels):
                return too_large
        with _opened(untrusted, kind) as image:
            return _refuse_size(image, kind, limits) or _planes(untrusted, image, kind)
    except MemoryError:
        return NotDecoded(Reason.TOO_LARGE, "the memory limit was reached")
    except UnidentifiedImageError:
        return NotDecoded(Reason.UNDECODABLE)
    except Exception as fault:  # noqa: BLE001  # libraries raise a dozen kinds on bad files; each means the same
        return NotDecoded(_reason_for(fault), type(fault).__name__)


def holds_several(untrusted: bytes, kind: FileType) -> bool:
    """Whether the file holds more pictures than the first. Unreadable means several: could not tell is never no."""
    try:
        if kind is FileType.JPEG and (found := segments(untrusted)) and not found.several:
            return False
        if kind is FileType.ICO:
            return len(_icon_sizes(untrusted)) != 1
        if (kind is FileType.PNG and animated_png(untrusted)) or (kind is FileType.AVIF and sequence_avif(untrusted)):
            return True  # whatever the library makes of it, a viewer may play it
        with _opened(untrusted, kind) as image:
            return bool(getattr(image, "is_animated", False)) or int(getattr(image, "n_frames", 1)) > 1
    except Exception:  # noqa: BLE001
        return True


def _opened(untrusted: bytes, kind: FileType) -> Image.Image:
    also = ["MPO"] if kind is FileType.JPEG else []
    return Image.open(io.BytesIO(untrusted), formats=(kind.value, *also))


def _plain_jpeg(untrusted: bytes, limits: Limits) -> tuple[Plane, ...] | NotDecoded | None:
    """A JPEG that no EXIF turns, without opening it twice; None if the general way must be gone."""
    found = segments(untrusted)
    if found is None or found.exif:
        return None
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(untrusted)
    except ValueError:
        return None
    if too_large := _refuse_pixels(width, height, limits.max_pixels * JPEG_PIXEL_FACTOR):
        return too_large
    lumas = _jpeg_luma(untrusted)
    return tuple(Plane(luma, height, width) for luma in lumas) if isinstance(lumas, list) else lumas


def _icon_sizes(untrusted: bytes) -> list[tuple[int, int]]:
    """The sizes of the pictures in an icon by their own headers: its directory may say otherwise.

    Asked before the library opens the icon, because it decodes while it opens.
    """
    sizes = []
    for number in range(int.from_bytes(untrusted[4:6], "little")):
        (at,) = struct.unpack_from("<I", untrusted, 6 + 16 * number + 12)
        if untrusted[at : at + 8] == b"\x89PNG\r\n\x1a\n":
            sizes.append(struct.unpack_from(">II", untrusted, at + 16))
        else:
            width, twice_the_height = struct.unpack_from("<ii", untrusted, at + 4)
            sizes.append((width, abs(twice_the_height) // 2))
    return sizes


def _refuse_size(image: Image.Image, kind: FileType, limits: Limits) -> NotDecoded | None:
    allowed = limits.max_pixels * (JPEG_PIXEL_FACTOR if kind is FileType.JPEG else 1)
    return _refuse_pixels(*image.size, allowed)


def _refuse_pixels(width: int, height: int, allowed: int) -> NotDecoded | None:
    if width < 1 or height < 1:
        return NotDecoded(Reason.UNDECODABLE, "no pixels")
    if max(width, height) > LONGEST_SIDE:
        return NotDecoded(Reason.TOO_LARGE, f"{width} x {height} pixels; no side may be longer than {LONGEST_SIDE}")
    if width * height > allowed:
        return NotDecoded(Reason.TOO_LARGE, f"{width} x {height} pixels; {allowed} are allowed")
    return None


def _planes(untrusted: bytes, image: Image.Image, kind: FileType) -> tuple[Plane, ...] | NotDecoded:
    lumas = _jpeg_luma(untrusted) if kind is FileType.JPEG else None
    if lumas is None:
        lumas = _canonical(image)
    if isinstance(lumas, NotDecoded):
        return lumas
    # Asked after loading: the TIFF reader turns the picture itself and then forgets the flag.
    orientation = _orientation(image)
    width, height = image.size
    if orientation >= 5:  # noqa: PLR2004  # EXIF 5-8 swap the sides
        width, height = height, width
    return tuple(Plane(_upright(luma, orientation), height, width) for luma in lumas)


def _jpeg_luma(untrusted: bytes) -> list[NDArray[np.uint8]] | NotDecoded | None:
    """The luma of a JPEG at a fraction of its size; None if the general decoder must make it.

    Strict: a file whose data break off or are damaged is not decoded, whatever a lenient decoder
    would paint in the gaps.
    """
    if _scans_missing(untrusted):
        return NotDecoded(Reason.TRUNCATED, "JPEG")
    try:
        _, _, space, _ = simplejpeg.decode_jpeg_header(untrusted)
        if space in _DIRECT_JPEG_SPACES:
            plane = simplejpeg.decode_jpeg(untrusted, "GRAY", min_height=LEAST_SIDE, min_width=LEAST_SIDE)
            return [plane[:, :, 0]]
        simplejpeg.decode_jpeg(untrusted, "CMYK", min_height=1, min_width=1)  # only to see that it is whole
    except ValueError as fault:
        return NotDecoded(_reason_for(fault), "JPEG")
    return None


def _scans_missing(untrusted: bytes) -> bool:
    """Whether the file was cut between its scans, which no decoder warns of."""
    found = segments(untrusted)
    return (found is None or found.in_scans) and not all_scans_there(untrusted)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # a broken EXIF block does not make the picture unreadable
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004


def _upright(luma: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo what EXIF orientation 1-8 says was done."""
    turned = {3: np.rot90(luma, 2), 4: luma[::-1], 5: luma.T, 6: np.rot90(luma, 3), 7: np.rot90(luma, 2).T}
    mirrored = {2: luma[:, ::-1], 8: np.rot90(luma)}
    return np.ascontiguousarray({**turned, **mirrored}.get(orientation, luma))


def _canonical(image: Image.Image) -> list[NDArray[np.uint8]] | NotDecoded:
    """Plain 8-bit luma of any mode, averaged down in whole steps: one plane, or two with transparency."""
    image.load()
    if image.mode in _SIXTEEN_BIT or image.mode == "I":
        return _from_integers(image)
    if image.mode == "F":
        return NotDecoded(Reason.UNSUPPORTED, "floating-point pixels")
    if _has_alpha(image):
        return _over_both(image.convert("RGBA"))
    return [_luma(image)]


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _over_both(image: Image.Image) -> list[NDArray[np.uint8]]:
    """Over white, over black, and with transparency thrown away; once only if nothing is transparent."""
    alpha = np.asarray(image.getchannel("A"))
    if alpha.min() == 255:  # noqa: PLR2004  # nothing shows through
        return [_luma(image)]
    return [*(_luma(_laid_over(image, ground)) for ground in ("white", "black")), _luma(image)]


def _laid_over(image: Image.Image, ground: str) -> Image.Image:
    below = Image.new("RGB", image.size, ground)
    below.paste(image, mask=image.getchannel("A"))
    return below


def _luma(image: Image.Image) -> NDArray[np.uint8]:
    plain = image if image.mode == "L" else image.convert("RGB").convert("L")
    return np.asarray(_smaller(plain))


def _smaller(image: Image.Image) -> Image.Image:
    step = min(image.size) // LEAST_SIDE
    return image.reduce(step) if step > 1 else image


def _from_integers(image: Image.Image) -> list[NDArray[np.uint8]] | NotDecoded:
    """16-bit grey as its upper byte, strip by strip so that no wide copy of the whole exists."""
    wide = image.convert("I") if image.mode == "I;16B" else image
    width, height = wide.size
    plain, clear = np.empty((height, width), np.uint8), np.zeros((height, width), np.bool_)
    transparent = image.info.get("transparency")
    for top in range(0, height, _STRIP_ROWS):
        rows = slice(top, min(top + _STRIP_ROWS, height))
        strip = np.asarray(wide.crop((0, rows.start, width, rows.stop))).astype(np.int64)
        if strip.min() < 0 or strip.max() > 65535:  # noqa: PLR2004
            return NotDecoded(Reason.UNSUPPORTED, "grey values beyond 16 bits")
        plain[rows] = strip >> 8
        clear[rows] = strip == transparent if isinstance(transparent, int) else False
    seen = [np.where(clear, ground, plain).astype(np.uint8) for ground in (255, 0)] if clear.any() else []
    return [np.asarray(_smaller(Image.fromarray(luma))) for luma in (*seen, plain)]


def _reason_for(fault: Exception) -> Reason:
    words = str(fault).lower()
    if (
        "truncated" in words
        or "premature end" in words
        or "unexpected end" in words
        or "not enough image data" in words
    ):
        return Reason.TRUNCATED
    return Reason.UNDECODABLE
