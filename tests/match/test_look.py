# SPDX-License-Identifier: Apache-2.0
"""All that was decoded is looked up, under names that say what matched; what could not be compared holds."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from holdfast.errors import InvalidRequest
from holdfast.intake.upload import Upload, from_bytes
from holdfast.match.look import Seen, look, signals_to_bank
from holdfast.match.signal import SignalType
from holdfast.media.pdq import MINIMUM_QUALITY, hash_plane
from holdfast.media.plane import Decoded, Frame, Plane, Watched
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.reel import Begin, See
from tests.pictures import Pixels, grey, plane_of

CLEAR = [grey(600, 800, seed=seed) for seed in range(4)]
FLAT = np.full((600, 800), 7, np.uint8)
FAINTLY = 0.2
VERY_FAINTLY = 0.06
FAINT = np.asarray(np.rint(grey(600, 800, seed=9) * FAINTLY + 100), np.uint8)
VERY_FAINT = np.asarray(np.rint(grey(600, 800, seed=9) * VERY_FAINTLY + 120), np.uint8)
"""All within 16 grey levels; the picture is there."""


@dataclass
class Given:
    """A decoder that decodes whatever it gets to this."""

    outcome: Decoded | NotDecoded

    def decode(self, upload: Upload) -> Decoded | NotDecoded:
        assert upload.size
        return self.outcome

    def watch(self, upload: Upload, see: See, begin: Begin | None = None) -> Watched | NotDecoded:
        raise AssertionError((upload, see, begin))


def seen(*frames: tuple[Pixels, ...] | Pixels, missed: Reason | None = None) -> Seen:
    shown = [frame if isinstance(frame, tuple) else (frame,) for frame in frames]
    numbered = tuple(
        Frame(3 * number, tuple(plane_of(picture) for picture in pictures)) for number, pictures in enumerate(shown)
    )
    upload = from_bytes(b"any", 10)
    assert isinstance(upload, Upload)
    with upload:
        return look(upload, Given(Decoded(numbered, missed)))


def reason(found: Seen) -> Reason | None:
    return found.obstacle.reason if found.obstacle else None


def test_these_pictures_are_what_their_names_say() -> None:
    quality = {
        name: max(hash_plane(plane_of(one)).quality.values()) for name, one in (("flat", FLAT), ("faint", FAINT))
    }
    assert quality["flat"] == 0
    assert quality["faint"] < MINIMUM_QUALITY  # though anyone would still recognise it
    assert all(min(hash_plane(plane_of(one)).quality.values()) >= MINIMUM_QUALITY for one in CLEAR)


def test_one_picture_has_sixteen_names_without_a_number() -> None:
    found = seen(CLEAR[0])
    assert len(found.hashes) == len(found.variants) == 16
    assert "full.as_is" in found.variants
    assert reason(found) is None


def test_the_names_of_further_pictures_tell_their_number() -> None:
    found = seen(*CLEAR[:3])
    assert len(found.hashes) == 48
    assert {name.rpartition(" ")[0] for name in found.variants} == {"", "frame 3", "frame 6"}
    assert "frame 6 nearest512.mirrored" in found.variants


def test_equal_looks_are_looked_up_once_under_the_first_name() -> None:
    found = seen(CLEAR[0], CLEAR[0])
    assert not any(name.startswith("frame") for name in found.variants)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_flat_picture_among_clear_ones_is_nothing_to_hold_for(at: int) -> None:
    """Films fade in from black."""
    pictures = list(CLEAR[:2])
    pictures.insert(at, FLAT)
    assert reason(seen(*pictures)) is None


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("faint", [FAINT, VERY_FAINT], ids=["faint", "very faint"])
def test_a_picture_that_shows_something_and_cannot_be_compared_holds(at: int, faint: Pixels) -> None:
    pictures = list(CLEAR[:2])
    pictures.insert(at, faint)
    assert reason(seen(*pictures)) is Reason.LOW_QUALITY


@pytest.mark.parametrize("pictures", [[FLAT], [FAINT], [FLAT, FLAT], [FLAT, FAINT]])
def test_without_one_clear_picture_nothing_is_known(pictures: list[Pixels]) -> None:
    found = seen(*pictures)
    assert reason(found) is Reason.LOW_QUALITY
    assert found.hashes.shape == (0, 4)
    assert found.hashes.dtype == np.uint64


def test_what_shows_over_either_ground_must_be_clear_and_what_lies_below_need_not() -> None:
    assert reason(seen((CLEAR[0], CLEAR[1], FLAT))) is None
    assert reason(seen((CLEAR[0], FLAT, CLEAR[1]))) is Reason.LOW_QUALITY
    assert reason(seen(CLEAR[2], (CLEAR[0], FLAT, CLEAR[1]))) is None  # another frame is clear, and this has one flat


def test_what_was_missed_is_the_obstacle_whatever_else_there_is() -> None:
    assert reason(seen(CLEAR[0], missed=Reason.TRUNCATED)) is Reason.TRUNCATED
    assert reason(seen(FLAT, missed=Reason.SEVERAL_PICTURES)) is Reason.SEVERAL_PICTURES


def test_what_was_seen_before_something_was_missed_is_looked_up() -> None:
    assert len(seen(CLEAR[0], CLEAR[1], missed=Reason.TRUNCATED).hashes) == 32


def test_a_file_is_banked_by_the_upright_looks_of_all_its_pictures() -> None:
    banked = signals_to_bank(seen(*CLEAR[:3]), exact_only=False)
    values = [signal.value for signal in banked if signal.type is SignalType.PDQ]
    assert len(values) == len(set(values)) == 6  # two families


def test_a_file_without_a_look_is_not_banked_by_its_look() -> None:
    with pytest.raises(InvalidRequest):
        signals_to_bank(seen(FLAT), exact_only=False)


def test_a_plane_of_one_pixel_is_too_little() -> None:
    assert reason(seen(np.asarray(Image.new("L", (1, 1))))) is Reason.LOW_QUALITY
    assert isinstance(plane_of(FLAT), Plane)


def long_ones(count: int, full: int) -> tuple[Frame, ...]:
    """Small planes that say they are of pictures of great and differing length."""
    return tuple(Frame(at, (Plane(grey(60, 600, seed=at), 60, full + at),)) for at in range(count))


def looked_at(*frames: Frame) -> Seen:
    upload = from_bytes(b"any", 10)
    assert isinstance(upload, Upload)
    with upload:
        return look(upload, Given(Decoded(frames, None)))


def test_pictures_that_would_take_long_to_hash_are_not_wholly_seen() -> None:
    """A few kilobytes of pages, each a million pixels long, took 13 seconds of the process that answers everyone."""
    found = looked_at(*long_ones(20, 1_000_000))
    assert reason(found) is Reason.SEVERAL_PICTURES
    assert {name.rpartition(" ")[0] for name in found.variants} == {"", "frame 1", "frame 2", "frame 3"}


def test_many_pictures_of_one_great_length_are_all_seen() -> None:
    frames = tuple(Frame(at, (replace(long_ones(12, 1)[at].planes[0], full_width=500_000),)) for at in range(12))
    assert reason(looked_at(*frames)) is None


def test_filters_for_great_lengths_are_not_kept() -> None:
    tracemalloc.start()
    looked_at(*long_ones(4, 700_000))
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < 4 * 1024 * 1024
