# SPDX-License-Identifier: Apache-2.0
"""What a decoder of videos may say, and what it may not, however it was taken over."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.media import reel, wire
from holdfast.media.plane import LONGEST_VIDEO, MOST_PLANES, MOST_TRACKS, Begun, Frame, Plane, Watched
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.reel import ReelReader, ReelSender
from holdfast.media.wire import ProtocolBroken, Timed, TimedOut

MICRO: Final = 1_000_000
MAX_PIXELS: Final = 10_000
PLANE: Final = struct.pack("<IIII", 1, 2, 10, 20) + b"ab"


def begin(reason: int = 0, tracks: int = 1, length: int = 0) -> bytes:
    return struct.pack("<BBQ", reason, tracks, length)


def frame(at: int = 0, track: int = 0, planes: bytes = PLANE, count: int = 1) -> bytes:
    return struct.pack("<BQB", count, at, track) + planes


def end(at: int = 0, missed: int = 0) -> bytes:
    return struct.pack("<BQB", 0, at, missed)


@contextmanager
def saying(words: bytes, *, go_on: bool = False) -> Iterator[socket.socket]:
    """A decoder that says this, little enough to wait in the socket, and hangs up unless it is to go on."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(words)
        if not go_on:
            theirs.shutdown(socket.SHUT_WR)
        yield ours


def read(words: bytes) -> tuple[Watched | NotDecoded, list[Frame], list[Begun]]:
    seen: list[Frame] = []
    begun: list[Begun] = []
    with saying(words) as connection:
        return ReelReader(Timed(connection, 20.0), MAX_PIXELS, seen.append, begun.append).read(), seen, begun


def test_an_honest_reel_arrives_as_it_was_sent() -> None:
    ours, theirs = socket.socketpair()
    planes = (Plane(np.arange(6, dtype=np.uint8).reshape(2, 3), 20, 30), Plane(np.zeros((1, 1), np.uint8), 1, 1))
    sender = ReelSender(theirs)
    sender.begin(12.5, 2)
    sender.frame(0.0, 0, planes)
    sender.frame(1.25, 0, planes[:1])
    sender.frame(0.5, 1, planes)
    sender.end(2.5, Reason.TRUNCATED)
    theirs.close()
    seen: list[Frame] = []
    begun: list[Begun] = []
    with ours:
        outcome = ReelReader(Timed(ours, 20.0), MAX_PIXELS, seen.append, begun.append).read()
    assert outcome == Watched(3, 2.5, 2, Reason.TRUNCATED)
    assert begun == [Begun(12.5, 2)]
    assert [(one.number, one.seconds, one.track, len(one.planes)) for one in seen] == [
        (0, 0.0, 0, 2),
        (1, 1.25, 0, 1),
        (2, 0.5, 1, 2),
    ]
    assert np.array_equal(seen[0].planes[0].luma, planes[0].luma)


@given(st.floats(0, LONGEST_VIDEO), st.integers(0, MOST_TRACKS - 1))
def test_times_and_tracks_arrive_as_they_were_sent(seconds: float, track: int) -> None:
    words = begin(tracks=MOST_TRACKS) + frame(round(seconds * MICRO), track) + end()
    _, (seen,), _ = read(words)
    assert seen.seconds == pytest.approx(seconds, abs=1e-6)
    assert seen.track == track


@pytest.mark.parametrize("reason", Reason)
def test_a_video_that_cannot_be_watched_says_why(reason: Reason) -> None:
    assert read(begin(wire.number_of(reason), 0))[0] == NotDecoded(reason)
    assert read(begin() + end(missed=wire.number_of(reason)))[0] == NotDecoded(reason)
    assert read(begin() + frame() + end(missed=wire.number_of(reason)))[0] == Watched(1, 0.0, 1, reason)


def test_a_reel_that_shows_nothing_is_no_whole_video() -> None:
    assert read(begin() + end())[0] == NotDecoded(Reason.NO_PICTURE)


