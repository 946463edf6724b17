# SPDX-License-Identifier: Apache-2.0
"""An explanation in words says where in a video the match lies, and nothing that is not known."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.demo.why import clock, matched_seconds, timeline, why

DIGEST = {"bank": "b", "entry": "e", "signal": "md5", "variant": "bytes", "distance": 0, "threshold": 0}
PART = {
    "frames": 19,
    "looks": 19,
    "of": 20,
    "covered": 5.7,
    "seconds": {"upload": [41.0, 47.0], "entry": [0.0, 6.0]},
    "length": 60.0,
    "strength": "firm",
}
FRAME = {"bank": "b", "entry": "e", "signal": "vpdq", "variant": "frame 9 full.as_is", "distance": 4, "threshold": 31}


def explained(*matches: dict[str, Any], effect: str = "hold") -> dict[str, Any]:
    return {"reason": None, "effect": effect, "matches": [{"effect": effect, **match} for match in matches]}


def test_a_video_is_told_with_its_seconds_and_those_of_the_upload() -> None:
    told = why(explained({**FRAME, "part": PART}))
    assert told == "vpdq, 19 frames, its 0:00 to 0:06 at 0:41 to 0:47: bank b, entry e"


def test_a_still_is_told_without_seconds_of_the_upload() -> None:
    part = {**PART, "frames": 1, "length": None, "seconds": {"upload": None, "entry": [3.0, 4.0]}}
    told = why(explained({**FRAME, "part": part}, effect="review"))
    assert told == "review: vpdq, 1 frame, its 0:03 to 0:04: bank b, entry e"
    assert timeline(explained({**FRAME, "part": part})) is None


def test_a_picture_in_a_video_is_told_with_when_it_is_shown() -> None:
    match = {**FRAME, "signal": "pdq", "spot": {"seconds": [5.0, 6.0], "length": 10.0}}
    assert why(explained(match)) == "pdq, distance 4 of 31 at 0:05 (frame 9 full.as_is): bank b, entry e"
    assert matched_seconds(explained(match)) == [(5.0, 6.0)]


def test_the_line_of_time_is_thick_where_the_match_lies() -> None:
    line = timeline(explained({**FRAME, "part": PART}, DIGEST))
    assert line is not None
    start, cells, end = line.split(" ")
    assert (start, end, len(cells)) == ("0:00", "1:00", 48)
    marked = [place for place, cell in enumerate(cells) if cell == "█"]
    assert marked == list(range(int(48 * 41 / 60), round(48 * 47 / 60)))


def test_what_leads_to_nothing_is_not_marked_and_pictures_have_no_line() -> None:
    assert timeline(explained({**FRAME, "part": PART}, effect="ignore")) is None
    assert timeline(explained(DIGEST)) is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (5.9, "0:06"), (59.4, "0:59"), (61, "1:01"), (3600, "1:00:00"), (7325, "2:02:05")],
)
def test_times_are_shown_as_players_show_them(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
