# SPDX-License-Identifier: Apache-2.0
"""One upload at the platform in memory: its versions, its places, and how each version stands at each place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from holdfast.hold.platform import Item, Location
from holdfast.intake.reporter import ItemKind


class Served(StrEnum):
    """How one version stands at one place."""

    SHOWN = "shown"
    HELD = "held"
    REMOVED = "removed"


@dataclass(slots=True)
class Place:
    """One place of one upload."""

    location: Location
    versions: dict[str, Served]
    opened: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class Upload:
    """One item, whoever uploaded it, with its versions in their order."""

    content: str
    address: str
    account: str
    kind: ItemKind
    first_seen: datetime
    versions: dict[str, bytes]
    places: dict[str, Place]
    shows: str
    """What it shows: another upload with the same mark is a copy."""
    distance: int = 0
    is_asset: bool = False

    @property
    def newest(self) -> str:
        """The version that is served."""
        return next(reversed(self.versions))

    @property
    def item(self) -> Item:
        """As the platform tells of it."""
        return Item(
            content=self.content,
            version=self.newest,
            kind=self.kind,
            locations=tuple(place.location for place in self.places.values()),
            account=self.account,
            first_seen=self.first_seen,
            is_asset=self.is_asset,
        )

    @property
    def is_held(self) -> bool:
        """Whether any version is held at any place."""
        return any(Served.HELD in place.versions.values() for place in self.places.values())

    def is_shown(self, place: Place) -> bool:
        """Whether anybody can open this place."""
        return place.versions[self.newest] is Served.SHOWN
