# SPDX-License-Identifier: Apache-2.0
"""Watch an uploaded video: hash each frame as it comes, keep hashes and times, and never a picture.

All eight forms of a frame are looked up, as of a picture; of the second PDQ family only those that
the first does not stand for. A frame that stands for the one before it, by the rule by which pictures
are left out (`holdfast.media.frames`), is not looked up again but counted. A film too long for that is held.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.intake.upload import Upload
from holdfast.match.signal import InVideo, Signal, SignalType
from holdfast.match.variant import in_frame
from holdfast.match.video import Film, Moment
from holdfast.match.vpdqfile import MOST_FRAMES
from holdfast.media import pdq
from holdfast.media.decoder import Decoder
from holdfast.media.frames import ALIKE, is_flat
from holdfast.media.plane import Frame, Watched
from holdfast.media.reason import NotDecoded, Reason

MOST_MOMENTS: Final = 20_000  # that differ: five and a half hours at one a second
_LEAST_CLEAR: Final = 0.1  # of the frames that show anything; where fewer can be compared, nothing can be told
_LAST_SHOWN: Final = 1.0  # seconds; when the next frame would have been looked at
_FORMS: Final = len(pdq.Form)
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Sights:
    """What was seen of a video: as `Seen`, without its digests."""

    hashes: Hashes
    variants: tuple[str, ...]
    obstacle: NotDecoded | None
    film: Film


def watch(upload: Upload, decoder: Decoder) -> Sights:
    """Watch and hash an upload that is a video. Never raises for anything a file can cause."""
    eyes = _Eyes()
    watched = decoder.watch(upload, eyes.see)
    seconds = watched.seconds if isinstance(watched, Watched) else 0.0
    film = Film(eyes.moments(seconds), seconds, eyes.upright())
    hashes = np.array(eyes.words, np.uint64).reshape(-1, 4)
    return Sights(hashes, tuple(eyes.names), eyes.obstacle(watched), film)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """The hashes of every plane of one frame, shape (planes, hashes, 4), and which of them can be compared."""

    hashes: Hashes
    usable: tuple[tuple[bool, ...], ...]

    def stands_for(self, other: _Look) -> bool:
        """Whether looking this one up finds what looking the other up would."""
        if self.usable != other.usable or self.hashes.shape != other.hashes.shape or not any(map(any, self.usable)):
            return False
        return int(np.bitwise_count(self.hashes ^ other.hashes).sum(axis=-1).max()) <= ALIKE


@dataclass(slots=True)
class _Shown:
    """A moment while it lasts."""

    number: int
    track: int
    at: float
    until: float
    stands_for: int = 1
    ended: bool = False
    """Something else was seen after it."""


@dataclass(slots=True)
class _Eyes:
    """Takes the frames of one video in their order."""

    words: list[Hashes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    shown: list[_Shown] = field(default_factory=list)
    kept: list[tuple[int, float, int, bytes]] = field(default_factory=list)
    """(track, seconds, quality, hash) of every frame that can be compared, as a bank would keep it."""
    last: _Look | None = None
    clear: int = 0
    low: int = 0
    too_many: bool = False

    def see(self, frame: Frame) -> None:
        """Hash one frame; a frame on which there is nothing, or nothing that can be compared, is only counted."""
        at = frame.seconds or 0.0
        now = self._now_showing(frame.track, at)
        hashed = [pdq.hash_plane(plane) for plane in frame.planes]
        look = _Look(np.stack([one.hashes for one in hashed]), tuple(one.usable for one in hashed))
        if not any(map(any, look.usable)):
            self.low += not all(map(is_flat, frame.planes))
            _end(now)
            return
        self.clear += 1
        self._keep(frame.track, at, hashed)
        if now and self.last and self.last.stands_for(look):
            now.stands_for += 1
            return
        _end(now)
        if len(self.shown) < MOST_MOMENTS:
            self._look_up(frame, at, look)
        else:
            self.too_many = True

    def moments(self, seconds: float) -> tuple[Moment, ...]:
        """What is looked up, and when it is shown."""
        ends = [one.until if one.ended else max(one.until, min(one.until + _LAST_SHOWN, seconds)) for one in self.shown]
        return tuple(
            Moment(one.number, one.at, until, one.stands_for, one.track)
            for one, until in zip(self.shown, ends, strict=True)
        )

    def upright(self) -> tuple[Signal, ...]:
        """The frames as a bank keeps them, track after track on one line of time; evenly fewer of very many."""
        later, before, length = 0.0, 0, 0.0
        first_in: dict[str, int] = {}
        places: list[tuple[str, int, int]] = []
        for track, seconds, quality, words in self.kept[:: -(-len(self.kept) // MOST_FRAMES) or 1]:
            if track != before:
                later, before, length = later + length, track, 0.0
            length = max(length, seconds + _LAST_SHOWN)
            value = words[::-1].hex()
            # A second way of watching the same frames, as an edit list makes one, tells nothing new.
            if first_in.setdefault(value, track) == track:
                places.append((value, round((later + seconds) * 1000), quality))
        return tuple(Signal(SignalType.VPDQ, value, InVideo(n, at, good)) for n, (value, at, good) in enumerate(places))

    def obstacle(self, watched: Watched | NotDecoded) -> NotDecoded | None:
        """Why not everything in it was seen, if it was not."""
        if isinstance(watched, NotDecoded):
            return watched
        if watched.missed:
            return NotDecoded(watched.missed)
        if self.too_many:
            return NotDecoded(Reason.TOO_LONG, f"more than {MOST_MOMENTS} frames that differ")
        enough = self.clear and self.clear >= _LEAST_CLEAR * (self.clear + self.low)
        return None if enough else NotDecoded(Reason.LOW_QUALITY)

    def _now_showing(self, track: int, at: float) -> _Shown | None:
        """The moment that lasted until this second of this track, if nothing else came between."""
        if not self.shown or self.shown[-1].ended or self.shown[-1].track != track:
            return None
        self.shown[-1].until = at
        return self.shown[-1]

    def _keep(self, track: int, at: float, hashed: list[pdq.PdqHashes]) -> None:
        """The first upright hash that can be compared, of the family that vPDQ uses if it can."""
        for one in hashed:
            for family, usable in zip(pdq.Family, one.usable, strict=True):
                if usable:
                    words = one.hashes[one.variants.index((family, pdq.Form.AS_IS))]
                    self.kept.append((track, at, one.quality[family], words.tobytes()))
                    return

    def _look_up(self, frame: Frame, at: float, look: _Look) -> None:
        number = len(self.shown)
        self.shown.append(_Shown(number, frame.track, at, at))
        self.last = look
        for hashes, usable in zip(look.hashes, look.usable, strict=True):
            for place in _places_to_look_up(hashes, usable):
                self.words.append(hashes[place])
                self.names.append(in_frame(number, _NAMES[place]))


def _end(shown: _Shown | None) -> None:
    if shown:
        shown.ended = True


_NAMES: Final = tuple(f"{family}.{form}" for family in pdq.Family for form in pdq.Form)


def _places_to_look_up(hashes: Hashes, usable: tuple[bool, ...]) -> list[int]:
    """Which of the sixteen hashes of a plane are looked up."""
    full, nearest = usable
    if not (full and nearest):
        return [*(range(_FORMS) if full else ()), *(range(_FORMS, 2 * _FORMS) if nearest else ())]
    apart = np.bitwise_count(hashes[:_FORMS] ^ hashes[_FORMS:]).sum(axis=-1)
    return [*range(_FORMS), *(np.flatnonzero(apart > ALIKE) + _FORMS).tolist()]
