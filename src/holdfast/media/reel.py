# SPDX-License-Identifier: Apache-2.0
"""What crosses while a video is watched: frame after frame, kept by neither side, and how it is bounded.

From the decoder: what the video says of its length, or why it cannot be watched; then frames, track
by track and within a track never back in time; then how it ended, and nothing after that. The
trusted side counts the frames itself, holds one at a time, and waits no longer than it was told for
all of them together; the time in which it looks at a frame does not count. The decoder is assumed
to be taken over.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from holdfast.media import wire
from holdfast.media.plane import (
    LONGEST_VIDEO,
    MOST_BYTES,
    MOST_PLANES,
    MOST_TRACKS,
    MOST_WATCHED,
    Begun,
    Frame,
    Plane,
    Watched,
)
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.wire import ProtocolBroken, Timed

_BEGIN: Final = struct.Struct("<BBQ")  # reason (0 = it goes on), tracks, microseconds (0 = it does not say)
_NEXT: Final = struct.Struct("<BQB")  # planes (0 = no more frames), microseconds, track or why some were missed
_MICRO: Final = 1_000_000

See = Callable[[Frame], None]
Begin = Callable[[Begun], None]


@dataclass(slots=True)
class ReelSender:
    """The decoder's side."""

    connection: socket.socket
    begun: bool = False

    def begin(self, seconds: float | None, tracks: int) -> None:
        """Say what the video says of itself, before anything of it is decoded."""
        self.begun = True
        length = min(max(seconds or 0.0, 0.0), LONGEST_VIDEO)
        self.connection.sendall(_BEGIN.pack(0, tracks, round(length * _MICRO)))

    def frame(self, seconds: float, track: int, planes: tuple[Plane, ...]) -> None:
        """Send one frame."""
        self.connection.sendall(_NEXT.pack(len(planes), round(seconds * _MICRO), track))
        for plane in planes:
            wire.send_plane(self.connection, plane)

    def end(self, seconds: float, missed: Reason | None) -> None:
        """Say until when it was watched, and why some was not seen."""
        if not self.begun and missed:
            self.connection.sendall(_BEGIN.pack(wire.number_of(missed), 0, 0))
            return
        self.connection.sendall(_NEXT.pack(0, round(seconds * _MICRO), wire.number_of(missed)))


@dataclass(slots=True)
class ReelReader:
    """The trusted side. `watched` is what was seen so far, whatever stopped it."""

    connection: Timed
    max_pixels: int
    see: See
    begin: Begin
    frames: int = 0
    tracks: int = 0
    longest: float = 0.0
    missed: Reason | None = None
    last: tuple[int, int] = (0, 0)
    """The track and the microsecond of the last frame: the next may not lie before it."""

    def read(self) -> Watched | NotDecoded:
        """Read a whole reel and the end of the stream, and show each frame to `see`.

        Raises ProtocolBroken if a number is out of bounds, the stream ends early or goes on;
        TimedOut if it takes too long; and whatever `see` and `begin` raise.
        """
        untrusted_reason, tracks, length = _BEGIN.unpack(wire.read(self.connection, _BEGIN.size))
        if reason := wire.reason_of(untrusted_reason):
            if tracks or length:
                raise ProtocolBroken
            wire.expect_end(self.connection)
            return NotDecoded(reason)
        self.tracks = _within(tracks, MOST_TRACKS)
        if not self.tracks:
            raise ProtocolBroken
        self.begin(Begun(_within(length, LONGEST_VIDEO * _MICRO) / _MICRO or None, self.tracks))
        while frame := self._next():
            self._show(frame)
        return self._end()

    def stopped(self, why: Reason, detail: str = "") -> Watched | NotDecoded:
        """What to say if it broke off: what was seen, was seen."""
        if not self.frames:
            return NotDecoded(why, detail)
        return Watched(self.frames, self.longest, self.tracks, why)

    def _next(self) -> Frame | None:
        planes, time_shown, said = _NEXT.unpack(wire.read(self.connection, _NEXT.size))
        _within(time_shown, LONGEST_VIDEO * _MICRO)
        if not planes:
            self.longest = max(self.longest, time_shown / _MICRO)
            self.missed = wire.reason_of(said)
            return None
        at = said, time_shown
        if said >= self.tracks or at < self.last or self.frames >= MOST_WATCHED:
            raise ProtocolBroken
        self.last = at
        whole = wire.read_planes(self.connection, _within(planes, MOST_PLANES), self.max_pixels, MOST_BYTES)
        return Frame(self.frames, whole, time_shown / _MICRO, said)

    def _show(self, frame: Frame) -> None:
        assert frame.seconds is not None
        self.frames += 1
        self.longest = max(self.longest, frame.seconds)
        began = time.monotonic()
        self.see(frame)
        self.connection.rest(time.monotonic() - began)

    def _end(self) -> Watched | NotDecoded:
        wire.expect_end(self.connection)
        if not self.frames:
            return NotDecoded(self.missed or Reason.NO_PICTURE)
        return Watched(self.frames, self.longest, self.tracks, self.missed)


def _within(untrusted: int, most: int) -> int:
    if untrusted > most:
        raise ProtocolBroken
    return untrusted
