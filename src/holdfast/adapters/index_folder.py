# SPDX-License-Identifier: Apache-2.0
"""Segments as files, shared by every process of one machine: written once, mapped, never changed.

A manifest names the segment files, which of their rows are dead, and the bank change they are level
with. Files are written under another name, synced and renamed; everything has a checksum that is
verified when it is opened. A folder that is damaged or foreign is the same as none: the segments are
built anew from the database, which is the truth. Hashes of such material are sensitive, so the
folder is for its owner alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from holdfast.match.known import Level
from holdfast.match.segment import Segment
from holdfast.match.slices import Cut

_MAGIC: Final = b"HFINDEX1"
_HEAD: Final = struct.Struct("<8sII")  # magic, length of the description, its checksum
_ALIGNMENT: Final = 64
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = 3
_TRIES: Final = 5
_log = structlog.get_logger("index")


class _Damaged(Exception):  # noqa: N818  # names what was found
    """A file is not what was written."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """The segments of a folder, with the rows alive that were alive at `level`."""

    level: Level
    radius: int
    """The widest threshold of any active bank, as of `level`."""
    segments: tuple[Segment, ...]


class IndexFolder:
    """One folder of segment files."""

    def __init__(self, path: Path) -> None:
        """Use `path`, which is made when something is first written."""
        self.path = path
        self._mapped: dict[str, Segment] = {}
        self._sound: set[str] = set()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process is keeping this folder; none begins to until the block ends."""
        self._make()
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def stamp(self) -> tuple[int, int] | None:
        """Something that differs after every `write`; None if there is nothing to read."""
        try:
            found = (self.path / _MANIFEST).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def write(self, segments: Sequence[Segment], level: Level, radius: int) -> None:
        """Put these segments, with their dead rows, in place of what the folder held. Raises OSError if it cannot."""
        self._make()
        names = [self._write_segment(segment) for segment in segments]
        dead = [self._write_dead(name, segment) for name, segment in zip(names, segments, strict=True)]
        body = {"format": _FORMAT, "number": level.number, "token": level.token, "radius": radius}
        body |= {"segments": names, "dead": dead}
        text = json.dumps({"body": body, "crc32": zlib.crc32(json.dumps(body).encode())})
        _replace(self.path / _MANIFEST, [text.encode()])
        self._forget_all_but({*names, *(one for one in dead if one)})

    def read(self) -> Stored | None:
        """What the folder holds; None if there is nothing, or nothing sound, which is logged."""
        for _ in range(_TRIES):
            before = self.stamp()
            try:
                return self._read() if before else None
            except (_Damaged, OSError, ValueError, LookupError, TypeError, struct.error) as fault:
                if self.stamp() == before:  # nobody has replaced it meanwhile: it is really so
                    self._sound.clear()
                    _log.error("index_damaged", because=str(fault), what_to_do="none: it is built anew")
                    return None
        return None

    def _read(self) -> Stored:
        manifest = json.loads((self.path / _MANIFEST).read_bytes())
        body = manifest["body"]
        if zlib.crc32(json.dumps(body).encode()) != manifest["crc32"] or body["format"] != _FORMAT:
            message = "the manifest is not what was written"
            raise _Damaged(message)
        segments = [self._open(name) for name in body["segments"]]
        for segment, name in zip(segments, body["dead"], strict=True):
            if name:
                segment.alive[self._read_dead(name)] = False
        self._sound = set(body["segments"])
        self._mapped = dict(zip(body["segments"], segments, strict=True))
        return Stored(Level(body["number"], body["token"]), int(body["radius"]), tuple(segments))

    def _open(self, name: str) -> Segment:
        """A segment of its own on a mapped file: which rows are alive is not shared."""
        known = self._mapped.get(name)
        if known:
            return Segment.of_arrays(known.arrays, known.cut)
        with (self.path / name).open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        return _segment_in(mapped)

    def _write_segment(self, segment: Segment) -> str:
        """Write a segment unless this process has read it from, or written it to, that very file: it may be damaged."""
        name = f"{_digest(segment)}.segment"
        if name not in self._sound or not (self.path / name).exists():
            arrays = {key: np.ascontiguousarray(value) for key, value in segment.arrays.items()}
            _replace(self.path / name, _as_chunks(arrays, segment.cut))
            self._sound.add(name)
        return name

    def _write_dead(self, name: str, segment: Segment) -> str | None:
        rows = np.flatnonzero(~segment.alive).astype("<u4").tobytes()
        if not rows:
            return None
        dead = f"{name.removesuffix('.segment')}-{hashlib.blake2b(rows, digest_size=8).hexdigest()}.dead"
        _replace(self.path / dead, [struct.pack("<I", zlib.crc32(rows)), rows])
        return dead

    def _read_dead(self, name: str) -> NDArray[np.uint32]:
        checksum, rows = struct.unpack_from("<I", whole := (self.path / name).read_bytes())[0], whole[4:]
        if zlib.crc32(rows) != checksum:
            message = f"{name} is not what was written"
            raise _Damaged(message)
        return np.frombuffer(rows, "<u4")

    def _forget_all_but(self, names: set[str]) -> None:
        """Remove files that the manifest no longer names; whoever has them mapped keeps them."""
        for path in self.path.iterdir():
            if path.suffix in (".segment", ".dead", ".new") and path.name not in names:
                path.unlink(missing_ok=True)


