# SPDX-License-Identifier: Apache-2.0
"""How far a report reaches before a person has looked: one table, and a valve for floods.

An unproven word hides the item it names, and what is the same; a proof reaches further, a verified
source furthest. What lies beyond is not forgotten: it is queued, with a clock, and the receipt says so.

Above an hourly budget, holds from unproven words alone are staged, the likeliest first; recording,
receipts and clocks go on for all of them. Counting never decides whether anything is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Standing(IntEnum):
    """What stands behind a report; the higher, the further it reaches."""

    WORD = 0
    """Somebody's unproven word, whoever they say they are."""
    PROOF_RECEIVED = 1
    """A proof came with it, or the contact was confirmed; nobody has looked yet."""
    VERIFIED = 2
    """A verified authority or proof, or an exact match of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What may be held without a person. None: without end."""

    distance: int
    """Perceptual copies within so many bits are held at once; those beyond wait for a person."""
    accounts: int | None
    """So many accounts may be touched."""
    alarm_above: int | None
    """A person is alarmed once so many accounts are touched."""


REACH: Final[Mapping[Standing, Reach]] = {
    Standing.WORD: Reach(distance=10, accounts=20, alarm_above=20),
    Standing.PROOF_RECEIVED: Reach(distance=31, accounts=100, alarm_above=100),
    Standing.VERIFIED: Reach(distance=31, accounts=None, alarm_above=1000),
}
"""The item itself, exact copies and renditions are held at once at every standing."""


class Plan(StrEnum):
    """What is to be done about one place where something may be."""

    HOLD = "hold"
    QUEUE = "queue"
    """A person looks within 24 hours."""
    NEVER_SWEPT = "never_swept"
    """The platform's own picture: a person looks, and it is never hidden by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One place: how far its picture is from what was named (0: the same), and whose it is."""

    location: str
    account: str
    distance: int
    exact: bool
    is_asset: bool = False
    """Whether it is on the platform's list of its own pictures: logo, default avatar, stickers."""


def plan(copies: Sequence[Copy], standing: Standing, *, touched: Iterable[str] = ()) -> dict[str, Plan]:
    """For each location what is to be done, in the order in which they are given; the named item comes first.

    `touched` are the accounts that earlier holds of the same case have touched.
    """
    reach, accounts, plans = REACH[standing], set(touched), dict[str, Plan]()
    for copy in copies:
        plans[copy.location] = _plan_one(copy, reach, accounts)
        if plans[copy.location] is Plan.HOLD:
            accounts.add(copy.account)
    return plans


def _plan_one(copy: Copy, reach: Reach, touched: set[str]) -> Plan:
    if copy.is_asset:
        return Plan.NEVER_SWEPT
    within = reach.accounts is None or copy.account in touched or len(touched) < reach.accounts
    near = copy.exact or copy.distance <= reach.distance
    return Plan.HOLD if near and within else Plan.QUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Valve:
    """The published budget of holds an hour from unproven words."""

    least: int = 500
    percent_of_visible: float = 1.0

    def budget(self, visible_items: int) -> int:
        """How many holds an hour, where so many items can be seen."""
        return max(self.least, int(visible_items * self.percent_of_visible / 100))

    def lets_through(self, standing: Standing, *, held_this_hour: int, visible_items: int, corroborated: bool) -> bool:
        """Whether a hold goes out at once. What anything independent speaks for always does.

        `corroborated`: a list, a near match, a proof or a verified source speaks for it too.
        """
        unproven = standing is Standing.WORD and not corroborated
        return not unproven or held_this_hour < self.budget(visible_items)
