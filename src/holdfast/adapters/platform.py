# SPDX-License-Identifier: Apache-2.0
"""The platform over HTTP, as docs/platform.md has it.

What comes back is turned into the port's own types, or into PlatformAway: an answer that leaves anything out, or has
another form than was agreed, is none. How calls are made is in `signed_calls`, what fits in `platform_wire`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from holdfast.adapters import platform_wire as wire
from holdfast.adapters.signed_calls import SignedCalls
from holdfast.adapters.strict_json import Json
from holdfast.hold.platform import Act, CopyAt, Notice, Resolved, Spot, Views

A = TypeVar("A")
R = TypeVar("R")
_OVERALL_SECONDS: Final = 30.0


class SignedPlatform:
    """A `Platform` behind an HTTP address. May be used by several threads at once."""

    def __init__(self, url: str, key: bytes, clock: Callable[[], datetime], seconds: float = _OVERALL_SECONDS) -> None:
        """Call `url`, signed with `key`; no call takes longer than `seconds`, all its parts together."""
        self._calls = SignedCalls(url, key, clock, seconds)

    def resolve(self, key: str, addresses: Sequence[str]) -> list[Resolved]:
        """See `Platform`."""
        return self._in_parts(
            "resolve",
            key,
            addresses,
            lambda part: {"addresses": list(part)},
            lambda part, untrusted: wire.read_resolved(untrusted, len(part)),
        )

    def copies(self, key: str, content: str, version: str) -> list[CopyAt]:
        """See `Platform`."""
        return self._ask("copies", key, {"content": content, "version": version}, wire.read_copies)

    def open(self, key: str, content: str, version: str) -> Iterator[bytes]:
        """See `Platform`. The call is made when the first bytes are asked for; how many it takes, the caller limits."""
        body = wire.as_bytes({"content": content, "version": version})
        yield from self._calls.stream(self._calls.begin("open", key), body)

    def hold(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """See `Platform`."""
        return self._act("hold", key, spots)

    def release(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """See `Platform`."""
        return self._act("release", key, spots)

    def remove(self, key: str, spots: Sequence[Spot]) -> list[Act]:
        """See `Platform`."""
        return self._act("remove", key, spots)

    def freeze(self, key: str, account: str, content: str) -> str:
        """See `Platform`."""
        call = self._calls.begin("freeze", key)
        facts = self._calls.ask(call, wire.as_bytes({"account": account, "content": content}), wire.read_facts)
        return facts if facts is not None else call.refused("the platform keeps no such facts")

    def views(self, key: str, locations: Sequence[str], at: datetime | None = None) -> list[Views]:
        """See `Platform`."""
        return self._in_parts(
            "views",
            key,
            locations,
            lambda part: wire.views_body(part, at),
            lambda part, untrusted: wire.read_views(untrusted, part),
        )

    def notify(self, key: str, notices: Sequence[Notice]) -> list[Act]:
        """See `Platform`."""
        return self._in_parts(
            "notify", key, notices, wire.notices_body, lambda part, untrusted: wire.read_acts(untrusted, len(part))
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.close()

    def _act(self, name: str, key: str, spots: Sequence[Spot]) -> list[Act]:
        return self._in_parts(
            name, key, spots, wire.spots_body, lambda part, untrusted: wire.read_acts(untrusted, len(part))
        )

    def _ask(self, name: str, key: str, body: Json, read: Callable[[Json], R]) -> R:
        return self._calls.ask(self._calls.begin(name, key), wire.as_bytes(body), read)

    def _in_parts(
        self,
        name: str,
        key: str,
        things: Sequence[A],
        body: Callable[[Sequence[A]], Json],
        read: Callable[[Sequence[A], Json], list[R]],
    ) -> list[R]:
        """One call for each hundred things, all within one call's time; one call where there is nothing to ask, too."""
        call, most = self._calls.begin(name, key), wire.MOST_AT_ONCE
        parts = [things[start : start + most] for start in range(0, len(things), most)] or [things]
        found: list[R] = []
        for number, part in enumerate(parts, start=1):
            one = call if len(parts) == 1 else call.part(number)
            found += self._calls.ask(one, wire.as_bytes(body(part)), partial(read, part))
        return found
