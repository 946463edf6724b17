# SPDX-License-Identifier: Apache-2.0
"""What crosses between the trusted side and a confined decoder, and how it is bounded.

To the decoder: one fixed-size request, carrying the sealed memory file as a descriptor.
From it: one fixed-size answer and at most MOST_PLANES planes. Only integers and raw bytes; each
integer is checked against the request's own limits before anything is allocated or read, and the
connection must end after the last byte. The decoder is assumed to be taken over.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.media.filetype import FileType
from holdfast.media.plane import LONGEST_SIDE, Plane
from holdfast.media.reason import NotDecoded, Reason

MOST_PLANES: Final = 3
_REQUEST: Final = struct.Struct("<QQB")  # bytes in the file, most pixels, file type
_ANSWER: Final = struct.Struct("<BBB")  # reason (0 = decoded), planes, several pictures
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


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The planes of the first picture, and whether it is the only one in its file."""

    planes: tuple[Plane, ...]
    several_pictures: bool


def send_answer(connection: socket.socket, outcome: tuple[Plane, ...] | NotDecoded, *, several: bool) -> None:
    """The decoder's side: send planes or a reason."""
    if isinstance(outcome, NotDecoded):
        connection.sendall(_ANSWER.pack(1 + _REASONS.index(outcome.reason), 0, 0))
        return
    connection.sendall(_ANSWER.pack(0, len(outcome), several))
    for plane in outcome:
        height, width = plane.luma.shape
        connection.sendall(_PLANE.pack(height, width, plane.full_height, plane.full_width))
        connection.sendall(plane.luma.data.cast("B"))


def receive_answer(connection: socket.socket, *, most_pixels: int) -> Decoded | NotDecoded:
    """The trusted side: read one answer and the end of the stream.

    Raises ProtocolBroken if a number is out of bounds, the stream ends early or goes on, and
    TimeoutError if the socket's timeout passes.
    """
    untrusted_reason, untrusted_count, untrusted_several = _ANSWER.unpack(_read(connection, _ANSWER.size))
    if untrusted_reason:
        if untrusted_reason > len(_REASONS) or untrusted_count:
            raise ProtocolBroken
        _expect_end(connection)
        return NotDecoded(_REASONS[untrusted_reason - 1])
    if not 1 <= untrusted_count <= MOST_PLANES or untrusted_several > 1:
        raise ProtocolBroken
    planes = tuple(_read_plane(connection, most_pixels) for _ in range(untrusted_count))
    _expect_end(connection)
    return Decoded(planes, bool(untrusted_several))


def _read_plane(connection: socket.socket, most_pixels: int) -> Plane:
    height, width, full_height, full_width = _PLANE.unpack(_read(connection, _PLANE.size))
    if not (1 <= height <= full_height <= LONGEST_SIDE and 1 <= width <= full_width <= LONGEST_SIDE):
        raise ProtocolBroken
    if full_height * full_width > most_pixels:
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
