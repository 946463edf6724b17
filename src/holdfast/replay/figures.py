# SPDX-License-Identifier: Apache-2.0
"""What two runs of the story measured, and whether it is what was promised. A figure nobody measured is None."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

TARGET: Final = 0.0001
PROMISED, NOT_AS_PROMISED, NOT_PLAYED = "PROMISED", "NOT AS PROMISED", "NOT PLAYED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way the story went. `seen` are points (days after the report, views after notice so far)."""

    name: str
    views_after_notice: int | None = None
    seconds_to_hold: float | None = None
    never_held: bool = False
    """It was played, and nothing was hidden: not the same as not played."""
    minutes_visible: float | None = None
    places_held: int | None = None
    places: int | None = None
    reuploads_stopped: int | None = None
    reuploads: int | None = None
    dismissed_by: str | None = None
    stopped_by: str | None = None
    seen: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Both runs side by side."""

    as_it_happened: Run
    with_holdfast: Run

    @property
    def ratio(self) -> float | None:
        """Views after notice with Holdfast over those as it happened; None where either is unknown."""
        ours, theirs = self.with_holdfast.views_after_notice, self.as_it_happened.views_after_notice
        return None if ours is None or not theirs else ours / theirs

    @property
    def judged(self) -> dict[str, str]:
        """Each promise and how the run answered it."""
        ours = self.with_holdfast
        return {
            "views after notice": _word(None if self.ratio is None else self.ratio <= TARGET),
            "every place held": _all(ours.places_held, ours.places),
            "every re-upload stopped": _all(ours.reuploads_stopped, ours.reuploads),
        }

    @property
    def as_promised(self) -> bool:
        """Whether every promise was played and kept: what was not played is not a promise kept."""
        return set(self.judged.values()) == {PROMISED}

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "ratio": self.ratio, "judged": self.judged, "as_promised": self.as_promised}


def _all(done: int | None, of: int | None) -> str:
    return _word(None if done is None or not of else done == of)


def _word(kept: bool | None) -> str:  # noqa: FBT001  # three answers, one of them "unknown"
    if kept is None:
        return NOT_PLAYED
    return PROMISED if kept else NOT_AS_PROMISED
