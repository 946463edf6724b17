# SPDX-License-Identifier: Apache-2.0
"""A signal: one hash of one kind. The only way to make one from outside text is `parse`.

Exact signals (md5, sha1, sha256) are of the received bytes. Perceptual ones are of what is seen: pdq,
256 bits, of a picture; vpdq, the same of one frame of a video, with its place in it. `parse` refuses
what is well formed but would match everything: a list once shipped an all-zero PDQ hash, and the
digest of nothing equals every empty upload.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from holdfast.errors import InvalidSignal

_HEX = re.compile(r"[0-9a-f]+")
PDQ_BITS: Final = 256
# By construction half of a PDQ hash's bits lie above the median; far from half, it is not a picture's.
PDQ_FEWEST_ONES: Final = 64
PDQ_MOST_ONES: Final = 192


class SignalType(StrEnum):
    """The kinds of hash that a bank may hold."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"
    VPDQ = "vpdq"

    @property
    def hex_length(self) -> int:
        """How many hexadecimal digits a value has."""
        return {"md5": 32, "sha1": 40, "sha256": 64, "pdq": 64, "vpdq": 64}[self.value]

    @property
    def is_exact(self) -> bool:
        """Whether it names bytes rather than a look."""
        return self not in PERCEPTUAL


PERCEPTUAL: Final = frozenset({SignalType.PDQ, SignalType.VPDQ})


@dataclass(frozen=True, slots=True, order=True)
class InVideo:
    """Which frame of a known video: the how manieth that is kept, from 0; when it is shown; its quality, 0 to 100."""

    number: int
    at_ms: int
    quality: int


@dataclass(frozen=True, slots=True, order=True)
class Signal:
    """One hash: its kind and its value in lower-case hexadecimal; that of a frame (vpdq) says of which."""

    type: SignalType
    value: str
    frame: InVideo | None = None


_OF_NOTHING: Final = frozenset(
    Signal(kind, hashlib.new(kind.value, b"", usedforsecurity=False).hexdigest())
    for kind in SignalType
    if kind.is_exact
)


def parse(untrusted_type: str, untrusted_value: str) -> Signal:
    """Check outside text and make it a signal.

    Raises InvalidSignal: unknown type, wrong length or alphabet, a value that matches everything, or
    one frame of a video, which says nothing without its place (`holdfast.match.vpdqfile` reads videos).
    The message never repeats the value: hashes of such material are themselves sensitive.
    """
    try:
        kind = SignalType(untrusted_type.strip().lower())
    except ValueError:
        known = ", ".join(SignalType)
        message = f"the signal type is none of {known}"
        raise InvalidSignal(message) from None
    if kind is SignalType.VPDQ:
        message = (
            "a vpdq signal is a list of frames, each `hash,quality,seconds`; import it from a file, or add the video"
        )
        raise InvalidSignal(message)
    return parse_value(kind, untrusted_value)


def parse_value(kind: SignalType, untrusted_value: str, frame: InVideo | None = None) -> Signal:
    """Check the outside text of a hash whose kind is known. Raises InvalidSignal as `parse` does."""
    value = untrusted_value.strip().lower()
    if len(value) != kind.hex_length:
        message = f"a {kind} value has {kind.hex_length} hexadecimal digits, this has {len(value)}"
        raise InvalidSignal(message)
    if not _HEX.fullmatch(value):
        message = f"a {kind} value has hexadecimal digits only"
        raise InvalidSignal(message)
    found = Signal(kind, value, frame)
    _refuse_match_all(found)
    return found


def _refuse_match_all(found: Signal) -> None:
    if found in _OF_NOTHING:
        message = f"this {found.type} is the digest of an empty file and would match every empty upload"
        raise InvalidSignal(message)
    if len(set(found.value)) == 1:
        message = f"a {found.type} value of one repeated digit is a placeholder, not a hash"
        raise InvalidSignal(message)
    if found.type in PERCEPTUAL:
        ones = int(found.value, 16).bit_count()
        if not PDQ_FEWEST_ONES <= ones <= PDQ_MOST_ONES:
            message = f"a pdq hash of a real picture has about 128 of 256 bits set, this has {ones}"
            raise InvalidSignal(message)
