# SPDX-License-Identifier: Apache-2.0
"""Receive an upload: bound it, seal it so that nothing can change it, and digest it.

The bytes go into an anonymous memory file, and the file is sealed when the last byte is in: what is
digested is what is decoded. What is too long for memory, or is going to be looked at later, goes to
the spool on disk instead (`Room`), where nobody can write to it either. Digests are of the received
bytes, whatever they mean; of those in memory they are worked out beside the decoding, by a thread of
their own, of those on disk while they arrive.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from holdfast.errors import InvalidRequest
from holdfast.intake.spool import Arriving, Spool, Waiting

CHUNK: Final = 256 * 1024
_DIGESTS: Final = ("md5", "sha1", "sha256")
_WORTH_A_THREAD: Final = 128 * 1024  # bytes; digesting them takes about a third of a millisecond
_DIGESTING: Final = ThreadPoolExecutor(thread_name_prefix="digest")
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """MD5, SHA-1 and SHA-256 of the received bytes, in hexadecimal."""

    md5: str
    sha1: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where an upload may go that does not belong into memory, and how long it may be there.

    `is_long` tells by the first `head` bytes whether it is of a type that goes to disk whatever its
    length, and may have `limit` bytes; any other goes there from `above` bytes on. `announced` is how
    many bytes are to come at most.
    """

    spool: Spool
    announced: int
    above: int
    limit: int
    is_long: Callable[[bytes], bool]
    head: int
    always: bool = False
    """Whether it goes to disk however short it is, because it is to be screened later."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """The upload went on past the limit; the rest was not read and nothing of it was kept."""

    limit: int


class Upload:
    """Received bytes that nobody can change. Close it, or use it in a `with` block, to give their room back."""

    def __init__(
        self, descriptor: int, size: int, digests: Digests | Future[Digests], waiting: Waiting | None = None
    ) -> None:
        """Own `descriptor`, a sealed memory file of `size` bytes, or that of `waiting` in the spool."""
        self.descriptor = descriptor
        self.size = size
        self._digests = digests
        self.waiting = waiting

    @property
    def digests(self) -> Digests:
        """Its digests; waits until they are there."""
        return self._digests if isinstance(self._digests, Digests) else self._digests.result()

    def head(self, length: int) -> bytes:
        """The first bytes, for telling the type."""
        return os.pread(self.descriptor, length, 0)

    def close(self) -> None:
        """Give the memory back, or what is in the spool and was not kept; closing twice is harmless."""
        if self.descriptor < 0:
            return
        if self.waiting:
            self.waiting.let_go()
        else:
            os.close(self.descriptor)
        self.descriptor = -1

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class Receiver:
    """Takes an upload chunk by chunk. `finish` gives what was received; `abandon` forgets it."""

    def __init__(self, limit: int, room: Room | None = None) -> None:
        """Accept at most `limit` bytes, or what `room` allows if there is one."""
        self._limit = limit
        self._room = room
        self._descriptor = os.memfd_create("upload", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._arriving: Arriving | None = None
        self._hashes = [hashlib.new(name, usedforsecurity=False) for name in _DIGESTS]
        self._sorted = room is None
        self._size = 0

    @property
    def over_limit(self) -> bool:
        """Whether more than the limit has arrived; further chunks are dropped."""
        return self._sorted and self._size > self._limit

    @property
    def size(self) -> int:
        """How many bytes came."""
        return self._size

    def take(self, untrusted_chunk: bytes) -> None:
        """Keep the next bytes. Raises NoRoom if they belong on disk and it is full."""
        self._size += len(untrusted_chunk)
        if self.over_limit:
            os.ftruncate(self._descriptor, 0)
            return
        self._write(untrusted_chunk)
        if self._room and not self._sorted and self._size >= self._room.head:
            self._sort(self._room)
        if self._room and self._arriving is None and self._size > self._room.above:
            self._move(self._room.spool)

    def finish(self) -> Upload | TooLong:
        """Seal what arrived, or say that it was too long."""
        if self._room and not self._sorted:
            self._sort(self._room)
        if self.over_limit:
            self.abandon()
            return TooLong(self._limit)
        if self._arriving is None:
            fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, _SEALS)
            return Upload(self._descriptor, self._size, _begin_digesting(self._descriptor, self._size))
        waiting = self._arriving.finish(self._size)
        os.close(self._descriptor)
        return Upload(waiting.descriptor, self._size, _read_off(self._hashes), waiting)

    def abandon(self) -> None:
        """Forget what arrived."""
        os.close(self._descriptor)
        if self._arriving:
            self._arriving.abandon()

    def _sort(self, room: Room) -> None:
        """Tell by the first bytes whether it goes to disk, and with that how long it may be."""
        self._sorted = True
        long = room.is_long(os.pread(self._descriptor, room.head, 0))
        if long:
            self._limit = room.limit
        if (long or room.always) and not self.over_limit and self._arriving is None:
            self._move(room.spool)

    def _move(self, spool: Spool) -> None:
        """From memory to disk; what is still to come goes there too."""
        assert self._room is not None
        self._arriving = spool.begin(max(self._size, min(self._room.announced, self._limit)))
        at = 0
        while chunk := os.pread(self._descriptor, CHUNK, at):
            self._write(chunk)
            at += len(chunk)
        os.ftruncate(self._descriptor, 0)

    def _write(self, chunk: bytes) -> None:
        if self._arriving:
            self._arriving.write(chunk)
            for digest in self._hashes:
                digest.update(chunk)
        else:
            _write_all(self._descriptor, chunk)


def receive(
    untrusted_chunks: Iterable[bytes], limit: int, *, declared: int | None = None, room: Room | None = None
) -> Upload | TooLong:
    """Receive a whole stream of at most `limit` bytes, or what `room` allows.

    Raises InvalidRequest if fewer than `declared` bytes came: half an upload is not what the
    platform would publish, so screening it would answer another question. Raises NoRoom if it
    belongs on disk and there is no room.
    """
    receiver = Receiver(limit, room)
    try:
        for chunk in untrusted_chunks:
            receiver.take(chunk)
            if receiver.over_limit:
                break
        received = receiver.finish()
    except BaseException:
        receiver.abandon()
        raise
    if isinstance(received, Upload) and declared is not None and received.size < declared:
        received.close()
        message = f"body: {declared} bytes were announced and {received.size} came"
        raise InvalidRequest(message)
    return received


def from_bytes(content: bytes, limit: int) -> Upload | TooLong:
    """Receive bytes that are already here."""
    return receive([content], limit)


def _begin_digesting(descriptor: int, size: int) -> Digests | Future[Digests]:
    """The digests, at once if that takes less than telling another thread."""
    if size < _WORTH_A_THREAD:
        return _digest(os.pread(descriptor, size, 0))
    return _DIGESTING.submit(_digest, mmap.mmap(descriptor, size, prot=mmap.PROT_READ))


def _digest(content: bytes | mmap.mmap) -> Digests:
    """Lets other threads run meanwhile, as hashlib does for all but short contents."""
    return _read_off([hashlib.new(name, content, usedforsecurity=False) for name in _DIGESTS])


def _read_off(hashes: Sequence[hashlib._Hash]) -> Digests:
    md5, sha1, sha256 = (digest.hexdigest() for digest in hashes)
    return Digests(md5=md5, sha1=sha1, sha256=sha256)


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]
