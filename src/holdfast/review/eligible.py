# SPDX-License-Identifier: Apache-2.0
"""Whom the system asks: at random among those who may, and never whoever is party to it or spoke about it before.

A second look comes from another team where one can be had. Where there are too few, the circle grows by steps:
reviewers, any other employee who has an account, one person from outside; and when nobody is left, nobody is
asked and the item stays held. Chance is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from holdfast.access.role import Colleague, Role
from holdfast.errors import Refusal


class Turn(StrEnum):
    """Whose word is wanted."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What bears on who may look at something."""

    parties: frozenset[str]
    """The platform accounts of whoever posted it and of whoever reported it."""
    spoke: frozenset[str] = frozenset()
    """Who found or decided something about it before."""
    recused: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    """The teams of those who spoke."""


_TWO: Final = 2
_LOOKS: Final = frozenset({Role.REVIEWER, Role.SENIOR})
_SEES_NO_CASE: Final = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})


def may_look(colleague: Colleague, matter: Matter) -> Refusal | None:
    """Why somebody may not look at this, whatever their role; None if they may."""
    if colleague.account and colleague.account in matter.parties:
        return Refusal("review.party", "your own account posted or reported this")
    if colleague.person in matter.spoke:
        return Refusal("review.spoke_before", "you found or decided something about this before")
    if colleague.person in matter.recused:
        return Refusal("review.recused", "you stepped back from this")
    return None


def asked(colleagues: Iterable[Colleague], matter: Matter, turn: Turn, draw: int) -> Colleague | None:
    """Who is asked: `draw` (any number, at random) picks among those who may; None if nobody may."""
    free = [one for one in colleagues if may_look(one, matter) is None]
    for circle in _CIRCLES[turn]:
        found = sorted((one for one in free if circle(one)), key=lambda one: one.person)
        if found:
            others = _of_another_team(found, matter.teams)
            return others[draw % len(others)]
    return None


def lacking(colleagues: Iterable[Colleague]) -> list[str]:
    """What these people cannot complete, in words, each on something that none of them is party to."""
    found = list(colleagues)
    reviewers, seniors = [one for one in found if _reviews(one)], [one for one in found if _is_senior(one)]
    others = [one for one in found if _works_here(one) or _is_outside(one)]
    lacks = [] if reviewers else ["no reviewer: nobody is asked for a first look"]
    if len(others) < _TWO:
        lacks.append("nobody for a second look: what is not upheld stays held")
    if len(others) <= _TWO or not (seniors or any(map(_is_outside, found))):
        lacks.append("nobody for a third look, senior or from outside: what two find differently stays held")
    return lacks


def _of_another_team(found: Sequence[Colleague], teams: frozenset[str]) -> Sequence[Colleague]:
    """Those of other teams than who spoke, if there are any. A team that was not said is no other team."""
    return [one for one in found if one.team and one.team not in teams] or found


def _reviews(one: Colleague) -> bool:
    return not one.outside and bool(one.roles & _LOOKS)


def _is_senior(one: Colleague) -> bool:
    return not one.outside and Role.SENIOR in one.roles


def _works_here(one: Colleague) -> bool:
    """Whoever has an account and sees cases at all."""
    return not one.outside and bool(one.roles - _SEES_NO_CASE)


def _is_outside(one: Colleague) -> bool:
    return one.outside


_CIRCLES: Final[dict[Turn, tuple[Callable[[Colleague], bool], ...]]] = {
    Turn.FIRST: (_reviews,),
    Turn.SECOND: (_reviews, _works_here, _is_outside),
    Turn.THIRD: (_is_senior, _is_outside),
}
"""Who is asked in turn, the nearest circle first."""
