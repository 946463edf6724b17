# SPDX-License-Identifier: Apache-2.0
"""Both stories, one after the other: as it happened, with Holdfast, and the other side. What came of it, in files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.replay.as_it_happened import as_it_happened
from holdfast.replay.brigade import Restored, begin_brigade
from holdfast.replay.figures import Figures
from holdfast.replay.picture import picture
from holdfast.replay.publishing import Tell
from holdfast.replay.raster import raster
from holdfast.replay.staff import Person, hire_everybody
from holdfast.replay.story import Story
from holdfast.replay.with_holdfast import with_holdfast
from holdfast.replay.world import World


@dataclass(frozen=True, slots=True)
class Played:
    """What both stories came to, and those who worked in them."""

    figures: Figures
    restored: Restored
    people: Sequence[Person]
    days: float

    @property
    def as_promised(self) -> bool:
        """Whether every promise was played and kept, in both."""
        return self.figures.as_promised and self.restored.as_promised

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"story": self.figures.as_json(), "other_side": self.restored.as_json(), "as_promised": self.as_promised}

    def write(self, folder: Path) -> list[Path]:
        """The picture, twice, and the figures; where they are."""
        folder.mkdir(parents=True, exist_ok=True)
        drawn, painted, told = (folder / f"replay.{kind}" for kind in ("svg", "png", "json"))
        drawn.write_text(picture(self.figures, self.days), encoding="utf-8")
        raster(self.figures, self.days).save(painted)
        told.write_text(json.dumps(self.as_json(), indent=1), encoding="utf-8")
        return [path.resolve() for path in (drawn, painted, told)]


def play_stories(world: World, alone: str, story: Story, afterthought: float, tell: Tell) -> Played:
    """Play them; `alone` is a Commons without Holdfast. Raises DependencyError if a part does not do what it must.

    `afterthought` is how long, in seconds, what two people found has no effect there.
    """
    happened = as_it_happened(alone, story, tell)
    tell("People begin to work here")
    people = hire_everybody(world)
    brigade = begin_brigade(world, people, afterthought, tell)
    ours = with_holdfast(world, people, story, tell)
    restored = brigade.wait_until_restored(tell)
    return Played(Figures(as_it_happened=happened, with_holdfast=ours), restored, people, story.curve.days)
