# SPDX-License-Identifier: Apache-2.0
"""The spool: uploads too long for memory wait here, on disk, until they are screened. Then they are removed.

A file is made under a random name, for this uid alone (0600, then 0400), in a folder that only this
uid can enter. Whoever reads it later gets a descriptor that cannot write, and no name: a decoder runs
as another user where it can, and opens no file anywhere. What was received is known again by its
inode, size and time of change, which any write would alter; a file that is not what was received is
as good as lost, and is never screened in its place.

The folder has a budget. A file counts from its first byte with the length that was announced, so that
an upload that is let in can be received to its end; when there is no room, the next one is refused
with words that say to come again, and nothing that is here is dropped for it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from holdfast.errors import NoRoom

ORPHANED_AFTER_SECONDS: Final = 3600.0
LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
"""What an upload must leave of the disk: the database may live there too."""
_NAME: Final = re.compile(r"[0-9a-f]{32}")
_ARRIVING: Final = ".part"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Arriving:
    """A file that is being received. Exactly one of `finish` and `abandon` ends it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Own `descriptor`, which can write to `path`, and hold its lock: an unlocked one was left by the dead."""
        self._path = path
        self._descriptor = descriptor

    def write(self, chunk: bytes | memoryview) -> None:
        """Add the next bytes. Raises NoRoom if the disk is full."""
        view = memoryview(chunk)
        with _room_or_refusal():
            while view:
                view = view[os.write(self._descriptor, view) :]

    def finish(self, size: int) -> Waiting:
        """Cut it to what came, and let nobody write to it from now on."""
        with _room_or_refusal():
            os.ftruncate(self._descriptor, size)
        os.fchmod(self._descriptor, 0o400)
        reading = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        fcntl.flock(reading, fcntl.LOCK_SH)
        os.close(self._descriptor)
        return Waiting(self._path, reading)

    def abandon(self) -> None:
        """Forget what came."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


class Waiting:
    """A received file that nobody can write to. It goes when it is let go, unless it was kept."""

    def __init__(self, path: Path, descriptor: int, *, kept: bool = False) -> None:
        """Own `descriptor`, which can only read."""
        self._path = path
        self._kept = kept
        self.descriptor = descriptor

    @property
    def name(self) -> str:
        """Its name in the spool."""
        return self._path.stem

    @property
    def fingerprint(self) -> str:
        """What any change to the file would change: its inode, its size, when it last changed."""
        facts = os.fstat(self.descriptor)
        return f"{facts.st_ino}:{facts.st_size}:{facts.st_ctime_ns}"

    def keep(self) -> None:
        """Have it on disk for good, whatever dies: from now on only a row's end, or an hour without row, removes it."""
        with _room_or_refusal():
            os.fsync(self.descriptor)
            kept = self._path.with_suffix("")
            self._path.rename(kept)
            self._path, self._kept = kept, True
            folder = os.open(kept.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def let_go(self) -> None:
        """Close it, and remove it if it was not kept."""
        if not self._kept:
            self._path.unlink(missing_ok=True)
        os.close(self.descriptor)


class Spool:
    """The spool folder of one data directory. Any number of processes may share it."""

    def __init__(self, folder: Path, budget: int) -> None:
        """Use `folder`, made at the first need, for at most `budget` bytes."""
        self.folder = folder
        self.budget = budget

    @property
    def id(self) -> str:
        """Which spool this is. A screening's upload can only be read by processes that see the same one."""
        with self._alone():
            path = self.folder / ".id"
            if not path.exists():
                fresh = path.with_name(f".id.{secrets.token_hex(8)}")
                fresh.write_text(f"spool_{secrets.token_hex(12)}")
                fresh.rename(path)
            return path.read_text()

    def begin(self, announced: int) -> Arriving:
        """Make room for a file of at most `announced` bytes. Raises NoRoom."""
        with self._alone():
            if not self._has_room(announced):
                self._drop_left_by_the_dead()
            if not self._has_room(announced):
                message = f"the {announced:,} bytes of this upload do not fit beside those that wait"
                raise NoRoom(message)
            path = self.folder / f"{secrets.token_hex(16)}{_ARRIVING}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            with _room_or_refusal():
                os.ftruncate(descriptor, announced)
        return Arriving(path, descriptor)

    def open(self, name: str, fingerprint: str) -> Waiting | None:
        """The file that was kept under `name`; None if it is gone, or is not what was kept."""
        if not _NAME.fullmatch(name):
            return None
        path = self.folder / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        found = Waiting(path, descriptor, kept=True)
        if found.fingerprint != fingerprint:
            found.let_go()
            return None
        return found

    def remove(self, name: str) -> None:
        """Remove what was kept under `name`, if it is there."""
        if _NAME.fullmatch(name):
            (self.folder / name).unlink(missing_ok=True)

    def used(self) -> int:
        """Bytes that its files take or have been promised."""
        return sum(facts.st_size for facts in self._facts())

    def kept(self) -> list[str]:
        """The names of the files that are kept."""
        return [path.name for path in self._files() if _NAME.fullmatch(path.name)]

    def sweep(self, open_rows: Container[str], ended_rows: Container[str]) -> int:
        """Remove files whose row has ended, kept ones that have had no row for an hour, and what the dead left.

        The rows MUST have been read after `kept` was: a file is kept before its row is written.
        """
        before = time.time() - ORPHANED_AFTER_SECONDS
        with self._alone():
            swept = self._drop_left_by_the_dead()
            for name in self.kept():
                if name not in open_rows and (name in ended_rows or self._older(name, before)):
                    self.remove(name)
                    swept += 1
        return swept

    def _has_room(self, announced: int) -> bool:
        used = self.used()
        promised = max(0, used - self._written())
        left = shutil.disk_usage(self.folder).free - promised - announced
        return used + announced <= self.budget and left >= LEAST_FREE_BYTES

    def _written(self) -> int:
        return sum(facts.st_blocks * 512 for facts in self._facts())

    def _facts(self) -> Iterator[os.stat_result]:
        for path in self._files():
            with suppress(FileNotFoundError):  # it went meanwhile
                yield path.stat()

    def _older(self, name: str, moment: float) -> bool:
        try:
            return (self.folder / name).stat().st_ctime < moment
        except FileNotFoundError:
            return False

    def _drop_left_by_the_dead(self) -> int:
        """Whoever receives a file holds its lock, and the kernel lets it go with the process."""
        return sum(_drop_unlocked(path) for path in self.folder.glob(f"*{_ARRIVING}"))

    def _files(self) -> list[Path]:
        return [path for path in self.folder.glob("*") if not path.name.startswith(".")]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else counts or makes files meanwhile, in no process."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _drop_unlocked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # somebody is receiving it
        return False
    else:
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(descriptor)


@contextmanager
def _room_or_refusal() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno in _FULL:
            message = "the disk is full"
            raise NoRoom(message) from fault
        raise
