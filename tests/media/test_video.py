# SPDX-License-Identifier: Apache-2.0
"""A video is seen whole: every second of it, every track, every container; or it is said what was missed."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.media.filetype import VIDEOS, FileType
from holdfast.media.pdq import Family, hash_plane
from holdfast.media.reason import Reason
from holdfast.media.video_samples import video_sample
from tests.pictures import encoded, natural
from tests.videos import FPS, Coding, Reel, distance, edited, film, hash_of, scene, steady, watched, watched_as

PLAIN: Final = Coding()
EVERY: Final = {
    "mp4": PLAIN,
    "mp4 begun by its index": Coding(muxing={"movflags": "faststart"}),
    "mp4 in fragments": Coding(muxing={"movflags": "frag_keyframe+empty_moov"}),
    "mp4 with pictures that lean on later ones": Coding(options={"preset": "fast", "bf": "3"}),
    "mov": Coding("mov"),
    "3gp": Coding("3gp", "mpeg4"),
    "mkv": Coding("matroska"),
    "mkv of hevc": Coding("matroska", "libx265", options={"preset": "ultrafast", "x265-params": "log-level=none"}),
    "webm of vp8": Coding("webm", "libvpx"),
    "webm of vp9": Coding("webm", "libvpx-vp9"),
    "webm of av1": Coding("webm", "libsvtav1"),
    "avi": Coding("avi", "mpeg4"),
    "avi of jpegs": Coding("avi", "mjpeg", "yuvj420p"),
    "avi of h264": Coding("avi"),
    "ts": Coding("mpegts"),
    "ts of mpeg2": Coding("mpegts", "mpeg2video", fps=25),
    "m2ts": Coding("mpegts", muxing={"mpegts_m2ts_mode": "1"}),
    "flv": Coding("flv"),
    "flv of flv1": Coding("flv", "flv"),
}
INSERT: Final = 99


def frame_in_each_second(reel: Reel, last: float, track: int = 0) -> bool:
    """Whether a frame was looked at in every second until the last frame began."""
    return {math.floor(at) for at in reel.times(track)} >= set(range(math.floor(last) + 1))


# --- every container


def test_making_a_film_leaves_this_process_scheduled_as_it_was() -> None:
    film(steady(range(1)), coding=EVERY["webm of av1"])
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize("name", EVERY)
def test_a_film_in_any_container_is_seen_scene_by_scene(name: str) -> None:
    coding = EVERY[name]
    shots = steady(range(4), seconds=1.5, fps=coding.fps)
    reel = watched(film(shots, coding=coding))
    assert reel.missed is None
    assert reel.tracks == 1
    assert all(reel.shows(scene(seed)) for seed in range(4))
    assert reel.times() == sorted(reel.times())
    assert reel.said == pytest.approx(6.0, abs=0.5)
    assert reel.seconds == pytest.approx(6.0, abs=0.5)


@pytest.mark.parametrize("kind", VIDEOS)
def test_the_sample_of_every_type_is_seen(kind: FileType) -> None:
    reel = watched(video_sample(kind))
    assert reel.missed is None
    assert len(reel.frames) == 1


@pytest.mark.parametrize("kind", VIDEOS)
@pytest.mark.parametrize("said", VIDEOS)
def test_a_video_is_only_opened_by_the_reader_of_its_type(kind: FileType, said: FileType) -> None:
    reel = watched_as(video_sample(kind), said)
    assert bool(reel.frames) == (kind is said)
    assert bool(reel.missed) == (kind is not said)


# --- when


@settings(max_examples=15)
@given(st.lists(st.integers(1, 40), min_size=3, max_size=40), st.booleans())
def test_each_second_of_the_timeline_has_a_frame_at_any_pace(tenths: list[int], same: bool) -> None:
    """Frames last from a tenth of a second to four; a second within a frame is that frame's."""
    starts = np.cumsum([0, *tenths]) / 10
    shots = [(scene(0 if same else number % 5), float(at)) for number, at in enumerate(starts[:-1])]
    reel = watched(film(shots, coding=replace(PLAIN, container="matroska")))
    assert reel.missed is None
    begun = {math.floor(at + 1e-6) for at in starts[:-1]}
    assert {math.floor(at + 1e-6) for at in reel.times()} == begun
    assert reel.seconds == pytest.approx(float(starts[-2]), abs=0.02)


