# SPDX-License-Identifier: Apache-2.0
"""The keyring on disk, and what keeps its secrets there.

One file of mode 0600 in a folder of mode 0700, outside the database's own folder, replaced as a whole and
fsynced before anybody is told. Every process notices a new one by its inode the next time it needs a key.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyrage

from holdfast.errors import InvalidSetting, SealingKeyMissing
from holdfast.sealed.keyring import Keeper, Kek, Keyring, kek_id

_FORM: Final = 1


class RightsKeeper:
    """Keeps secrets by nothing but the rights of the file they lie in."""

    kind = "file"

    def lock(self, secret: bytes) -> bytes:
        """As it is: see `Keeper`."""
        return secret

    def unlock(self, locked: bytes) -> bytes:
        """As it is: see `Keeper`."""
        return locked


class AgeKeeper:
    """Keeps secrets encrypted to an age identity, whose file may lie on another medium."""

    kind = "age"

    def __init__(self, identity: Path) -> None:
        """Use the first X25519 identity in the file `identity`."""
        self._identity = identity

    def lock(self, secret: bytes) -> bytes:
        """Encrypted to the identity's recipient: see `Keeper`."""
        return bytes(pyrage.encrypt(secret, [self._open().to_public()]))

    def unlock(self, locked: bytes) -> bytes:
        """Decrypted: see `Keeper`."""
        try:
            return bytes(pyrage.decrypt(locked, [self._open()]))
        except (pyrage.DecryptError, InvalidSetting) as cause:
            message = f"the keyring does not open with the identity in {self._identity}"
            raise SealingKeyMissing(message) from cause

    def _open(self) -> pyrage.x25519.Identity:
        return read_identity(self._identity)


@dataclass(slots=True)
class _Read:
    stamp: tuple[int, int, int]
    keyring: Keyring


class KeyringFile:
    """The keyring of one file: see `holdfast.sealed.keyring.Keyrings`."""

    def __init__(self, path: Path, keeper: Keeper) -> None:
        """Read and write `path`, its secrets locked by `keeper`; nothing is touched yet."""
        self.path = path
        self.keeper = keeper
        self._last: _Read | None = None

    def read(self) -> Keyring:
        """The keyring as it stands: see `Keyrings`."""
        try:
            found = os.stat(self.path)  # noqa: PTH116  # asked with every sealed value: this takes a microsecond
        except OSError as cause:
            message = f"{self.path}: {cause.strerror}"
            raise SealingKeyMissing(message) from cause
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        last = self._last
        if last is None or last.stamp != stamp:
            last = self._last = _Read(stamp, self._parse())
        return last.keyring

    def there(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    def create(self, keyring: Keyring) -> None:
        """Write the first one; if another process was faster, its keyring stands."""
        self._make_folder()
        half = self._written(keyring)
        try:
            os.link(half, self.path)
        except FileExistsError:
            pass
        finally:
            half.unlink()
        sync_folder(self.path.parent)

    def write(self, keyring: Keyring) -> None:
        """Put `keyring` in the place of the one that stands: see `Keyrings`."""
        self._written(keyring).replace(self.path)
        sync_folder(self.path.parent)

    def put_back(self, whole: bytes) -> None:
        """Put a copy of this file, as it was once written, in its place. Raises SealingKeyMissing if it is none."""
        self._make_folder()
        half = self.path.with_name(f".{self.path.name}.{os.getpid()}.copy")
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123  # an open descriptor
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        KeyringFile(half, self.keeper).read()
        half.replace(self.path)
        sync_folder(self.path.parent)

    def _make_folder(self) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as cause:
            message = f"HOLDFAST_KEYRING: {folder}: {cause.strerror}"
            raise InvalidSetting(message) from cause

    def _written(self, keyring: Keyring) -> Path:
        """The keyring in a file beside its place, on disk for good."""
        half = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # an open descriptor
            json.dump(self._body(keyring), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        return half

    def _body(self, keyring: Keyring) -> dict[str, Any]:
        keys = [
            {"id": key.id, "made_at": key.made_at.isoformat(), "secret": self._locked(key.secret)}
            for key in keyring.keys.values()
        ]
        finding = self._locked(keyring.finding)
        return {"form": _FORM, "keeper": self.keeper.kind, "current": keyring.current, "finding": finding, "keys": keys}

    def _locked(self, secret: bytes) -> str:
        return base64.b64encode(self.keeper.lock(secret)).decode()

    def _parse(self) -> Keyring:
        try:
            return self._keyring(json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, binascii.Error) as cause:
            message = f"{self.path} cannot be read as a keyring"
            raise SealingKeyMissing(message) from cause

    def _keyring(self, body: dict[str, Any]) -> Keyring:
        if body["keeper"] != self.keeper.kind:
            message = f"{self.path} is locked by {body['keeper']}, and this Holdfast is set up for {self.keeper.kind}"
            raise SealingKeyMissing(message)
        keys = [
            Kek(one["id"], self._unlocked(one["secret"]), datetime.fromisoformat(one["made_at"]))
            for one in body["keys"]
        ]
        if body["form"] != _FORM or any(key.id != kek_id(key.secret) for key in keys):
            message = f"{self.path} is damaged"
            raise SealingKeyMissing(message)
        keyring = Keyring({key.id: key for key in keys}, body["current"], self._unlocked(body["finding"]))
        keyring.get(keyring.current)
        return keyring

    def _unlocked(self, locked: str) -> bytes:
        return self.keeper.unlock(base64.b64decode(locked, validate=True))


class ErasureFile:
    """What was erased, one JSON line each, beside the keyring: see `holdfast.store.sealed_subjects.Erasures`."""

    def __init__(self, path: Path) -> None:
        """Append to `path`."""
        self.path = path

    def add(self, subject: str, proposal: str) -> None:
        """Add one line, on disk before this returns; one that a crash cut short is ended first."""
        told = {"subject": subject, "proposal": proposal}
        line = f"{self._end_of_cut_line()}{json.dumps(told)}\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self.path.parent)

    def all(self) -> list[tuple[str, str]]:
        """Every line that is whole: one that a crash cut short was never committed."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")
        found = [json.loads(line) for line in lines[:-1] if line.endswith("}")]
        return [(one["subject"], one["proposal"]) for one in found]

    def _end_of_cut_line(self) -> str:
        whole = not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n")
        return "" if whole else "\n"


def read_identity(path: Path) -> pyrage.x25519.Identity:
    """The first X25519 identity of an age identity file. Raises InvalidSetting if there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        secret = next(line.strip() for line in lines if line.strip().startswith("AGE-SECRET-KEY-1"))
        return pyrage.x25519.Identity.from_str(secret)
    except (OSError, UnicodeDecodeError, StopIteration, pyrage.IdentityError) as cause:
        message = f"HOLDFAST_KEYRING_IDENTITY: {path} holds no age identity that can be read"
        raise InvalidSetting(message) from cause


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk for good."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
