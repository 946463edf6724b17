# SPDX-License-Identifier: Apache-2.0
"""Small parts of tests that ask a platform: names and keys that nobody used, and calls that must be answered."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from holdfast.hold.platform import Act, Acted, Found, Item, Location, Notice, Platform, Spot


def somebody() -> str:
    """A name that no account has yet."""
    return f"somebody-{uuid4().hex[:12]}"


def a_key() -> str:
    """An idempotency key that nobody used."""
    return f"contract-{uuid4().hex}"


def nowhere() -> str:
    """An address of nothing."""
    return f"https://nowhere.invalid/{uuid4().hex}"


def item_at(platform: Platform, address: str) -> Item:
    """What an address names."""
    (found,) = platform.resolve(a_key(), [address])
    assert isinstance(found, Found)
    return found.item


def spots_of(item: Item, *locations: Location) -> list[Spot]:
    """These places of an item, or all of them."""
    wanted = locations or item.locations
    return [Spot(content=item.content, version=item.version, location=location.id) for location in wanted]


def held(platform: Platform, item: Item) -> None:
    """Hold an item everywhere."""
    assert acts(platform.hold(a_key(), spots_of(item))) == [Acted.DONE] * len(item.locations)


def acts(answered: Sequence[Act]) -> list[Acted]:
    """The bare words of an answer."""
    return [one.acted for one in answered]


def the_bytes(platform: Platform, item: Item) -> bytes:
    """All bytes of an item."""
    return b"".join(platform.open(a_key(), item.content, item.version))


def a_notice(item: Item) -> Notice:
    """A notice to whoever uploaded it."""
    assert item.account
    mark = uuid4().hex
    return Notice(
        id=f"ntc_{mark}",
        account=item.account,
        content=item.content,
        title="We are checking a report",
        text=f"Your post is not visible while we check a report. Nothing has been decided. Number {mark}.",
    )
