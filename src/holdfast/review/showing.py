# SPDX-License-Identifier: Apache-2.0
"""Whoever is asked about an item asks to see it: a few pictures at one step, each at an address that opens once.

Who may see is asked when addresses are given and again when one is opened. Where the day's budget is spent, the review
is given back, and nobody is blamed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from holdfast.errors import Refusal
from holdfast.media.preview import Previews
from holdfast.review.look import MOST_AT_ONCE, NOTHING_HERE, check_order, session_digest
from holdfast.review.review import Review
from holdfast.review.seeing import FORMS, NotOpened, Seeing, Why
from holdfast.review.viewing import Step

SPENT: Final = Refusal(
    "viewing.budget_spent", "you have seen enough for today: somebody else is asked, and that is as it should be"
)


class SignedIn(Protocol):
    """Who is signed in, as far as looking needs to know."""

    @property
    def person(self) -> str:
        """As whom."""

    @property
    def session(self) -> str:
        """In which session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody who is signed in: as whom, and in which session."""

    person: str
    session: str

    @property
    def session_digest(self) -> str:
        """What stands for the session where it may be read."""
        return session_digest(self.session)

    @property
    def actor(self) -> str:
        """How the journal names them."""
        return f"staff:{self.person}"


def viewer_of(signed: SignedIn) -> Viewer:
    """Whoever is signed in, as one who looks."""
    return Viewer(person=signed.person, session=signed.session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks to see: these pictures of the item that a review is about, at this step."""

    case: str
    review: str
    content: str
    version: str
    step: Step
    numbers: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An address, by its token, and what may be said of its picture before it is opened."""

    token: str
    number: int
    step: Step
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The pictures that were asked for, as far as there are so many and the day's budget lasts."""

    given: tuple[Given, ...]
    counted: int
    """How many pictures of the item were found."""
    complete: bool
    """Whether there are no others."""


class Viewings(Protocol):
    """Where it stands who saw what."""

    def reached(self, person: str, content: str, version: str) -> Mapping[int, Step]:
        """How clearly somebody saw each picture of an item's version; those that they did not see are left out."""

    def affords(self, person: str, step: Step) -> int:
        """For how many more pictures at this step somebody's budget of today lasts."""

    def give(self, viewer: Viewer, wanted: Wanted, previews: Previews) -> list[Given]:
        """An address for each of these, as far as the budget lasts."""

    def review_at(self, untrusted_token: str) -> str | None:
        """The review that an address belongs to; None if it opens nothing any more."""

    def show(self, viewer: Viewer, untrusted_token: str) -> bytes | Refusal:
        """The picture at an address. MUST NOT give a byte before it is committed that it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """Gives addresses and opens them.

    `may_see` says why a person may not look at what a review is about, or None; `give_back` lets somebody else be
    asked; `review_of` gives the review. `seeing` is None where no platform is set.
    """

    seeing: Seeing | None
    viewings: Viewings
    may_see: Callable[[str, str], Refusal | None]
    give_back: Callable[[str, str], None]
    review_of: Callable[[str], Review | None]

    def ask(self, viewer: Viewer, review: str, step: Step, numbers: frozenset[int]) -> Page | NotOpened | Refusal:
        """Addresses for these pictures. Nothing is fetched for whoever may not see it."""
        wanted = self._wanted(viewer, review, step, numbers)
        if isinstance(wanted, Refusal):
            return wanted
        if not self.viewings.affords(viewer.person, step):
            return self._spent(viewer, review)
        if self.seeing is None:
            return NotOpened(Why.NO_PLATFORM)
        found = self.seeing.previews(wanted.content, wanted.version, step, wanted.numbers)
        if isinstance(found, NotOpened):
            return found
        given = self.viewings.give(viewer, wanted, found)
        if found.pictures and not given:
            return self._spent(viewer, review)
        return Page(given=tuple(given), counted=found.counted, complete=found.complete)

    def open(self, viewer: Viewer, untrusted_token: str) -> bytes | Refusal:
        """The picture at an address, or one refusal for whatever keeps it shut."""
        review = self.viewings.review_at(untrusted_token)
        if review is None or self.may_see(review, viewer.person) is not None:
            return NOTHING_HERE
        return self.viewings.show(viewer, untrusted_token)

    def _wanted(self, viewer: Viewer, review: str, step: Step, numbers: frozenset[int]) -> Wanted | Refusal:
        found = self.review_of(review)
        if found is None:
            return Refusal("viewing.no_review", "there is no such review")
        if refusal := self.may_see(review, viewer.person):
            return refusal
        if step not in FORMS:
            return Refusal("viewing.no_such_step", "there is nothing to be seen at this step")
        if not 0 < len(numbers) <= MOST_AT_ONCE:
            return Refusal("viewing.too_many", f"ask for one picture at least, and {MOST_AT_ONCE} at most")
        reached = self.viewings.reached(viewer.person, found.content, found.version)
        refusal = check_order(step, [reached.get(number, Step.NOTHING) for number in numbers])
        return refusal or Wanted(
            case=found.case, review=review, content=found.content, version=found.version, step=step, numbers=numbers
        )

    def _spent(self, viewer: Viewer, review: str) -> Refusal:
        self.give_back(review, viewer.person)
        return SPENT
