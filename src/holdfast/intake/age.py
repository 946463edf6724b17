# SPDX-License-Identifier: Apache-2.0
"""How old somebody was when something was made: claims with ranges, never one number, and never age now.

Each claim is about one person in one item, and says where it comes from. A birth date and the moment when
the item was first seen bound the age from above by arithmetic: nobody needs to have known it.

What is not known is handled as a child's and never stated as one: `Handling` says how careful to be, not
what is so. Toward more care anybody's word counts; toward less only what was verified, for every person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from holdfast.errors import InvalidRequest

ADULT: Final = 18
OLDEST: Final = 130


class AgeBasis(StrEnum):
    """Where a claim comes from."""

    REPORTER = "reporter"
    """Somebody's word."""
    PROOF = "proof"
    """A document or an attestation."""
    ACCOUNT = "account"
    """The birth date in an account."""
    ARITHMETIC = "arithmetic"
    """A birth date, and when the item was first seen."""
    LIST = "list"
    """The category of a list that holds it."""
    AUTHORITY = "authority"
    """The finding of a hotline or the police."""
    REVIEWER = "reviewer"
    """What a reviewer thinks: toward more care only."""


class ClaimStatus(StrEnum):
    """Whether somebody whose role it is has checked a claim."""

    CLAIMED = "claimed"
    VERIFIED = "verified"
    REJECTED = "rejected"


class Handling(StrEnum):
    """How careful to be. Neither is a statement about anybody."""

    AS_A_CHILDS = "as_a_childs"
    AS_AN_ADULTS = "as_an_adults"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeClaim:
    """One person in one item was between `lower` and `upper` full years old, both included, when it was made."""

    person: str
    item: str
    lower: int
    upper: int
    basis: AgeBasis
    status: ClaimStatus = ClaimStatus.CLAIMED

    def __post_init__(self) -> None:
        """Raises InvalidRequest for a range that nobody's age can be in."""
        if not 0 <= self.lower <= self.upper <= OLDEST:
            message = f"age: from 0 to {OLDEST}, the lower first"
            raise InvalidRequest(message)

    @property
    def counts_for_less_care(self) -> bool:
        """Whether it may make anybody less careful."""
        return self.status is ClaimStatus.VERIFIED and self.basis is not AgeBasis.REVIEWER


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthDate:
    """A birth date as far as it is known."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def earliest(self) -> date:
        """The first day it can be. Raises InvalidRequest for a day that was never."""
        try:
            return date(self.year, self.month or 1, self.day or 1)
        except ValueError as cause:
            message = "birth date: not a day of the calendar"
            raise InvalidRequest(message) from cause


def oldest_when_made(born: BirthDate, first_seen: date) -> int | None:
    """The most full years somebody can have been when an item was made that was seen on `first_seen`.

    None if they were not born yet: then it is not them, or one of the dates is wrong.
    """
    earliest = born.earliest
    years = first_seen.year - earliest.year - ((first_seen.month, first_seen.day) < (earliest.month, earliest.day))
    return years if years >= 0 else None


def by_arithmetic(person: str, item: str, born: BirthDate, first_seen: date, status: ClaimStatus) -> AgeClaim | None:
    """The claim that follows from a birth date, as good as that date; None if they were not born yet."""
    upper = oldest_when_made(born, first_seen)
    if upper is None:
        return None
    bounded = min(upper, OLDEST)
    return AgeClaim(person=person, item=item, lower=0, upper=bounded, basis=AgeBasis.ARITHMETIC, status=status)


def handling(claims: Iterable[AgeClaim], people: Iterable[str] = ()) -> Handling:
    """How an item is handled: as its youngest possible person's, where `people` are all that are known to be in it.

    As an adult's only if of each person something verified says so, and nothing that was not rejected speaks
    against it.
    """
    by_person: dict[str, list[AgeClaim]] = defaultdict(list)
    for claim in claims:
        by_person[claim.person].append(claim)
    everybody = {*people, *by_person}
    if everybody and all(_surely_adult(by_person[person]) for person in everybody):
        return Handling.AS_AN_ADULTS
    return Handling.AS_A_CHILDS


def _surely_adult(claims: list[AgeClaim]) -> bool:
    shown = any(claim.counts_for_less_care and claim.lower >= ADULT for claim in claims)
    denied = any(claim.status is not ClaimStatus.REJECTED and claim.upper < ADULT for claim in claims)
    return shown and not denied
