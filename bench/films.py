# SPDX-License-Identifier: Apache-2.0
"""Benign films made by code: a camera that drifts over painted hills, cut every few seconds.

A long film is put together from coded pieces, so that only the piece that holds what is to be found is
coded anew, with that inside a group of pictures and no key frame of its own.
"""

from __future__ import annotations

import functools
import hashlib
import io
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from holdfast.demo.pictures import hills

FPS: Final = 25
PIECE: Final = 12  # seconds, and as long is a group of pictures
SIZE: Final = (854, 480)
_MARGIN: Final = 1.25  # how much larger than the film the landscape is that it drifts over
_CODING: Final = {"preset": "veryfast", "crf": "25", "scenecut": "0", "x264-params": "keyint=300:min-keyint=300"}
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Insert:
    """What is to be found: a landscape of its own, from this second on, for so many seconds."""

    seed: int
    at: float
    seconds: float


@functools.lru_cache(maxsize=24)
def _landscape(seed: int, size: tuple[int, int]) -> Picture:
    return np.asarray(hills(seed, (int(size[0] * _MARGIN), int(size[1] * _MARGIN))))


def drifting(seed: int, number: int, size: tuple[int, int] = SIZE) -> Picture:
    """Frame `number` of a drift over one landscape, there and back."""
    whole = _landscape(seed, size)
    across, down = whole.shape[1] - size[0], whole.shape[0] - size[1]
    left, top = (abs((number + limit) % (2 * limit) - limit) for limit in (across, down))
    return np.ascontiguousarray(whole[top : top + size[1], left : left + size[0]])


def stored(name: str, make: Callable[[], bytes]) -> Path:
    """A film made once and kept in the temporary folder."""
    folder = Path(tempfile.gettempdir()) / "holdfast-bench-films"
    folder.mkdir(exist_ok=True)
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.mp4"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(make())
        part.rename(path)
    return path


def scenes(size: tuple[int, int], seconds: int, *, every: int, seed: int, options: dict[str, str]) -> bytes:
    """A film of several landscapes, as a camera and an encoder would make it."""
    frames = (drifting(seed + number // (every * FPS), number, size) for number in range(seconds * FPS))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        for packet in _coded(film, frames, size, options):
            film.mux(packet)
    return file.getvalue()


@functools.lru_cache(maxsize=64)
def _piece(seed: int, insert: Insert | None) -> tuple[bytes, ...]:
    """Twelve seconds, coded by themselves; `insert.at` counts from their start."""
    # Through a file, which is where packets take the form that files of this type hold.
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        for packet in _coded(film, _piece_frames(seed, insert), SIZE, {**_CODING, "bf": "0"}):
            film.mux(packet)
    with av.open(io.BytesIO(file.getvalue()), "r") as coded:
        return tuple(bytes(packet) for packet in coded.demux() if packet.size)


def _piece_frames(seed: int, insert: Insert | None) -> Iterator[Picture]:
    for number in range(PIECE * FPS):
        inside = insert and insert.at <= number / FPS < insert.at + insert.seconds
        yield drifting(insert.seed, number) if insert and inside else drifting(seed, number)


def _coded(film: Any, frames: Iterable[Picture], size: tuple[int, int], options: dict[str, str]) -> Iterator[Any]:  # noqa: ANN401  # a container
    stream = film.add_stream("libx264", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.thread_count = 2
    stream.options = options
    for number, picture in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield from stream.encode(frame)
    yield from stream.encode()


def long_film(seconds: int, insert: Insert | None, *, seed: int, beside: int = 0, hidden: float = 0.0) -> bytes:
    """A film of pieces; with `beside`, that of another film is its first track, and this one its second.

    With `hidden`, an edit list lets players show only what comes after so many seconds.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        tracks = [_track(film) for _ in range(2 if beside else 1)]
        for at in range(seconds // PIECE):
            if beside:
                _mux(film, tracks[0], _piece(beside + at % 6, None), at)
            here = insert is not None and at * PIECE <= insert.at < (at + 1) * PIECE
            inside = Insert(insert.seed, insert.at - at * PIECE, insert.seconds) if insert and here else None
            _mux(film, tracks[-1], _piece(seed + at % 6, inside), at)
    return _cut(bytearray(file.getvalue()), hidden) if hidden else file.getvalue()


def _track(film: Any) -> Any:  # noqa: ANN401  # a stream
    with av.open(io.BytesIO(_headed())) as model:
        return film.add_stream_from_template(model.streams.video[0])


@functools.cache
def _headed() -> bytes:
    """A short film coded as the pieces are, for what stands before them."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        for packet in _coded(film, (drifting(1, number) for number in range(2)), SIZE, {**_CODING, "bf": "0"}):
            film.mux(packet)
    return file.getvalue()


def _mux(film: Any, stream: Any, packets: Sequence[bytes], piece: int) -> None:  # noqa: ANN401  # as above
    for number, content in enumerate(packets):
        packet = av.Packet(content)
        packet.stream, packet.time_base = stream, Fraction(1, FPS)
        packet.pts = packet.dts = piece * PIECE * FPS + number
        packet.duration, packet.is_keyframe = 1, not number
        film.mux(packet)


def _cut(film: bytearray, hidden: float) -> bytes:
    at, header = film.index(b"elst"), film.index(b"mdhd")
    (scale,) = struct.unpack_from(">I", film, header + 16)
    shown, first = struct.unpack_from(">Ii", film, at + 12)
    struct.pack_into(">Ii", film, at + 12, shown - round(hidden * 1000), first + round(hidden * scale))
    return bytes(film)
