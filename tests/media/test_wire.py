# SPDX-License-Identifier: Apache-2.0
"""Whatever a decoder that was taken over sends, the trusted side gets planes within bounds or a protocol fault."""

from __future__ import annotations

import socket
import struct
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.media import wire
from holdfast.media.filetype import FileType
from holdfast.media.plane import LONGEST_SIDE, MOST_BYTES, MOST_KEPT, MOST_PLANES, MOST_WALKED, Decoded, Frame, Plane
from holdfast.media.reason import NotDecoded, Reason

MOST_PIXELS = 4096
SLACK = 256 * 1024
"""Memory that Python itself may take while it reads."""

Outcome = Decoded | NotDecoded


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        # Long enough for every honest answer to arrive whole, short enough to see that it is kept.
        ours.settimeout(5)
        yield ours, theirs


def answered(raw: bytes, most_pixels: int = MOST_PIXELS) -> Outcome:
    """What the trusted side makes of these bytes and the end of the stream."""
    with pair() as (ours, theirs):
        sender = threading.Thread(target=send_and_end, args=(theirs, raw))
        sender.start()
        try:
            return wire.receive_answer(ours, most_pixels=most_pixels)
        finally:
            ours.close()
            sender.join()


def send_and_end(connection: socket.socket, raw: bytes) -> None:
    try:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the trusted side had read enough


def answered_or_broken(raw: bytes, most_pixels: int = MOST_PIXELS) -> Outcome | None:
    try:
        return answered(raw, most_pixels)
    except wire.ProtocolBroken:
        return None


def within_bounds(outcome: Outcome | None, most_pixels: int = MOST_PIXELS) -> bool:
    if not isinstance(outcome, Decoded):
        return True
    numbers = [frame.number for frame in outcome.frames]
    if numbers != sorted(set(numbers)) or numbers[0] != 0 or numbers[-1] >= MOST_WALKED or len(numbers) > MOST_KEPT:
        return False
    return all(1 <= len(frame.planes) <= MOST_PLANES for frame in outcome.frames) and all(
        plane.luma.dtype == np.uint8
        and 1 <= plane.luma.shape[0] <= plane.full_height <= LONGEST_SIDE
        and 1 <= plane.luma.shape[1] <= plane.full_width <= LONGEST_SIDE
        and plane.full_height * plane.full_width <= most_pixels
        for frame in outcome.frames
        for plane in frame.planes
    )


def header(reason: int, count: int, missed: int) -> bytes:
    return struct.pack("<BBB", reason, count, missed)


def frame_header(number: int, planes: int) -> bytes:
    return struct.pack("<HB", number, planes)


def plane_header(height: int, width: int, full_height: int, full_width: int) -> bytes:
    return struct.pack("<IIII", height, width, full_height, full_width)


@st.composite
def planes(draw: st.DrawFn) -> Plane:
    height, width = draw(st.integers(1, 64)), draw(st.integers(1, 64))
    full_height, full_width = draw(st.integers(height, 64)), draw(st.integers(width, 64))
    luma = np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, 256, (height, width), np.uint8)
    return Plane(luma, full_height, full_width)


@st.composite
def several_frames(draw: st.DrawFn) -> tuple[Frame, ...]:
    numbers = [0, *sorted(draw(st.sets(st.integers(1, MOST_WALKED - 1), max_size=3)))]
    shown = st.lists(planes(), min_size=1, max_size=MOST_PLANES)
    return tuple(Frame(number, tuple(draw(shown))) for number in numbers)


