# SPDX-License-Identifier: Apache-2.0
"""Whether what people find toward release is unusual: too fast to have looked, far more than others, or by a pair.

Each of these may be harmless, and none undoes anything by itself: somebody else is told, and looks. What protects is
never watched: nobody has to fear to remove too much. Where too few people work for chance to say anything, nothing is
said of pairs and shares. `unusual` is pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Final

from holdfast.review.finding import Verdict

WATCHED_FOR: Final = timedelta(days=30)
"""How far back anything is looked at."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
SECONDS_A_PICTURE: Final = 2.0
"""Whoever looked at a picture for less has not looked at it."""
HASTY_IN_A_DAY: Final = 3
MANY_IN_A_WEEK: Final = 10
_MANY_SHARE: Final = 0.75
_TIMES_OTHERS: Final = 2
PAIRED_IN_A_MONTH: Final = 5
_ENOUGH_PEOPLE: Final = 4
"""With three, chance alone lets the same two meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding that counts, as far as it is watched."""

    review: str
    by: str
    verdict: Verdict
    at: datetime
    looked: float | None = None
    """Seconds from the first picture that they were shown to what they said; None if they were shown none."""
    pictures: int = 0


class Kind(StrEnum):
    """What is unusual."""

    HASTY = "hasty"
    """Said before anybody can have looked, several times in a day."""
    MANY = "many"
    """Most of what somebody looked at in a week, and more than twice as often as the others."""
    PAIRED = "paired"
    """The same two again and again, though chance picks who is asked."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Unusual:
    """Something unusual: what, of whom, and in how many reviews."""

    kind: Kind
    people: tuple[str, ...]
    number: int

    @property
    def about(self) -> str:
        """What an alarm names."""
        return f"{self.kind}:{'+'.join(self.people)}"


def unusual(findings: Iterable[Found], now: datetime) -> list[Unusual]:
    """All that is unusual in these, in order."""
    kept = [one for one in findings if now - WATCHED_FOR <= one.at <= now]
    return sorted([*_hasty(kept, now), *_many(kept, now), *_paired(kept)])


def _hasty(findings: Sequence[Found], now: datetime) -> list[Unusual]:
    fast = Counter(one.by for one in findings if one.at > now - _DAY and _is_hasty(one))
    return [Unusual(kind=Kind.HASTY, people=(by,), number=n) for by, n in fast.items() if n >= HASTY_IN_A_DAY]


def _is_hasty(one: Found) -> bool:
    released = one.verdict is Verdict.NOT_UPHELD
    return released and one.looked is not None and one.looked < SECONDS_A_PICTURE * max(1, one.pictures)


def _many(findings: Sequence[Found], now: datetime) -> list[Unusual]:
    week = [one for one in findings if one.at > now - _WEEK]
    said, released = Counter(one.by for one in week), Counter(one.by for one in week if _releases(one))
    return [
        Unusual(kind=Kind.MANY, people=(by,), number=number)
        for by, number in released.items()
        if number >= MANY_IN_A_WEEK and _is_far_more(by, said, released)
    ]


def _is_far_more(by: str, said: Counter[str], released: Counter[str]) -> bool:
    """Whether somebody's share is most of their own, and more than twice that of all others; None are no measure."""
    others = said.total() - said[by]
    share = released[by] / said[by]
    return bool(others) and share >= _MANY_SHARE and share > _TIMES_OTHERS * (released.total() - released[by]) / others


def _paired(findings: Sequence[Found]) -> list[Unusual]:
    if len({one.by for one in findings}) < _ENOUGH_PEOPLE:
        return []
    together: defaultdict[str, set[str]] = defaultdict(set)
    for one in findings:
        if _releases(one):
            together[one.review].add(one.by)
    pairs = Counter(pair for people in together.values() for pair in combinations(sorted(people), 2))
    agreed = Counter(person for people in together.values() if len(people) > 1 for person in people)
    return [
        Unusual(kind=Kind.PAIRED, people=pair, number=number)
        for pair, number in pairs.items()
        if number >= PAIRED_IN_A_MONTH and number * 2 > min(agreed[person] for person in pair)
    ]


def _releases(one: Found) -> bool:
    return one.verdict is Verdict.NOT_UPHELD
