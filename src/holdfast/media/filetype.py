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
    """The picture types that are read; each is opened by one decoder only."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    ICO = "ICO"
    AVIF = "AVIF"
    HEIC = "HEIC"


_PREFIXES: Final = (
    (b"\xff\xd8\xff", FileType.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"GIF87a", FileType.GIF),
    (b"GIF89a", FileType.GIF),
    (b"BM", FileType.BMP),
    (b"II*\x00", FileType.TIFF),
    (b"MM\x00*", FileType.TIFF),
    (b"\x00\x00\x01\x00", FileType.ICO),
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"}
)
_ENCRYPTED_PREFIXES: Final = (
    b"age-encryption.org/v1",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"Salted__",
)
_ZIP_ENTRY: Final = b"PK\x03\x04"
_ZIP_ENCRYPTED_FLAG: Final = 1


def recognise(untrusted_head: bytes) -> FileType | NotDecoded:
    """The picture type of a file that begins with `untrusted_head` (its first 4096 bytes, or all)."""
    if not untrusted_head:
        return NotDecoded(Reason.EMPTY)
    if untrusted_head[:4] == b"RIFF" and untrusted_head[8:12] == b"WEBP":
        return FileType.WEBP
    if untrusted_head[4:8] == b"ftyp":
        return _by_brand(untrusted_head)
    for prefix, found in _PREFIXES:
        if untrusted_head.startswith(prefix):
            return found
    return NotDecoded(Reason.ENCRYPTED if _is_encrypted(untrusted_head) else Reason.UNKNOWN_TYPE)


def _by_brand(untrusted_head: bytes) -> FileType | NotDecoded:
    length = int.from_bytes(untrusted_head[:4], "big")
    names = untrusted_head[8 : min(length, 256)]
    # The second four bytes are a version number, not a brand.
    brands = {names[:4], *(names[at : at + 4] for at in range(8, len(names), 4))}
    if brands & _AVIF_BRANDS:  # asked first: an AVIF is also a "mif1"
        return FileType.AVIF
    return FileType.HEIC if brands & _HEIC_BRANDS else NotDecoded(Reason.UNKNOWN_TYPE)


def _is_encrypted(untrusted_head: bytes) -> bool:
    if untrusted_head.startswith(_ENCRYPTED_PREFIXES):
        return True
    if untrusted_head.startswith(_ZIP_ENTRY):
        return bool(int.from_bytes(untrusted_head[6:8], "little") & _ZIP_ENCRYPTED_FLAG)
    return untrusted_head.startswith(b"%PDF-") and b"/Encrypt" in untrusted_head
