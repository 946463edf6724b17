# SPDX-License-Identifier: Apache-2.0
"""A video's storyboard: frames in a row along its time, and below them a line with the matched seconds marked.

Only for the demonstration's own videos, which are benign and made by code: what a platform's users send
is never shown like this.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

from holdfast.demo.why import clock, matched_seconds

FRAMES: Final = 12
FRAME: Final = (100, 75)
_GAP: Final = 6
_LINE: Final = 26
WIDTH: Final = FRAMES * (FRAME[0] + _GAP) - _GAP
HEIGHT: Final = FRAME[1] + _LINE
_RED, _GREY, _INK = "#b3261e", "#c4c4c9", "#6b6b70"


def storyboard(content: bytes, explanation: dict[str, Any]) -> Image.Image | None:
    """The storyboard of a video, WIDTH x HEIGHT; None if it cannot be read, or PyAV is not installed."""
    try:
        length, frames = _frames(content)
    except Exception:  # noqa: BLE001  # it is on the sheet because it cannot be read; the sheet says so
        return None
    board = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(board)
    marked = matched_seconds(explanation)
    for number, (at, frame) in enumerate(frames):
        left = number * (FRAME[0] + _GAP)
        board.paste(frame, (left, 0))
        if any(start - 0.05 <= at <= end for start, end in marked):
            draw.rectangle((left, 0, left + FRAME[0] - 1, FRAME[1] - 1), outline=_RED, width=3)
    _draw_line(draw, marked, length)
    return board


def poster(content: bytes) -> Image.Image | None:
    """A frame from the middle of a video; None if it cannot be read, or PyAV is not installed."""
    try:
        _, frames = _frames(content)
    except Exception:  # noqa: BLE001  # see above
        return None
    return frames[len(frames) // 2][1]


def _draw_line(draw: ImageDraw.ImageDraw, marked: Sequence[tuple[float, float]], length: float) -> None:
    """The video's time from left to right, the matched seconds thick and red, with their times in words."""
    top = FRAME[1] + 6
    draw.line((0, top, WIDTH, top), fill=_GREY, width=3)
    font = ImageFont.load_default(11)
    for start, end in marked:
        left, right = WIDTH * start / length, max(WIDTH * start / length + 3, WIDTH * end / length)
        draw.line((left, top, right, top), fill=_RED, width=7)
        draw.text((min(left, WIDTH - 90), top + 5), f"{clock(start)} to {clock(end)}", fill=_RED, font=font)
    if not marked:
        draw.text((0, top + 5), f"{clock(0)} to {clock(length)}", fill=_INK, font=font)


def _frames(content: bytes) -> tuple[float, list[tuple[float, Image.Image]]]:
    """(seconds, [(when, frame)]), evenly over the whole video."""
    av: Any = importlib.import_module("av")
    every: list[tuple[float, Any]] = []
    with av.open(io.BytesIO(content)) as file:
        every.extend((float(frame.time or 0), frame.reformat(*FRAME, "rgb24")) for frame in file.decode(video=0))
    step = max(1.0, len(every) / FRAMES)
    chosen = [every[min(len(every) - 1, int(step * (number + 0.5)))] for number in range(min(FRAMES, len(every)))]
    return max(every[-1][0], 0.1), [(at, frame.to_image()) for at, frame in chosen]
