# SPDX-License-Identifier: Apache-2.0
"""A video is hashed frame by frame, and nothing of it is taken for seen that was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from holdfast.errors import InvalidRequest
from holdfast.intake.upload import Upload, from_bytes
from holdfast.match.look import Seen, look, signals_to_bank
from holdfast.match.signal import SignalType
from holdfast.match.variant import frame_of
from holdfast.media.pdq import Form, from_hex, hash_plane
from holdfast.media.plane import Begun, Decoded, Frame, Watched
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.reel import Begin, See
from tests.pictures import Pixels, grey, plane_of

MP4 = b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom"
A, B, C = (grey(240, 320, seed=seed) for seed in range(3))
BLACK = np.full((240, 320), 16, np.uint8)
FAINT = np.asarray(np.rint(A * 0.1 + 100), np.uint8)


@dataclass
class Shows:
    """A decoder that shows these frames, each (track, seconds, picture), and ends so."""

    frames: Sequence[tuple[int, float, Pixels]]
    missed: Reason | None = None
    instead: NotDecoded | None = None

    def decode(self, upload: Upload) -> Decoded | NotDecoded:
        raise AssertionError(upload)

    def watch(self, upload: Upload, see: See, begin: Begin | None = None) -> Watched | NotDecoded:
        assert upload.size
        if begin:
            begin(Begun(None, 1))
        for number, (track, seconds, picture) in enumerate(self.frames):
            see(Frame(number, (plane_of(picture),), seconds, track))
        longest = max((seconds for _, seconds, _ in self.frames), default=0.0) + 1
        return self.instead or Watched(len(self.frames), longest, 1, self.missed)


def watched(*pictures: Pixels, **how: object) -> Seen:
    return seen(Shows([(0, float(second), picture) for second, picture in enumerate(pictures)], **how))  # type: ignore[arg-type]


def seen(decoder: Shows) -> Seen:
    upload = from_bytes(MP4, 100)
    assert isinstance(upload, Upload)
    with upload:
        return look(upload, decoder)


def reason(found: Seen) -> Reason | None:
    return found.obstacle.reason if found.obstacle else None


def moments(found: Seen) -> list[tuple[float, float, int]]:
    assert found.film
    return [(one.at, one.until, one.stands_for) for one in found.film.moments]


def test_every_form_of_every_frame_is_looked_up_under_its_number() -> None:
    found = watched(A, B, C)
    assert reason(found) is None
    assert moments(found) == [(0.0, 1.0, 1), (1.0, 2.0, 1), (2.0, 3.0, 1)]
    for number, picture in enumerate((A, B, C)):
        forms = {name.rsplit(".", 1)[1] for name in found.variants if frame_of(name) == number}
        assert forms == set(Form)
        mine = {
            row.tobytes() for row, name in zip(found.hashes, found.variants, strict=True) if frame_of(name) == number
        }
        wanted = hash_plane(plane_of(picture)).hashes
        assert {wanted[0].tobytes(), wanted[4].tobytes()} <= mine


def test_a_hash_of_the_second_family_that_the_first_stands_for_is_not_looked_up() -> None:
    assert len(watched(A).hashes) == len(Form)  # up to 512 pixels the families are one
    large = grey(900, 1200, seed=3)
    assert len(Form) < len(watched(large).hashes) <= 2 * len(Form)


def test_what_stands_still_is_looked_up_once_and_counted() -> None:
    found = watched(A, A, A, B, A)
    assert moments(found) == [(0.0, 3.0, 3), (3.0, 4.0, 1), (4.0, 5.0, 1)]


def test_a_bank_keeps_every_frame_that_can_be_compared_with_its_time() -> None:
    found = watched(A, A, BLACK, B)
    kept = [one for one in signals_to_bank(found, exact_only=False) if one.type is SignalType.VPDQ]
    assert [(one.frame.number, one.frame.at_ms) for one in kept if one.frame] == [(0, 0), (1, 1000), (2, 3000)]
    assert [from_hex(one.value).tobytes() for one in kept] == [
        hash_plane(plane_of(picture)).hashes[0].tobytes() for picture in (A, A, B)
    ]
    assert {one.type for one in signals_to_bank(found, exact_only=False)} == {
        SignalType.MD5,
        SignalType.SHA1,
        SignalType.SHA256,
        SignalType.VPDQ,
    }


def test_tracks_are_banked_one_after_the_other_and_the_same_one_once() -> None:
    tracks = [(0, 0.0, A), (0, 1.0, B), (1, 0.0, A), (1, 1.0, C)]
    found = seen(Shows(tracks))
    assert found.film
    assert [(one.frame.at_ms) for one in found.film.upright if one.frame] == [0, 1000, 3000]
    assert [one.track for one in found.film.moments] == [0, 0, 1, 1]


def test_a_moment_does_not_last_into_another_track() -> None:
    found = seen(Shows([(0, 0.0, A), (0, 10.0, B), (1, 0.0, C)]))
    assert moments(found) == [(0.0, 10.0, 1), (10.0, 11.0, 1), (0.0, 1.0, 1)]


def test_black_frames_are_excused_and_end_what_was_shown() -> None:
    found = watched(BLACK, A, BLACK, BLACK, A)
    assert reason(found) is None
    assert moments(found) == [(1.0, 2.0, 1), (4.0, 5.0, 1)]


@pytest.mark.parametrize("pictures", [(BLACK, BLACK), (FAINT,), (FAINT,) * 20 + (A,)], ids=["black", "faint", "nearly"])
def test_a_video_of_which_nearly_nothing_can_be_compared_is_held(pictures: tuple[Pixels, ...]) -> None:
    assert reason(watched(*pictures)) is Reason.LOW_QUALITY


def test_some_frames_without_detail_hold_no_video() -> None:
    assert reason(watched(A, FAINT, FAINT, B)) is None


def test_what_was_seen_before_it_broke_off_is_looked_up_and_the_rest_is_an_obstacle() -> None:
    for found in (watched(A, B, missed=Reason.TRUNCATED), watched(A, B, instead=NotDecoded(Reason.TRUNCATED))):
        assert reason(found) is Reason.TRUNCATED
        assert len(found.hashes) == 2 * len(Form)
    assert reason(watched(instead=NotDecoded(Reason.DECODER_UNAVAILABLE))) is Reason.DECODER_UNAVAILABLE


def test_digests_are_those_of_the_file() -> None:
    assert [one.type for one in watched(A).exact] == [SignalType.MD5, SignalType.SHA1, SignalType.SHA256]


def test_a_film_with_too_many_different_frames_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.match.watch.MOST_MOMENTS", 2)
    found = watched(A, B, B, C)
    assert reason(found) is Reason.TOO_LONG
    assert len(found.hashes) == 2 * len(Form)


def test_of_very_many_frames_a_bank_keeps_fewer_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.match.watch.MOST_FRAMES", 3)
    found = watched(*[A, B, C] * 3)
    assert found.film
    assert [one.frame.at_ms for one in found.film.upright if one.frame] == [0, 3000, 6000]


def test_a_video_without_a_usable_look_is_not_banked_by_its_bytes_unless_that_is_said() -> None:
    with pytest.raises(InvalidRequest, match="exact_only"):
        signals_to_bank(watched(BLACK), exact_only=False)
    assert len(signals_to_bank(watched(BLACK), exact_only=True)) == 3