@settings(max_examples=10)
@given(st.integers(5, 60), st.integers(0, 2**32 - 1))
def test_what_is_shown_for_two_seconds_is_found_anywhere(fps: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    at = float(random.uniform(0, 8))
    shots = [(scene(INSERT if at <= n / fps < at + 2 else 1), n / fps) for n in range(10 * fps)]
    reel = watched(film(shots, coding=Coding(fps=fps, gop=10 * fps, options={"preset": "veryfast"})))
    found = reel.shows(scene(INSERT))
    assert found
    assert all(at - 0.05 <= when <= at + 2.05 for when in found)


@pytest.mark.parametrize("at", [0, 1, 47, 98, 99])
def test_a_scene_of_one_frame_is_found(at: int) -> None:
    shots = [(scene(INSERT if number == at else 1), number / FPS) for number in range(100)]
    assert watched(film(shots)).shows(scene(INSERT))


def test_a_still_film_costs_one_frame_a_second() -> None:
    reel = watched(film(steady([1], seconds=20)))
    assert len(reel.frames) == 20


def test_what_only_frames_show_that_no_other_rests_on_is_found() -> None:
    """Four of five frames are such: whoever leaves them out sees another film."""
    options = {"preset": "fast", "bf": "4", "b-adapt": "0", "b-pyramid": "none", "scenecut": "0", "qp": "20"}
    shots = [(scene(1 if number % 5 == 0 else INSERT), number / 25) for number in range(25 * 6)]
    reel = watched(film(shots, coding=Coding(fps=25, gop=250, options=options)))
    found = reel.shows(scene(INSERT))
    assert found
    assert min(found) < 2.5
    assert len({math.floor(at) for at in found}) >= 4


def test_times_that_all_say_the_same_do_not_hide_what_is_shown() -> None:
    """Every frame of six seconds at the same moment, as a file may claim."""
    content = bytearray(film(steady([1, 2, INSERT, 3], seconds=4, fps=25), coding=Coding("flv", fps=25)))
    at = 13
    while at + 11 <= len(content):
        size = int.from_bytes(content[at + 1 : at + 4], "big")
        content[at + 4 : at + 8] = bytes(4)
        at += 11 + size + 4
    assert watched(bytes(content)).shows(scene(INSERT))


# --- where


def test_every_track_is_seen() -> None:
    reel = watched(film(steady([1, 2]), steady([3, INSERT]), steady([4])))
    assert reel.tracks == 3
    assert reel.shows(scene(INSERT), track=1)
    assert reel.shows(scene(4), track=2)
    assert [frame.track for frame in reel.frames] == sorted(frame.track for frame in reel.frames)


def test_the_very_last_frame_of_a_second_track_is_seen() -> None:
    shots = [*steady([1], seconds=3), (scene(INSERT), 3.0)]
    reel = watched(film(steady([1]), shots, coding=Coding(options={"preset": "fast", "bf": "3"})))
    assert reel.shows(scene(INSERT), track=1)


@pytest.mark.parametrize(("start", "seconds"), [(4.0, 4.0), (0.0, 4.0), (2.0, 1.0)])
def test_what_an_edit_list_hides_is_seen_and_what_it_shows_has_its_time(start: float, seconds: float) -> None:
    seeds = [1, 2, 3, 4, 5, 6, 7, 8]
    whole = film(steady(seeds), coding=Coding(options={"preset": "fast", "bf": "2"}, gop=5))
    reel = watched(edited(whole, start=start, seconds=seconds))
    assert reel.missed is None
    assert reel.tracks == 2
    assert all(reel.shows(scene(seed), track=1) for seed in seeds)
    shown = reel.shows(scene(seeds[int(start)]), track=0)
    assert shown
    assert min(shown) == pytest.approx(0.0, abs=0.2)
    assert max(reel.times(0)) <= seconds + 0.2


def test_an_edit_list_that_hides_nothing_costs_nothing() -> None:
    reel = watched(film(steady([1, 2, 3]), coding=Coding(options={"preset": "fast", "bf": "3"})))
    assert reel.tracks == 1


def test_a_cover_picture_is_seen() -> None:
    reel = watched(film(steady([1, 2]), coding=Coding("matroska"), cover=encoded(scene(INSERT), FileType.PNG)))
    assert reel.missed is None
    assert reel.tracks == 2
    assert reel.shows(scene(INSERT), track=1) == [0.0]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_film_that_is_shown_turned_comes_out_turned(rotation: int) -> None:
    reel = watched(film(steady([1]), coding=Coding(rotation=rotation)))
    turned = np.ascontiguousarray(np.rot90(scene(1), rotation // 90))
    assert reel.shows(turned)
    assert reel.frames[0].planes[0].luma.shape == turned.shape[:2]


@pytest.mark.parametrize("colour", [0, 255])
def test_what_a_border_leaves_is_seen_by_itself(colour: int) -> None:
    framed = np.full((180, 160, 3), colour, np.uint8)
    framed[30:150] = scene(1)
    reel = watched(film([(framed, number / FPS) for number in range(5)]))
    assert reel.shows(framed)
    assert reel.shows(scene(1))
    assert len(reel.frames[0].planes) == 2


def test_a_film_without_a_border_is_seen_one_way() -> None:
    assert {len(frame.planes) for frame in watched(film(steady([1, 2]))).frames} == {1}


def test_black_is_nothing_to_be_cut_out() -> None:
    black = np.zeros((120, 160, 3), np.uint8)
    reel = watched(film([(black, number / FPS) for number in range(5)]))
    assert [len(frame.planes) for frame in reel.frames] == [1]


# --- pixels


@pytest.mark.parametrize(
    "coding",
    [
        Coding(pixels="yuv444p"),
        Coding(pixels="yuv422p"),
        Coding("matroska", "ffv1", "gray"),
        Coding("matroska", "ffv1", "yuv420p10le"),
        Coding("matroska", "ffv1", "yuv422p12le"),
        Coding("matroska", "libx265", "yuv420p10le", options={"preset": "ultrafast", "x265-params": "log-level=none"}),
        Coding("avi", "rawvideo", "yuyv422"),
        Coding("mov", "png", "rgb24"),
        Coding("mov", "qtrle", "rgb24"),
        Coding("mov", "prores_ks", "yuv422p10le"),
        Coding("mov", "mjpeg", "yuvj420p"),
    ],
    ids=lambda coding: f"{coding.codec}-{coding.pixels}",
)
def test_every_form_of_pixel_gives_the_same_picture_and_quality(coding: Coding) -> None:
    reel = watched(film(steady([5], seconds=0.5), coding=coding))
    assert reel.missed is None
    hashed = hash_plane(reel.frames[0].planes[0])
    assert distance(hashed.of(Family.FULL), hash_of(scene(5))) <= 12
    luma = np.asarray(reel.frames[0].planes[0].luma, np.float64)
    expected = scene(5) @ np.array([0.299, 0.587, 0.114])
    assert abs(luma - expected).mean() < 6


def test_a_large_film_comes_at_a_fraction() -> None:
    big = natural(1080, 1920, 1)
    reel = watched(film([(big, 0.0), (big, 0.1)]))
    (plane,) = reel.frames[0].planes
    assert (plane.full_height, plane.full_width) == (1080, 1920)
    assert max(plane.luma.shape) < 1024
    assert reel.shows(big, within=8)


# --- what cannot be seen


@pytest.mark.parametrize("name", ["mp4 begun by its index", "mkv", "webm of vp9", "avi", "flv", "mp4 in fragments"])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_film_that_breaks_off_is_seen_so_far_and_called_truncated(name: str, share: float) -> None:
    whole = film(steady(range(10)), coding=EVERY[name])
    reel = watched(whole[: int(len(whole) * share)])
    assert reel.missed is Reason.TRUNCATED
    assert reel.frames
    assert reel.shows(scene(0))


def test_a_film_whose_index_was_cut_off_is_called_truncated() -> None:
    whole = film(steady([1, 2, 3]))
    reel = watched(whole[: whole.index(b"moov") - 4])
    assert not reel.frames
    assert reel.missed in {Reason.TRUNCATED, Reason.UNDECODABLE}


def test_a_film_that_is_damaged_in_the_middle_is_seen_on_both_sides_of_it() -> None:
    content = bytearray(film(steady(range(10))))
    random = np.random.default_rng(1)
    middle = content.index(b"mdat") + (content.index(b"moov") - content.index(b"mdat")) // 2
    content[middle : middle + 1500] = random.bytes(1500)
    reel = watched(bytes(content))
    assert reel.missed is Reason.DAMAGED
    assert reel.shows(scene(0))
    assert reel.shows(scene(9))


def test_an_encrypted_film_is_called_encrypted() -> None:
    scheme = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "00" * 16, "encryption_kid": "11" * 16}
    reel = watched(film(steady([1, 2]), coding=Coding(muxing=scheme)))
    assert reel.missed is Reason.ENCRYPTED
    assert not reel.frames


def test_sound_alone_is_no_picture() -> None:
    assert watched(sound()).missed is Reason.NO_PICTURE


def test_a_film_that_takes_too_long_is_seen_until_then() -> None:
    reel = watched(film(steady(range(5))), seconds=0.0)
    assert reel.missed is Reason.TOO_LONG


def test_a_frame_of_too_many_pixels_is_not_decoded() -> None:
    reel = watched(film(steady([1])), max_pixels=160 * 120 - 1)
    assert reel.missed is Reason.TOO_LARGE
    assert not reel.frames


@settings(max_examples=40)
@given(st.sampled_from(VIDEOS), st.data())
def test_a_video_with_bytes_changed_never_raises(kind: FileType, data: st.DataObject) -> None:
    content = bytearray(video_sample(kind))
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    watched_as(bytes(content), kind, seconds=5.0)


@settings(max_examples=40)
@given(st.sampled_from(VIDEOS), st.data())
def test_a_video_cut_anywhere_never_raises(kind: FileType, data: st.DataObject) -> None:
    content = video_sample(kind)
    watched_as(content[: data.draw(st.integers(0, len(content)))], kind, seconds=5.0)


def sound() -> bytes:
    """Two seconds of silence in an MP4."""
    import io
    from fractions import Fraction

    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        for number in range(80):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 44100, number * 1024, Fraction(1, 44100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()
