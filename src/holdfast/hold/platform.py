# SPDX-License-Identifier: Apache-2.0
"""The platform, as Holdfast needs it: who serves the content, and alone can put it out of reach.

A location is one place where an item's version can be reached: a page, a file, a thumbnail, a share. The
platform says which there are; Holdfast asks for each by itself, and believes only what was confirmed.

What comes back is the platform's word. `Stranger` looks for itself, as somebody who is nobody there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from holdfast.intake.reporter import ItemKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One place where an item's version is served. `url` is what a stranger would open; None where nobody can."""

    id: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One version of one item at the platform."""

    content: str
    version: str
    kind: ItemKind
    locations: tuple[Location, ...]
    account: str | None = None
    """The platform's reference for who uploaded it."""
    first_seen: datetime | None = None
    """When the platform first had it, in any version."""
    is_asset: bool = False
    """Whether it is the platform's own: logo, default avatar, stickers."""


@dataclass(frozen=True, slots=True)
class Found:
    """An address names exactly this."""

    item: Item


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An address may name any of these; a person has to say which."""

    candidates: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Nowhere:
    """The platform knows nothing by this address, or nothing any more."""


Resolved = Found | Ambiguous | Nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAt:
    """Another item with the same content, as far as the platform knows. `distance`: PDQ bits apart; 0 if exact."""

    item: Item
    exact: bool
    distance: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One item's version at one location: what is held, released or removed."""

    content: str
    version: str
    location: str


class Acted(StrEnum):
    """What the platform says of one spot."""

    DONE = "done"
    """It is so now: out of reach and undeletable, back, or gone for good."""
    REFUSED = "refused"
    GONE = "gone"
    """There is nothing there any more."""


@dataclass(frozen=True, slots=True)
class Act:
    """What the platform says of one spot, and its reason if it refused: its own words, for staff."""

    acted: Acted
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """How often one location was opened until `at`."""

    location: str
    views: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What an account is told: plain sentences, in the language of the page, and where it can answer."""

    id: str
    account: str
    content: str
    title: str
    text: str
    answer_url: str | None = None
    """Where it can be contested; carries no code."""
    answer_code: str | None = None
    """The secret words that open it."""


class Platform(Protocol):
    """The platform's port. Every call names an idempotency key: the same call again MUST have no further effect.

    An adapter MUST answer only with what the platform itself confirmed, one answer for each thing asked
    and in that order, and MUST raise PlatformAway where it cannot tell: no answer, an answer cut short, one
    that cannot be read, one that leaves something out. It MUST NOT take silence for success. Every call MUST end
    within 30 seconds.
    """

    def resolve(self, key: str, addresses: Sequence[str]) -> list[Resolved]:
        """What these addresses name, as whoever reports typed them."""

    def copies(self, key: str, content: str, version: str) -> list[CopyAt]:
        """What else the platform knows to show the same: re-shares, re-uploads, renditions of other items."""

    def open(self, key: str, content: str, version: str) -> Iterator[bytes]:
        """The bytes, for the sandbox alone; held or not. Raises PlatformGone if there are none.

        It may raise only when the first bytes are asked for, and PlatformAway in their middle: what came until then
        is not the item. They may take longer than another call, as long as they keep coming.
        """

    def hold(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """Put these out of everybody's reach, and let nobody delete them, their account neither."""

    def release(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """Let these be seen again as they were."""

    def remove(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """Take these away for good, once nothing owes them to anybody."""

    def freeze(self, key: str, account: str, content: str) -> str:
        """Keep the account and the facts of the upload (times, addresses, ports) and give them, as text.

        The account is not told and can go on. Raises PlatformRefused if the platform does not keep such facts.
        """

    def views(self, key: str, locations: Sequence[str], at: datetime | None = None) -> list[Views]:
        """How often each was opened until `at`, or as near to it as the platform counted; until now without it."""

    def notify(self, key: str, notices: Sequence[Notice]) -> list[Act]:
        """Tell accounts. DONE: it lies where the account will see it, once, however often its id comes.

        GONE: there is nobody to tell, as the account was closed or never was.
        """


class Sight(StrEnum):
    """What somebody who is nobody at the platform sees at an address."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    """404 or 410, and no other answer."""
    UNKNOWN = "unknown"
    """No answer, or one that says neither: never taken for hidden."""


class Stranger(Protocol):
    """Looks without being anybody: no account, no cookie, no cache of its own."""

    def look(self, urls: Sequence[str]) -> list[Sight]:
        """What is seen at each, in that order. An adapter MUST look only where the platform serves."""
