# SPDX-License-Identifier: Apache-2.0
"""What follows a hold: copies are looked for, counters read, facts kept, and whoever posted it is told.

Each is a handler of one kind of effect (`holdfast.effect.handler`). None of them delays a hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from holdfast.effect.handler import Done, Leased, Outcome, Refused
from holdfast.errors import PlatformAway, PlatformRefused
from holdfast.hold.enforce import again, batches
from holdfast.hold.platform import Act, Acted, CopyAt, Found, Item, Notice, Platform, Resolved, Views
from holdfast.match.signal import Signal

BY_REFERENCE: Final = "content:"
"""Before a platform's own reference of an item, where an address is asked for."""


class Items(Protocol):
    """What cases know of the platform's items."""

    def item_of(self, content: str) -> tuple[str, str | None] | None:
        """The version of an item that a case is about, and the platform's reference of its account."""


Resembles = Callable[[Sequence[Signal]], Mapping[str, int]]
"""What in the archive looks like a picture or the frames of a film: items, and how many bits apart."""


class Alike(Items, Protocol):
    """What handlers need of the copies."""

    def equals(self, content: str) -> list[str]:
        """Items whose upload was, byte for byte, that of this one."""

    def looks(self, content: str) -> Sequence[Signal]:
        """What an item that somebody named looks like: a hash of a picture, or of each frame; nothing of a copy."""

    def copies_found(self, content: str, copies: Sequence[CopyAt]) -> None:
        """Join what the report reaches, and leave the rest to a person."""


class Archived(Protocol):
    """What handlers need of what backwards searches find."""

    def waiting(self, search: str) -> list[str]:
        """Items that a search found and nobody has asked the platform about yet; at most a hundred."""

    def placed(self, search: str, answers: Sequence[tuple[str, Resolved]]) -> None:
        """Hold what the platform has found, and go on with what waits."""


class FollowedUp(Protocol):
    """What handlers need of the cases."""

    def locations(self, case: str) -> dict[str, list[str]]:
        """The holds of a case by location."""

    def views_read(self, case_id: str, views: Sequence[Views]) -> None:
        """Write what the platform's counters say."""

    def facts_kept(self, content: str, facts: str) -> None:
        """Write what the platform knows of an upload and keeps."""


class Told(Protocol):
    """What handlers need of the contests."""

    def owed(self, case: str) -> list[Notice]:
        """What is to be told of a case now: of what is held, and not told yet."""

    def heard(self, case: str, answers: Sequence[tuple[Notice, Act]]) -> None:
        """Write whom the platform told, and whom it does not know any more."""


@dataclass(frozen=True, slots=True)
class AskForCopies:
    """Asks the platform, and the archive, what else shows the same or nearly. A `Handler`."""

    platform: Platform
    alike: Alike
    clock: Callable[[], datetime]
    resembling: Resembles

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        content, key = effect.payload["content"], f"{effect.id}.{effect.tries}"
        named = self.alike.item_of(content)
        if named is None:
            return Done()
        try:
            copies = self.platform.copies(key, content, named[0])
            archived = self._archived(content, copies)
            items = self._resolved(f"{key}.equal", sorted(archived))
        except PlatformAway:
            return again(effect, self.clock())
        except PlatformRefused:
            return Refused("copies_refused")
        alike = [_copy(item, archived[item.content]) for item in items if item.content in archived]
        self.alike.copies_found(content, [*copies, *alike])
        return Done()

    def _archived(self, content: str, copies: Sequence[CopyAt]) -> dict[str, int | None]:
        """What the archive knows besides: how far each is from this item, None if it is the same bytes."""
        near = self.resembling(self.alike.looks(content))
        equal: dict[str, int | None] = dict.fromkeys(self.alike.equals(content))
        known = {content, *(one.item.content for one in copies)}
        return {other: far for other, far in {**near, **equal}.items() if other not in known}

    def _resolved(self, key: str, contents: Sequence[str]) -> list[Item]:
        if not contents:
            return []
        answers = self.platform.resolve(key, [f"{BY_REFERENCE}{content}" for content in contents])
        return [answer.item for answer in answers if isinstance(answer, Found)]


def _copy(item: Item, distance: int | None) -> CopyAt:
    return CopyAt(item=item, exact=distance is None, distance=distance or 0)


@dataclass(frozen=True, slots=True)
class HoldFound:
    """Asks the platform where the items are that a backwards search found, and has them held. A `Handler`."""

    platform: Platform
    archived: Archived
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        search = effect.payload["search"]
        contents = self.archived.waiting(search)
        if not contents:
            return Done()
        addresses = [f"{BY_REFERENCE}{content}" for content in contents]
        try:
            answers = self.platform.resolve(f"{effect.id}.{effect.tries}", addresses)
        except PlatformAway:
            return again(effect, self.clock())
        except PlatformRefused:
            return Refused("resolve_refused")
        self.archived.placed(search, list(zip(contents, answers, strict=True)))
        return Done()


@dataclass(frozen=True, slots=True)
class ReadCounters:
    """Reads how often each location of a case was opened. A `Handler`."""

    platform: Platform
    cases: FollowedUp
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        case, at = effect.payload["case"], datetime.fromisoformat(effect.payload["at"])
        where = sorted(self.cases.locations(case))
        try:
            for number, batch in enumerate(batches(where)):
                views = self.platform.views(f"{effect.id}.{effect.tries}.{number}", batch, at)
                self.cases.views_read(case, views)
        except PlatformAway:
            return again(effect, self.clock())
        except PlatformRefused:
            return Refused("views_refused")
        return Done()


@dataclass(frozen=True, slots=True)
class Freeze:
    """Has the platform keep what it knows of an upload, and tell it. A `Handler`."""

    platform: Platform
    items: Items
    cases: FollowedUp
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`. A platform that keeps no such facts owes none."""
        content = effect.payload["content"]
        named = self.items.item_of(content)
        if named is None or named[1] is None:
            return Done()
        try:
            facts = self.platform.freeze(f"{effect.id}.{effect.tries}", named[1], content)
        except PlatformAway:
            return again(effect, self.clock())
        except PlatformRefused:
            return Done()
        self.cases.facts_kept(content, facts)
        return Done()


@dataclass(frozen=True, slots=True)
class Tell:
    """Tells whoever posted what is held, all of a case together. A `Handler`."""

    platform: Platform
    contests: Told
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        case = effect.payload["case"]
        heard = partial(self.contests.heard, case)
        return tell(self.platform, effect, self.contests.owed(case), self.clock, heard)


def tell(
    platform: Platform,
    effect: Leased,
    notices: Sequence[Notice],
    clock: Callable[[], datetime],
    heard: Callable[[Sequence[tuple[Notice, Act]]], None] = lambda _: None,
) -> Outcome:
    """Have the platform give people notices, as many in each call as it may take; `heard` writes what it says."""
    refused = False
    for number, batch in enumerate(batches(notices)):
        try:
            acts = platform.notify(f"{effect.id}.{effect.tries}.{number}", batch)
        except PlatformAway:
            return again(effect, clock())
        except PlatformRefused:
            return Refused("notice_refused")
        heard(list(zip(batch, acts, strict=True)))
        refused = refused or any(act.acted is Acted.REFUSED for act in acts)
    return Refused("notice_refused") if refused else Done()
