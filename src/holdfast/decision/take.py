# SPDX-License-Identifier: Apache-2.0
"""What makes decisions out of reviews, and carries them out at the platform.

Each is a handler of one kind of effect (`holdfast.effect.handler`). They decide nothing by themselves: what a
review came to is read again in the transaction that acts on it. Killed at any step and tried again, one review
makes one decision, and what follows is asked for until the platform has confirmed it. What is to be seen again
is believed once somebody who is nobody there sees it.

What is removed stays held, looked at each day, while it can be taken back or appealed; only then is the
platform asked to take it away for good, because that cannot be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from holdfast.case.case import CaseItem
from holdfast.effect.handler import Done, Failed, Leased, Outcome, Refused
from holdfast.errors import PlatformAway, PlatformRefused
from holdfast.hold.enforce import Asked, Seen, again, batches
from holdfast.hold.platform import Act, Acted, Platform, Sight, Stranger
from holdfast.review.review import About, Review

TAKE: Final = "decision.take"
"""Owed for a review that was concluded, or whose conclusion was taken back; payload: `review`."""
CARRY: Final = "decision.carry"
"""Owed for a decision: the platform is to do what follows; payload: `decision`."""
NOT_YET: Final = "not_yet"
KEPT: Final = "kept_while_it_can_be_appealed"


class Settled(Protocol):
    """The reviews, as decisions need them."""

    def __call__(self, review_id: str, /) -> Review | None:
        """A review as it stands; None if there is none.

        Called inside a transaction it MUST be locked until that ends: nobody takes anything back meanwhile.
        """


class OpensReviews(Protocol):
    """The reviews, as appeals need them."""

    def __call__(self, case: str, content: str, version: str, about: About, spoke: frozenset[str], /) -> str:
        """Open a review inside the open transaction, in which nobody of `spoke` is asked; its id."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before then."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDo:
    """What a decision still asks of the platform: to take these spots away for good, or to show them again.

    What is removed is kept until `not_before`, out of reach; `is_held`: whether all of it is, as far as is known.
    """

    removes: bool
    asked: tuple[Asked, ...]
    is_held: bool = False
    not_before: datetime | None = None


class Decisions(Protocol):
    """What handlers need of the decisions."""

    def item_of(self, review_id: str) -> CaseItem | Wait | None:
        """The item that a concluded review is about, once it takes effect; None if nothing is concluded."""

    def take(self, review_id: str, copies: Sequence[CaseItem]) -> Wait | None:
        """Make, once, the decision that a review leads to for its item and these exact copies; or undo what it led to.

        A wait, if it takes no effect yet. Raises ReviewMissing.
        """

    def to_do(self, decision_id: str) -> ToDo | None:
        """What is still to be done; None if nothing is, or the decision was reversed."""

    def settle(self, decision_id: str, seen: Sequence[Seen]) -> bool:
        """Write what the platform said and a stranger saw; whether all of these are now as decided."""

    def carried_out(self, decision_id: str) -> None:
        """Write that everything that follows was confirmed."""


@dataclass(frozen=True, slots=True)
class Take:
    """Makes the decision that a review leads to. A `Handler`."""

    platform: Platform
    decisions: Decisions
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        review = effect.payload["review"]
        item = self.decisions.item_of(review)
        if isinstance(item, Wait):
            return Failed(NOT_YET, retry_at=item.until)
        try:
            copies = [] if item is None else self._exact(f"{effect.id}.{effect.tries}", item)
        except PlatformAway:
            return again(effect, self.clock())
        wait = self.decisions.take(review, copies)
        return Done() if wait is None else Failed(NOT_YET, retry_at=wait.until)

    def _exact(self, key: str, item: CaseItem) -> list[CaseItem]:
        """What is the same byte for byte, in the platform's word; one that keeps no such list has none."""
        try:
            copies = self.platform.copies(key, item.content, item.version)
        except PlatformRefused:
            return []
        return [CaseItem(content=one.item.content, version=one.item.version) for one in copies if one.exact]


@dataclass(frozen=True, slots=True)
class Carry:
    """Asks the platform for what a decision leads to, and looks as a stranger. A `Handler`."""

    platform: Platform
    stranger: Stranger
    decisions: Decisions
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        decision, now = effect.payload["decision"], self.clock()
        to_do = self.decisions.to_do(decision)
        if to_do is None:
            return Done()
        if to_do.not_before is not None and now < to_do.not_before:
            return self._keep(effect, to_do, to_do.not_before)
        try:
            done = [self._ask(f"{effect.id}.{effect.tries}.{number}", decision, to_do.removes, batch)
                    for number, batch in enumerate(batches(to_do.asked))]  # fmt: skip
        except PlatformAway:
            return again(effect, now)
        except PlatformRefused:
            return Refused("decision_refused")
        if not all(done):
            return again(effect, now)
        self.decisions.carried_out(decision)
        return Done()

    def _keep(self, effect: Leased, to_do: ToDo, until: datetime) -> Outcome:
        """Nothing more is asked yet: holds have their own handlers, which ask until each is confirmed."""
        if not to_do.is_held:
            return again(effect, self.clock())
        self.decisions.carried_out(effect.payload["decision"])
        return Failed(KEPT, retry_at=until)

    def _ask(self, key: str, decision: str, removes: bool, asked: Sequence[Asked]) -> bool:  # noqa: FBT001  # one of two acts
        act = self.platform.remove if removes else self.platform.release
        acts = act(key, [one.spot for one in asked])
        sights = self._look(asked)
        return self.decisions.settle(
            decision, [Seen(one.hold, said, sights[one.hold]) for one, said in zip(asked, acts, strict=True)]
        )

    def _look(self, asked: Sequence[Asked]) -> dict[str, Sight]:
        public = [one for one in asked if one.url]
        seen = dict(
            zip([one.hold for one in public], self.stranger.look([one.url or "" for one in public]), strict=True)
        )
        return {one.hold: seen.get(one.hold, Sight.UNKNOWN) for one in asked}


def is_as_decided(act: Act | None, sight: Sight, *, removes: bool, public: bool) -> bool:
    """Whether one location is as a decision asks for: in the platform's word, and where anybody can look, seen so."""
    if act is None or act.acted is Acted.REFUSED:
        return False
    if act.acted is Acted.GONE:
        return True
    if removes:
        return sight is not Sight.VISIBLE
    return sight is Sight.VISIBLE or not public
