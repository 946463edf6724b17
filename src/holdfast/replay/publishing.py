# SPDX-License-Identifier: Apache-2.0
"""What is at the platform when the story begins: the film, two re-uploads by others, and its re-shares.

Everything goes through the platform's own forms, and is waited for until a stranger sees it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from holdfast.demo.commons import Visitor, visitor
from holdfast.errors import DependencyError
from holdfast.replay.films import form
from holdfast.replay.story import REUPLOADS, Story
from holdfast.replay.stranger import Stranger

Tell = Callable[[str], None]
_AT_ONCE: Final = 3
_PATIENCE: Final = 120.0
_SAY_EVERY: Final = 50
UPLOADED: Final = ("as it was", "encoded again", "cropped")


@dataclass(frozen=True, slots=True)
class Published:
    """The pages: the first post, the re-uploads, the re-shares; in the order of `Story.place_of`."""

    pages: tuple[str, ...]

    @property
    def named(self) -> tuple[str, str]:
        """What the mother knows of: the first post, and the cropped one.

        A film that is cropped that far is another to a perceptual hash: Holdfast would not find it by itself.
        """
        return self.pages[0], self.pages[REUPLOADS]


def publish(site: str, story: Story, tell: Tell) -> Published:
    """Publish all of it. Raises DependencyError if something does not appear."""
    tell("Publishing the film and its re-uploads")
    uploaded = [posted(site, f"uploader-{number}", form(name)) for number, name in enumerate(UPLOADED)]
    seen(site, uploaded)
    shared = _shared(site, story, uploaded, tell)
    tell(f"Waiting until a stranger sees all {story.places:,} pages")
    seen(site, shared)
    return Published((*uploaded, *shared))


def posted(site: str, name: str, film: bytes) -> str:
    """A film, posted by somebody new; the path of its page, whether or not anybody sees it."""
    who = visitor(site)
    who.join(name)
    return who.offer("From the hills", film).path


def seen(site: str, pages: Sequence[str]) -> None:
    """Wait until a stranger sees them all. Raises DependencyError if not."""
    stranger = Stranger(site)
    missing = stranger.wait_for(pages, seen=True, patience=_PATIENCE + len(pages))
    stranger.close()
    if missing:
        message = f"{len(missing)} pages did not appear, among them {missing[0]}"
        raise DependencyError(message)


def _shared(site: str, story: Story, uploaded: Sequence[str], tell: Tell) -> list[str]:
    """The re-shares: of each of the three as many as viewers see it, by accounts that take turns."""
    done = itertools.count(1)

    def share(who: Visitor, numbers: Sequence[int]) -> list[tuple[int, str]]:
        found = []
        for number in numbers:
            found.append((number, who.offer_share(uploaded[_shown(number)], "Look at this").path))
            if (count := next(done)) % _SAY_EVERY == 0:
                tell(f"Re-shares: {count:,} of {story.shares:,}")
        return found

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        people = list(pool.map(lambda number: _joined(site, f"sharer-{number}"), range(story.sharers)))
        turns = [range(number, story.shares, story.sharers) for number in range(story.sharers)]
        made = [pair for pairs in pool.map(share, people, turns) for pair in pairs]
    return [path for _, path in sorted(made)]


def _shown(share: int) -> int:
    """Which of the three a re-share shows: of eight five the first, two the second, one the third."""
    return (0, 0, 1, 0, 0, 2, 0, 1)[share % 8]


def _joined(site: str, name: str) -> Visitor:
    who = visitor(site)
    who.join(name)
    return who
