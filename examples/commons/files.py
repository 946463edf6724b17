# SPDX-License-Identifier: Apache-2.0
"""The files: what was uploaded, as it came, one file for each version, and a thumbnail of what may be seen.

A file has the name of its address and nothing else in common with it: only `items.py` says who may have it.
Versions that show the same bytes have links of their own, so that one can be taken away without the other.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

_THUMB: Final = (640, 640)
_HEAD: Final = 16
_PLAIN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_BRANDS: Final = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "), "video/mp4"),
    b"qt  ": "video/quicktime",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """An upload on disk: its address's secret part, its type, its digest."""

    token: str
    type: str
    digest: str


def type_of(untrusted_head: bytes) -> str | None:
    """What the first 16 bytes say that a file is; None for what is not shown here, such as pages and drawings."""
    if untrusted_head[:4] == b"RIFF" and untrusted_head[8:12] == b"WEBP":
        return "image/webp"
    if untrusted_head[4:8] == b"ftyp":
        return _BRANDS.get(untrusted_head[8:12])
    return next((kind for start, kind in _PLAIN if untrusted_head.startswith(start)), None)


class Files:
    """The files below a folder."""

    def __init__(self, folder: Path) -> None:
        """Make the folders that are missing."""
        self._media, self._thumbs, self.incoming = (folder / name for name in ("media", "thumbs", "incoming"))
        for each in (self._media, self._thumbs, self.incoming):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)

    def media(self, token: str) -> Path:
        """Where the bytes lie."""
        return self._media / token

    def thumb(self, token: str) -> Path:
        """Where the thumbnail lies, if there is one."""
        return self._thumbs / f"{token}.jpg"

    def store(self, untrusted_chunks: Iterable[bytes]) -> Stored | None:
        """Keep an upload; None if it is of no type that is shown here. It is on disk when this returns."""
        token, digest, head = _new_token(), hashlib.sha256(), b""
        with self.media(token).open("xb") as file:
            for chunk in untrusted_chunks:
                head += chunk[: _HEAD - len(head)]
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        kind = type_of(head)
        if kind is None:
            self.forget([token])
            return None
        return Stored(token, kind, digest.hexdigest())

    def again(self, stored: Stored) -> Stored:
        """The same bytes under a name of their own. Raises FileNotFoundError if they are gone."""
        token = _new_token()
        os.link(self.media(stored.token), self.media(token))
        return Stored(token, stored.type, stored.digest)

    def make_thumb(self, token: str) -> bool:
        """Make the thumbnail; only of what may be published. False if it cannot be made: it is shown without."""
        draft = self.incoming / f"{token}.jpg"
        try:
            with Image.open(self.media(token)) as picture:
                picture.draft("RGB", _THUMB)
                upright = ImageOps.exif_transpose(picture).convert("RGB")
                upright.thumbnail(_THUMB)
                upright.save(draft, "JPEG", quality=82)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return False
        draft.replace(self.thumb(token))
        return True

    def forget(self, tokens: Iterable[str]) -> None:
        """Take files away for good."""
        for token in tokens:
            self.media(token).unlink(missing_ok=True)
            self.thumb(token).unlink(missing_ok=True)

    def sweep(self, known: frozenset[str]) -> None:
        """Take away what no version names: what a process that died had begun, or had not ended."""
        self.forget(path.name for path in self._media.iterdir() if path.name not in known)
        for path in self.incoming.iterdir():
            path.unlink(missing_ok=True)


def _new_token() -> str:
    return secrets.token_hex(12)
