# SPDX-License-Identifier: Apache-2.0
"""One video from upload to recorded answer, with the real database and the real decoder."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from holdfast.bootstrap import System
from holdfast.demo.pictures import encoded
from holdfast.demo.videos import KNOWN_SECONDS, LATE, SHOT, VIDEOS, broken, known, late, others, shot, unknown
from holdfast.demo.videos import encoded as filmed
from holdfast.match.entry import Entry
from tests.store.making import add, create
from tests.test_pipeline import known_picture, screened, signals_of, told

pytest.importorskip("av", reason="the optional video parts are not installed")
SMALL = (240, 180)


@cache
def clip() -> bytes:
    """The file of a video that the tests put into a bank."""
    return filmed(known())


@cache
def hidden() -> bytes:
    """It again, late in another video, smaller and recompressed."""
    return filmed(late(SMALL), crf="33")


def part_of(answer: dict[str, Any]) -> dict[str, Any]:
    (match,) = [one for one in answer["explanation"]["matches"] if one["part"]]
    return dict(match["part"])


@pytest.fixture
def banked(system: System) -> Entry:
    """The one entry of the bank: a video."""
    create(system)
    return add(system, *signals_of(system, clip()))


@pytest.mark.usefixtures("banked")
def test_a_known_video_is_held_by_its_bytes_and_by_every_frame(system: System) -> None:
    answer = screened(system, clip())
    assert told(answer) == ("hold", "matched", None)
    assert {match["signal"] for match in answer["explanation"]["matches"]} == {"md5", "sha1", "sha256", "vpdq"}
    assert part_of(answer)["strength"] == "firm"


def test_a_known_video_late_in_another_and_recompressed_is_held_and_said_where(system: System, banked: Entry) -> None:
    answer = screened(system, hidden())
    assert told(answer) == ("hold", "matched", None)
    (match,) = answer["explanation"]["matches"]
    assert (match["entry"], match["signal"], match["effect"]) == (banked.id, "vpdq", "hold")
    part = match["part"]
    assert part["seconds"]["upload"] == pytest.approx([LATE, LATE + KNOWN_SECONDS], abs=1.1)
    assert part["seconds"]["entry"] == pytest.approx([0, KNOWN_SECONDS], abs=1.1)
    assert system.screenings.get(answer["screening"])["matches"] == answer["explanation"]["matches"]


@pytest.mark.usefixtures("banked")
@pytest.mark.parametrize("title", [title for title in VIDEOS if "mirrored" in title or "backwards" in title])
def test_a_known_video_in_another_disguise_is_held(system: System, title: str) -> None:
    answer = screened(system, VIDEOS[title](known_picture()))
    assert told(answer) == ("hold", "matched", None)
    assert part_of(answer)["strength"] == "firm"


def test_a_known_picture_in_a_video_is_held(system: System) -> None:
    create(system)
    add(system, *signals_of(system, encoded(known_picture())))
    (title,) = [title for title in VIDEOS if title.startswith("known picture")]
    answer = screened(system, VIDEOS[title](known_picture()))
    assert told(answer) == ("hold", "matched", None)
    assert {match["signal"] for match in answer["explanation"]["matches"]} == {"pdq"}


@pytest.mark.usefixtures("banked")
def test_a_still_of_a_known_video_is_held_until_a_person_has_looked(system: System) -> None:
    still = list(known(SHOT))[20]
    answer = screened(system, encoded(still))
    assert told(answer) == ("hold", "matched", None)
    assert answer["explanation"]["effect"] == "review"
    assert part_of(answer)["seconds"]["upload"] is None


@pytest.mark.usefixtures("banked")
def test_an_animation_made_of_a_known_video_is_held(system: System) -> None:
    first, *more = list(known(SHOT))
    answer = screened(system, encoded(first, "GIF", save_all=True, append_images=more, duration=100))
    assert (told(answer)[0], answer["explanation"]["effect"]) == ("hold", "hold")


@pytest.mark.usefixtures("banked")
def test_a_video_that_nobody_knows_is_published(system: System) -> None:
    assert told(screened(system, unknown())) == ("publish", "no_match", None)


@pytest.mark.usefixtures("banked")
def test_a_video_that_breaks_off_is_held(system: System) -> None:
    assert told(screened(system, broken())) == ("hold", "not_screened", "truncated")


def test_what_is_known_is_found_in_what_was_seen_before_a_video_broke_off(system: System, banked: Entry) -> None:
    whole = filmed((frame for part in (known(), others(20, 980)) for frame in part), "matroska")
    answer = screened(system, whole[: len(whole) * 2 // 3])
    assert told(answer) == ("hold", "matched", None)
    assert answer["explanation"]["matches"][0]["entry"] == banked.id


def test_a_video_learnt_later_is_found_in_what_was_screened_before(system: System) -> None:
    create(system)
    screened(system, hidden(), item="early")
    screened(system, unknown(), item="other")
    entry = add(system, *signals_of(system, clip()))
    past = system.archive.search("bank", entry.id, actor="cli:test")
    assert [(one.content, one.signal) for one in past] == [("early", "vpdq")]


@pytest.mark.usefixtures("banked")
def test_half_of_a_known_video_is_held_wherever_it_lies(system: System) -> None:
    """Three seconds of six."""
    frames = list(known())
    with_half = (*shot(985, 8), *frames[30:], *shot(986, 8))
    assert told(screened(system, filmed(iter(with_half))))[0] == "hold"
