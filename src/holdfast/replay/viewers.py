# SPDX-License-Identifier: Apache-2.0
"""The viewers of one run: real GETs while the clock runs 1:1, and the same rule for days that are skipped.

Each viewer comes when the curve says and opens the page that the story says. While the clock runs, they load it;
whoever does not get 404 is a view. Of a stretch that is skipped the pages are loaded at its beginning and at its end;
a viewer in between counts if theirs was there at either. So latency can be neither hidden nor multiplied.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from holdfast.replay.curve import DAY
from holdfast.replay.story import Story
from holdfast.replay.stranger import Stranger


@dataclass
class Viewers:
    """Counts the views of `pages` at a site, from the report on."""

    story: Story
    site: str
    pages: Sequence[str]
    views: int = 0
    seen: list[tuple[float, int]] = field(default_factory=lambda: [(0.0, 0)])
    _next: int = 0
    _day: float = 0.0
    _since: float = field(default_factory=time.monotonic)
    _fault: Exception | None = None

    @property
    def day(self) -> float:
        """How many days it is after the report, as the story counts."""
        return self._day + (time.monotonic() - self._since) / DAY

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Viewers come, in real time, from now on. Raises what kept them from looking, if anything did."""
        self._since, ends = time.monotonic(), threading.Event()
        thread = threading.Thread(target=self._look_until, args=(ends,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join()
            self._day, self._since = self.day, time.monotonic()
            self._note()
        if self._fault:
            raise self._fault

    def skip_to(self, day: float) -> None:
        """Nothing happens until then but that viewers come. Nobody may be `looking`."""
        stranger = Stranger(self.site)
        before = stranger.visible(self.pages)
        self._count_until(day, before | stranger.visible(self.pages))
        stranger.close()
        self._day, self._since = day, time.monotonic()
        self._note()

    def _count_until(self, day: float, visible: frozenset[str]) -> None:
        while self.story.curve.day_of(self._next) < day:
            self.views += self._page() in visible
            self._next += 1

    def _look_until(self, ends: threading.Event) -> None:
        stranger = Stranger(self.site)
        try:
            while not ends.wait(max(0.0, min(1.0, (self.story.curve.day_of(self._next) - self.day) * DAY))):
                if self.story.curve.day_of(self._next) <= self.day:
                    self.views += stranger.sees(self._page())
                    self._next += 1
                    self._note()
        except Exception as fault:  # noqa: BLE001  # raised again by whoever waits for this thread
            self._fault = fault
        finally:
            stranger.close()

    def _page(self) -> str:
        return self.pages[self.story.place_of(self._next)]

    def _note(self) -> None:
        self.seen.append((self.day, self.views))
