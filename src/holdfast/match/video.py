# SPDX-License-Identifier: Apache-2.0
"""Known videos: which part of one was seen again in an upload, and whether that is enough to act on.

vPDQ counts shares: how much of the upload is known (80 %), how much of the known video is in it (0 %). A
known minute inside a film of ten is 10 % of it, and so is missed. Here frames also count by themselves: so many
frames of the upload that show, in the order of the known video or in the reverse, so many seconds of it.
One frame alone may be any title card; nothing is concluded from it, but it is recorded.

All of it is pure. Times are milliseconds in the known video and seconds in the upload.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import InvalidRequest
from holdfast.match.signal import Signal

APART: Final = 8  # bits of 256; frames nearer than this are one look: a card that stands still, seen through a codec
MOST_SHOWN_MS: Final = 2000  # what one known frame can stand for, however far away the next one is
_SHOWN_ALONE_MS: Final = 1000  # what the only frame of a known video stands for: vPDQ takes one a second
_STRETCH_SECONDS: Final = 5.0  # a longer gap, in the upload or the known video, ends a stretch
MOST_STRAYS: Final = 20  # of one upload that are recorded: the nearest
MOST_FRAMES_ASKED: Final = 1000
MOST_SECONDS_ASKED: Final = 3600
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRule:
    """When an upload counts as showing a video of a bank again: by frames and seconds, or by vPDQ's two shares."""

    least_frames: int = 3
    """Frames of the upload that differ and show the known video in its order; half of a video that has fewer."""
    least_seconds: float = 2.0
    """Seconds of the known video that they show; half of a video that is shorter."""
    query_percent: float = 80.0
    """Of the upload's frames."""
    compared_percent: float = 0.0
    """Of the known video's frames; counts together with the share above."""


USUAL: Final = VideoRule()


class Strength(StrEnum):
    """What seeing a part of a known video again is worth."""

    FIRM = "firm"
    """As much as the bank asks for, or half of the known video: it leads to what the bank says."""
    WEAK = "weak"
    """More than chance and less than that, one picture that stands still, or a still of it: review at most."""
    STRAY = "stray"
    """One frame of a film: recorded only."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One looked-up frame of an upload: its number, when it is shown (seconds), and how many frames look like it."""

    number: int
    at: float
    until: float
    stands_for: int = 1
    track: int = 0


@dataclass(frozen=True, slots=True)
class Film:
    """A video as it was uploaded: what was looked up of it, track after track, and its frames as a bank keeps them."""

    moments: tuple[Moment, ...]
    seconds: float
    upright: tuple[Signal, ...] = ()


class Near(NamedTuple):
    """Frame `number` of the upload lies `distance` bits from the known frame under `label`."""

    number: int
    label: int
    distance: int


@dataclass(frozen=True, slots=True, eq=False)
class KnownVideo:
    """The frames of a banked video in the order of their times: labels, times in milliseconds, hashes (n, 4)."""

    labels: Sequence[int]
    times: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    def shown(self) -> NDArray[np.int64]:
        """For how many milliseconds each frame stands: until the next one, within bounds."""
        gaps = np.diff(self.times)
        last = int(np.median(gaps)) if len(gaps) else _SHOWN_ALONE_MS
        shown: NDArray[np.int64] = np.minimum(np.append(gaps, last), MOST_SHOWN_MS)
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """From when to when, in the upload and in the known video. An animation's times are not known."""

    upload: tuple[float, float] | None
    entry: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of a known video was seen again: so many frames in its order, so many looks, of so many frames."""

    frames: int
    looks: int
    of: int
    covered: float
    """Seconds of the known video."""
    seconds: Seconds
    """The longest stretch without a gap."""
    length: float | None
    """Seconds that the upload lasts; None of a picture or an animation."""
    strength: Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where in a film of so many seconds one frame is shown that matches a known picture."""

    seconds: tuple[float, float]
    length: float


