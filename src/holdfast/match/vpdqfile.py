# SPDX-License-Identifier: Apache-2.0
"""A known video as one text: python-threatexchange's `vpdq` signal, in and out.

It is a JSON list with `hash,quality,seconds` for each frame; its older form, an object of {hash,
quality, timestamp} under each frame's number, is read too. Frames below vPDQ's quality of 50 are left out, as vPDQ
does before it compares, and so are those whose hash would match everything, such as that of a black frame.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

from holdfast.errors import InvalidSignal
from holdfast.match.signal import InVideo, Signal, SignalType, parse_value
from holdfast.media.pdq import MINIMUM_QUALITY

MOST_FRAMES: Final = 20_000  # of one known video: five and a half hours at one a second
LONGEST_TEXT: Final = 120 * MOST_FRAMES
_PARTS: Final = 3
_LATEST: Final = 2_000_000  # seconds; as milliseconds it must stay within 32 bits
_BEST: Final = 100
Frame = tuple[float, str, int]


def parse_frames(untrusted_text: str) -> tuple[Signal, ...]:
    """The frames of a known video that can be compared, in the order of their times, numbered from 0.

    Raises InvalidSignal if it is no such list, or holds more than MOST_FRAMES, or nothing that can be compared.
    """
    frames = [frame for frame in _frames(untrusted_text) if frame[2] >= MINIMUM_QUALITY]
    found: list[Signal] = []
    for seconds, value, quality in sorted(frames, key=lambda frame: frame[0]):
        place = InVideo(len(found), round(seconds * 1000), quality)
        try:
            found.append(parse_value(SignalType.VPDQ, value, place))
        except InvalidSignal:
            if len(value) != SignalType.VPDQ.hex_length or set(value.lower()) - set("0123456789abcdef"):
                raise
    if not found:
        message = "none of the video's frames has enough detail to be compared"
        raise InvalidSignal(message)
    return tuple(found)


def frames_text(frames: Iterable[Signal]) -> str:
    """The frames of a known video as python-threatexchange writes them."""
    return json.dumps([f"{one.value},{one.frame.quality},{one.frame.at_ms / 1000:.3f}" for one in frames if one.frame])


def videos_and_others(signals: Iterable[Signal]) -> Iterator[tuple[SignalType, str]]:
    """(kind, text) of each signal as files have them: all frames of a video are one text, at the end."""
    frames: list[Signal] = []
    for signal in signals:
        if signal.frame:
            frames.append(signal)
        else:
            yield signal.type, signal.value
    if frames:
        yield SignalType.VPDQ, frames_text(sorted(frames, key=_place))


def _place(signal: Signal) -> InVideo:
    assert signal.frame is not None
    return signal.frame


def _frames(untrusted_text: str) -> list[Frame]:
    if len(untrusted_text) > LONGEST_TEXT:
        message = f"a vpdq value has at most {LONGEST_TEXT} characters"
        raise InvalidSignal(message)
    try:
        body = json.loads(untrusted_text)
        listed = (
            [_of_object(one) for one in body.values()] if isinstance(body, dict) else [_of_text(one) for one in body]
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        message = "a vpdq value is a JSON list with `hash,quality,seconds` for each frame"
        raise InvalidSignal(message) from None
    if len(listed) > MOST_FRAMES:
        message = f"a vpdq value has at most {MOST_FRAMES} frames"
        raise InvalidSignal(message)
    return listed


def _of_text(untrusted: str) -> Frame:
    parts = untrusted.split(",")
    if len(parts) != _PARTS:
        raise ValueError
    return _checked(parts[0], parts[1], parts[2])


def _of_object(untrusted: dict[str, Any]) -> Frame:
    return _checked(str(untrusted["hash"]), str(untrusted["quality"]), str(untrusted["timestamp"]))


def _checked(value: str, quality: str, seconds: str) -> Frame:
    """Raises ValueError for numbers that no frame can have."""
    at, good = float(seconds), int(quality)
    if not (math.isfinite(at) and 0 <= at <= _LATEST and 0 <= good <= _BEST):
        raise ValueError
    return at, value.strip(), good
