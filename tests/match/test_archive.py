# SPDX-License-Identifier: Apache-2.0
"""What an archived film keeps of its frames is what a bank keeps of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.match.archive import packed, unpacked
from holdfast.match.signal import InVideo, Signal, SignalType

FRAMES = st.lists(
    st.tuples(st.integers(0, 2**256 - 1), st.integers(0, 2**32 - 1), st.integers(0, 100)), max_size=20
).map(lambda told: tuple(_frame(number, *one) for number, one in enumerate(told)))


def _frame(number: int, value: int, at_ms: int, quality: int) -> Signal:
    return Signal(SignalType.VPDQ, f"{value:064x}", InVideo(number, at_ms, quality))


@given(FRAMES)
def test_frames_come_back_as_they_went_in(frames: tuple[Signal, ...]) -> None:
    assert unpacked(packed(frames)) == frames
    assert len(packed(frames)) == 40 * len(frames)
