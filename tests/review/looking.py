# SPDX-License-Identifier: Apache-2.0
"""What tests of looking share: previews of what a simulated platform has, and somebody who is asked about it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from holdfast.bootstrap import System, new_id
from holdfast.errors import Refusal
from holdfast.hold.platform import Found, Item, Platform
from holdfast.review.review import About, Review, ReviewState
from holdfast.review.seeing import Bounds, Seeing
from holdfast.review.showing import Page, Showing, Viewer
from holdfast.review.viewing import Step
from tests.desk.making import Place, place

MIB = 1024 * 1024
ANN = Viewer(person="ann", session="the session of ann")
FIRST = frozenset(range(48))
CASE, REVIEW = "cas_1", "rev_1"
NOT_ASKED = Refusal("review.not_asked", "somebody else is asked about this, or nobody")


def seeing_of(system: System, platform: Platform) -> Seeing:
    """What makes previews of the items of this platform."""
    bounds = Bounds(spool=system.spool, most_bytes=4 * MIB, most_video_bytes=8 * MIB, spool_above=MIB)
    decoder = dataclasses.replace(system.decoder, every_frame=True)
    return Seeing(platform=platform, decoder=decoder, bounds=bounds, new_id=new_id)


@dataclass(slots=True)
class Looking:
    """One item under review, and who is asked about it."""

    at: Place
    item: Item
    review: Review
    showing: Showing
    asked: set[str] = field(default_factory=lambda: {"ann"})
    given_back: list[tuple[str, str]] = field(default_factory=list)

    def ask(self, step: Step = Step.BLURRED, numbers: frozenset[int] = FIRST, viewer: Viewer = ANN) -> Page:
        """Addresses, which are given."""
        page = self.showing.ask(viewer, REVIEW, step, numbers)
        assert isinstance(page, Page), page
        return page

    def refused(self, step: Step = Step.BLURRED, numbers: frozenset[int] = FIRST, viewer: Viewer = ANN) -> str:
        """The code with which addresses are refused."""
        refusal = self.showing.ask(viewer, REVIEW, step, numbers)
        assert isinstance(refusal, Refusal), refusal
        return refusal.code

    def see(self, step: Step = Step.BLURRED, numbers: frozenset[int] = FIRST, viewer: Viewer = ANN) -> list[bytes]:
        """Ask for pictures and open all of them."""
        opened = [self.showing.open(viewer, one.token) for one in self.ask(step, numbers, viewer).given]
        assert all(isinstance(one, bytes) for one in opened), opened
        return [one for one in opened if isinstance(one, bytes)]


def looking(system: System, content: bytes, *, budget: int = 200) -> Looking:
    """An item with these bytes, under review, about which `ann` is asked."""
    from holdfast.store.viewings import PostgresViewings

    at = place(system)
    found = at.platform.resolve(new_id("key"), [at.site.publish("mallory", content=content)])[0]
    assert isinstance(found, Found)
    review = Review(
        case=CASE,
        content=found.item.content,
        version=found.item.version,
        about=About.HELD,
        state=ReviewState.WAITING,
    )
    showing = Showing(
        seeing=seeing_of(system, at.platform),
        viewings=PostgresViewings(at.desk.means, budget=budget),
        may_see=lambda one, person: None if one == REVIEW and person in made.asked else NOT_ASKED,
        give_back=lambda one, person: made.given_back.append((one, person)),
        review_of=lambda one: review if one == REVIEW else None,
    )
    made = Looking(at, found.item, review, showing)
    return made