def spot_of(film: Film, number: int) -> Spot:
    """Where the frame of this number is shown."""
    moment = film.moments[number]
    return Spot(seconds=(round(moment.at, 3), round(moment.until, 3)), length=round(film.seconds, 3))


def spot_body(spot: Spot | None) -> dict[str, Any] | None:
    """A spot as JSON types, as the journal has it."""
    return {"seconds": list(spot.seconds), "length": spot.length} if spot else None


def seen_again(near: Sequence[Near], known: KnownVideo, film: Film | None, rule: VideoRule) -> Part:
    """What it is worth that these frames of an upload lie near to these of a known video; `near` MUST NOT be empty.

    Without a `film` the upload is a picture or an animation, of whose frames only the order is known.
    """
    moments = _moments(near, film)
    places = {label: place for place, label in enumerate(known.labels)}
    positions = {moment.number: at for at, moment in enumerate(moments)}
    pairs = list({(positions[one.number], places[one.label]) for one in near})
    chain = longest_chain(pairs)
    shown = known.shown()
    met = np.unique([place for _, place in chain])
    covered = float(shown[met].sum()) / 1000
    sampled = sum(moments[at].stands_for for at in {at for at, _ in chain})
    frames, looks = min(len(met), sampled), _looks(chain, known)
    strength = _strength(
        _Counts(
            frames, len(met), looks, covered, len(known.labels), float(shown.sum()) / 1000, _shares(pairs, known, film)
        ),
        rule,
        film=film is not None,
    )
    return Part(
        frames=frames,
        looks=looks,
        of=len(known.labels),
        covered=round(covered, 3),
        seconds=_longest_stretch(chain, moments, known, timed=film is not None),
        length=round(film.seconds, 3) if film else None,
        strength=strength,
    )


def check_rule(rule: VideoRule) -> None:
    """Raise InvalidRequest for a rule that nothing, or everything, would satisfy."""
    if not (1 <= rule.least_frames <= MOST_FRAMES_ASKED and 0 <= rule.least_seconds <= MOST_SECONDS_ASKED):
        message = f"video: 1 to {MOST_FRAMES_ASKED} frames, and 0 to {MOST_SECONDS_ASKED} seconds"
        raise InvalidRequest(message)
    if not (0 < rule.query_percent <= _WHOLE and 0 <= rule.compared_percent <= _WHOLE):
        message = "video: percentages lie between 0 and 100, and the upload's is more than 0"
        raise InvalidRequest(message)


def beside_benign(part: Part, rest: Part | None) -> Part:
    """The part, of whose frames only `rest` counts: the others lie as near to something benign.

    If half of the known video is there, a person looks, however much of it is benign.
    """
    strength = rest.strength if rest else Strength.STRAY
    if strength is Strength.STRAY and part.strength is not Strength.STRAY and 2 * part.frames >= part.of:
        strength = Strength.WEAK
    return replace(part, strength=strength)


def part_body(part: Part | None) -> dict[str, Any] | None:
    """A part as JSON types, as the journal has it."""
    if part is None:
        return None
    seconds = {"upload": part.seconds.upload and list(part.seconds.upload), "entry": list(part.seconds.entry)}
    return {**asdict(part), "seconds": seconds, "strength": part.strength.value}


