# SPDX-License-Identifier: Apache-2.0
"""What a backup keeps of the log's folder: in clear what everybody may see, apart from it the private keys.

The published files are not kept: the leaves are in the database, and every file follows from them
(`holdfast.publish.Publisher.rebuild`). Nothing here replaces a log that is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from holdfast.adapters.log_folder import LogFolder, checked_head, replace
from holdfast.errors import BackupUnusable, HoldfastError, TargetNotEmpty
from holdfast.log.checkpoint import Checkpoint
from holdfast.log.keys import Role, read_history

_KEYS: Final = tuple(f"{role}.key" for role in Role)


@dataclass(frozen=True, slots=True)
class LogCopy:
    """The history of a log's keys, the head that it signed last, and its private keys as they lie on disk."""

    history: Any
    head: str | None
    private: dict[str, str] = field(default_factory=dict, repr=False)

    def public(self) -> bytes:
        """What everybody may see, as it is kept."""
        return json.dumps({"keys": self.history, "head": self.head}, indent=1).encode()

    def secret(self) -> bytes:
        """The private keys, as they are kept once they are encrypted."""
        return json.dumps(self.private).encode()

    def checkpoint(self) -> Checkpoint | None:
        """The head that was signed last. Raises ProofInvalid if none of the log's keys signed it."""
        return checked_head(self.head, read_history(self.history)) if self.head else None


def copied(folder: LogFolder) -> LogCopy:
    """The log of a folder, whose lock the caller holds. Raises LogElsewhere or LogDiverged."""
    identity, last = folder.identity(), folder.last_signed()
    private = {name: (folder.path / name).read_text() for name in _KEYS}
    return LogCopy(identity.history, last[1] if last else None, private)


def read_copy(public: bytes, secret: bytes | None) -> LogCopy:
    """A log as it was kept, without its private keys if they are None. Raises BackupUnusable."""
    try:
        found = json.loads(public)
        private = {} if secret is None else json.loads(secret)
        copy = LogCopy(found["keys"], found["head"], {name: str(private[name]) for name in _KEYS if private})
        copy.checkpoint()
    except (ValueError, KeyError, TypeError, HoldfastError) as cause:
        message = "the log in it cannot be read, or is not signed by its own keys"
        raise BackupUnusable(message) from cause
    return copy


def put_back(folder: LogFolder, copy: LogCopy) -> None:
    """Put a log into a folder that holds none; what nobody needs to keep apart last. Raises TargetNotEmpty."""
    if folder.exists():
        raise TargetNotEmpty(str(folder.path))
    with folder.alone():
        for name, text in copy.private.items():
            replace(folder.path / name, text.encode())
        if copy.head is not None:
            replace(folder.path / "head", copy.head.encode())
        replace(folder.path / "keys.json", json.dumps(copy.history, indent=1).encode())
