# SPDX-License-Identifier: Apache-2.0
"""What both runs of the story share, from a file: the viewers, where they look, and what is done on which day."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final

from holdfast.replay.curve import Curve

_GOLDEN: Final = (5**0.5 - 1) / 2
REUPLOADS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Seconds are real ones; days are days after the report."""

    curve: Curve
    first: float
    """The share of viewers who open the first post."""
    reuploads: float
    """The share of those who open one of the two re-uploads. All others open re-shares."""
    shares: int
    sharers: int
    window: float
    proof_after: float
    answered: float
    attempts: tuple[tuple[float, str], ...]
    officer: float

    @property
    def places(self) -> int:
        """Every page that shows it."""
        return 1 + REUPLOADS + self.shares

    def place_of(self, viewer: int) -> int:
        """Which page a viewer opens, in all runs the same: 0 is the first post, then re-uploads, then re-shares.

        Multiples of the golden ratio spread as evenly as can be, whatever number of viewers comes.
        """
        at = viewer * _GOLDEN % 1
        if at < self.first:
            return 0
        if at < self.first + self.reuploads:
            return 1 + int((at - self.first) / self.reuploads * REUPLOADS)
        rest = (at - self.first - self.reuploads) / (1 - self.first - self.reuploads)
        return 1 + REUPLOADS + min(self.shares - 1, int(rest * self.shares)) if self.shares else 0

    def with_shares(self, shares: int) -> Story:
        """The same with so many re-shares."""
        return replace(self, shares=shares, sharers=max(1, min(self.sharers, shares)))


def the_story() -> Story:
    """The story in the file beside this module."""
    told = json.loads(files("holdfast.replay").joinpath("story.json").read_text("utf-8"))
    return Story(
        curve=Curve(tuple((float(day), int(views)) for day, views in told["days"])),
        first=told["where"]["first"],
        reuploads=told["where"]["reuploads"],
        shares=told["shares"],
        sharers=told["sharers"],
        window=told["window"],
        proof_after=told["proof_after"],
        answered=told["answered"],
        attempts=tuple((float(day), form) for day, form in told["attempts"]),
        officer=told["officer"],
    )
