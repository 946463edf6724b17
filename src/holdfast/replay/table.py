# SPDX-License-Identifier: Apache-2.0
"""Both runs as a table of plain text. What was not played says so; it is never nought."""

from __future__ import annotations

from holdfast.replay.figures import Figures, Run

_UNKNOWN = "not played"


def table(figures: Figures) -> str:
    """Rows of what was measured, then each promise and how it was answered."""
    both = [_column(figures.as_it_happened), _column(figures.with_holdfast)]
    rows = [(name, *(column[name] for column in both)) for name in both[0]]
    wide = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]
    ratio = _UNKNOWN if figures.ratio is None else f"{figures.ratio:.6%}"
    judged = [f"{name}: {word}" for name, word in figures.judged.items()]
    return "\n".join([*lines, "", f"views after notice, of as it happened: {ratio}", *judged])


def _column(run: Run) -> dict[str, str]:
    return {
        "": run.name,
        "seconds to hold": _number(run.seconds_to_hold),
        "places held": _share(run.places_held, run.places),
        "views after notice": _number(run.views_after_notice),
        "minutes visible after notice": _number(run.minutes_visible),
        "re-uploads stopped": _share(run.reuploads_stopped, run.reuploads),
        "who dismissed": run.dismissed_by or _UNKNOWN,
        "what stopped it": run.stopped_by or _UNKNOWN,
    }


def _number(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _share(done: int | None, of: int | None) -> str:
    return _UNKNOWN if done is None or of is None else f"{done:,} of {of:,}"
