# SPDX-License-Identifier: Apache-2.0
"""The log's files in the data directory: its keys, the last signed head, and what is served to everyone.

    log.key receipt.key   private, 0600        keys.json   how each public key came to be believed
    head                  the last note signed, on disk before anyone sees it
    checkpoint tile/...   what is published, laid out as C2SP tlog-tiles has it

Every file is written under another name, synced, renamed, and its folder synced. A head that is
smaller than the one that stands here is refused by this class, whoever asks.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from holdfast.errors import LogDiverged, LogElsewhere
from holdfast.log.checkpoint import Checkpoint, parse_checkpoint
from holdfast.log.keys import History, Keys, Role, read_history, vouch
from holdfast.log.merkle import HASH_BYTES, Node
from holdfast.log.note import Signer, new_signer, open_note, parse_note
from holdfast.log.tile import Tile, node_reader

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this log is: its signers now, and the history of their keys."""

    log: Signer
    receipt: Signer
    history: History
    keys: Keys


class LogFolder:
    """One folder of one log. `identity` and `last_signed` read it each time: another process may have written."""

    def __init__(self, path: Path) -> None:
        """Use `path`, which is made when the log's keys are."""
        self.path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While it lasts, no other process of this machine signs or changes keys."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def exists(self) -> bool:
        """Whether this machine holds the log's keys."""
        return (self.path / "keys.json").exists()

    def create(self, now: datetime) -> None:
        """Make the log's name and keys. What an earlier attempt left half made signed nothing, and is made anew."""
        origin = f"holdfast.invalid/{secrets.token_hex(8)}"
        log, receipt = new_signer(origin), new_signer(f"{origin}/receipt")
        self._write_key(Role.LOG, log)
        self._write_key(Role.RECEIPT, receipt)
        history = [
            vouch(log, Role.LOG, after=None, at=now),
            vouch(receipt, Role.RECEIPT, after=log, at=now),
        ]
        replace(self.path / "keys.json", json.dumps(history, indent=1).encode())

    def rotate(self, now: datetime) -> None:
        """Make new keys, vouched for by the log key until now, which is then forgotten. Call it `alone`."""
        old = self.identity()
        log, receipt = new_signer(old.log.name), new_signer(old.receipt.name)
        history = [
            *old.history,
            vouch(log, Role.LOG, after=old.log, at=now),
            vouch(receipt, Role.RECEIPT, after=log, at=now),
        ]
        self._write_key(Role.LOG, log, suffix=".next")
        self._write_key(Role.RECEIPT, receipt, suffix=".next")
        replace(self.path / "keys.json", json.dumps(history, indent=1).encode())
        self._finish_rotation()

    def identity(self) -> Identity:
        """The log's signers and key history. Raises LogElsewhere if they are not on this machine."""
        try:
            history = json.loads((self.path / "keys.json").read_bytes())
            keys = read_history(history)
            log, receipt = self._key(Role.LOG), self._key(Role.RECEIPT)
            if (log.verifier, receipt.verifier) != (keys.log[-1], keys.receipt[-1]):  # killed within a rotation
                self._finish_rotation()
                log, receipt = self._key(Role.LOG), self._key(Role.RECEIPT)
        except FileNotFoundError as cause:
            raise LogElsewhere from cause
        if (log.verifier, receipt.verifier) != (keys.log[-1], keys.receipt[-1]):
            raise LogDiverged("the log's private keys are not those of its key history")
        return Identity(log, receipt, history, keys)

    def history(self) -> History:
        """The history of the log's public keys. Raises LogElsewhere."""
        try:
            return list(json.loads((self.path / "keys.json").read_bytes()))
        except FileNotFoundError as cause:
            raise LogElsewhere from cause

    def last_signed(self) -> tuple[Checkpoint, str] | None:
        """The last head that was signed, and its note; None before the first. Raises LogDiverged if it is not sound."""
        try:
            note = (self.path / "head").read_text()
        except FileNotFoundError:
            return None
        return checked_head(note, read_history(self.history())), note

    def sign(self, head: Checkpoint) -> str:
        """Sign a head that follows the last one, and have the note on disk before returning it."""
        last = self.last_signed()
        if last and head.size <= last[0].size:
            message = f"asked to sign a tree of {head.size} after one of {last[0].size}"
            raise LogDiverged(message)
        note = head.signed(self.identity().log)
        replace(self.path / "head", note.encode())
        return note

    def publish(self, note: str) -> None:
        """Show a signed head to everyone; its tiles are on disk already."""
        replace(self.path / "checkpoint", note.encode(), _PUBLIC)

    def published(self) -> str | None:
        """The head that everyone sees."""
        try:
            return (self.path / "checkpoint").read_text()
        except FileNotFoundError:
            return None

    def write(self, path: str, data: bytes) -> None:
        """Put one tile or bundle of entries."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        replace(target, data, _PUBLIC)

    def drop_partial(self, path: str) -> None:
        """The full file at `path` is published: the partial ones before it are of no more use."""
        shutil.rmtree(self.path / f"{path}.p", ignore_errors=True)

    def read(self, path: str) -> bytes:
        """One published file. Raises FileNotFoundError."""
        return (self.path / path).read_bytes()

    def tile(self, tile: Tile) -> bytes:
        """One tile of hashes; of a partial one that has gone, the beginning of the full one.

        Raises LogDiverged if it is not there or cut.
        """
        wanted = tile.width * HASH_BYTES
        for path in (tile.path(), Tile(tile.level, tile.index).path()):
            with suppress(FileNotFoundError):
                data = self.read(path)[:wanted]
                if len(data) == wanted:
                    return data
        message = f"the log's file {tile.path()} is missing or damaged"
        raise LogDiverged(message)

    def nodes(self, size: int) -> Node:
        """The nodes of the published tree of this size."""
        return node_reader(self.tile, size)

    def _finish_rotation(self) -> None:
        for role in Role:
            following = self.path / f"{role}.key.next"
            with suppress(FileNotFoundError):  # done already, perhaps by another process
                following.rename(self.path / f"{role}.key")
        _sync_folder(self.path)

    def _write_key(self, role: Role, signer: Signer, suffix: str = "") -> None:
        text = json.dumps({"name": signer.name, "private": signer.private.hex()})
        replace(self.path / f"{role}.key{suffix}", text.encode())

    def _key(self, role: Role) -> Signer:
        held = json.loads((self.path / f"{role}.key").read_bytes())
        return Signer(held["name"], bytes.fromhex(held["private"]))


def checked_head(note: str, keys: Keys) -> Checkpoint:
    """The head in a note that one of the log's own keys has signed. Raises ProofInvalid."""
    _, signatures = parse_note(note)
    return parse_checkpoint(open_note(note, keys.of_log(signatures[0][1])))


def replace(path: Path, data: bytes, mode: int = _PRIVATE) -> None:
    """Write a file so that it is there whole or not at all, and there after a loss of power. Raises OSError."""
    half = path.with_name(f".{path.name}.half")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        _write_all(descriptor, data, os.write)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    half.rename(path)
    _sync_folder(path.parent)


def _write_all(descriptor: int, data: bytes, write: Callable[[int, bytes], int]) -> None:
    left = memoryview(data)
    while left:
        left = left[write(descriptor, bytes(left)) :]


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
