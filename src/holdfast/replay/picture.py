# SPDX-License-Identifier: Apache-2.0
"""Both runs' views after notice in one picture: an SVG, drawn here, that is legible on light and on dark ground.

Views stand on a logarithmic axis, else the lower curve would lie on the ground line. Nought has no logarithm:
it is drawn on that line, and the words below say the numbers as they are.
"""

from __future__ import annotations

import math
from html import escape
from typing import Final

from holdfast.replay.figures import Figures, Run

WIDTH, HEIGHT = 800, 420
LEFT, RIGHT, TOP, BOTTOM = 90, 770, 40, 340
_DECADES: Final = 6
TITLE: Final = "Views after notice (each line is ten times the one below)"
_STYLE: Final = (
    "text{font:14px system-ui,sans-serif;fill:#1c1b1f}.grid{stroke:#c4c4c9}.ground{fill:#fff}"
    ".a{stroke:#b3261e}.b{stroke:#0b57d0;stroke-dasharray:8 4}polyline{fill:none;stroke-width:3}"
    "@media(prefers-color-scheme:dark){text{fill:#e6e1e5}.grid{stroke:#49494e}.ground{fill:#1c1b1f}"
    ".a{stroke:#f2b8b5}.b{stroke:#a8c7fa}}"
)


def picture(figures: Figures, days: float) -> str:
    """The SVG."""
    runs = (("a", figures.as_it_happened), ("b", figures.with_holdfast))
    words = escape("; ".join(said(run) for _, run in runs))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
        f'<title id="t">Views after notice</title><desc id="d">{words}.</desc><style>{_STYLE}</style>',
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text x="{LEFT}" y="24">{TITLE}</text>',
        *_grid(days),
        *(_curve(name, run, days) for name, run in runs),
        *(_legend(at, name, run) for at, (name, run) in enumerate(runs)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(days: float) -> list[str]:
    lines = []
    for views in decades():
        y = down(views)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 5}" text-anchor="end">{views:,}</text>')
    lines.extend(
        f'<text x="{across(day, days)}" y="{BOTTOM + 20}" text-anchor="middle">day {day}</text>'
        for day in range(math.floor(days) + 1)
    )
    return lines


def _curve(name: str, run: Run, days: float) -> str:
    points = " ".join(f"{across(day, days)},{down(views)}" for day, views in run.seen)
    return f'<polyline class="{name}" points="{points}"/>'


def _legend(at: int, name: str, run: Run) -> str:
    y = BOTTOM + 45 + 22 * at
    line = f'<polyline class="{name}" points="{LEFT},{y - 5} {LEFT + 40},{y - 5}"/>'
    return f'{line}<text x="{LEFT + 50}" y="{y}">{escape(said(run))}</text>'


def decades() -> list[int]:
    """The views at which a line is drawn."""
    return [10**power for power in range(_DECADES + 1)]


def said(run: Run) -> str:
    """What stands beside a curve."""
    number = run.views_after_notice
    seen = "not played" if number is None else f"{number:,} view{'' if number == 1 else 's'} after notice"
    return f"{run.name}: {seen}"


def across(day: float, days: float) -> float:
    """Where a day lies, from the left."""
    return round(LEFT + (RIGHT - LEFT) * day / days, 1)


def down(views: float) -> float:
    """Where so many views lie, from the top."""
    return round(BOTTOM - (BOTTOM - TOP) * math.log10(max(1.0, views)) / _DECADES, 1)
