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
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from holdfast.adapters import array_file
from holdfast.adapters.array_file import FAULTS, Damaged
from holdfast.match.known import Level
from holdfast.match.segment import Segment
from holdfast.match.slices import Cut

_MAGIC: Final = b"HFINDEX1"
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = 3
_TRIES: Final = 5
_log = structlog.get_logger("index")


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
        array_file.write_json(self.path / _MANIFEST, body)
        self._forget_all_but({*names, *(one for one in dead if one)})

    def read(self) -> Stored | None:
        """What the folder holds; None if there is nothing, or nothing sound, which is logged."""
        for _ in range(_TRIES):
            before = self.stamp()
            try:
                return self._read() if before else None
            except FAULTS as fault:
                if self.stamp() == before:  # nobody has replaced it meanwhile: it is really so
                    self._sound.clear()
                    _log.error("index_damaged", because=str(fault), what_to_do="none: it is built anew")
                    return None
        return None

    def _read(self) -> Stored:
        body = array_file.read_json(self.path / _MANIFEST, _FORMAT)
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
        described, arrays = array_file.open_arrays(self.path / name, _MAGIC)
        return Segment.of_arrays(arrays, Cut(tuple(described["widths"])))

    def _write_segment(self, segment: Segment) -> str:
        """Write a segment unless this process has read it from, or written it to, that very file: it may be damaged."""
        name = f"{_digest(segment)}.segment"
        if name not in self._sound or not (self.path / name).exists():
            array_file.write_arrays(self.path / name, _MAGIC, {"widths": segment.cut.widths}, segment.arrays)
            self._sound.add(name)
        return name

    def _write_dead(self, name: str, segment: Segment) -> str | None:
        rows = np.flatnonzero(~segment.alive).astype("<u4").tobytes()
        if not rows:
            return None
        dead = f"{name.removesuffix('.segment')}-{hashlib.blake2b(rows, digest_size=8).hexdigest()}.dead"
        array_file.replace(self.path / dead, [struct.pack("<I", zlib.crc32(rows)), rows])
        return dead

    def _read_dead(self, name: str) -> NDArray[np.uint32]:
        checksum, rows = struct.unpack_from("<I", whole := (self.path / name).read_bytes())[0], whole[4:]
        if zlib.crc32(rows) != checksum:
            message = f"{name} is not what was written"
            raise Damaged(message)
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
