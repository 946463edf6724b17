# SPDX-License-Identifier: Apache-2.0
"""What crosses between the trusted side and a confined decoder, and how it is bounded.

To the decoder: one fixed-size request, carrying the sealed memory file as a descriptor.
From it: one fixed-size answer and at most MOST_KEPT frames of at most MOST_PLANES planes. Only
integers and raw bytes; each integer is checked against the request's own limits before anything is
allocated or read, all planes together are at most MOST_BYTES, and the connection must end after the
last byte. The decoder is assumed to be taken over.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.media.filetype import FileType
from holdfast.media.plane import LONGEST_SIDE, MOST_BYTES, MOST_KEPT, MOST_PLANES, MOST_WALKED, Decoded, Frame, Plane
from holdfast.media.reason import NotDecoded, Reason

_REQUEST: Final = struct.Struct("<QQB")  # bytes in the file, most pixels, file type
_ANSWER: Final = struct.Struct("<BBB")  # reason (0 = decoded), frames, why some were missed (0 = none was)
_FRAME: Final = struct.Struct("<HB")  # number in the file, planes
_PLANE: Final = struct.Struct("<IIII")  # height, width, full height, full width
REQUEST_SIZE: Final = _REQUEST.size
_TYPES: Final = tuple(FileType)
_REASONS: Final = tuple(Reason)


class ProtocolBroken(Exception):  # noqa: N818  # names what happened
    """The decoder answered something that no honest decoder answers."""


@dataclass(frozen=True, slots=True)
class Request:
    """Decode this many bytes, of this type, within this many pixels."""

    size: int
    max_pixels: int
    kind: FileType

    def pack(self) -> bytes:
        """As bytes."""
        return _REQUEST.pack(self.size, self.max_pixels, _TYPES.index(self.kind))

    @classmethod
    def unpack(cls, message: bytes) -> Request:
        """From bytes; the trusted side wrote them."""
        size, max_pixels, kind = _REQUEST.unpack(message)
        return cls(size, max_pixels, _TYPES[kind])


def send_answer(connection: socket.socket, outcome: Decoded | NotDecoded) -> None:
    """The decoder's side: send frames or a reason."""
    if isinstance(outcome, NotDecoded):
        connection.sendall(_ANSWER.pack(_number_of(outcome.reason), 0, 0))
        return
    connection.sendall(_ANSWER.pack(0, len(outcome.frames), _number_of(outcome.missed)))
    for frame in outcome.frames:
        connection.sendall(_FRAME.pack(frame.number, len(frame.planes)))
        for plane in frame.planes:
            height, width = plane.luma.shape
            connection.sendall(_PLANE.pack(height, width, plane.full_height, plane.full_width))
            connection.sendall(plane.luma.data.cast("B"))


def receive_answer(connection: socket.socket, *, most_pixels: int) -> Decoded | NotDecoded:
    """The trusted side: read one answer and the end of the stream.

    Raises ProtocolBroken if a number is out of bounds, the stream ends early or goes on, and
    TimeoutError if the socket's timeout passes.
    """
    untrusted_reason, untrusted_count, untrusted_missed = _ANSWER.unpack(_read(connection, _ANSWER.size))
    reason, missed = _reason_of(untrusted_reason), _reason_of(untrusted_missed)
    if reason:
        if untrusted_count or missed:
            raise ProtocolBroken
        _expect_end(connection)
        return NotDecoded(reason)
    if not 1 <= untrusted_count <= MOST_KEPT:
        raise ProtocolBroken
    frames = _read_frames(connection, untrusted_count, most_pixels)
    _expect_end(connection)
    return Decoded(frames, missed)


def _number_of(reason: Reason | None) -> int:
    return 1 + _REASONS.index(reason) if reason else 0


def _reason_of(untrusted: int) -> Reason | None:
    if untrusted > len(_REASONS):
        raise ProtocolBroken
    return _REASONS[untrusted - 1] if untrusted else None


def _read_frames(connection: socket.socket, count: int, most_pixels: int) -> tuple[Frame, ...]:
    """So many frames: the first picture first, each once, and all together within MOST_BYTES."""
    frames: list[Frame] = []
    left = MOST_BYTES
    for _ in range(count):
        number, planes = _FRAME.unpack(_read(connection, _FRAME.size))
        least = frames[-1].number + 1 if frames else 0
        if not (least <= number < (MOST_WALKED if frames else 1) and 1 <= planes <= MOST_PLANES):
            raise ProtocolBroken
        read: list[Plane] = []
        for _ in range(planes):
            read.append(_read_plane(connection, most_pixels, left))
            left -= read[-1].luma.size
        frames.append(Frame(number, tuple(read)))
    return tuple(frames)


def _read_plane(connection: socket.socket, most_pixels: int, most_bytes: int) -> Plane:
    height, width, full_height, full_width = _PLANE.unpack(_read(connection, _PLANE.size))
    if not (1 <= height <= full_height <= LONGEST_SIDE and 1 <= width <= full_width <= LONGEST_SIDE):
        raise ProtocolBroken
    if full_height * full_width > most_pixels or height * width > most_bytes:
        raise ProtocolBroken
    luma = np.empty((height, width), np.uint8)
    _read_into(connection, luma.data.cast("B"))
    return Plane(luma, full_height, full_width)


def _read(connection: socket.socket, length: int) -> bytes:
    buffer = bytearray(length)
    _read_into(connection, memoryview(buffer))
    return bytes(buffer)


def _read_into(connection: socket.socket, view: memoryview) -> None:
    while view:
        received = connection.recv_into(view)
        if not received:
            raise ProtocolBroken
        view = view[received:]


def _expect_end(connection: socket.socket) -> None:
    if connection.recv(1):
        raise ProtocolBroken
