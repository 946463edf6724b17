# SPDX-License-Identifier: Apache-2.0
"""A checkpoint (C2SP tlog-checkpoint): the log's name, how many entries it has, the root over them; signed.

Whoever keeps one can later tell whether the log has only grown. A log must never sign two that
contradict each other, so nothing signs one but `store.publish`, after a proof.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from holdfast.errors import ProofInvalid
from holdfast.log.note import Signer, Verifier, open_note

_SIZE: Final = re.compile(r"0|[1-9][0-9]*")
_LARGEST: Final = 2**63
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: of which log, how large, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, signer: Signer) -> str:
        """The signed note."""
        return signer.note(self.text())


def parse_checkpoint(untrusted_text: str) -> Checkpoint:
    """Read the text of a checkpoint; lines after the third are passed over. Raises ProofInvalid."""
    lines = untrusted_text.split("\n")
    if len(lines) <= _LINES or not lines[0]:
        raise ProofInvalid("a checkpoint has a name, a size and a root, each in a line")
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) >= _LARGEST:
        raise ProofInvalid("the checkpoint's size is not a number that a log can have")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise ProofInvalid("the checkpoint's root is not base64") from None
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(untrusted_note: str, verifier: Verifier) -> Checkpoint:
    """The checkpoint in a note that `verifier` has signed for a log of its own name. Raises ProofInvalid."""
    found = parse_checkpoint(open_note(untrusted_note, verifier))
    if found.origin != verifier.name:
        message = f"the checkpoint is of the log {found.origin}, not of {verifier.name}"
        raise ProofInvalid(message)
    return found
