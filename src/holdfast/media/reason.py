# SPDX-License-Identifier: Apache-2.0
"""Why something could not be screened. Every reason leads to a hold; none is an accusation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why no verdict could be reached. Each value is stable and documented in docs/integrating.md."""

    EMPTY = "empty"
    """Nothing was uploaded."""
    UNKNOWN_TYPE = "unknown_type"
    """The bytes begin like no picture type that is read here."""
    ENCRYPTED = "encrypted"
    """The bytes are encrypted; nobody without the key can see what they show."""
    UNDECODABLE = "undecodable"
    """It begins like a picture, but cannot be read as one."""
    TRUNCATED = "truncated"
    """The picture ends before it is complete."""
    UNSUPPORTED = "unsupported"
    """A picture, but in a form of its type that is not read here."""
    NO_PICTURE = "no_picture"
    """A film without pictures, such as sound alone."""
    DAMAGED = "damaged"
    """Parts of the video cannot be read, and what they show is not known."""
    TOO_LONG = "too_long"
    """The video takes longer to watch than one may; the rest of it is not known."""
    SEVERAL_PICTURES = "several_pictures"
    """The file holds more pictures than could be looked at, or holds them in a way that readers do not agree on."""
    TOO_LARGE = "too_large"
    """More bytes or pixels than the limits allow, or more memory than one picture may take."""
    TIMED_OUT = "timed_out"
    """Decoding took longer than the limit, by the clock."""
    DECODER_FAILED = "decoder_failed"
    """The confined decoder died over this file."""
    DECODER_UNAVAILABLE = "decoder_unavailable"
    """No decoder was ready; nothing is known about the file."""
    LOW_QUALITY = "low_quality"
    """The picture has too little detail for its hash to mean anything."""
    UPLOAD_LOST = "upload_lost"
    """It was to be screened later, and what was received is not there any more."""
    GIVEN_UP = "given_up"
    """Screening it was begun as often as allowed, and never came to an end."""
    ONLY_DIGESTS = "only_digests"
    """The platform sent digests alone, by which a changed copy would not be known."""

    @property
    def passes(self) -> bool:
        """Whether the same bytes may well be screened later: the fault is ours, not the file's."""
        return self in (Reason.TIMED_OUT, Reason.DECODER_UNAVAILABLE, Reason.UPLOAD_LOST)

    @property
    def says(self) -> str:
        """The reason as one sentence."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.EMPTY: "Nothing was uploaded.",
    Reason.UNKNOWN_TYPE: "The file is of no type that can be screened.",
    Reason.ENCRYPTED: "The file is encrypted.",
    Reason.UNDECODABLE: "The file cannot be read as a picture.",
    Reason.TRUNCATED: "The file ends before the picture is complete.",
    Reason.UNSUPPORTED: "The picture is in a form that cannot be screened yet.",
    Reason.NO_PICTURE: "The file holds no picture, only sound or the like.",
    Reason.DAMAGED: "Parts of the video cannot be read.",
    Reason.TOO_LONG: "The video takes longer to watch than is allowed.",
    Reason.SEVERAL_PICTURES: "The file holds more pictures than could be looked at.",
    Reason.TOO_LARGE: "The file is larger than the limits allow.",
    Reason.TIMED_OUT: "Reading the file took too long.",
    Reason.DECODER_FAILED: "The decoder failed on this file.",
    Reason.DECODER_UNAVAILABLE: "The decoder was not available.",
    Reason.LOW_QUALITY: "The picture has too little detail to be compared.",
    Reason.UPLOAD_LOST: "The upload was lost here before it could be screened.",
    Reason.GIVEN_UP: "Screening it was begun several times and never came to an end.",
    Reason.ONLY_DIGESTS: "Only digests were sent, and they know a file by its exact bytes alone.",
}


@dataclass(frozen=True, slots=True)
class NotDecoded:
    """No plane came out, and why. `detail` is ours, never text from the file."""

    reason: Reason
    detail: str = ""


class Unreadable(Exception):  # noqa: N818  # names what happened
    """Why reading went no further. Raised and caught inside the decoder only."""

    def __init__(self, why: NotDecoded) -> None:
        """Carry the reason."""
        super().__init__(why)
        self.why = why
