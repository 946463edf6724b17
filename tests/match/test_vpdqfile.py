# SPDX-License-Identifier: Apache-2.0
"""Known videos as python-threatexchange writes them are read, and written so that it can read them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidSignal
from holdfast.match.signal import InVideo, Signal, SignalType
from holdfast.match.vpdqfile import LONGEST_TEXT, MOST_FRAMES, frames_text, parse_frames, videos_and_others
from tests.match.frames import frame_hash, video

HASH = frame_hash(1)


@st.composite
def videos(draw: st.DrawFn) -> tuple[Signal, ...]:
    times = sorted(draw(st.sets(st.integers(0, 10**7), min_size=1, max_size=12)))
    return tuple(
        Signal(SignalType.VPDQ, frame_hash(draw(st.integers(0, 50))), InVideo(number, at, draw(st.integers(50, 100))))
        for number, at in enumerate(times)
    )


@given(videos())
def test_a_video_written_and_read_again_is_the_same(frames: tuple[Signal, ...]) -> None:
    assert parse_frames(frames_text(frames)) == frames


def test_what_python_threatexchange_writes_is_read() -> None:
    text = json.dumps([f"{HASH},100,0.0", f"{frame_hash(2)},77,1.001", f"{frame_hash(3)},50,2"])
    assert [(one.value, one.frame) for one in parse_frames(text)] == [
        (HASH, InVideo(0, 0, 100)),
        (frame_hash(2), InVideo(1, 1001, 77)),
        (frame_hash(3), InVideo(2, 2000, 50)),
    ]


def test_its_older_form_is_read() -> None:
    text = json.dumps({"0": {"quality": 100, "hash": HASH.upper(), "timestamp": 0.5}})
    assert parse_frames(text) == (Signal(SignalType.VPDQ, HASH, InVideo(0, 500, 100)),)


def test_frames_that_vpdq_would_not_compare_and_those_that_match_everything_are_left_out() -> None:
    text = json.dumps([f"{'0' * 64},100,0", f"{frame_hash(2)},49,1", f"{HASH},100,2"])
    assert [one.value for one in parse_frames(text)] == [HASH]


def test_frames_are_put_in_the_order_of_their_times() -> None:
    text = json.dumps([f"{HASH},100,5", f"{frame_hash(2)},100,1"])
    assert [one.value for one in parse_frames(text)] == [frame_hash(2), HASH]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "7",
        "null",
        '"text"',
        "[7]",
        "[[]]",
        json.dumps([HASH]),
        json.dumps([f"{HASH},100"]),
        json.dumps([f"{HASH},100,0,0"]),
        json.dumps([f"{HASH},101,0"]),
        json.dumps([f"{HASH},-1,0"]),
        json.dumps([f"{HASH},100,-1"]),
        json.dumps([f"{HASH},100,nan"]),
        json.dumps([f"{HASH},100,1e300"]),
        json.dumps([f"{HASH[:-1]},100,0"]),
        json.dumps([f"{'g' * 64},100,0"]),
        json.dumps([f"{'0' * 64},100,0"]),
        json.dumps([f"{HASH},10,0"]),
        json.dumps({"0": {"quality": 100, "hash": HASH}}),
        json.dumps({"0": 7}),
        "[" * 100_000,
        json.dumps([f"{HASH},100,0"] * (MOST_FRAMES + 1)),
        " " * (LONGEST_TEXT + 1),
    ],
    ids=range(25),
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidSignal) as refused:
        parse_frames(text)
    assert HASH not in str(refused.value)


@given(st.text(max_size=50))
def test_no_text_makes_it_fail_in_another_way(text: str) -> None:
    with pytest.raises(InvalidSignal):
        parse_frames(text)


def test_a_video_is_one_text_after_the_other_signals() -> None:
    md5, frames = Signal(SignalType.MD5, "0123456789abcdef" * 2), video([1, 2, 3])
    told = list(videos_and_others([*frames, md5]))
    assert told == [(SignalType.MD5, md5.value), (SignalType.VPDQ, frames_text(frames))]
    assert list(videos_and_others([md5])) == [(SignalType.MD5, md5.value)]