@pytest.mark.parametrize(
    "words",
    [
        b"",
        begin()[:-1],
        begin(),
        begin(200, 0),
        begin(1, 1),
        begin(1, 0, 5),
        begin(1, 0) + b"x",
        begin(tracks=0),
        begin(tracks=MOST_TRACKS + 1),
        begin(length=LONGEST_VIDEO * MICRO + 1),
        begin() + frame()[:-1],
        begin() + frame(track=1) + end(),
        begin() + frame(at=LONGEST_VIDEO * MICRO + 1) + end(),
        begin() + frame(at=5) + frame(at=4) + end(),
        begin(tracks=2) + frame(at=5, track=1) + frame(at=9, track=0) + end(),
        begin() + frame(count=MOST_PLANES + 1, planes=PLANE * (MOST_PLANES + 1)) + end(),
        begin() + frame(planes=struct.pack("<IIII", 101, 100, 101, 100) + bytes(10_100)) + end(),
        begin() + frame(planes=struct.pack("<IIII", 3, 3, 2, 3) + bytes(9)) + end(),
        begin() + frame(planes=struct.pack("<IIII", 0, 3, 2, 3)) + end(),
        begin() + frame() + end(missed=200),
        begin() + frame() + end(at=LONGEST_VIDEO * MICRO + 1),
        begin() + frame() + end() + b"x",
        begin() + frame(),
    ],
)
def test_what_no_honest_decoder_says_is_refused(words: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        read(words)


def test_endless_frames_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reel, "MOST_WATCHED", 50)
    with pytest.raises(ProtocolBroken):
        read(begin() + frame() * 51 + end())
    assert read(begin() + frame() * 50 + end())[0] == Watched(50, 0.0, 1)


def test_planes_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reel, "MOST_BYTES", 3)
    with pytest.raises(ProtocolBroken):
        read(begin() + frame(count=2, planes=PLANE * 2) + end())


def test_a_decoder_that_says_nothing_more_is_waited_for_no_longer_than_told() -> None:
    seen: list[Frame] = []
    with saying(begin() + frame(), go_on=True) as connection:
        reader = ReelReader(Timed(connection, 0.2), MAX_PIXELS, seen.append, lambda _: None)
        with pytest.raises(TimedOut):
            reader.read()
    assert len(seen) == 1
    assert reader.stopped(Reason.TIMED_OUT) == Watched(1, 0.0, 1, Reason.TIMED_OUT)


def test_a_decoder_that_trickles_does_not_win_time() -> None:
    """Each byte comes well within the time; all of them together do not."""
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def trickle() -> None:
        for byte in begin() + frame(planes=struct.pack("<IIII", 10, 10, 10, 10) + bytes(100)):
            if over.wait(0.05):
                return
            theirs.sendall(bytes([byte]))

    talker = threading.Thread(target=trickle)
    talker.start()
    with ours, theirs:
        with pytest.raises(TimedOut):
            ReelReader(Timed(ours, 0.4), MAX_PIXELS, lambda _: None, lambda _: None).read()
        over.set()
        talker.join()


@pytest.mark.parametrize("fault", [OSError, TimeoutError, ConnectionResetError, ValueError])
def test_what_the_caller_raises_is_not_taken_for_the_decoders_fault(fault: type[Exception]) -> None:
    def see(_frame: Frame) -> None:
        raise fault

    with saying(begin() + frame() + end()) as connection, pytest.raises(fault):
        ReelReader(Timed(connection, 20.0), MAX_PIXELS, see, lambda _: None).read()


def test_the_time_in_which_the_caller_looks_does_not_count() -> None:
    rested: list[float] = []

    class Noting(Timed):
        def rest(self, seconds: float) -> None:
            rested.append(seconds)
            super().rest(seconds)

    with saying(begin() + frame() * 3 + end()) as connection:
        ReelReader(Noting(connection, 20.0), MAX_PIXELS, lambda _: None, lambda _: None).read()
    assert len(rested) == 3


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_refused(words: bytes) -> None:
    with contextlib.suppress(ProtocolBroken):
        assert isinstance(read(words)[0], Watched | NotDecoded)
