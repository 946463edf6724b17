# SPDX-License-Identifier: Apache-2.0
"""Benign videos made by code: drifting clouds of noise, cut into scenes, in every container and many codecs."""

from __future__ import annotations

import functools
import os
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np

from holdfast.intake.upload import Upload, from_bytes
from holdfast.media import video
from holdfast.media.filetype import HEAD_LENGTH, FileType, recognise
from holdfast.media.pdq import Family, from_hex, hash_plane
from holdfast.media.plane import Frame, Plane
from holdfast.media.reason import NotDecoded, Reason
from tests.pictures import Pixels, natural

HEIGHT: Final = 120
WIDTH: Final = 160
FPS: Final = 10
FAST: Final[Mapping[str, str]] = {"preset": "ultrafast", "tune": "zerolatency"}
_REGULAR: Final = frozenset({"mpeg4", "mjpeg", "mpeg2video", "flv"})
"""Codecs whose frames all last as long."""
Shot = tuple[Pixels, float]
"""A picture, and when it is shown, in seconds."""


@functools.cache
def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Pixels:
    """One picture of its own."""
    return natural(height, width, seed)


def steady(seeds: Iterable[int], *, seconds: float = 1.0, fps: int = FPS, start: float = 0.0) -> list[Shot]:
    """Scenes one after the other, each for so many seconds."""
    count = round(seconds * fps)
    return [(scene(seed), start + at / fps) for at, seed in enumerate(seed for seed in seeds for _ in range(count))]


@dataclass(frozen=True)
class Coding:
    """How a film is written."""

    container: str = "mp4"
    codec: str = "libx264"
    pixels: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=lambda: FAST)
    muxing: Mapping[str, str] = field(default_factory=dict)
    fps: int = FPS
    gop: int = 12
    rotation: int = 0


def film(*tracks: Sequence[Shot], coding: Coding = Coding(), cover: bytes = b"") -> bytes:
    """A film with one track of pictures for each list of shots, and perhaps a cover."""
    # A named file: moving the index to the front reads what was written.
    with tempfile.NamedTemporaryFile() as file, _as_patient_as_before():
        _write(file.name, tracks, coding, cover)
        return file.read()


@contextmanager
def _as_patient_as_before() -> Iterator[None]:
    """Leave this process as it was scheduled: SVT-AV1, run as root, puts it before everything else on the machine.

    What is started afterwards would inherit that, and two such processes stop a machine of two cores.
    """
    policy, given = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, given)


def _write(path: str, tracks: Sequence[Sequence[Shot]], coding: Coding, cover: bytes) -> None:
    with av.open(path, "w", format=coding.container, container_options=dict(coding.muxing)) as container:
        if cover:
            container.add_attachment("cover.png", "image/png", cover)
        streams = [_stream(container, shots[0][0], coding) for shots in tracks]
        for stream, shots in zip(streams, tracks, strict=True):
            for packet in _packets(stream, shots, coding):
                container.mux(packet)


def _stream(container: Any, picture: Pixels, coding: Coding) -> Any:
    stream = container.add_stream(coding.codec, rate=coding.fps)
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = coding.pixels
    stream.gop_size = coding.gop
    stream.codec_context.thread_count = 1
    if coding.codec in ("libx264", "libx265"):
        stream.options = dict(coding.options)
    stream.bit_rate = 4_000_000
    if coding.codec not in _REGULAR:
        stream.codec_context.time_base = Fraction(1, 1000)
    if coding.rotation:
        stream.set_display_rotation(coding.rotation)
    return stream


def _packets(stream: Any, shots: Sequence[Shot], coding: Coding) -> Iterator[Any]:
    for picture, seconds in shots:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = frame.reformat(format=coding.pixels)
        beat = coding.fps if coding.codec in _REGULAR else 1000
        frame.pts, frame.time_base = round(seconds * beat), Fraction(1, beat)
        yield from stream.encode(frame)
    yield from stream.encode()


def edited(mp4: bytes, *, start: float, seconds: float) -> bytes:
    """The same film with an edit list by which players show only this part of it."""
    at = mp4.index(b"elst")
    at_header = mp4.index(b"mdhd")
    (scale,) = struct.unpack_from(">I", mp4, at_header + 4 + 12)
    version, count, _, first = struct.unpack_from(">IIIi", mp4, at + 4)
    assert (version, count) == (0, 1)
    changed = bytearray(mp4)
    struct.pack_into(">Ii", changed, at + 12, round(seconds * 1000), first + round(start * scale))
    return bytes(changed)


@dataclass
class Reel:
    """What was sent while a video was watched."""

    frames: list[Frame] = field(default_factory=list)
    said: float | None = None
    tracks: int = 0
    seconds: float = 0.0
    missed: Reason | None = None

    def begin(self, seconds: float | None, tracks: int) -> None:
        self.said, self.tracks = seconds, tracks

    def frame(self, seconds: float, track: int, planes: tuple[Plane, ...]) -> None:
        self.frames.append(Frame(len(self.frames), planes, seconds, track))

    def end(self, seconds: float, missed: Reason | None) -> None:
        self.seconds, self.missed = seconds, missed

    def times(self, track: int = 0) -> list[float]:
        return [frame.seconds for frame in self.frames if frame.track == track and frame.seconds is not None]

    def shows(self, picture: Pixels, *, within: int = 31, track: int | None = None) -> list[float]:
        """When a picture was looked at, in seconds."""
        target = hash_of(picture)
        return [
            frame.seconds or 0.0
            for frame in self.frames
            if track in (None, frame.track)
            and any(distance(hash_plane(plane).of(Family.FULL), target) <= within for plane in frame.planes)
        ]


def hash_of(picture: Pixels) -> str:
    """The hash of a colour picture."""
    red, green, blue = (picture[:, :, channel].astype(np.float64) for channel in range(3))
    luma = np.asarray(np.rint(0.299 * red + 0.587 * green + 0.114 * blue), np.uint8)
    return hash_plane(Plane(luma, *luma.shape)).of(Family.FULL)


def distance(one: str, other: str) -> int:
    """How many of the 256 bits differ."""
    return int(np.bitwise_count(from_hex(one) ^ from_hex(other)).sum())


def watched(content: bytes, *, max_pixels: int = 64_000_000, seconds: float = 60.0) -> Reel:
    """Watch it in this process, without the sandbox around it."""
    kind = recognise(content[:HEAD_LENGTH])
    assert not isinstance(kind, NotDecoded), kind
    return watched_as(content, kind, max_pixels=max_pixels, seconds=seconds)


def watched_as(content: bytes, kind: FileType, *, max_pixels: int = 64_000_000, seconds: float = 60.0) -> Reel:
    """Watch it as a file of this type, whatever it is."""
    reel = Reel()
    with uploaded(content) as upload:
        limits = video.VideoLimits(max_pixels, seconds)
        video.watch(video.Descriptor(upload.descriptor, upload.size), kind, limits, reel)
    return reel


@contextmanager
def uploaded(content: bytes) -> Iterator[Upload]:
    """An upload of these bytes."""
    upload = from_bytes(content, 2**31)
    assert isinstance(upload, Upload)
    with upload:
        os.lseek(upload.descriptor, 0, os.SEEK_SET)
        yield upload
