# SPDX-License-Identifier: Apache-2.0
"""What crosses between the trusted side and a confined decoder, and how it is bounded.

To the decoder: one fixed-size request, carrying the file as a descriptor.
From it (of a video, see `reel`): one fixed-size answer and at most MOST_KEPT frames of at most MOST_PLANES planes. Only
integers and raw bytes; each integer is checked against the request's own limits before anything is
allocated or read, all planes together are at most MOST_BYTES, and the connection must end after the
last byte. The decoder is assumed to be taken over.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from holdfast.media.filetype import FileType
from holdfast.media.plane import LONGEST_SIDE, MOST_BYTES, MOST_KEPT, MOST_PLANES, MOST_WALKED, Decoded, Frame, Plane
from holdfast.media.reason import NotDecoded, Reason

_REQUEST: Final = struct.Struct("<QQQB?")  # bytes in the file, most pixels, milliseconds, file type, every frame
_ANSWER: Final = struct.Struct("<BBB")  # reason (0 = decoded), frames, why some were missed (0 = none was)
_FRAME: Final = struct.Struct("<HB")  # number in the file, planes
_PLANE: Final = struct.Struct("<IIII")  # height, width, full height, full width
REQUEST_SIZE: Final = _REQUEST.size
_TYPES: Final = tuple(FileType)
_REASONS: Final = tuple(Reason)
Received = TypeVar("Received", bytes, int)


class ProtocolBroken(Exception):  # noqa: N818  # names what happened
    """The decoder answered something that no honest decoder answers."""


class TimedOut(Exception):  # noqa: N818  # names what happened
    """The decoder did not get to its end in time. Not a TimeoutError, which `see` may raise for reasons of its own."""


class Timed:
    """A socket from which everything must have come within so many seconds; `rest` does not count."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        """Count from now."""
        self._connection = connection
        self._until = time.monotonic() + seconds

    def rest(self, seconds: float) -> None:
        """Forget so many seconds."""
        self._until += seconds

    def recv(self, length: int) -> bytes:
        """As a socket does. Raises TimedOut when the time is over, ProtocolBroken if the other end failed."""
        return self._in_time(lambda: self._connection.recv(length))

    def recv_into(self, view: memoryview) -> int:
        """As a socket does. Raises TimedOut when the time is over, ProtocolBroken if the other end failed."""
        return self._in_time(lambda: self._connection.recv_into(view))

    def _in_time(self, receive: Callable[[], Received]) -> Received:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimedOut
        try:
            self._connection.settimeout(left)
            return receive()
        except TimeoutError as late:
            raise TimedOut from late
        except OSError as fault:
            raise ProtocolBroken from fault


Readable = socket.socket | Timed


@dataclass(frozen=True, slots=True)
class Request:
    """Decode this many bytes, of this type, within this many pixels.

    `seconds` is the processor time that a video may take; a picture has the server's own limit. `every_frame` of
    a video is decoded, so that the same film shows the same each time.
    """

    size: int
    max_pixels: int
    kind: FileType
    seconds: float = 0.0
    every_frame: bool = False

    def pack(self) -> bytes:
        """As bytes."""
        kind, milliseconds = _TYPES.index(self.kind), round(self.seconds * 1000)
        return _REQUEST.pack(self.size, self.max_pixels, milliseconds, kind, self.every_frame)

    @classmethod
    def unpack(cls, message: bytes) -> Request:
        """From bytes; the trusted side wrote them."""
        size, max_pixels, milliseconds, kind, every_frame = _REQUEST.unpack(message)
        return cls(size, max_pixels, _TYPES[kind], milliseconds / 1000, every_frame)


def send_answer(connection: socket.socket, outcome: Decoded | NotDecoded) -> None:
    """The decoder's side: send frames or a reason."""
    if isinstance(outcome, NotDecoded):
        connection.sendall(_ANSWER.pack(number_of(outcome.reason), 0, 0))
        return
    connection.sendall(_ANSWER.pack(0, len(outcome.frames), number_of(outcome.missed)))
    for frame in outcome.frames:
        connection.sendall(_FRAME.pack(frame.number, len(frame.planes)))
        for plane in frame.planes:
            send_plane(connection, plane)


