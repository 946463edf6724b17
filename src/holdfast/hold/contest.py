# SPDX-License-Identifier: Apache-2.0
"""Contesting a hold: whoever posted what is held is told so, neutrally, and can answer with a receipt of their own.

The notice says that no finding has been made, and that nobody was told anything about them. It names no
reporter. What they answer is a statement; it is looked at within a day, and never makes a hold longer.

`decide_contest` and `evolve_contest` are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_story
from holdfast.sealed.text import PrivateText


class ContestState(StrEnum):
    """Where a contest stands."""

    OFFERED = "offered"
    """The notice is owed to whoever posted it."""
    TOLD = "told"
    """It lies where they see it."""
    NOBODY = "nobody"
    """There is no account any more that could be told."""
    CONTESTED = "contested"
    """They say that it should not be held; a person looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One account's chance to answer about one item."""

    case: str
    content: str
    state: ContestState
    blameless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferContest:
    """Owe the notice."""

    case: str
    content: str
    account: str
    """The sealed subject of the account."""
    blameless: bool
    """Whether the account may be the depicted person's: then the text must not mention a report."""


@dataclass(frozen=True, slots=True)
class MarkTold:
    """The platform says that it lies where they see it."""

    text: str
    """A digest of the text."""


@dataclass(frozen=True, slots=True)
class FindNobody:
    """There is nobody to tell: the account was closed, or is no longer known here."""


@dataclass(frozen=True, slots=True)
class ContestHold:
    """Say that it should not be held, and why."""

    words: str


ContestCommand = OfferContest | MarkTold | FindNobody | ContestHold


@event("contest.offered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContestOffered(Event):
    """Whoever posted what is held is to be told, with reasons (DSA 17), and may contest it."""

    case: str
    content: str
    account: str
    """The sealed subject that holds the platform's reference of the account."""
    blameless: bool


@event("contest.told")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContestTold(Event):
    """The notice lies where they see it."""

    text: str


@event("contest.found_nobody")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContestFoundNobody(Event):
    """The account was closed, or is no longer known here: nobody can be told."""


@event("contest.made")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContestMade(Event):
    """They contest the hold. Said once or more often."""

    words: PrivateText


CONTEST_TRANSITIONS: Final[Mapping[tuple[ContestState | None, type], ContestState]] = {
    (None, OfferContest): ContestState.OFFERED,
    (ContestState.OFFERED, MarkTold): ContestState.TOLD,
    (ContestState.CONTESTED, MarkTold): ContestState.CONTESTED,
    (ContestState.OFFERED, FindNobody): ContestState.NOBODY,
    **dict.fromkeys(((state, ContestHold) for state in ContestState), ContestState.CONTESTED),
}


def decide_contest(contest: Contest | None, command: ContestCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the contest. Raises InvalidRequest for words that cannot be kept."""
    if (contest and contest.state, type(command)) not in CONTEST_TRANSITIONS:
        return Refusal("contest.not_in_this_state", f"the contest is {contest.state if contest else 'not there'}")
    match command:
        case OfferContest():
            return [
                ContestOffered(
                    case=command.case, content=command.content, account=command.account, blameless=command.blameless
                )
            ]
        case MarkTold(text=text):
            return [ContestTold(text=text)]
        case FindNobody():
            return [ContestFoundNobody()]
        case ContestHold(words=words):
            return [_made(words)]


def evolve_contest(contest: Contest | None, happened: Event) -> Contest:
    """The contest after `happened`. Raises ValueError for an event that it cannot have in this state."""
    if contest is None and isinstance(happened, ContestOffered):
        return Contest(
            case=happened.case,
            content=happened.content,
            blameless=happened.blameless,
            state=ContestState.OFFERED,
        )
    if contest is None or (contest.state, type(happened)) not in _POSSIBLE:
        message = f"no contest can have {happened.tag!r} here"
        raise ValueError(message)
    return replace(contest, state=_POSSIBLE[contest.state, type(happened)])


def contest_subject(contest_id: str) -> str:
    """The journal's subject for a contest."""
    return f"contest:{contest_id}"


def _made(words: str) -> ContestMade:
    check_story("words", words)
    if not words.strip():
        message = "words: say why it should not be held"
        raise InvalidRequest(message)
    return ContestMade(words=words)


_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    OfferContest: ContestOffered,
    MarkTold: ContestTold,
    FindNobody: ContestFoundNobody,
    ContestHold: ContestMade,
}
_POSSIBLE: Final = {
    (state, _TOLD_BY[command]): after for (state, command), after in CONTEST_TRANSITIONS.items() if state is not None
}

for _command, _told in _TOLD_BY.items():
    register(_command, _told)
