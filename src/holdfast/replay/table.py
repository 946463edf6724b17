# SPDX-License-Identifier: Apache-2.0
"""Both runs as a table of plain text. What was not played says so; it is never nought."""

from __future__ import annotations

from holdfast.replay.brigade import Restored
from holdfast.replay.figures import Figures, Run

_UNKNOWN = "not played"


def table(figures: Figures) -> str:
    """Rows of what was measured, then each promise and how it was answered."""
    both = [_column(figures.as_it_happened), _column(figures.with_holdfast)]
    rows = [(name, *(column[name] for column in both)) for name in both[0]]
    wide = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]
    lines += [
        *_by_words("who dismissed", figures, "dismissed_by"),
        *_by_words("what stopped it", figures, "stopped_by"),
    ]
    ratio = _UNKNOWN if figures.ratio is None else f"{figures.ratio:.6%}"
    judged = [f"{name}: {word}" for name, word in figures.judged.items()]
    return "\n".join([*lines, "", f"views after notice, of as it happened: {ratio}", *judged])


def _by_words(title: str, figures: Figures, name: str) -> list[str]:
    """What takes more words than a column has."""
    both = (figures.as_it_happened, figures.with_holdfast)
    return [f"{title}, {run.name}: {getattr(run, name) or _UNKNOWN}" for run in both]


def other_side(told: Restored) -> list[tuple[str, str]]:
    """What became of the family's photo, row by row."""
    return [
        ("reports against it", _number(told.reports)),
        ("hidden after", _seconds(told.seconds_to_hold)),
        ("whoever posted it is told after", _seconds(told.told_after)),
        ("they answer, and are told", told.contested or _UNKNOWN),
        ("let go by", f"{' and '.join(told.found_by)}, each by themselves" if told.found_by else _UNKNOWN),
        ("found after", _seconds(told.found_after)),
        (f"seen again after ({told.afterthought:,.0f} s of it for thinking twice)", _seconds(told.restored_after)),
        ("pages that are back", _share(told.places_restored, told.places)),
    ]


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:,.1f} s"


def _column(run: Run) -> dict[str, str]:
    return {
        "": run.name,
        "seconds to hold": "never" if run.never_held else _number(run.seconds_to_hold),
        "places held": _share(run.places_held, run.places),
        "views after notice": _number(run.views_after_notice),
        "minutes visible after notice": _number(run.minutes_visible),
        "re-uploads stopped": _share(run.reuploads_stopped, run.reuploads),
    }


def _number(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _share(done: int | None, of: int | None) -> str:
    return _UNKNOWN if done is None or of is None else f"{done:,} of {of:,}"
