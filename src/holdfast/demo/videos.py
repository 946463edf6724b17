# SPDX-License-Identifier: Apache-2.0
"""Benign videos made by code: the camera moves over painted hills. PyAV encodes them, if it is installed."""

from __future__ import annotations

import importlib
import importlib.util
import io
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from PIL import Image

from holdfast.demo.pictures import hills

FRAMES_A_SECOND: Final = 10
SHOT: Final = (400, 300)
KNOWN_SECONDS: Final = 6
LATE: Final = 41
"""From which second on the known video is seen in the long one."""
LONG_SECONDS: Final = 60
_KNOWN_SEED: Final = 900
_SCENE_SECONDS: Final = 8
_STAGE: Final = (720, 540)  # the picture over which the camera moves
Frames = Iterator[Image.Image]


def can_make() -> bool:
    """Whether the optional video parts are installed."""
    return importlib.util.find_spec("av") is not None


def shot(seed: int, seconds: float, size: tuple[int, int] = SHOT) -> Frames:
    """The camera moves for so many seconds over one landscape, at 10 frames a second."""
    stage, count = _stage(seed), round(seconds * FRAMES_A_SECOND)
    width, height = stage.width * 6 // 10, stage.height * 6 // 10
    for number in range(count):
        share = number / max(1, count - 1)
        left, top = round(share * (stage.width - width)), round((1 - share) * (stage.height - height))
        yield stage.crop((left, top, left + width, top + height)).resize(size, Image.Resampling.BILINEAR)


def known(size: tuple[int, int] = SHOT) -> Frames:
    """The video that the demonstration banks."""
    return shot(_KNOWN_SEED, KNOWN_SECONDS, size)


def others(seconds: int, seed: int, size: tuple[int, int] = SHOT) -> Frames:
    """Shots that nobody knows, one after the other."""
    for number, start in enumerate(range(0, seconds, _SCENE_SECONDS)):
        yield from shot(seed + number, min(_SCENE_SECONDS, seconds - start), size)


def late(size: tuple[int, int] = SHOT) -> Frames:
    """A minute of other shots, in the middle of which the known video is seen."""
    yield from others(LATE, 910, size)
    yield from known(size)
    yield from others(LONG_SECONDS - LATE - KNOWN_SECONDS, 930, size)


def encoded(frames: Frames, container: str = "mp4", **options: str) -> bytes:
    """The frames as the bytes of a file, H.264 unless it is an AVI. Raises ModuleNotFoundError without PyAV."""
    av: Any = importlib.import_module("av")  # optional
    target = io.BytesIO()
    settings = {"crf": "23", "preset": "veryfast", "g": "120", **options}
    with av.open(target, "w", format=container) as file:
        stream: Any = None
        for image in frames:
            if stream is None:
                name = "mpeg4" if container == "avi" else "libx264"
                stream = file.add_stream(name, rate=FRAMES_A_SECOND, options={} if container == "avi" else settings)
                stream.width, stream.height, stream.pix_fmt = *image.size, "yuv420p"
                stream.bit_rate = 1_500_000 if container == "avi" else 0
                stream.thread_count = 1
            file.mux(stream.encode(av.VideoFrame.from_image(image)))
        file.mux(stream.encode(None))
    return target.getvalue()


def _flipped(frames: Frames) -> Frames:
    return (frame.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for frame in frames)


def _with_still(picture: Image.Image) -> Frames:
    """Ten seconds of other shots, and for one second a picture."""
    yield from others(5, 950)
    for _ in range(FRAMES_A_SECOND):
        yield picture.resize(SHOT)
    yield from others(4, 955)


VIDEOS: Final[Mapping[str, Callable[[Image.Image], bytes]]] = {
    "known video, as it is": lambda _: encoded(known()),
    "known video, late in another, smaller, recompressed": lambda _: encoded(late((240, 180)), crf="33"),
    "known video, mirrored, in a Matroska": lambda _: encoded(_flipped(known()), "matroska", crf="28"),
    "known video, backwards, as an AVI": lambda _: encoded(iter(list(known())[::-1]), "avi"),
    "known picture 1, for a second of a video": lambda picture: encoded(_with_still(picture)),
}
"""Each must be held; made of the first known picture, or of the known video."""


def unknown() -> bytes:
    """A video that nobody knows."""
    return encoded(others(20, 960))


def broken() -> bytes:
    """A video that breaks off in the middle."""
    whole = encoded(others(10, 970), "matroska")
    return whole[: len(whole) // 2]


@lru_cache(maxsize=16)
def _stage(seed: int) -> Image.Image:
    return hills(seed, _STAGE)
