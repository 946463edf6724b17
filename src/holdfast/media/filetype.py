# SPDX-License-Identifier: Apache-2.0
"""What a file is, by its first bytes alone: never by its name, nor by what the sender says.

Strict signatures of our own, because general detectors call HEIC "mp4". A type that is not in the
table is not guessed at.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from holdfast.media.reason import NotDecoded, Reason

HEAD_LENGTH: Final = 4096


class FileType(StrEnum):
    """The types that are read; each is opened by one decoder only. Pictures first, then videos."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    ICO = "ICO"
    AVIF = "AVIF"
    HEIC = "HEIC"
    MP4 = "MP4"
    MATROSKA = "Matroska"
    AVI = "AVI"
    MPEG_TS = "MPEG-TS"
    FLV = "FLV"

    @property
    def is_video(self) -> bool:
        """Whether it is watched, frame after frame, and not looked at as a picture."""
        return self in VIDEOS


VIDEOS: Final = (FileType.MP4, FileType.MATROSKA, FileType.AVI, FileType.MPEG_TS, FileType.FLV)
PICTURES: Final = tuple(kind for kind in FileType if kind not in VIDEOS)

_PREFIXES: Final = (
    (b"\xff\xd8\xff", FileType.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"GIF87a", FileType.GIF),
    (b"GIF89a", FileType.GIF),
    (b"BM", FileType.BMP),
    (b"II*\x00", FileType.TIFF),
    (b"MM\x00*", FileType.TIFF),
    (b"\x00\x00\x01\x00", FileType.ICO),
    (b"\x1aE\xdf\xa3", FileType.MATROSKA),
    (b"FLV\x01", FileType.FLV),
)
_RIFF_FORMS: Final = {b"WEBP": FileType.WEBP, b"AVI ": FileType.AVI}
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"}
)
_FILM_BRANDS: Final = frozenset(
    {b"isom", b"mp41", b"mp42", b"mp71", b"avc1", b"hvc1", b"av01", b"dash", b"msdh", b"msix", b"cmfc", b"cmff"}
    | {b"iso%d" % number for number in range(2, 10)}
    | {b"qt  ", b"M4V ", b"M4VH", b"M4VP", b"M4A ", b"M4B ", b"M4P "}
    | {b"f4v ", b"F4V ", b"MSNV", b"XAVC", b"mmp4", b"dby1", b"kddi", b"iso5"}
)
_FILM_FAMILIES: Final = (b"3gp", b"3g2", b"3ge", b"3gg", b"NDS")  # the fourth letter is a version
_FILM_BOXES: Final = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""With what a film of the time before brands begins."""
_PACKET: Final = 188  # bytes, of which the first is always the same
_SYNC: Final = 0x47
_MARKS: Final = 3  # that must stand in their places
_ENCRYPTED_PREFIXES: Final = (
    b"age-encryption.org/v1",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"Salted__",
)
_ZIP_ENTRY: Final = b"PK\x03\x04"
_ZIP_ENCRYPTED_FLAG: Final = 1


def recognise(untrusted_head: bytes) -> FileType | NotDecoded:
    """The type of a file that begins with `untrusted_head` (its first 4096 bytes, or all)."""
    if not untrusted_head:
        return NotDecoded(Reason.EMPTY)
    boxed, found = _by_box(untrusted_head), _by_prefix(untrusted_head)
    if boxed:
        return NotDecoded(Reason.UNKNOWN_TYPE) if found and boxed is FileType.MP4 else boxed
    if found:
        return found
    return NotDecoded(Reason.ENCRYPTED if _is_encrypted(untrusted_head) else Reason.UNKNOWN_TYPE)


def _by_prefix(untrusted_head: bytes) -> FileType | None:
    if untrusted_head[:4] == b"RIFF":
        return _RIFF_FORMS.get(untrusted_head[8:12])
    found = next((found for prefix, found in _PREFIXES if untrusted_head.startswith(prefix)), None)
    return found or (FileType.MPEG_TS if _is_transport_stream(untrusted_head) else None)


def _by_box(untrusted_head: bytes) -> FileType | NotDecoded | None:
    if untrusted_head[4:8] == b"ftyp":
        return _by_brand(untrusted_head)
    return FileType.MP4 if untrusted_head[4:8] in _FILM_BOXES else None


def _by_brand(untrusted_head: bytes) -> FileType | NotDecoded:
    length = int.from_bytes(untrusted_head[:4], "big")
    names = untrusted_head[8 : min(length, 256)]
    # The second four bytes are a version number, not a brand.
    brands = {names[:4], *(names[at : at + 4] for at in range(8, len(names), 4))}
    if brands & _AVIF_BRANDS:  # asked first: an AVIF is also a "mif1"
        return FileType.AVIF
    if brands & _HEIC_BRANDS:
        return FileType.HEIC
    film = brands & _FILM_BRANDS or any(brand.startswith(_FILM_FAMILIES) for brand in brands)
    return FileType.MP4 if film else NotDecoded(Reason.UNKNOWN_TYPE)


def _is_transport_stream(untrusted_head: bytes) -> bool:
    """Packets of 188 bytes from the first byte on, or of 192 with a time before each."""
    for before in (0, 4):
        marks = untrusted_head[before :: before + _PACKET][:_MARKS]
        if len(marks) == _MARKS and set(marks) == {_SYNC}:
            return True
    return False


def _is_encrypted(untrusted_head: bytes) -> bool:
    if untrusted_head.startswith(_ENCRYPTED_PREFIXES):
        return True
    if untrusted_head.startswith(_ZIP_ENTRY):
        return bool(int.from_bytes(untrusted_head[6:8], "little") & _ZIP_ENCRYPTED_FLAG)
    return untrusted_head.startswith(b"%PDF-") and b"/Encrypt" in untrusted_head
