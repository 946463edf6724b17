# SPDX-License-Identifier: Apache-2.0
"""A desk on a real database, beside a platform in memory that fails on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from holdfast.bootstrap import System
from holdfast.effect.handler import Handler, Outcome
from holdfast.hold.platform import Spot
from holdfast.hold.policy import HoldPolicy
from holdfast.hold.reach import Valve
from holdfast.intake.desk import Incoming, NamedItem, Receipt
from holdfast.intake.reporter import Category, ItemKind, ReporterKind
from holdfast.resembling import Resembling
from holdfast.start import clock
from holdfast.testing.simulators import SimulatedPlatform, SimulatedStranger
from holdfast.testing.site import Site
from holdfast.testing.upload import Served

if TYPE_CHECKING:
    from holdfast.desk import Deciding, Desk
    from holdfast.store.review_people import Asking

DOOR = "door:report"


@dataclass(slots=True)
class Place:
    """A platform and the desk that stands beside it, at a time that a test sets."""

    system: System
    site: Site
    platform: SimulatedPlatform
    stranger: SimulatedStranger
    desk: Desk
    now: datetime

    def wait(self, much: timedelta) -> None:
        """Let time pass, and the worker do what that asks for."""
        self.now += much
        self.desk.round(self.now)

    def carry(self, *kinds: str) -> list[Outcome]:
        """Carry out everything that is owed by now, or these kinds of it; what each try came to."""
        handlers: Mapping[str, Handler] = self.desk.handlers(
            self.platform, self.stranger, Resembling(self.system.archive_folder)
        )
        wanted, outcomes = list(kinds) or list(handlers), list[Outcome]()
        while leased := self.system.effects.lease(wanted, most=10, now=self.now):
            ended = [(one, handlers[one.kind](one)) for one in leased]
            self.system.effects.settle(ended, now=self.now)
            outcomes += [outcome for _, outcome in ended]
        return outcomes

    def report(
        self,
        *addresses: str,
        reporter: ReporterKind = ReporterKind.PARENT,
        category: Category = Category.CSAM,
        **more: object,
    ) -> Receipt:
        """Report these as somebody would at the door."""
        items = tuple(NamedItem(kind=ItemKind.LINK, address=address) for address in addresses)
        told = {"reporter": reporter, "verified": False, "category": category, "items": items, **more}
        return self.desk.reports.receive(Incoming(**told), actor=DOOR)  # type: ignore[arg-type]

    def seen(self, address: str) -> bool:
        """Whether a stranger sees anything of what has this address."""
        upload = self.site.upload(address)
        return any(self.site.view(place.location) for place in upload.places.values())

    def told(self, account: str) -> list[str]:
        """The words that open what an account was told."""
        return [str(notice.answer_code) for notice in self.site.told(account)]

    def desk_owes(self, kind: str) -> bool:
        """Whether anything of a kind is still owed to the platform."""
        from holdfast.store.models import EffectRow

        return EffectRow.objects.filter(kind=kind).exclude(state="done").exists()

    def leak(self, address: str) -> None:
        """Let the platform show, by a mistake of its own, what it holds."""
        upload = self.site.upload(address)
        for name in upload.places:
            self.site.put(Spot(content=upload.content, version=upload.newest, location=name), Served.SHOWN)


def place(
    system: System,
    *,
    valve: Valve | None = None,
    policy: HoldPolicy | None = None,
    deciding: Deciding | None = None,
    asking: Asking | None = None,
) -> Place:
    """An empty platform, and a desk with these rules."""
    from holdfast.desk import make_desk

    begun = clock()
    made: list[Place] = []

    def now() -> datetime:
        return made[0].now if made else begun

    site = Site(clock=now)
    desk = make_desk(
        replace(system.desk.means, clock=now),
        system.banks,
        policy=policy or HoldPolicy(),
        valve=valve or Valve(),
        public_url="https://help.example",
        deciding=deciding,
        asking=asking,
    )
    made.append(Place(system, site, SimulatedPlatform(site), SimulatedStranger(site), desk, begun))
    return made[0]
