# SPDX-License-Identifier: Apache-2.0
"""Arrays in a file that is written once, mapped by whoever wants them, and never changed.

A file has a head, a description as JSON, and each array at a multiple of 64 bytes. Everything has a
checksum that is verified when it is opened. Files are written under another name, synced and renamed,
and are for their owner alone.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
_HEAD: Final = struct.Struct("<8sII")  # magic, length of the description, its checksum
_ALIGNMENT: Final = 64


class Damaged(Exception):  # noqa: N818  # names what was found
    """A file is not what was written."""


FAULTS: Final = (Damaged, OSError, ValueError, LookupError, TypeError, struct.error)
"""Whatever reading a file that is not what was written may raise."""


def write_arrays(path: Path, magic: bytes, about: Mapping[str, Any], arrays: Arrays) -> None:
    """Write `arrays`, and what `about` says of them, to `path`. Raises OSError if it cannot."""
    replace(path, _as_chunks(magic, about, {key: np.ascontiguousarray(value) for key, value in arrays.items()}))


def open_arrays(path: Path, magic: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(the description, the arrays) of a file, mapped. Raises one of FAULTS if it is not what was written."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    found, length, checksum = _HEAD.unpack_from(mapped)
    description = mapped[_HEAD.size : _HEAD.size + length]
    if found != magic or zlib.crc32(description) != checksum:
        message = f"the description of {path.name} is not what was written"
        raise Damaged(message)
    described = json.loads(description)
    first = _aligned(_HEAD.size + length)
    return described, {one["name"]: _array_in(mapped, first, one) for one in described["arrays"]}


def write_json(path: Path, body: dict[str, Any]) -> None:
    """Write a small document with its checksum. Raises OSError if it cannot."""
    text = json.dumps({"body": body, "crc32": zlib.crc32(json.dumps(body).encode())})
    replace(path, [text.encode()])


def read_json(path: Path, form: int) -> dict[str, Any]:
    """The document, if it is of this `format`. Raises one of FAULTS if it is not what was written."""
    whole = json.loads(path.read_bytes())
    body: dict[str, Any] = whole["body"]
    if zlib.crc32(json.dumps(body).encode()) != whole["crc32"] or body["format"] != form:
        message = f"{path.name} is not what was written"
        raise Damaged(message)
    return body


def replace(target: Path, chunks: Sequence[bytes] | Iterator[bytes | memoryview]) -> None:
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


def _as_chunks(magic: bytes, about: Mapping[str, Any], arrays: Arrays) -> Iterator[bytes | memoryview]:
    """Head, description, then each array at a multiple of 64 bytes."""
    at = 0
    described: list[dict[str, Any]] = []
    for name, array in arrays.items():
        at = _aligned(at)
        checksum = zlib.crc32(array.data.cast("B")) if array.size else 0
        described.append({"name": name, "type": array.dtype.str, "shape": array.shape, "at": at, "crc32": checksum})
        at += array.nbytes
    description = json.dumps({**about, "arrays": described}).encode()
    head = _HEAD.pack(magic, len(description), zlib.crc32(description)) + description
    yield head.ljust(_aligned(len(head)), b"\0")
    written = 0
    for array, one in zip(arrays.values(), described, strict=True):
        yield bytes(int(one["at"]) - written)
        yield array.data.cast("B") if array.size else b""
        written = int(one["at"]) + array.nbytes


def _array_in(mapped: mmap.mmap, first: int, described: dict[str, Any]) -> NDArray[Any]:
    shape = tuple(described["shape"])
    count = int(np.prod(shape))
    array = (
        np.frombuffer(mapped, described["type"], count, first + described["at"])
        if count
        else np.empty(0, described["type"])
    )
    if count and zlib.crc32(array.data.cast("B")) != described["crc32"]:
        message = f"{described['name']} are not what was written"
        raise Damaged(message)
    return array.reshape(shape)


def _aligned(at: int) -> int:
    return -(-at // _ALIGNMENT) * _ALIGNMENT
