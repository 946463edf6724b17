# SPDX-License-Identifier: Apache-2.0
"""A proof that came in at a door: what it is, told by its own first bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from holdfast.intake.desk import ShownProof, check_proof
from holdfast.intake.proof import Claim
from holdfast.media.filetype import HEAD_LENGTH, FileType, recognise

_PICTURES: Final = {
    FileType.JPEG: "image/jpeg",
    FileType.PNG: "image/png",
    FileType.WEBP: "image/webp",
    FileType.HEIC: "image/heic",
}
_PDF: Final = b"%PDF-"


def proof_of(untrusted_content: bytes, says: Iterable[Claim]) -> ShownProof:
    """A proof for the desk. Raises InvalidRequest for a file that cannot be kept."""
    shown = ShownProof(says=frozenset(says), media_type=media_type_of(untrusted_content), content=untrusted_content)
    check_proof(shown)
    return shown


def media_type_of(untrusted_content: bytes) -> str:
    """What a file is, or empty if it is nothing that a proof may be."""
    if untrusted_content.startswith(_PDF):
        return "application/pdf"
    found = recognise(untrusted_content[:HEAD_LENGTH])
    return _PICTURES.get(found, "") if isinstance(found, FileType) else ""
