# SPDX-License-Identifier: Apache-2.0
"""Which part of a known video was seen again in an upload, and whether that is enough to act on.

Counted are frames of the upload that show, in the order of the known video or in the reverse, some
seconds of it; how many of them differ; and vPDQ's two shares. See `holdfast.match.video` for the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from holdfast.match.chain import Pairs, longest_chain
from holdfast.match.video import Film, KnownVideo, Moment, Near, Part, Seconds, Strength, VideoRule

APART: Final = 8  # bits of 256; frames nearer than this are one look: a card that stands still, seen through a codec
_STRETCH_SECONDS: Final = 5.0  # a longer gap, in the upload or the known video, ends a stretch


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
    met = {place for _, place in chain}
    covered = sum(shown[place] for place in met) / 1000
    sampled = sum(moments[at].stands_for for at in {at for at, _ in chain})
    frames, looks = min(len(met), sampled), _looks(chain, known)
    strength = _strength(
        _Counts(frames, len(met), looks, covered, len(known.labels), sum(shown) / 1000, _shares(pairs, known, film)),
        rule,
        film=film is not None,
    )
    return Part(
        frames=frames,
        looks=looks,
        of=len(known.labels),
        covered=round(covered, 3),
        seconds=_longest_stretch(chain, moments, known, shown, timed=film is not None),
        length=round(film.seconds, 3) if film else None,
        strength=strength,
    )


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


def _shares(pairs: Pairs, known: KnownVideo, film: Film | None) -> tuple[float, float] | None:
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


def _looks(chain: Pairs, known: KnownVideo) -> int:
    """How many frames of the upload in the chain show something else than the one counted before them.

    Counted by known frames, one for each frame of the upload: those are the same however the upload was re-encoded.
    """
    looks, last, seen = 0, None, set[int]()
    for at, place in chain:
        bits = int.from_bytes(known.hashes[place].tobytes())
        if at not in seen and (last is None or (bits ^ last).bit_count() > APART):
            looks, last = looks + 1, bits
        seen.add(at)
    return looks


def _longest_stretch(
    chain: Pairs, moments: Sequence[Moment], known: KnownVideo, shown: Sequence[int], *, timed: bool
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
    entry = (known.times[first] / 1000, (known.times[last] + shown[last]) / 1000)
    upload = (moments[best[0][0]].at, moments[best[-1][0]].until) if timed else None
    return Seconds(
        upload=upload and (round(upload[0], 3), round(upload[1], 3)),
        entry=(round(entry[0], 3), round(entry[1], 3)),
    )


def _gap(before: tuple[int, int], after: tuple[int, int], moments: Sequence[Moment], known: KnownVideo) -> bool:
    one, other = moments[before[0]], moments[after[0]]
    apart = abs(known.times[after[1]] - known.times[before[1]]) / 1000
    return one.track != other.track or other.at - one.until > _STRETCH_SECONDS or apart > _STRETCH_SECONDS
