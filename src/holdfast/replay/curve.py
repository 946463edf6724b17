# SPDX-License-Identifier: Apache-2.0
"""The fixed stream of viewers: how many have looked, so many days after the report, if nothing stops them.

The total and the days are from the complaint; the shape between is ours. It stands in a file, so that a run
can neither shorten nor stretch it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Final

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (day, views so far), both rising; between two of them views come evenly."""

    points: tuple[tuple[float, int], ...]

    @property
    def days(self) -> float:
        """How many days it tells of."""
        return self.points[-1][0]

    @property
    def total(self) -> int:
        """Everybody who has looked at its end."""
        return self.points[-1][1]

    def views(self, day: float) -> float:
        """Views until then; none before the first point, no more after the last."""
        if day <= self.points[0][0]:
            return float(self.points[0][1])
        for (begin, before), (end, after) in pairwise(self.points):
            if day <= end:
                return before + (after - before) * (day - begin) / (end - begin)
        return float(self.total)

    def between(self, begin: float, end: float) -> float:
        """Views that come from one day to another."""
        return self.views(end) - self.views(begin)

    def per_second(self, day: float) -> float:
        """How many look each second just after that moment: the rate of the real requests."""
        return self.between(day, day + 1 / DAY)


def the_curve() -> Curve:
    """The curve in the file beside this module."""
    told = json.loads(files("holdfast.replay").joinpath("curve.json").read_text("utf-8"))
    return Curve(tuple((float(day), int(views)) for day, views in told["days"]))
