# SPDX-License-Identifier: Apache-2.0
"""What carries holds out: find what was named, ask for each location, look as a stranger, look again.

Each is a handler of one kind of effect (`holdfast.effect.handler`). They ask the platform, and write what it
said; they decide nothing by themselves. Whatever cannot be told is tried again, under a key of that try:
to hold what is held already changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from holdfast.effect.handler import Done, Failed, Leased, Outcome, Refused
from holdfast.errors import PlatformAway, PlatformRefused
from holdfast.hold.platform import Act, Platform, Resolved, Sight, Spot, Stranger

A = TypeVar("A")
AWAY: Final = "platform_away"
MOST_SPOTS: Final = 100
_SOON: Final = timedelta(seconds=1)
_NOW_AND_THEN: Final = timedelta(seconds=30)
_QUICK_TRIES: Final = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """One location that the platform is asked for: the hold's id, the spot, and what a stranger would open."""

    hold: str
    spot: Spot
    url: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one location: the platform's word (None: no answer) and what a stranger sees there."""

    hold: str
    act: Act | None
    sight: Sight


class Named(Protocol):
    """What handlers need of the desk."""

    def address_of(self, reported_id: str) -> str | None:
        """How something that waits to be found was named; None if it waits no more."""


class Cases(Protocol):
    """What handlers need of the cases."""

    def found(self, reported_id: str, resolved: Resolved) -> None:
        """Write what the platform said of an address, join it to a case, and owe what follows: all, or nothing."""


class Holds(Protocol):
    """What handlers need of the holds."""

    def asked(self, case: str) -> list[Asked]:
        """Everything of a case that the platform has not confirmed."""

    def due(self, case: str, now: datetime) -> list[Asked]:
        """Everything of a case that is to be looked at again."""

    def settle(self, case: str, seen: Sequence[Seen]) -> bool:
        """Write what was said and seen; whether everything of the case is out of reach now."""

    def looked(self, case: str, seen: Sequence[Seen]) -> int:
        """Write what was seen when it was looked at again; how many could be seen."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """Asks the platform what an address names. A `Handler`."""

    platform: Platform
    named: Named
    cases: Cases
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        reported = effect.payload["reported"]
        address = self.named.address_of(reported)
        if address is None:
            return Done()
        try:
            (resolved,) = self.platform.resolve(f"{effect.id}.{effect.tries}", [address])
        except PlatformAway:
            return again(effect, self.clock())
        except PlatformRefused:
            return Refused("resolve_refused")
        self.cases.found(reported, resolved)
        return Done()


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks for every location of a case that is not confirmed, and looks at once. A `Handler`."""

    platform: Platform
    stranger: Stranger
    holds: Holds
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        case, everything = effect.payload["case"], True
        for number, batch in enumerate(batches(self.holds.asked(case))):
            seen = self._ask(f"{effect.id}.{effect.tries}.{number}", batch)
            everything = self.holds.settle(case, seen)
        return Done() if everything else again(effect, self.clock())

    def _ask(self, key: str, asked: Sequence[Asked]) -> list[Seen]:
        try:
            acts: list[Act] = self.platform.hold(key, [one.spot for one in asked])
        except (PlatformAway, PlatformRefused):
            return [Seen(one.hold, None, Sight.UNKNOWN) for one in asked]
        return _with_sights(self.stranger, asked, acts)


@dataclass(frozen=True, slots=True)
class Look:
    """Looks again at what was confirmed, as somebody who is nobody there. A `Handler`.

    Where a stranger sees nothing anyway, the platform is asked once more: to hold what is held changes nothing.
    """

    platform: Platform
    stranger: Stranger
    holds: Holds
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        case = effect.payload["case"]
        for number, batch in enumerate(batches(self.holds.due(case, self.clock()))):
            public = [one for one in batch if one.url]
            hidden = [one for one in batch if not one.url]
            seen = _with_sights(self.stranger, public, [None] * len(public))
            self.holds.looked(case, [*seen, *self._asked(f"{effect.id}.{effect.tries}.{number}", hidden)])
        return Done()

    def _asked(self, key: str, hidden: Sequence[Asked]) -> list[Seen]:
        if not hidden:
            return []
        try:
            acts: Sequence[Act | None] = self.platform.hold(key, [one.spot for one in hidden])
        except (PlatformAway, PlatformRefused):
            acts = [None] * len(hidden)
        return [Seen(one.hold, act, Sight.UNKNOWN) for one, act in zip(hidden, acts, strict=True)]


def again(effect: Leased, now: datetime, fault: str = AWAY) -> Failed:
    """Try again: at once some dozen times, then every half minute, for as long as it takes."""
    return Failed(fault, retry_at=now + (_SOON if effect.tries < _QUICK_TRIES else _NOW_AND_THEN))


def batches(asked: Sequence[A]) -> list[Sequence[A]]:
    """In parts of what one call may ask."""
    return [asked[first : first + MOST_SPOTS] for first in range(0, len(asked), MOST_SPOTS)]


def _with_sights(stranger: Stranger, asked: Sequence[Asked], acts: Sequence[Act | None]) -> list[Seen]:
    """The acts, and for what has a public address what a stranger sees there."""
    public = [one for one in asked if one.url]
    sights = dict(zip([one.hold for one in public], stranger.look([one.url or "" for one in public]), strict=True))
    return [Seen(one.hold, act, sights.get(one.hold, Sight.UNKNOWN)) for one, act in zip(asked, acts, strict=True)]
