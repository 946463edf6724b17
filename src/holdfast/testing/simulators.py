# SPDX-License-Identifier: Apache-2.0
"""The platform and the stranger without any network, failing on demand.

`SimulatedPlatform` keeps every promise of `Platform` over a `Site` in memory, until it is told to fail: then it
does what platforms do, for as many calls as asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain, repeat
from typing import Any, Final, TypeVar

from holdfast.errors import PlatformAway, PlatformGone, PlatformRefused
from holdfast.hold.platform import (
    Act,
    Acted,
    Ambiguous,
    CopyAt,
    Found,
    Notice,
    Nowhere,
    Resolved,
    Sight,
    Spot,
    Views,
)
from holdfast.testing.site import Site
from holdfast.testing.upload import Served

T = TypeVar("T")
CALLS: Final = ("resolve", "copies", "open", "hold", "release", "remove", "freeze", "views", "notify")
_CAN_LIE: Final = frozenset({"hold", "release", "remove", "notify"})


class How(StrEnum):
    """How a call goes wrong."""

    AWAY = "away"
    """Nothing is done, and nothing answered."""
    REFUSED = "refused"
    """Nothing is done, and it says so."""
    LOST = "lost"
    """It is done, and the answer is lost."""
    SLOW = "slow"
    """It waits for `pause` first, and is then done and answered."""
    LIES = "lies"
    """Nothing is done, and it says that it is."""


class SimulatedPlatform:
    """A `Platform` in memory over `site`, where a test lets people do things. May be used by several threads."""

    def __init__(self, site: Site | None = None, pause: Callable[[], object] = lambda: None) -> None:
        """Over an empty site if none is given; `pause` is what a slow call waits for."""
        self.site = site or Site()
        self._pause = pause
        self._lock = threading.RLock()
        self._answers: dict[tuple[str, str], Any] = {}
        self._faults: dict[str, Iterator[How]] = {}

    def fail(self, call: str, how: How, times: int | None = None) -> None:
        """Let the next calls of that name go wrong, `times` often (None: until `recover`), after those set before.

        Raises ValueError for a call that there is not, or that cannot lie.
        """
        if call not in CALLS or (how is How.LIES and call not in _CAN_LIE):
            message = f"{call} cannot fail like this: {how}"
            raise ValueError(message)
        with self._lock:
            faults = repeat(how) if times is None else repeat(how, times)
            self._faults[call] = chain(self._faults.get(call, ()), faults)

    def recover(self) -> None:
        """Let nothing go wrong from now on."""
        with self._lock:
            self._faults.clear()

    # --- the port

    def resolve(self, key: str, addresses: Sequence[str]) -> list[Resolved]:
        """See `Platform`."""
        return self._once("resolve", key, lambda: [self._resolved(address) for address in addresses])

    def copies(self, key: str, content: str, version: str) -> list[CopyAt]:
        """See `Platform`. Every version of an item shows the same here."""
        del version
        return self._once("copies", key, lambda: self.site.copies(content))

    def open(self, key: str, content: str, version: str) -> Iterator[bytes]:
        """See `Platform`."""
        body = self._once("open", key, lambda: self._bytes(content, version))
        yield from (body[start : start + 1024] for start in range(0, len(body), 1024))

    def hold(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """See `Platform`."""
        return self._act("hold", key, spots, Served.HELD)

    def release(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """See `Platform`."""
        return self._act("release", key, spots, Served.SHOWN)

    def remove(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """See `Platform`."""
        return self._act("remove", key, spots, Served.REMOVED)

    def freeze(self, key: str, account: str, content: str) -> str:
        """See `Platform`."""
        return self._once("freeze", key, lambda: self._facts(account, content))

    def views(self, key: str, locations: Sequence[str], at: datetime | None = None) -> list[Views]:
        """See `Platform`."""
        until = at or self.site.clock()
        return self._once(
            "views",
            key,
            lambda: [Views(location=one, views=self.site.opened(one, until), at=until) for one in locations],
        )

    def notify(self, key: str, notices: Sequence[Notice]) -> list[Act]:
        """See `Platform`."""
        return self._once(
            "notify",
            key,
            lambda: [Act(Acted.DONE if self.site.tell(one) else Acted.GONE) for one in notices],
            lie=lambda: [Act(Acted.DONE) for _ in notices],
        )

    # --- how

    def _once(self, call: str, key: str, act: Callable[[], T], lie: Callable[[], T] | None = None) -> T:
        """The answer under this key: what `act` gives now, or what it gave before. Fails if it is to fail."""
        how = self._next_fault(call)
        if how is How.SLOW:
            self._pause()
        if how is How.AWAY:
            raise PlatformAway(f"{call}: no answer, as told")  # noqa: EM102
        if how is How.REFUSED:
            raise PlatformRefused(f"{call}: refused, as told")  # noqa: EM102
        with self._lock:
            if (call, key) not in self._answers:
                self._answers[call, key] = lie() if lie and how is How.LIES else act()
            answer: T = self._answers[call, key]
        if how is How.LOST:
            raise PlatformAway(f"{call}: the answer is lost, as told")  # noqa: EM102
        return answer

    def _next_fault(self, call: str) -> How | None:
        with self._lock:
            return next(self._faults.get(call, iter(())), None)

    def _act(self, call: str, key: str, spots: Sequence[Spot], served: Served) -> list[Act]:
        return self._once(
            call,
            key,
            lambda: [Act(self.site.put(spot, served)) for spot in spots],
            lie=lambda: [Act(Acted.DONE) for _ in spots],
        )

    def _resolved(self, address: str) -> Resolved:
        found = self.site.named(address)
        if len(found) > 1:
            return Ambiguous(tuple(one.item for one in found))
        return Found(found[0].item) if found else Nowhere()

    def _bytes(self, content: str, version: str) -> bytes:
        body = self.site.bytes_of(content, version)
        if body is None:
            raise PlatformGone("open: there are no bytes")
        return body

    def _facts(self, account: str, content: str) -> str:
        facts = self.site.freeze(account, content)
        if facts is None:
            raise PlatformRefused("freeze: the platform keeps no such facts")
        return facts


class SimulatedStranger:
    """A `Stranger` that looks at a `Site` in memory. `blind`: it cannot tell, whatever is there."""

    def __init__(self, site: Site) -> None:
        """Look at `site`."""
        self.blind = False
        self._site = site

    def look(self, urls: Sequence[str]) -> list[Sight]:
        """See `Stranger`. What is no address of this site, it cannot tell either."""
        return [self._look(url) for url in urls]

    def _look(self, url: str) -> Sight:
        if self.blind or not url.startswith(f"{self._site.origin}/"):
            return Sight.UNKNOWN
        place = self._site.place_at(url)
        return Sight.VISIBLE if place and self._site.view(place) else Sight.HIDDEN
