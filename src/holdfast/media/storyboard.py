# SPDX-License-Identifier: Apache-2.0
"""The storyboard of a video: one still picture of each scene, and of each stretch of a long one, with its time.

It is mute by nature. How many pictures a video has follows from the video alone, as long as every frame is decoded
(`SandboxedDecoder.every_frame`); only those that are asked for are kept, so that it takes no more memory
for a long film than for a short one.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from holdfast.media.plane import Frame, Watched
from holdfast.media.preview import Form, Preview, Previews, render
from holdfast.media.sampling import Glance, alike, glance

STRETCH: Final = 10.0
"""Seconds of one scene that one picture stands for at most."""
SCENE: Final = 0.85
"""Correlation from afar above which two frames share a picture: somebody who comes into a still room begins another."""


@dataclass(slots=True)
class Storyboard:
    """Shown every frame of a video in turn (it is a `holdfast.media.reel.See`); keeps the pictures `wanted`."""

    form: Form
    wanted: Container[int]
    begins: list[tuple[int, float]] = field(default_factory=list)
    """The track and the second at which each picture begins."""
    kept: dict[int, bytes] = field(default_factory=dict)
    last: Glance = field(default_factory=lambda: np.zeros(0, np.float32))

    def see(self, frame: Frame) -> None:
        """Look at one frame: it begins a picture of its own, or belongs to the one before."""
        at, seen = (frame.track, frame.seconds or 0.0), glance(frame.planes[0].luma)
        if self._belongs(at, seen):
            return
        number = len(self.begins)
        self.begins.append(at)
        self.last = seen
        if number in self.wanted:
            self.kept[number] = render(frame.planes[0], self.form)

    def pictures(self, watched: Watched) -> Previews:
        """The pictures asked for, once it was watched as far as could be."""
        shown = [
            Preview(number=number, content=content, seconds=self.begins[number][1], lasts=self._lasts(number, watched))
            for number, content in sorted(self.kept.items())
        ]
        return Previews(pictures=tuple(shown), counted=len(self.begins), complete=watched.missed is None)

    def _belongs(self, at: tuple[int, float], seen: Glance) -> bool:
        if not self.begins:
            return False
        track, since = self.begins[-1]
        return track == at[0] and at[1] - since < STRETCH and alike(seen, self.last, SCENE)

    def _lasts(self, number: int, watched: Watched) -> float:
        """Until the next picture of its track, or the end."""
        track, since = self.begins[number]
        after = self.begins[number + 1] if number + 1 < len(self.begins) else None
        until = after[1] if after and after[0] == track else watched.seconds
        return max(0.0, until - since)
