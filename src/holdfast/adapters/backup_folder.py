# SPDX-License-Identifier: Apache-2.0
"""A backup on disk: a folder with the dump, the log, perhaps the keys for one recipient, and last of all the manifest.

A folder without a manifest is a backup that did not get to its end. The manifest names every other file
with its size and SHA-256, and says in words what is not in the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage

from holdfast.adapters.keyring import read_identity, sync_folder
from holdfast.errors import BackupUnusable, InvalidRequest, TargetNotEmpty

DUMP: Final = "database.dump"
KEYRING: Final = "keyring.age"
LOG: Final = "log.json"
LOG_KEYS: Final = "log-keys.age"
MANIFEST: Final = "manifest.json"
FORM: Final = 1
CHUNK: Final = 1024 * 1024
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the backup: how many bytes, and their SHA-256 (hex)."""

    bytes: int
    sha256: str


class BackupFolder:
    """One backup."""

    def __init__(self, path: Path) -> None:
        """The backup in the folder `path`, whether it is there yet or not."""
        self.path = path

    def begin(self) -> None:
        """Make the folder for its owner alone. Raises TargetNotEmpty if anything is in it already."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            taken = any(self.path.iterdir())
        except OSError as cause:
            message = f"{self.path}: {cause.strerror}"
            raise InvalidRequest(message) from cause
        if taken:
            raise TargetNotEmpty(str(self.path))

    def write(self, name: str, chunks: Iterable[bytes], progress: Progress = lambda _: None) -> Written:
        """Write one file as it comes, and have it on disk before this returns."""
        digest, size = hashlib.sha256(), 0
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123  # an open descriptor
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                progress(size)
            file.flush()
            os.fsync(file.fileno())
        return Written(size, digest.hexdigest())

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, after which this is a backup."""
        self.write(MANIFEST, [json.dumps({"form": FORM, **manifest}, indent=2).encode()])
        sync_folder(self.path)

    def manifest(self) -> dict[str, Any]:
        """The manifest. Raises BackupUnusable if there is none that can be read."""
        try:
            found = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as cause:
            message = f"{self.path} holds no finished backup"
            raise BackupUnusable(message) from cause
        if not isinstance(found, dict) or found.get("form") != FORM:
            message = f"{self.path} is not of a form that this version reads"
            raise BackupUnusable(message)
        return found

    def check(self, progress: Progress = lambda _: None) -> None:
        """Read every file once. Raises BackupUnusable if one is missing, cut short or changed."""
        done = 0
        for name, facts in self.manifest()["files"].items():
            digest, size = hashlib.sha256(), 0
            for chunk in self.read(name):
                digest.update(chunk)
                size += len(chunk)
                progress(done + size)
            done += size
            if Written(size, digest.hexdigest()) != Written(facts["bytes"], facts["sha256"]):
                message = f"{name} is not as it was written"
                raise BackupUnusable(message)

    def read(self, name: str) -> Iterator[bytes]:
        """A file, piece by piece. Raises BackupUnusable if it is not there."""
        try:
            with (self.path / Path(name).name).open("rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except OSError as cause:
            message = f"{name}: {cause.strerror}"
            raise BackupUnusable(message) from cause

    def write_secret(self, name: str, secret: bytes, recipient: str) -> Written:
        """Add a file, encrypted to an age recipient. Raises InvalidRequest if that is none."""
        return self.write(name, [bytes(pyrage.encrypt(secret, [read_recipient(recipient)]))])

    def secret(self, name: str, identity: Path) -> bytes:
        """Such a file again. Raises BackupUnusable if the identity does not open it, or there is none."""
        try:
            return bytes(pyrage.decrypt(b"".join(self.read(name)), [read_identity(identity)]))
        except pyrage.DecryptError as cause:
            message = f"{name} does not open with the identity in {identity}"
            raise BackupUnusable(message) from cause


def read_recipient(text: str) -> pyrage.x25519.Recipient:
    """An age recipient. Raises InvalidRequest if it is none."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as cause:
        raise InvalidRequest("--to: not an age recipient; it begins with 'age1'") from cause
