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

_WIDTH, _HEIGHT = 800, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 770, 40, 340
_DECADES: Final = 6
_STYLE: Final = (
    "text{font:14px system-ui,sans-serif;fill:#1c1b1f}.grid{stroke:#c4c4c9}.ground{fill:#fff}"
    ".a{stroke:#b3261e}.b{stroke:#0b57d0;stroke-dasharray:8 4}polyline{fill:none;stroke-width:3}"
    "@media(prefers-color-scheme:dark){text{fill:#e6e1e5}.grid{stroke:#49494e}.ground{fill:#1c1b1f}"
    ".a{stroke:#f2b8b5}.b{stroke:#a8c7fa}}"
)


def picture(figures: Figures, days: float) -> str:
    """The SVG."""
    runs = (("a", figures.as_it_happened), ("b", figures.with_holdfast))
    said = escape("; ".join(_said(run) for _, run in runs))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="t d">',
        f'<title id="t">Views after notice</title><desc id="d">{said}.</desc><style>{_STYLE}</style>',
        f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text x="{_LEFT}" y="24">Views after notice (each line is ten times the one below)</text>',
        *_grid(days),
        *(_curve(name, run, days) for name, run in runs),
        *(_legend(at, name, run) for at, (name, run) in enumerate(runs)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(days: float) -> list[str]:
    lines = []
    for power in range(_DECADES + 1):
        y = _y(10**power)
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 5}" text-anchor="end">{10**power:,}</text>')
    lines.extend(
        f'<text x="{_x(day, days)}" y="{_BOTTOM + 20}" text-anchor="middle">day {day}</text>'
        for day in range(math.floor(days) + 1)
    )
    return lines


def _curve(name: str, run: Run, days: float) -> str:
    points = " ".join(f"{_x(day, days)},{_y(views)}" for day, views in run.seen)
    return f'<polyline class="{name}" points="{points}"/>'


def _legend(at: int, name: str, run: Run) -> str:
    y = _BOTTOM + 45 + 22 * at
    line = f'<polyline class="{name}" points="{_LEFT},{y - 5} {_LEFT + 40},{y - 5}"/>'
    return f'{line}<text x="{_LEFT + 50}" y="{y}">{escape(_said(run))}</text>'


def _said(run: Run) -> str:
    seen = "not played" if run.views_after_notice is None else f"{run.views_after_notice:,} views after notice"
    return f"{run.name}: {seen}"


def _x(day: float, days: float) -> float:
    return round(_LEFT + (_RIGHT - _LEFT) * day / days, 1)


def _y(views: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * math.log10(max(1.0, views)) / _DECADES, 1)
