# SPDX-License-Identifier: Apache-2.0
"""The room in which they work: whoever is asked looks and says what the story has them say, until all is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from holdfast.errors import DependencyError
from holdfast.replay.staff import Person
from holdfast.replay.stranger import until
from holdfast.replay.world import World

Answer = Callable[[Person, str, int], str]
"""Has somebody answer a review, being the so-manyth (from 0) who does; gives what the page said."""
_PATIENCE: Final = 180.0
_RECORDED: Final = "What you found is written down."


@dataclass
class Room:
    """The people, and what each said of what: (review, person, what the page answered)."""

    world: World
    people: Sequence[Person]
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def reviews_of(self, item: str) -> list[dict[str, str | None]]:
        """Every review of one item, as the command line lists them."""
        listed = self.world.command("reviews", "list", "--all")
        return [one for one in listed if one["item"] == item]

    def settle(self, item: str, answer: Answer) -> str:
        """Answer until the review of an item has an outcome; which. Raises DependencyError if it does not come."""
        until(lambda: bool(self.reviews_of(item)), f"a review of {item}", patience=_PATIENCE)
        review = str(self.reviews_of(item)[0]["review"])

        def settled() -> bool:
            for person in self.people:
                if review in person.asked():
                    self._answer(person, review, answer)
            return self.reviews_of(item)[0]["outcome"] is not None

        until(settled, f"what the review of {item} comes to", patience=_PATIENCE)
        return str(self.reviews_of(item)[0]["outcome"])

    def who_said(self, review_item: str) -> list[str]:
        """Who answered the review of an item, in order."""
        reviews = {one["review"] for one in self.reviews_of(review_item)}
        return [name for review, name, _ in self.said if review in reviews]

    def _answer(self, person: Person, review: str, answer: Answer) -> None:
        before = sum(1 for one, _, _ in self.said if one == review)
        told = answer(person, review, before)
        if _RECORDED not in told:
            message = f"what {person.name} found was not taken: {told[:300]}"
            raise DependencyError(message)
        self.said.append((review, person.name, told))


def removes(person: Person, review: str, _before: int) -> str:
    """Look, and remove."""
    person.look(review)
    return person.find(review, verdict="remove", ground="seen", words="As I see it, it has to go.")


def lets_go(person: Person, review: str, _before: int) -> str:
    """Look, and find nothing of what was reported."""
    person.look(review)
    said = {"verdict": "not_upheld", "reason": "not_intimate", "words": "Hills, and some sky."}
    return person.find(review, **said)
