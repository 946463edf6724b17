# SPDX-License-Identifier: Apache-2.0
"""The content archive: what every screened item leaves behind, so that what is learnt later can be looked for.

Signals, the item's reference, when, and the verdict; never bytes. Of a long film it keeps fewer forms
and moments. It is kept for a time only, not at all for private surfaces, and searched only for an entry
that is in a bank: whoever could search it for any picture could find out who had it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.intake.content import Content
from holdfast.log.event import Event, event
from holdfast.match.entry import Entry
from holdfast.match.look import Seen
from holdfast.match.segment import within
from holdfast.match.signal import PERCEPTUAL, InVideo, Signal, SignalType
from holdfast.media import pdq

MOST_HASHES: Final = 2048
"""Of one item, 64 KiB: every form of 128 pictures, or a film's upright frames, for half an hour all of them."""
_FRAME: Final = np.dtype([("hash", np.uint64, 4), ("at_ms", np.uint32), ("quality", np.uint32)])
_KEPT_FORMS: Final = (f"{pdq.Family.FULL}.{pdq.Form.AS_IS}", f"{pdq.Family.FULL}.{pdq.Form.MIRRORED}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArchivedItem:
    """One version of one item as it was screened, and every signal it had."""

    screening: str
    content: str
    content_version: str
    surface: str
    verdict: str
    exact: tuple[Signal, ...]
    hashes: NDArray[np.uint64]
    at: datetime
    frames: tuple[Signal, ...] = ()
    """Of a film: its frames as a bank keeps them, so that it can be banked without its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A screened item that the entry would match today."""

    screening: str
    content: str
    content_version: str
    surface: str
    verdict: str
    signal: SignalType
    distance: int
    at: datetime


@event("archive.searched")
@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSearched(Event):
    """The archive was searched for what one banked entry matches; which items were found is not repeated here."""

    bank: str
    entry: str
    threshold: int
    since: datetime
    found: int


def archived(seen: Seen, content: Content, *, screening: str, verdict: str, at: datetime) -> ArchivedItem:
    """What a screened item leaves behind."""
    return ArchivedItem(
        screening=screening,
        content=content.id,
        content_version=content.version,
        surface=content.surface,
        verdict=verdict,
        exact=seen.exact,
        hashes=_within_bounds(seen),
        at=at,
        frames=seen.film.upright if seen.film else (),
    )


def packed(frames: Sequence[Signal]) -> bytes:
    """Frames of a film as bytes, 40 for each: the hash, milliseconds, quality."""
    rows = np.zeros(len(frames), _FRAME)
    for row, frame in zip(rows, frames, strict=True):
        assert frame.frame is not None
        row["hash"], row["at_ms"], row["quality"] = pdq.from_hex(frame.value), frame.frame.at_ms, frame.frame.quality
    return rows.tobytes()


def unpacked(frames: bytes) -> tuple[Signal, ...]:
    """The frames again."""
    rows = np.frombuffer(frames, _FRAME)
    return tuple(
        Signal(SignalType.VPDQ, pdq.to_hex(row["hash"]), InVideo(number, int(row["at_ms"]), int(row["quality"])))
        for number, row in enumerate(rows)
    )


def _within_bounds(seen: Seen) -> NDArray[np.uint64]:
    """At most MOST_HASHES: forms are given up before moments, then moments evenly."""
    hashes = seen.hashes
    if len(hashes) > MOST_HASHES:
        hashes = seen.hashes[[number for number, name in enumerate(seen.variants) if name.endswith(_KEPT_FORMS)]]
    if len(hashes) > MOST_HASHES:
        hashes = seen.hashes[[number for number, name in enumerate(seen.variants) if name.endswith(_KEPT_FORMS[0])]]
    return hashes[:: -(-len(hashes) // MOST_HASHES) or 1]


def nearest(entry: Entry, item_hashes: NDArray[np.uint64], threshold: int) -> list[tuple[int, int]]:
    """(row, distance) of the hashes, shape (n, 4), that the entry's perceptual signals are near to."""
    wanted = [pdq.from_hex(signal.value) for signal in entry.signals if signal.type in PERCEPTUAL]
    columns, best = item_hashes.T, dict[int, int]()
    for one in wanted:
        rows, distances = within(columns, one, threshold)
        for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
            best[row] = min(distance, best.get(row, distance))
    return sorted(best.items())


def search_subject(search_id: str) -> str:
    """The journal's subject for one search."""
    return f"search:{search_id}"
