# SPDX-License-Identifier: Apache-2.0
"""Hold, release and remove: what held means at this platform.

**An item is out of reach, whole, while any of its spots is held or removed**, in whatever version. A stranger who
opens its address could not tell one version from another, and so an edit changes nothing about a hold. Each of
these functions works in the one transaction of its call; the caches are emptied after it, before the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from commons.assets import ASSETS
from commons.database import Connection
from commons.ending import destroy_if_free
from commons.told import locations_of, version_row

_DONE: Final = {"state": "done"}
_GONE: Final = {"state": "gone"}
_OWN: Final = {"state": "refused", "because": "This is part of the platform itself; a person there has to change it."}
_ASSETS: Final = frozenset(asset.content for asset in ASSETS)


@dataclass(frozen=True, slots=True)
class Spot:
    """One item's version at one location."""

    content: str
    version: str
    location: str


@dataclass(frozen=True, slots=True)
class Acted:
    """What is said of each spot, in their order, and the files that are to go once it is committed."""

    results: list[dict[str, Any]]
    freed: list[str]


def hold(transaction: Connection, spots: Sequence[Spot], now: float) -> Acted:
    """Put them out of reach, and let nobody delete them."""

    def one(spot: Spot, stands: str | None) -> dict[str, Any]:
        if stands in (None, "removed"):
            return _GONE
        _mark(transaction, spot, "held", now)
        return _DONE

    return _each(transaction, spots, one)


def release(transaction: Connection, spots: Sequence[Spot], now: float) -> Acted:
    """Let them be seen again as they were. What Holdfast had said `hold` to is asked about anew."""

    def one(spot: Spot, stands: str | None) -> dict[str, Any]:
        if stands in (None, "removed"):
            return _GONE
        transaction.rows("delete from spot where content = ? and version = ? and location = ?", *_key(spot))
        transaction.rows(
            "update version set state = 'asking', round = round + 1, tries = 0, ask_at = ?"
            " where content = ? and state = 'kept'",
            now,
            spot.content,
        )
        deleted = transaction.row("select 1 from item where content = ? and deleted_at is not null", spot.content)
        return _GONE if deleted else _DONE

    acted = _each(transaction, spots, one)
    return Acted(acted.results, [token for each in _contents(spots) for token in destroy_if_free(transaction, each)])


def remove(transaction: Connection, spots: Sequence[Spot], now: float) -> Acted:
    """Take them away for good. A version's bytes go with the last place where it was served."""

    def one(spot: Spot, stands: str | None) -> dict[str, Any]:
        if stands is None:
            return _GONE
        _mark(transaction, spot, "removed", now)
        return _DONE

    acted = _each(transaction, spots, one)
    versions = dict.fromkeys((spot.content, spot.version) for spot in spots)
    return Acted(acted.results, [token for each in versions for token in _destroy_removed(transaction, *each)])


def refresh(transaction: Connection, contents: Iterable[str]) -> None:
    """Write anew whether these can be seen; and whatever was published while what it shows again was held."""
    for content in contents:
        transaction.rows(
            "update item set hidden = exists (select 1 from spot where spot.content = item.content)"
            " or (behind and (select hidden from item first where first.content = item.share_of)) where content = ?",
            content,
        )
        transaction.rows(
            "update item set hidden = exists (select 1 from spot where spot.content = item.content)"
            " or (select hidden from item first where first.content = item.share_of) where behind and share_of = ?",
            content,
        )


def _each(transaction: Connection, spots: Sequence[Spot], one: Callable[[Spot, str | None], dict[str, Any]]) -> Acted:
    """What `one` does for each, given how it stands: `held`, `removed`, `free`, or None if there is nothing there."""
    results = [_OWN if spot.content in _ASSETS else one(spot, _stands(transaction, spot)) for spot in spots]
    refresh(transaction, _contents(spots))
    return Acted(results, [])


def _contents(spots: Sequence[Spot]) -> list[str]:
    return list(dict.fromkeys(spot.content for spot in spots))


def _key(spot: Spot) -> tuple[str, str, str]:
    return spot.content, spot.version, spot.location


def _stands(transaction: Connection, spot: Spot) -> str | None:
    marked = "select state from spot where content = ? and version = ? and location = ?"
    if found := transaction.row(marked, *_key(spot)):
        return str(found["state"])
    row = version_row(transaction, spot.content, spot.version)
    return "free" if row is not None and spot.location in locations_of(row) else None


def _mark(transaction: Connection, spot: Spot, state: str, now: float) -> None:
    transaction.rows("insert or replace into spot values (?, ?, ?, ?, ?)", *_key(spot), state, now)


def _destroy_removed(transaction: Connection, content: str, version: str) -> list[str]:
    """Destroy a version that was removed everywhere; gives the file that is to go."""
    row = version_row(transaction, content, version)
    if row is None:
        return []
    removed = "select location from spot where content = ? and version = ? and state = 'removed'"
    if not set(locations_of(row)) <= {each["location"] for each in transaction.rows(removed, content, version)}:
        return []
    transaction.rows("delete from version where content = ? and number = ?", content, row["version"])
    return [row["token"]] if row["token"] else []
