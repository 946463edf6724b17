# SPDX-License-Identifier: Apache-2.0
"""Look at an upload: its digests, the PDQ hashes of all its pictures, and what kept it from being seen whole.

A picture is looked at here; a video is watched (`holdfast.match.watch`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import DecoderUnavailable, InvalidRequest
from holdfast.intake.upload import TooLong, Upload
from holdfast.match.signal import Signal, SignalType
from holdfast.match.variant import in_frame
from holdfast.match.video import Film
from holdfast.match.watch import watch
from holdfast.media import pdq
from holdfast.media.decoder import Decoder
from holdfast.media.filetype import HEAD_LENGTH, FileType, recognise
from holdfast.media.frames import is_flat
from holdfast.media.plane import Frame
from holdfast.media.reason import NotDecoded, Reason


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an upload looks like to the banks.

    `hashes` has shape (n, 4); `variants[i]` says how the picture was turned for hashes[i], and which
    of the file's pictures it is unless it is the first.
    `obstacle` is why a missing match would not mean "unknown"; None if it would.
    """

    exact: tuple[Signal, ...]
    hashes: NDArray[np.uint64]
    variants: tuple[str, ...]
    obstacle: NotDecoded | None
    film: Film | None = None
    """When its frames are shown, if it is a video."""


_MOST_LENGTH: Final = 2**22  # pixels of all lengths and widths together, each once: about a second of hashing
_PLANES_THAT_SHOW: Final = 2  # over white and over black; a third is colour without transparency
Hashes = NDArray[np.uint64]
_NO_HASHES = np.empty((0, 4), np.uint64)


def look(received: Upload | TooLong, decoder: Decoder) -> Seen:
    """Decode and hash what was received. Never raises for anything a file can cause."""
    if isinstance(received, TooLong):
        return Seen((), _NO_HASHES, (), NotDecoded(Reason.TOO_LARGE, f"more than {received.limit} bytes"))
    if received.size == 0:
        return Seen((), _NO_HASHES, (), NotDecoded(Reason.EMPTY))
    kind = recognise(received.head(HEAD_LENGTH))
    if isinstance(kind, FileType) and kind.is_video:
        sights = watch(received, decoder)
        return Seen(exact_signals(received), sights.hashes, sights.variants, sights.obstacle, sights.film)
    decoded = decoder.decode(received)
    exact = exact_signals(received)  # worked out meanwhile
    if isinstance(decoded, NotDecoded):
        return Seen(exact, _NO_HASHES, (), decoded)
    frames = _affordable(decoded.frames)
    glimpses = [_glimpse(frame) for frame in frames]
    obstacle = NotDecoded(decoded.missed) if decoded.missed else None
    if len(frames) < len(decoded.frames):
        obstacle = NotDecoded(Reason.SEVERAL_PICTURES, "they take too long to hash")
    if not (any(one.clear for one in glimpses) and all(one.clear or one.flat for one in glimpses)):
        obstacle = obstacle or NotDecoded(Reason.LOW_QUALITY)
    found = _once([pair for one in glimpses for pair in one.hashes])
    return Seen(
        exact,
        np.array([words for words, _ in found], np.uint64).reshape(-1, 4),
        tuple(name for _, name in found),
        obstacle,
    )


def exact_signals(upload: Upload) -> tuple[Signal, ...]:
    """The digests of the received bytes."""
    digests = upload.digests
    return (
        Signal(SignalType.MD5, digests.md5),
        Signal(SignalType.SHA1, digests.sha1),
        Signal(SignalType.SHA256, digests.sha256),
    )


def signals_to_bank(seen: Seen, *, exact_only: bool) -> tuple[Signal, ...]:
    """The signals under which this very picture would be found again: digests, and its upright hashes.

    Of a video, digests and all its frames, with their times.

    Raises DecoderUnavailable if it was not seen for a fault of ours, and InvalidRequest if it has no
    usable look and `exact_only` does not say that its digests will do: known by its bytes alone, a
    picture is no longer known once it is saved again.
    """
    obstacle = seen.obstacle
    if obstacle and (obstacle.reason.passes or obstacle.reason is Reason.DECODER_FAILED):
        raise DecoderUnavailable(obstacle.reason.says)
    upright = [pdq.to_hex(seen.hashes[i]) for i, name in enumerate(seen.variants) if name.endswith(pdq.Form.AS_IS)]
    if seen.film and seen.film.upright:
        return (*seen.exact, *seen.film.upright)
    if not upright and not exact_only:
        why = obstacle.reason.says if obstacle else "It has no usable look."
        message = f"{why} Only its bytes would be known: say exact_only to add it so"
        raise InvalidRequest(message)
    return (*seen.exact, *(Signal(SignalType.PDQ, value) for value in dict.fromkeys(upright)))


@dataclass(frozen=True, slots=True)
class _Glimpse:
    """What one picture of a file looks like.

    `clear`: every way in which it shows can be compared. `flat`: what cannot has nothing on it, such
    as the black from which a film fades in.
    """

    hashes: list[tuple[Hashes, str]]
    clear: bool
    flat: bool


def _affordable(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """As many of the pictures, from the first, as can be hashed in bounded time; the first always can.

    A picture of a length not seen before needs a filter of that length, so that long thin pictures
    cost more than their pixels. Counted, not timed: the same file gets the same answer on any machine.
    """
    lengths: set[int] = set()
    for at, frame in enumerate(frames):
        lengths |= {side for plane in frame.planes for side in (plane.full_height, plane.full_width)}
        if at and sum(lengths) > _MOST_LENGTH:
            return frames[:at]
    return frames


def _glimpse(frame: Frame) -> _Glimpse:
    hashed = [pdq.hash_plane(plane) for plane in frame.planes]
    # What lies hidden under transparency may match, but need not have any detail.
    clear = [max(one.quality.values()) >= pdq.MINIMUM_QUALITY for one in hashed[:_PLANES_THAT_SHOW]]
    flat = [is_flat(plane) for plane in frame.planes]
    return _Glimpse(
        [(words, in_frame(frame.number, name)) for one in hashed for words, name in _usable(one)],
        clear=all(clear),
        flat=all(either or nothing for either, nothing in zip(clear, flat, strict=False)),
    )


def _usable(hashed: pdq.PdqHashes) -> list[tuple[Hashes, str]]:
    """The hashes of the families whose quality means something, with their names."""
    return [
        (hashed.hashes[number], f"{family}.{form}")
        for number, (family, form) in enumerate(hashed.variants)
        if hashed.quality[family] >= pdq.MINIMUM_QUALITY
    ]


def _once(found: list[tuple[Hashes, str]]) -> list[tuple[Hashes, str]]:
    """Equal hashes once, under the first name."""
    kept: dict[bytes, tuple[Hashes, str]] = {}
    for words, name in found:
        kept.setdefault(words.tobytes(), (words, name))
    return list(kept.values())
