# SPDX-License-Identifier: Apache-2.0
"""What stands behind labels found in the index: pictures one by one, known videos as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from django.db import connection

from holdfast.match.again import seen_again
from holdfast.match.bank import BankKind
from holdfast.match.screen import Match
from holdfast.match.signal import SignalType
from holdfast.match.variant import frame_of
from holdfast.match.video import (
    MOST_STRAYS,
    Film,
    KnownVideo,
    Near,
    Part,
    Strength,
    VideoRule,
    beside_benign,
    spot_of,
)
from holdfast.store.bank_rows import BY_LABEL, VIDEOS, firmness, match_of

Found = Sequence[tuple[int, str, int]]
Row = tuple[Any, ...]  # label, type, value, and the facts of its entry


def matches_near(found: Found, film: Film | None = None) -> list[Match]:
    """The matches behind (label, variant, distance) from the index: active, within their bank's threshold.

    One for each entry and picture of the upload, the nearest; of entries of one bank that hold an
    equal signal, as repeated imports do, the firmest alone. Of a known video one, with the part seen again.
    """
    if not found:
        return []
    with connection.cursor() as cursor:
        cursor.execute(BY_LABEL, [list({label for label, _, _ in found})])
        rows = sorted(cursor.fetchall())
    videos = [row for row in rows if row[1] == SignalType.VPDQ and row[7] != BankKind.BENIGN]
    names = {row[0] for row in videos}
    pictures = _pictures([row for row in rows if row[0] not in names], found, film)
    if not videos:
        return pictures
    return [*pictures, *_videos(videos, found, film, _benign_frames(pictures))]


def firmest(rows: Sequence[Row], of: Callable[[Row], Hashable]) -> list[Row]:
    """Of the rows alike in `of` the firmest, and of those the first; each ends in the facts of its entry."""
    best: dict[Hashable, Row] = {}
    for row in rows:
        other = best.setdefault(of(row), row)
        if firmness(_facts(row)) < firmness(_facts(other)):
            best[of(row)] = row
    return list(best.values())


def _pictures(rows: Sequence[Row], found: Found, film: Film | None) -> list[Match]:
    by_label = {row[0]: row for row in firmest(rows, lambda row: (row[1], row[2], row[3]))}
    nearest: dict[tuple[str, str, int], Match] = {}
    for label, variant, distance in sorted(found, key=lambda one: one[2]):
        row = by_label.get(label)
        if row and distance <= row[6]:
            match = match_of(_facts(row), SignalType(row[1]), variant, distance)
            if film:
                match = replace(match, spot=spot_of(film, match.frame))
            nearest.setdefault((match.bank, match.entry, match.frame), match)
    return list(nearest.values())


def _benign_frames(pictures: Sequence[Match]) -> dict[int, int]:
    """How near each frame of the upload lies to something benign."""
    frames: dict[int, int] = {}
    for match in pictures:
        if match.excuses:
            frames[match.frame] = min(match.distance, frames.get(match.frame, match.distance))
    return frames


def _videos(rows: Sequence[Row], found: Found, film: Film | None, benign: Mapping[int, int]) -> list[Match]:
    by_label = {row[0]: row for row in rows}
    near: dict[str, dict[tuple[int, int], tuple[int, str]]] = defaultdict(dict)
    for label, variant, distance in found:
        row = by_label.get(label)
        if row and distance <= row[6]:
            pair, of_entry = (frame_of(variant), label), near[row[4]]
            of_entry[pair] = min(of_entry.get(pair, (distance, variant)), (distance, variant))
    facts = {row[4]: _facts(row) for row in rows}
    known = _known(list(near))
    matches = []
    for entry, pairs in near.items():
        distance, variant = min(pairs.values())
        match = match_of(facts[entry], SignalType.VPDQ, variant, distance)
        part = _part([Near(*pair, away) for pair, (away, _) in pairs.items()], *known[entry], film, benign)
        matches.append(replace(match, part=part))
    return _without_most_strays(matches)


def _part(
    near: Sequence[Near], known: KnownVideo, rule: VideoRule, film: Film | None, benign: Mapping[int, int]
) -> Part:
    part = seen_again(near, known, film, rule)
    rest = [one for one in near if benign.get(one.number, one.distance + 1) > one.distance]
    if len(rest) == len(near):
        return part
    return beside_benign(part, seen_again(rest, known, film, rule) if rest else None)


def _known(entries: Sequence[str]) -> dict[str, tuple[KnownVideo, VideoRule]]:
    """The frames of these entries' videos, and the rules of their banks."""
    with connection.cursor() as cursor:
        cursor.execute(VIDEOS, [list(entries)])
        return {
            entry: (
                KnownVideo(labels, times, _words(hashes)),
                VideoRule(least_frames=frames, least_seconds=seconds, query_percent=query, compared_percent=compared),
            )
            for entry, frames, seconds, query, compared, labels, times, hashes in cursor.fetchall()
        }


def _words(hashes: bytes) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Hashes as the index has them: the last byte of the text is the first of the number."""
    whole = np.frombuffer(bytes(hashes), np.uint8).reshape(-1, 32)
    return np.ascontiguousarray(whole[:, ::-1]).view(np.uint64)


def _without_most_strays(matches: Sequence[Match]) -> list[Match]:
    strays = [match for match in matches if match.part and match.part.strength is Strength.STRAY]
    told = [match for match in matches if match not in strays] if strays else list(matches)
    return [*told, *sorted(strays, key=lambda match: match.distance)[:MOST_STRAYS]]


def _facts(row: Row) -> Any:  # noqa: ANN401  # the facts that BY_LABEL and BY_VALUE end in
    return row[-6:]
