# SPDX-License-Identifier: Apache-2.0
"""Receive an upload: bound it, seal it so that nothing can change it, and digest it.

The bytes go into an anonymous memory file, never into a file system, and the file is sealed when
the last byte is in: what is digested is what is decoded. Digests are of the received bytes, whatever
they mean. They are worked out beside the decoding, by a thread of their own.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from holdfast.errors import InvalidRequest

CHUNK: Final = 256 * 1024
_WORTH_A_THREAD: Final = 128 * 1024  # bytes; digesting them takes about a third of a millisecond
_DIGESTING: Final = ThreadPoolExecutor(thread_name_prefix="digest")
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """MD5, SHA-1 and SHA-256 of the received bytes, in hexadecimal."""

    md5: str
    sha1: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TooLong:
    """The upload went on past the limit; the rest was not read and nothing of it was kept."""

    limit: int


class Upload:
    """Received bytes, sealed. Close it, or use it in a `with` block, to give the memory back."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Own `descriptor`, a sealed memory file of `size` bytes."""
        self.descriptor = descriptor
        self.size = size
        self._digests = _begin_digesting(descriptor, size)

    @property
    def digests(self) -> Digests:
        """Its digests; waits until they are there."""
        return self._digests if isinstance(self._digests, Digests) else self._digests.result()

    def head(self, length: int) -> bytes:
        """The first bytes, for telling the type."""
        return os.pread(self.descriptor, length, 0)

    def close(self) -> None:
        """Give the memory back; closing twice is harmless."""
        if self.descriptor >= 0:
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

    def __init__(self, limit: int) -> None:
        """Accept at most `limit` bytes."""
        self._limit = limit
        self._descriptor = os.memfd_create("upload", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._size = 0

    @property
    def over_limit(self) -> bool:
        """Whether more than the limit has arrived; further chunks are dropped."""
        return self._size > self._limit

    def take(self, untrusted_chunk: bytes) -> None:
        """Keep the next bytes."""
        self._size += len(untrusted_chunk)
        if self.over_limit:
            os.ftruncate(self._descriptor, 0)
            return
        _write_all(self._descriptor, untrusted_chunk)

    def finish(self) -> Upload | TooLong:
        """Seal what arrived, or say that it was too long."""
        if self.over_limit:
            self.abandon()
            return TooLong(self._limit)
        fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, _SEALS)
        return Upload(self._descriptor, self._size)

    def abandon(self) -> None:
        """Forget what arrived."""
        os.close(self._descriptor)


def receive(untrusted_chunks: Iterable[bytes], limit: int, *, declared: int | None = None) -> Upload | TooLong:
    """Receive a whole stream of at most `limit` bytes.

    Raises InvalidRequest if fewer than `declared` bytes came: half an upload is not what the
    platform would publish, so screening it would answer another question.
    """
    receiver = Receiver(limit)
    try:
        for chunk in untrusted_chunks:
            receiver.take(chunk)
            if receiver.over_limit:
                break
    except BaseException:
        receiver.abandon()
        raise
    received = receiver.finish()
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
    md5, sha1, sha256 = (hashlib.new(name, content, usedforsecurity=False) for name in ("md5", "sha1", "sha256"))
    return Digests(md5=md5.hexdigest(), sha1=sha1.hexdigest(), sha256=sha256.hexdigest())


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]