@given(several_frames(), st.one_of(st.none(), st.sampled_from(Reason)))
def test_frames_arrive_as_they_were_sent(sent: tuple[Frame, ...], missed: Reason | None) -> None:
    with pair() as (ours, theirs):
        wire.send_answer(theirs, Decoded(sent, missed))
        theirs.shutdown(socket.SHUT_WR)
        outcome = wire.receive_answer(ours, most_pixels=MOST_PIXELS)
    assert isinstance(outcome, Decoded)
    assert outcome.missed is missed
    assert [frame.number for frame in outcome.frames] == [frame.number for frame in sent]
    for there, here in zip(sent, outcome.frames, strict=True):
        for before, after in zip(there.planes, here.planes, strict=True):
            assert (before.luma == after.luma).all()
            assert (before.full_height, before.full_width) == (after.full_height, after.full_width)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_arrives_without_its_detail(reason: Reason) -> None:
    with pair() as (ours, theirs):
        wire.send_answer(theirs, NotDecoded(reason, "not for the other side"))
        theirs.shutdown(socket.SHUT_WR)
        assert wire.receive_answer(ours, most_pixels=MOST_PIXELS) == NotDecoded(reason)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.sampled_from(FileType), st.booleans())
def test_a_request_arrives_as_it_was_sent(size: int, max_pixels: int, kind: FileType, every: bool) -> None:
    request = wire.Request(size, max_pixels, kind, every_frame=every)
    assert len(request.pack()) == wire.REQUEST_SIZE
    assert wire.Request.unpack(request.pack()) == request


sides = st.one_of(st.integers(0, 70), st.sampled_from([2**20, 2**20 + 1, 2**31, 2**32 - 1]))
small_numbers = st.integers(0, 3)
likely = st.builds(
    lambda head, frame, bodies, tail: head + frame + b"".join(bodies) + tail,
    st.builds(header, st.one_of(st.just(0), st.integers(0, 255)), small_numbers, small_numbers),
    st.builds(frame_header, st.one_of(st.just(0), st.integers(0, 2**16 - 1)), small_numbers),
    st.lists(st.builds(plane_header, sides, sides, sides, sides), max_size=3),
    st.binary(max_size=200),
)


def honest_answer(sent: list[Plane]) -> bytes:
    """One frame of these planes."""
    answer = header(0, 1, 0) + frame_header(0, len(sent))
    for plane in sent:
        height, width = plane.luma.shape
        answer += plane_header(height, width, plane.full_height, plane.full_width) + plane.luma.tobytes()
    return answer


honest = st.lists(planes(), min_size=1, max_size=MOST_PLANES).map(honest_answer)


@given(st.one_of(st.binary(max_size=300), likely))
def test_any_bytes_give_bounded_planes_or_a_protocol_fault_and_nothing_else(raw: bytes) -> None:
    assert within_bounds(answered_or_broken(raw))


@given(honest, st.data())
def test_an_honest_answer_with_a_few_bytes_changed_gives_bounded_planes_or_a_protocol_fault(
    raw: bytes, data: st.DataObject
) -> None:
    changed = bytearray(raw)
    for at in data.draw(st.lists(st.integers(0, min(len(raw) - 1, 40)), max_size=4)):
        changed[at] = data.draw(st.integers(0, 255))
    assert within_bounds(answered_or_broken(bytes(changed)))


@given(honest, st.data())
def test_an_answer_that_ends_early_is_a_protocol_fault(raw: bytes, data: st.DataObject) -> None:
    with pytest.raises(wire.ProtocolBroken):
        answered(raw[: data.draw(st.integers(0, len(raw) - 1))])


@given(
    st.one_of(honest, st.sampled_from(range(1, len(Reason) + 1)).map(lambda n: header(n, 0, 0))), st.binary(min_size=1)
)
def test_an_answer_that_goes_on_is_a_protocol_fault(raw: bytes, more: bytes) -> None:
    with pytest.raises(wire.ProtocolBroken):
        answered(raw + more)


@given(st.integers(len(Reason) + 1, 255), small_numbers, small_numbers)
def test_a_reason_nobody_knows_is_a_protocol_fault(reason: int, count: int, several: int) -> None:
    with pytest.raises(wire.ProtocolBroken):
        answered(header(reason, count, several))


@given(st.one_of(st.just(0), st.integers(MOST_KEPT + 1, 255)))
def test_no_frames_or_too_many_are_a_protocol_fault(count: int) -> None:
    body = b"".join(frame_header(number, 1) + plane_header(1, 1, 1, 1) + b"x" for number in range(count))
    with pytest.raises(wire.ProtocolBroken):
        answered(header(0, count, 0) + body)


