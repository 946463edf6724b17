# SPDX-License-Identifier: Apache-2.0
"""The same story with Holdfast beside the platform: hidden first, looked at by people who do not know of each other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from holdfast.demo.pictures import encoded, hills
from holdfast.errors import DependencyError
from holdfast.replay.doors import report, told
from holdfast.replay.figures import Run
from holdfast.replay.films import form, other
from holdfast.replay.publishing import Published, Tell, posted, publish, seen
from holdfast.replay.room import Room, lets_go, removes
from holdfast.replay.staff import Person
from holdfast.replay.story import REUPLOADS, Story
from holdfast.replay.stranger import Stranger, until
from holdfast.replay.viewers import Viewers
from holdfast.replay.world import World

NAME: Final = "with Holdfast"
_HOLD_PATIENCE: Final = 120.0
_PATIENCE: Final = 120.0
_WORDS: Final = "This is my child, who was 13."
_REFUSED: Final = "Nothing verified shows that everybody in it was an adult."
_REMOVED: Final = "was removed"


@dataclass
class _Holding:
    """When the last page was gone, in seconds after the report; and which were then."""

    seconds: float | None = None
    left: Sequence[str] = field(default_factory=tuple)


def with_holdfast(world: World, people: Sequence[Person], story: Story, tell: Tell) -> Run:
    """Play it. Raises DependencyError if a part does not do what the story needs."""
    published = publish(world.site, story, tell)
    pages = published.pages
    viewers, room = Viewers(story, world.site, pages), Room(world, people)
    tell("With Holdfast: the mother reports, with a proof")
    with viewers.looking():
        words, holding = _report(world, story, published, tell)
    viewers.skip_to(story.answered)
    tell("With Holdfast: people look")
    with viewers.looking():
        dismissed, stopped_by = _decide(room, pages, tell)
        until(lambda: _REMOVED in told(world.door, words), "the mother is told that it was removed", patience=_PATIENCE)
    stopped = _days_go_by(world, story, viewers, tell)
    viewers.skip_to(story.officer)
    tell("With Holdfast: an officer asks about it")
    with viewers.looking():
        asked = report(world.door, world.site + pages[0], who="authority", authority="police", category="csam")
        until(lambda: bool(told(world.door, asked)), "the officer reads how it stands", patience=_PATIENCE)
    return Run(
        name=NAME,
        views_after_notice=viewers.views,
        seconds_to_hold=holding.seconds,
        minutes_visible=None if holding.seconds is None else holding.seconds / 60,
        places_held=len(pages) - len(holding.left),
        places=len(pages),
        reuploads_stopped=stopped,
        reuploads=len(story.attempts),
        dismissed_by=dismissed,
        stopped_by=stopped_by,
        seen=tuple(viewers.seen),
    )


def _report(world: World, story: Story, published: Published, tell: Tell) -> tuple[str, _Holding]:
    """Report, have a person look at the proof, and see when a stranger finds nothing. The clock runs 1:1."""
    begun, stranger = time.monotonic(), Stranger(world.site)
    fields = {"who": "parent", "category": "csam", "born_year": "2012", "proof_shows": "birth_date"}
    named = "\n".join(world.site + page for page in published.named)
    words = report(world.door, named, proof=encoded(hills(4_803)), words=_WORDS, **fields)
    tell("With Holdfast: hidden within the reach of a proof that nobody has looked at")
    left = stranger.wait_for(published.pages, seen=False, patience=begun + story.proof_after - time.monotonic())
    if left:
        tell(f"With Holdfast: a person looks at the proof; {len(left):,} pages wait for it")
    time.sleep(max(0.0, begun + story.proof_after - time.monotonic()) if left else 0.0)
    _look_at_proofs(world)
    holding = _Holding(left=stranger.wait_for(left, seen=False, patience=_HOLD_PATIENCE))
    holding.seconds = None if holding.left else time.monotonic() - begun
    stranger.close()
    time.sleep(max(0.0, begun + story.window - time.monotonic()))
    return words, holding


def _look_at_proofs(world: World) -> None:
    """Somebody whose work it is opens what came, and says what it shows."""
    for one in world.command("proofs", "list"):
        with tempfile.TemporaryDirectory() as folder:
            world.show("proofs", "show", one["proof"], "--into", str(Path(folder) / "proof"))
        world.command("proofs", "verify", one["proof"], "--shows", "birth_date")


def _decide(room: Room, pages: Sequence[str], tell: Tell) -> tuple[str, str]:
    """The first who looks sees no violation; whoever comes after removes it. Who dismissed, and what stopped that."""
    first = _item_of(pages[0])
    refused: list[str] = []

    def one_waves_it_away(person: Person, review: str, before: int) -> str:
        if before:
            return removes(person, review, before)
        person.look(review)
        said = {"verdict": "not_upheld", "reason": "shown_adult", "words": "They look adult to me."}
        refused.append(person.find(review, **said))
        return lets_go(person, review, before)

    outcome = room.settle(first, one_waves_it_away)
    for page in pages[1 : 1 + REUPLOADS]:
        tell(f"With Holdfast: people look at {page}")
        if room.reviews_of(_item_of(page)):
            room.settle(_item_of(page), removes)
    names = room.who_said(first)
    if outcome != "remove" or not names or _REFUSED not in refused[0]:
        message = f"the review ended as {outcome}, by {names}: {refused}"
        raise DependencyError(message)
    others = " and ".join(names[1:])
    return (
        f"{names[0]}, the first of {len(names)}: no violation ('looks adult' is no reason that is taken)",
        f"it was hidden all the while; {others}, who knew nothing of that, removed it",
    )


def _days_go_by(world: World, story: Story, viewers: Viewers, tell: Tell) -> int:
    """Others try to upload it again; how many did not get it published.

    A film that nobody objected to is posted after each. Once that is public, what came before it was answered too.
    """
    tried = []
    for number, (day, name) in enumerate(story.attempts):
        tell(f"With Holdfast: day {day:g}, somebody uploads it again ({name})")
        viewers.skip_to(day)
        with viewers.looking():
            tried.append(posted(world.site, f"again-{number}", form(name)))
            seen(world.site, [posted(world.site, f"other-{number}", other(number))])
    stranger = Stranger(world.site)
    stopped = len(tried) - len(stranger.visible(tried))
    stranger.close()
    return stopped


def _item_of(page: str) -> str:
    """Commons' reference of a page's post."""
    return f"post-{page.rpartition('/')[2]}"
