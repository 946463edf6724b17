# SPDX-License-Identifier: Apache-2.0
"""The storyboard of a video marks the matched seconds; what is no video has none."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.demo import videos
from holdfast.demo.storyboard import FRAME, HEIGHT, WIDTH, poster, storyboard
from tests.demo.test_why import FRAME as MATCH
from tests.demo.test_why import PART, explained

pytest.importorskip("av", reason="the optional video parts are not installed")
RED = (179, 38, 30)


@pytest.fixture(scope="module")
def film() -> bytes:
    return videos.encoded(videos.others(12, 990, (160, 120)))


def red_columns(content: bytes, seconds: list[float]) -> set[int]:
    part = {**PART, "length": 12.0, "seconds": {"upload": seconds, "entry": [0.0, 3.0]}}
    board = storyboard(content, explained({**MATCH, "part": part}))
    assert board is not None
    line = np.asarray(board)[FRAME[1] + 6]
    return set(np.flatnonzero((line == RED).all(axis=1)).tolist())


def test_the_matched_seconds_are_marked_in_proportion(film: bytes) -> None:
    marked = red_columns(film, [6.0, 9.0])
    assert min(marked) == pytest.approx(WIDTH * 6 / 11.9, abs=5)
    assert max(marked) == pytest.approx(WIDTH * 9 / 11.9, abs=5)


def test_nothing_is_marked_where_nothing_matched(film: bytes) -> None:
    board = storyboard(film, explained())
    assert board is not None
    assert board.size == (WIDTH, HEIGHT)
    assert not (np.asarray(board)[FRAME[1] + 6] == RED).all(axis=1).any()


def test_what_is_no_video_has_no_storyboard(film: bytes) -> None:
    assert storyboard(b"hello", explained()) is None
    assert poster(b"") is None
    assert poster(film) is not None