def _digest(segment: Segment) -> str:
    """A name that says what is inside."""
    whole = hashlib.blake2b(digest_size=16)
    whole.update(np.ascontiguousarray(segment.labels).data)
    whole.update(np.ascontiguousarray(segment.tables.words).data)
    return whole.hexdigest()


def _as_chunks(arrays: dict[str, NDArray[Any]], cut: Cut) -> Iterator[bytes | memoryview]:
    """A segment file: head, description, then each array at a multiple of 64 bytes."""
    at = 0
    described: list[dict[str, Any]] = []
    for name, array in arrays.items():
        at = _aligned(at)
        checksum = zlib.crc32(array.data.cast("B")) if array.size else 0
        described.append({"name": name, "type": array.dtype.str, "shape": array.shape, "at": at, "crc32": checksum})
        at += array.nbytes
    description = json.dumps({"widths": cut.widths, "arrays": described}).encode()
    head = _HEAD.pack(_MAGIC, len(description), zlib.crc32(description)) + description
    yield head.ljust(_aligned(len(head)), b"\0")
    written = 0
    for array, one in zip(arrays.values(), described, strict=True):
        yield bytes(int(one["at"]) - written)
        yield array.data.cast("B") if array.size else b""
        written = int(one["at"]) + array.nbytes


def _segment_in(mapped: mmap.mmap) -> Segment:
    """The segment in a mapped file. Raises _Damaged if any checksum does not hold."""
    magic, length, checksum = _HEAD.unpack_from(mapped)
    description = mapped[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or zlib.crc32(description) != checksum:
        message = "a segment's description is not what was written"
        raise _Damaged(message)
    described = json.loads(description)
    first = _aligned(_HEAD.size + length)
    arrays = {one["name"]: _array_in(mapped, first, one) for one in described["arrays"]}
    return Segment.of_arrays(arrays, Cut(tuple(described["widths"])))


def _array_in(mapped: mmap.mmap, first: int, described: dict[str, Any]) -> NDArray[Any]:
    shape = tuple(described["shape"])
    count = int(np.prod(shape))
    array = (
        np.frombuffer(mapped, described["type"], count, first + described["at"])
        if count
        else np.empty(0, described["type"])
    )
    if count and zlib.crc32(array.data.cast("B")) != described["crc32"]:
        message = f"a segment's {described['name']} are not what was written"
        raise _Damaged(message)
    return array.reshape(shape)


def _aligned(at: int) -> int:
    return -(-at // _ALIGNMENT) * _ALIGNMENT


def _replace(target: Path, chunks: Sequence[bytes] | Iterator[bytes | memoryview]) -> None:
    """Write a whole file under another name, sync it, and put it in its place."""
    fresh = target.with_suffix(f"{target.suffix}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