def send_plane(connection: socket.socket, plane: Plane) -> None:
    """The decoder's side: one plane, its measures first."""
    height, width = plane.luma.shape
    connection.sendall(_PLANE.pack(height, width, plane.full_height, plane.full_width))
    connection.sendall(plane.luma.data.cast("B"))


def receive_answer(connection: Readable, *, most_pixels: int) -> Decoded | NotDecoded:
    """The trusted side: read one answer and the end of the stream.

    Raises ProtocolBroken if a number is out of bounds, the stream ends early or goes on, and
    TimeoutError if the socket's timeout passes.
    """
    untrusted_reason, untrusted_count, untrusted_missed = _ANSWER.unpack(read(connection, _ANSWER.size))
    reason, missed = reason_of(untrusted_reason), reason_of(untrusted_missed)
    if reason:
        if untrusted_count or missed:
            raise ProtocolBroken
        expect_end(connection)
        return NotDecoded(reason)
    if not 1 <= untrusted_count <= MOST_KEPT:
        raise ProtocolBroken
    frames = _read_frames(connection, untrusted_count, most_pixels)
    expect_end(connection)
    return Decoded(frames, missed)


def number_of(reason: Reason | None) -> int:
    """A reason as a number; 0 for none."""
    return 1 + _REASONS.index(reason) if reason else 0


def reason_of(untrusted: int) -> Reason | None:
    """The reason of a number. Raises ProtocolBroken for one that has none."""
    if untrusted > len(_REASONS):
        raise ProtocolBroken
    return _REASONS[untrusted - 1] if untrusted else None


def _read_frames(connection: Readable, count: int, most_pixels: int) -> tuple[Frame, ...]:
    """So many frames: the first picture first, each once, and all together within MOST_BYTES."""
    frames: list[Frame] = []
    left = MOST_BYTES
    for _ in range(count):
        number, planes = _FRAME.unpack(read(connection, _FRAME.size))
        least = frames[-1].number + 1 if frames else 0
        if not (least <= number < (MOST_WALKED if frames else 1) and 1 <= planes <= MOST_PLANES):
            raise ProtocolBroken
        whole = read_planes(connection, planes, most_pixels, left)
        left -= sum(plane.luma.size for plane in whole)
        frames.append(Frame(number, whole))
    return tuple(frames)


def read_planes(connection: Readable, count: int, most_pixels: int, most_bytes: int) -> tuple[Plane, ...]:
    """So many planes, together within `most_bytes`. Raises ProtocolBroken if one claims more."""
    planes: list[Plane] = []
    for _ in range(count):
        planes.append(_read_plane(connection, most_pixels, most_bytes))
        most_bytes -= planes[-1].luma.size
    return tuple(planes)


def _read_plane(connection: Readable, most_pixels: int, most_bytes: int) -> Plane:
    height, width, full_height, full_width = _PLANE.unpack(read(connection, _PLANE.size))
    if not (1 <= height <= full_height <= LONGEST_SIDE and 1 <= width <= full_width <= LONGEST_SIDE):
        raise ProtocolBroken
    if full_height * full_width > most_pixels or height * width > most_bytes:
        raise ProtocolBroken
    luma = np.empty((height, width), np.uint8)
    _read_into(connection, luma.data.cast("B"))
    return Plane(luma, full_height, full_width)


def read(connection: Readable, length: int) -> bytes:
    """Exactly so many bytes. Raises ProtocolBroken if fewer come."""
    buffer = bytearray(length)
    _read_into(connection, memoryview(buffer))
    return bytes(buffer)


def _read_into(connection: Readable, view: memoryview) -> None:
    while view:
        received = connection.recv_into(view)
        if not received:
            raise ProtocolBroken
        view = view[received:]


def expect_end(connection: Readable) -> None:
    """Raises ProtocolBroken if anything more comes."""
    if connection.recv(1):
        raise ProtocolBroken