def longest_chain(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run through (upload, known) pairs that only goes forward in both, or forward and back.

    Of two with as many different frames on both sides, the one with more pairs: one frame of the upload
    may stand for many of the known video, and the other way round.
    """
    turned = [(at, -place) for at, place in pairs]
    back = [[(at, -place) for at, place in _climb(turned, strict=strict)] for strict in (True, False)]
    forward = [_climb(pairs, strict=strict) for strict in (True, False)]
    return max(*forward, *back, key=_length)


def _length(chain: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return min(len({at for at, _ in chain}), len({place for _, place in chain})), len(chain)


def _climb(pairs: Iterable[tuple[int, int]], *, strict: bool) -> list[tuple[int, int]]:
    """The longest choice of pairs in which neither number falls, or (`strict`) both always rise: patience sorting."""
    rows = sorted(pairs, key=lambda pair: (pair[0], -pair[1] if strict else pair[1]))
    pile_of = bisect_left if strict else bisect_right
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(rows):
        pile = pile_of(tops, place)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [place]
        ends[pile : pile + 1] = [index]
    chain, index = [], ends[-1] if ends else -1
    while index >= 0:
        chain.append(rows[index])
        index = before[index]
    return chain[::-1]


class _Counts(NamedTuple):
    frames: int
    met: int
    looks: int
    covered: float
    of: int
    length: float
    shares: tuple[float, float] | None


def _strength(counts: _Counts, rule: VideoRule, *, film: bool) -> Strength:
    half = -(-counts.of // 2)
    shares = counts.shares
    by_share = shares and shares[0] >= rule.query_percent and shares[1] >= rule.compared_percent
    wanted = min(rule.least_frames, half)
    enough = counts.frames >= wanted and counts.covered >= min(rule.least_seconds, counts.length / 2)
    most = counts.met >= half and counts.covered >= counts.length / 2
    several = film or counts.frames > 1
    if by_share or (several and (most or (enough and counts.looks >= wanted))):
        return Strength.FIRM
    if not film or enough or counts.looks > 1:
        return Strength.WEAK
    return Strength.STRAY


def _shares(pairs: Sequence[tuple[int, int]], known: KnownVideo, film: Film | None) -> tuple[float, float] | None:
    """The percentages of vPDQ: how much of the upload is near to the known video, and the other way round."""
    if film is None:
        return None
    matched, met = {at for at, _ in pairs}, {place for _, place in pairs}
    samples = sum(moment.stands_for for moment in film.moments)
    seen = sum(film.moments[at].stands_for for at in matched)
    return 100 * seen / samples, 100 * len(met) / len(known.labels)


def _moments(near: Sequence[Near], film: Film | None) -> Sequence[Moment]:
    """The upload's frames in their order; of a picture or an animation those that are near."""
    if film is not None:
        return film.moments
    return [Moment(number, 0.0, 0.0) for number in sorted({one.number for one in near})]


def _looks(chain: Sequence[tuple[int, int]], known: KnownVideo) -> int:
    """How many frames of the upload in the chain show something else than the one counted before them.

    Counted by known frames, one for each frame of the upload: those are the same however the upload was re-encoded.
    """
    looks, last, seen = 0, None, set[int]()
    for at, place in chain:
        words = known.hashes[place]
        if at not in seen and (last is None or int(np.bitwise_count(words ^ last).sum()) > APART):
            looks, last = looks + 1, words
        seen.add(at)
    return looks


def _longest_stretch(
    chain: Sequence[tuple[int, int]], moments: Sequence[Moment], known: KnownVideo, *, timed: bool
) -> Seconds:
    """From when to when the longest stretch of the chain goes that has no gap."""
    stretches: list[list[tuple[int, int]]] = [[chain[0]]]
    for before, after in pairwise(chain):
        if _gap(before, after, moments, known):
            stretches.append([])
        stretches[-1].append(after)
    best = max(stretches, key=lambda stretch: len({at for at, _ in stretch}))
    places = [place for _, place in best]
    first, last = min(places), max(places)
    entry = (known.times[first] / 1000, (known.times[last] + known.shown()[last]) / 1000)
    upload = (moments[best[0][0]].at, moments[best[-1][0]].until) if timed else None
    return Seconds(
        upload=upload and (round(upload[0], 3), round(upload[1], 3)),
        entry=(round(float(entry[0]), 3), round(float(entry[1]), 3)),
    )


def _gap(before: tuple[int, int], after: tuple[int, int], moments: Sequence[Moment], known: KnownVideo) -> bool:
    one, other = moments[before[0]], moments[after[0]]
    apart = abs(int(known.times[after[1]]) - int(known.times[before[1]])) / 1000
    return one.track != other.track or other.at - one.until > _STRETCH_SECONDS or apart > _STRETCH_SECONDS
