# SPDX-License-Identifier: Apache-2.0
"""The verdict: Matched, NoMatch or NotScreened, each its own type; "could not tell" is never "no".

`judge` is pure: what was seen and what was found go in, one screening comes out. It says of each
match what it leads to beside the others:

- what its bank says, in general;
- `review` instead of `hold`, if its entry is disputed, or if it only looks alike and something
  benign is at least as near to the same picture of the upload, or equals the whole file. An equal
  digest is never overridden by a benign bank;
- `review` instead of `hold`, if of a known video only a little was seen again, or only beside
  something benign that is at least as near; nothing, if that is one frame of a film;
- nothing, for a bank that is benign or whose action is `ignore`. Such a match is recorded, so it
  neither hides a picture that could not be screened nor holds one that could.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from holdfast.log.event import Event, event
from holdfast.match.bank import Action, BankKind
from holdfast.match.entry import Opinion
from holdfast.match.signal import SignalType
from holdfast.match.variant import frame_of
from holdfast.match.video import Part, Spot, Strength
from holdfast.media.reason import NotDecoded, Reason


class Answer(StrEnum):
    """What the platform is told to do."""

    PUBLISH = "publish"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match1:
    """One signal of the upload equals, or lies near, one signal of a bank entry, as it was recorded at first."""

    bank: str
    entry: str
    signal: SignalType
    variant: str
    distance: int
    threshold: int
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Match2:
    """One signal of the upload equals, or lies near, one signal of a bank entry: the form before there were videos."""

    bank: str
    entry: str
    signal: SignalType
    variant: str
    distance: int
    threshold: int
    action: Action | None
    kind: BankKind = BankKind.KNOWN
    opinion: Opinion | None = None
    effect: Action = Action.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One signal of the upload equals, or lies near, one signal of a bank entry; of a known video, all that do.

    `action` is the bank's, None for a benign one; `effect` is what the match leads to beside the others.
    Of a known picture in a film, `spot` is where. Of a known video, `part` is what was seen again, and
    variant and distance are those of its nearest frame.
    """

    bank: str
    entry: str
    signal: SignalType
    variant: str
    distance: int
    threshold: int
    action: Action | None
    kind: BankKind = BankKind.KNOWN
    opinion: Opinion | None = None
    effect: Action = Action.HOLD
    part: Part | None = None
    spot: Spot | None = None

    @property
    def frame(self) -> int:
        """Which picture of the upload it is of. An equal digest is of the whole file."""
        return frame_of(self.variant)

    @property
    def excuses(self) -> bool:
        """Whether it makes what merely looks alike a matter for review."""
        return self.kind is BankKind.BENIGN and self.opinion is not Opinion.DISPUTED

    def excused_by(self, other: Match) -> bool:
        """Whether `other` makes it a matter for review.

        A benign picture beside it in the same file does not: anyone can put one there. One that lies
        farther from this picture says less about it than this match does.
        """
        if self.signal.is_exact or not other.excuses:
            return False
        if self.part is not None:  # what is benign in single frames was taken into account when these were counted
            return other.signal.is_exact
        return other.signal.is_exact or (other.frame == self.frame and other.distance <= self.distance)


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
    excuses = [match for match in matches if match.excuses]
    judged = firmest(replace(match, effect=_effect(match, excuses)) for match in matches)
    if any(match.effect is not Action.IGNORE for match in judged):
        return Matched(judged)
    if obstacle is not None:
        reason = obstacle.reason if isinstance(obstacle, NotDecoded) else obstacle
        return NotScreened(reason, judged)
    return Matched(judged) if judged else NoMatch()


def firmest(matches: Iterable[Match]) -> tuple[Match, ...]:
    """Of the matches of one entry, of one type, in several pictures the firmest, and of those the nearest."""
    best: dict[tuple[str, str, SignalType], Match] = {}
    for match in matches:
        other = best.setdefault((match.bank, match.entry, match.signal), match)
        if _order(match) < _order(other):
            best[match.bank, match.entry, match.signal] = match
    return tuple(best.values())


def _order(match: Match) -> tuple[int, int]:
    return list(Action).index(match.effect), match.distance


def _effect(match: Match, excuses: Sequence[Match]) -> Action:
    """What one match leads to beside these benign ones."""
    if match.action is None:
        return Action.IGNORE
    if match.part and match.part.strength is Strength.STRAY:
        return Action.IGNORE
    doubted = match.opinion is Opinion.DISPUTED or any(match.excused_by(other) for other in excuses)
    doubted = doubted or (match.part is not None and match.part.strength is Strength.WEAK)
    return Action.REVIEW if doubted and match.action is Action.HOLD else match.action


def effect_of(screening: Screening) -> Action | None:
    """The firmest of what the matches lead to; None if nothing was matched."""
    effects = {match.effect for match in matches_of(screening)}
    return next((effect for effect in Action if effect in effects), None)


def answer_to(screening: Screening) -> Answer:
    """What a verdict leads to. Only a full look-up can lead to `publish`."""
    match screening:
        case Matched(matches):
            binding = any(match.effect is not Action.IGNORE for match in matches)
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
class ScreeningAnswered1(Event):
    """One version of one item was screened and answered. The form before matches had kinds, opinions and effects."""

    content: str
    content_version: str
    surface: str
    verdict: str
    reason: Reason | None
    answer: Answer
    shadow: bool
    list_version: int
    matches: tuple[Match1, ...]
    looked_up_at: datetime


@event("screening.answered", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningAnswered2(Event):
    """One version of one item was screened and answered. The form before there were videos."""

    content: str
    content_version: str
    surface: str
    verdict: str
    reason: Reason | None
    answer: Answer
    shadow: bool
    list_version: int
    matches: tuple[Match2, ...]
    looked_up_at: datetime


@event("screening.answered", schema=3)
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
