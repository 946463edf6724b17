# SPDX-License-Identifier: Apache-2.0
"""The verdict: Matched, NoMatch or NotScreened, each its own type; "could not tell" is never "no".

`judge` is pure: what was seen and what was found go in, one screening comes out. A match with a
bank whose action is `ignore` is recorded and changes nothing else, so it neither hides a picture
that could not be screened nor holds one that could.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from holdfast.log.event import Event, event
from holdfast.match.bank import Action
from holdfast.match.signal import SignalType
from holdfast.media.reason import NotDecoded, Reason


class Answer(StrEnum):
    """What the platform is told to do."""

    PUBLISH = "publish"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One signal of the upload equals, or lies near, one signal of a bank entry."""

    bank: str
    entry: str
    signal: SignalType
    variant: str
    distance: int
    threshold: int
    action: Action


@dataclass(frozen=True, slots=True)
class Matched:
    """It matches at least one bank. Not "is illegal": see each match for what is known."""

    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """It was fully decoded and looked up, and nothing is near."""


@dataclass(frozen=True, slots=True)
class NotScreened:
    """Could not tell, and why. Ignored matches, if any, are kept for the record."""

    reason: Reason
    ignored: tuple[Match, ...] = ()


Screening = Matched | NoMatch | NotScreened


def judge(matches: tuple[Match, ...], obstacle: Reason | NotDecoded | None) -> Screening:
    """The verdict, given every match found and whatever kept the upload from being fully looked up."""
    if any(match.action is not Action.IGNORE for match in matches):
        return Matched(matches)
    if obstacle is not None:
        reason = obstacle.reason if isinstance(obstacle, NotDecoded) else obstacle
        return NotScreened(reason, matches)
    return Matched(matches) if matches else NoMatch()


def answer_to(screening: Screening) -> Answer:
    """What a verdict leads to. Only a full look-up can lead to `publish`."""
    match screening:
        case Matched(matches):
            binding = any(match.action is not Action.IGNORE for match in matches)
            return Answer.HOLD if binding else Answer.PUBLISH
        case NoMatch():
            return Answer.PUBLISH
        case NotScreened():
            return Answer.HOLD
        case _:
            assert_never(screening)


def verdict_name(screening: Screening) -> str:
    """The verdict as one stable word."""
    match screening:
        case Matched():
            return "matched"
        case NoMatch():
            return "no_match"
        case NotScreened():
            return "not_screened"
        case _:
            assert_never(screening)


def matches_of(screening: Screening) -> tuple[Match, ...]:
    """Every match that was found, ignored ones too."""
    match screening:
        case Matched(matches):
            return matches
        case NotScreened(_, ignored):
            return ignored
        case NoMatch():
            return ()
        case _:
            assert_never(screening)


@event("screening.answered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningAnswered(Event):
    """One version of one item was screened and answered; `list_version` is the newest bank change looked up in."""

    content: str
    content_version: str
    surface: str
    verdict: str
    reason: Reason | None
    answer: Answer
    shadow: bool
    list_version: int
    matches: tuple[Match, ...]
    looked_up_at: datetime


@event("screening.hashes_given")
@dataclass(frozen=True, slots=True, kw_only=True)
class HashesGiven(Event):
    """The answer of this screening rests on hashes that the platform computed; nothing here saw the item."""

    signal_types: tuple[SignalType, ...]
