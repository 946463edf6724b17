# SPDX-License-Identifier: Apache-2.0
"""The storyboard of a video has a picture of each scene and of each stretch, with the time at which it begins."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.media.plane import Frame, Watched
from holdfast.media.preview import GREY, Previews
from holdfast.media.reason import Reason
from holdfast.media.storyboard import STRETCH, Storyboard
from tests.pictures import grey, plane_of

EVERYTHING = range(10_000)


def frames(*scenes: int, every: float = 1.0, track: int = 0) -> list[Frame]:
    """One frame of each of these scenes, so many seconds apart."""
    return [Frame(at, (plane_of(grey(60, 80, seed)),), at * every, track) for at, seed in enumerate(scenes)]


def shown(*given: Frame, wanted: range | set[int] = EVERYTHING, missed: Reason | None = None) -> Previews:
    board = Storyboard(GREY, wanted)
    for frame in given:
        board.see(frame)
    last = max((frame.seconds or 0.0 for frame in given), default=0.0)
    return board.pictures(Watched(len(given), last, 1, missed))


def test_each_scene_has_a_picture_and_a_scene_that_goes_on_has_one() -> None:
    found = shown(*frames(1, 1, 1, 2, 2, 3))
    assert [(one.seconds, one.lasts) for one in found.pictures] == [(0.0, 3.0), (3.0, 2.0), (5.0, 0.0)]
    assert found.of == 3


def test_a_picture_that_flashes_up_between_two_of_one_scene_is_shown() -> None:
    assert [one.seconds for one in shown(*frames(1, 2, 1, every=0.04)).pictures] == [0.0, 0.04, 0.08]


def test_a_long_scene_has_a_picture_of_each_stretch() -> None:
    found = shown(*frames(*[1] * 35))
    assert [one.seconds for one in found.pictures] == [0.0, STRETCH, 2 * STRETCH, 3 * STRETCH]


def test_each_track_begins_with_a_picture_of_its_own() -> None:
    found = shown(*frames(1, 1), *frames(1, 1, track=1))
    assert [(one.seconds, one.lasts) for one in found.pictures] == [(0.0, 1.0), (0.0, 1.0)]


def test_only_what_is_asked_for_is_kept_and_all_is_counted() -> None:
    found = shown(*frames(1, 2, 3, 4), wanted={2})
    assert [(one.number, one.seconds) for one in found.pictures] == [(2, 2.0)]
    assert found.of == 4


@pytest.mark.parametrize("missed", [Reason.DAMAGED, Reason.TOO_LONG])
def test_how_many_there_are_nobody_knows_where_a_part_was_not_seen(missed: Reason) -> None:
    found = shown(*frames(1, 2), missed=missed)
    assert (found.of, found.counted) == (0, 2)


def test_an_empty_scene_has_a_picture_as_any_other() -> None:
    black = Frame(0, (plane_of(np.zeros((60, 80), np.uint8)),), 0.0)
    assert len(shown(black).pictures) == 1


def test_what_comes_into_a_still_scene_begins_a_picture() -> None:
    room = np.tile(np.linspace(60, 180, 80).astype(np.uint8), (60, 1))
    entered = room.copy()
    entered[10:60, 30:46] = 20
    shots = [Frame(at, (plane_of(one),), float(at)) for at, one in enumerate([room, room, entered, entered, room])]
    assert [one.seconds for one in shown(*shots).pictures] == [0.0, 2.0, 4.0]


def test_what_hardly_changes_does_not() -> None:
    room = np.tile(np.linspace(60, 180, 80).astype(np.uint8), (60, 1))
    shots = [Frame(at, (plane_of(room + np.uint8(at)),), float(at)) for at in range(5)]
    assert len(shown(*shots).pictures) == 1
