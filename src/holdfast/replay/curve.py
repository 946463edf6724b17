# SPDX-License-Identifier: Apache-2.0
"""The fixed stream of viewers: how many have looked, so many days after the report, if nothing stops them.

The total and the days are from the complaint; the shape between is ours. It stands in a file, so that a run
can neither shorten nor stretch it. Viewer 0 comes in the moment of the report, viewer k when k have looked.
"""

from __future__ import annotations

from dataclasses import dataclass
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

    def day_of(self, viewer: int) -> float:
        """When a viewer comes, counted from 0; never (infinity) if there are fewer."""
        if viewer >= self.total:
            return float("inf")
        for (begin, before), (end, after) in pairwise(self.points):
            if viewer <= after:
                return begin + (end - begin) * (viewer - before) / (after - before)
        raise AssertionError