@given(st.one_of(st.just(0), st.integers(MOST_PLANES + 1, 255)))
def test_no_planes_or_too_many_are_a_protocol_fault(count: int) -> None:
    with pytest.raises(wire.ProtocolBroken):
        answered(header(0, 1, 0) + frame_header(0, count) + count * (plane_header(1, 1, 1, 1) + b"x"))


@pytest.mark.parametrize("numbers", [(1,), (0, 0), (0, 5, 5), (0, 7, 3), (0, MOST_WALKED), (2**16 - 1,)])
def test_frames_out_of_their_order_are_a_protocol_fault(numbers: tuple[int, ...]) -> None:
    body = b"".join(frame_header(number, 1) + plane_header(1, 1, 1, 1) + b"x" for number in numbers)
    with pytest.raises(wire.ProtocolBroken):
        answered(header(0, len(numbers), 0) + body)


def test_all_planes_together_are_bounded() -> None:
    """Each is within its own limit."""
    half = MOST_BYTES // 2 + 1
    one = frame_header(0, 2) + 2 * (plane_header(1, half, 1, half) + bytes(half))
    with pytest.raises(wire.ProtocolBroken):
        answered(header(0, 1, 0) + one, most_pixels=2**30)


@pytest.mark.parametrize(
    ("height", "width", "full_height", "full_width"),
    [
        (0, 1, 1, 1),
        (1, 0, 1, 1),
        (2, 1, 1, 1),
        (1, 2, 1, 1),
        (65, 64, 65, 64),
        (1, 1, 4097, 1),
        (1, 1, 64, 65),
        (1, 1, 2**20 + 1, 1),
        (2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1),
        (2**16, 2**16, 2**16, 2**16),
    ],
)
def test_sides_out_of_bounds_are_a_protocol_fault(height: int, width: int, full_height: int, full_width: int) -> None:
    body = plane_header(height, width, full_height, full_width) + bytes(min(height * width, 10_000))
    with pytest.raises(wire.ProtocolBroken):
        answered(header(0, 1, 0) + frame_header(0, 1) + body)


@given(likely)
def test_no_number_makes_the_trusted_side_take_more_memory_than_the_limit(raw: bytes) -> None:
    tracemalloc.start()
    try:
        answered_or_broken(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= MOST_PLANES * MOST_PIXELS + SLACK


def test_the_memory_test_would_notice() -> None:
    tracemalloc.start()
    try:
        answered_or_broken(
            header(0, 1, 0) + frame_header(0, 1) + plane_header(1024, 1024, 1024, 1024), most_pixels=2**20
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak > MOST_PLANES * MOST_PIXELS + SLACK


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        header(0, 1, 0),
        header(0, 1, 0) + frame_header(0, 1) + plane_header(4, 4, 4, 4) + bytes(15),
        header(3, 0, 0),
    ],
    ids=["nothing", "header", "half a plane", "no end"],
)
def test_a_decoder_that_falls_silent_is_timed_out(raw: bytes) -> None:
    with pair() as (ours, theirs):
        theirs.sendall(raw)
        ours.settimeout(0.01)
        with pytest.raises(TimeoutError):
            wire.receive_answer(ours, most_pixels=MOST_PIXELS)


def test_a_decoder_that_hangs_up_without_a_word_is_a_protocol_fault() -> None:
    with pytest.raises(wire.ProtocolBroken):
        answered(b"")


def test_descriptors_sent_along_are_not_taken() -> None:
    """A decoder cannot send any, but the trusted side would not keep one either."""
    with pair() as (ours, theirs), socket.socket() as extra:
        socket.send_fds(theirs, [header(1, 0, 0)], [extra.fileno()] * 3)
        theirs.shutdown(socket.SHUT_WR)
        before = sorted(Path("/proc/self/fd").iterdir())
        assert wire.receive_answer(ours, most_pixels=MOST_PIXELS) == NotDecoded(Reason.EMPTY)
        assert sorted(Path("/proc/self/fd").iterdir()) == before
