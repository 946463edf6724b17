# SPDX-License-Identifier: Apache-2.0
"""The other side: a brigade reports a family's photo, and how soon and how completely it is restored."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

from holdfast.demo.commons import Visitor, visitor
from holdfast.demo.pictures import encoded, hills
from holdfast.errors import DependencyError
from holdfast.replay.doors import contest, report
from holdfast.replay.publishing import Tell, seen
from holdfast.replay.room import Room, lets_go
from holdfast.replay.staff import Person
from holdfast.replay.stranger import Stranger, until
from holdfast.replay.world import World

_SEED: Final = 4_820
_SHARES: Final = 3
_WHO: Final = ("bystander", "parent", "depicted_child", "bystander", "agent", "bystander")
_PATIENCE: Final = 120.0
_LONG: Final = 300.0
_SELDOM: Final = 0.5
_CODE: Final = re.compile(r"<code>([^<]+)</code>")


@dataclass(kw_only=True)
class Restored:
    """What was measured; seconds are after the first report. None: it did not come to that."""

    places: int
    reports: int
    afterthought: float
    """For so many seconds what two people found had no effect; they are part of what is measured."""
    seconds_to_hold: float | None = None
    told_after: float | None = None
    contested: str = ""
    found_after: float | None = None
    found_by: tuple[str, ...] = ()
    restored_after: float | None = None
    places_restored: int = 0

    @property
    def as_promised(self) -> bool:
        """Whether all of it was hidden, two people who did not know of each other let it go, and all of it is back."""
        return self.places_restored == self.places and len(set(self.found_by)) > 1 and self.told_after is not None

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "as_promised": self.as_promised}


@dataclass
class Brigade:
    """The story in two halves: what was found has effect later, and the other story need not wait for that."""

    site: str
    pages: tuple[str, ...]
    begun: float
    told: Restored
    _watching: Future[None] | None = None

    def watch(self) -> None:
        """Look, from now on and beside everything else, until a stranger sees all of it again."""
        pool = ThreadPoolExecutor(1)
        self._watching = pool.submit(self._look)
        pool.shutdown(wait=False)

    def wait_until_restored(self, tell: Tell) -> Restored:
        """What was measured, once all of it is seen again or that does not come."""
        assert self._watching is not None
        tell("The family's photo: waiting until what was found has effect")
        self._watching.result()
        return self.told

    def _look(self) -> None:
        stranger = Stranger(self.site)
        patience = self.begun + self.told.afterthought + _LONG - time.monotonic()
        left = stranger.wait_for(self.pages, seen=True, patience=patience, between=_SELDOM)
        self.told.places_restored = len(self.pages) - len(left)
        self.told.restored_after = None if left else time.monotonic() - self.begun
        stranger.close()


def begin_brigade(world: World, people: Sequence[Person], afterthought: float, tell: Tell) -> Brigade:
    """Publish the photo, report it again and again, contest that it is hidden, and have two people look."""
    tell("The family's photo: published, and reported by a brigade")
    family, pages = _published(world.site)
    begun = time.monotonic()
    for who in _WHO:
        report(world.door, world.site + pages[0], who=who, category="csam", words="Take this down.")
    told = Restored(places=len(pages), reports=len(_WHO), afterthought=afterthought)
    stranger = Stranger(world.site)
    if not stranger.wait_for(pages, seen=False, patience=_PATIENCE):
        told.seconds_to_hold = time.monotonic() - begun
    stranger.close()
    until(lambda: bool(_CODE.search(family.http.get("/me").text)), "whoever posted it is told", patience=_PATIENCE)
    told.told_after = time.monotonic() - begun
    told.contested = _contest(world, family)
    room, item = Room(world, people), f"post-{pages[0].rpartition('/')[2]}"
    tell("The family's photo: people look")
    if (outcome := room.settle(item, lets_go)) != "not_upheld":
        message = f"what people found of the family's photo came to {outcome}"
        raise DependencyError(message)
    told.found_after, told.found_by = time.monotonic() - begun, tuple(room.who_said(item))
    brigade = Brigade(world.site, pages, begun, told)
    brigade.watch()
    return brigade


def _published(site: str) -> tuple[Visitor, tuple[str, ...]]:
    family = visitor(site)
    family.join("family")
    pages = [family.offer("At the lake", encoded(hills(_SEED))).path]
    seen(site, pages)
    for number in range(_SHARES):
        aunt = visitor(site)
        aunt.join(f"aunt-{number}")
        pages.append(aunt.offer_share(pages[0], "So lovely").path)
    seen(site, pages)
    return family, tuple(pages)


def _contest(world: World, family: Visitor) -> str:
    """Answer the notice; what the page says then."""
    code = _CODE.search(family.http.get("/me").text)
    assert code is not None
    page = contest(world.door, code[1], "This is our own photo, of a walk. Nobody in it is shown in any such way.")
    found = re.search(r"You have said why[^.]*\.", page)
    return found[0] if found else ""
