# SPDX-License-Identifier: Apache-2.0
"""A review: the question whether one item, in one version, stays held, from the first who is asked to its end.

Somebody is asked, for a time; they find something, step back, or give it back without a word of blame. What findings
come to is `weighing`'s. Toward protection it takes effect at once; toward release ten minutes after the last word,
within which it can be taken back. What leads to nothing being seen again can be taken back always. Time alone ends
nothing but somebody's turn.

`decide_review` and `evolve_review` are pure; time and chance are passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from holdfast.access.two_people import register
from holdfast.errors import Refusal
from holdfast.intake.proof import NotUpheld
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.review.eligible import Turn
from holdfast.review.finding import Circumstances, Finding, Ground, Verdict, check_finding
from holdfast.review.viewing import Seen, Step
from holdfast.review.weighing import Weighed, carrying, weigh
from holdfast.sealed.text import PrivateText

AFTERTHOUGHT: Final = timedelta(minutes=10)
"""For which a word toward release has no effect yet, if nothing else is set, and a removal can be taken back."""


class ReviewState(StrEnum):
    """Where a review stands. What it is about stays held in each, but for what a decision makes of the last."""

    WAITING = "waiting"
    """Somebody is to be asked."""
    ASKED = "asked"
    """Somebody is asked, for a time."""
    NEEDS_OUTSIDE = "needs_outside"
    """Nobody here can settle it."""
    CONCLUDED = "concluded"
    """The findings settle it."""


class About(StrEnum):
    """What brought it about."""

    HELD = "held"
    """An item is held, and nobody has looked."""
    COPY = "copy"
    """An item looks like one that is held."""
    CONTEST = "contest"
    """Whoever posted it says that it should not be held."""
    APPEAL = "appeal"
    """Somebody says that it was decided wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review as it stands."""

    case: str
    content: str
    version: str
    about: About
    state: ReviewState
    turn: Turn = Turn.FIRST
    asked: str | None = None
    until: datetime | None = None
    findings: tuple[Finding, ...] = ()
    spoke: frozenset[str] = frozenset()
    """Whoever found something, also if they took it back: nobody is asked twice."""
    recused: frozenset[str] = frozenset()
    outcome: Weighed | None = None
    effective_at: datetime | None = None
    sampled: bool = False
    """Whether two look whatever the first says."""


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReview:
    """Ask the question. `spoke`: who decided about it before, and is not asked again.

    `sampled`: a lot was drawn that two look whatever the first says; what they look at stays held until then.
    """

    case: str
    content: str
    version: str
    about: About
    spoke: tuple[str, ...] = ()
    sampled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPerson:
    """Ask this colleague, whom chance picked among those who may, until then."""

    person: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Say something of it, having seen so much, with what is known of the case."""

    by: str
    verdict: Verdict
    seen: Seen
    known: Circumstances
    ground: Ground | None = None
    reason: NotUpheld | None = None
    words: str
    """Why, in a sentence of their own; sealed."""
    afterthought: timedelta = AFTERTHOUGHT
    """How long what lets it be seen again has no effect."""


@dataclass(frozen=True, slots=True)
class StepBack:
    """Not look at this: a conflict of interest, or none of anybody's business."""

    by: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Let somebody else look: their day's budget is spent, or their time is over. No fault of theirs."""

    by: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Take one's own finding back."""

    by: str
    afterthought: timedelta = AFTERTHOUGHT


@dataclass(frozen=True, slots=True)
class FindNobodyLeft:
    """There is nobody here who may be asked."""


ReviewCommand = OpenReview | AskPerson | Find | StepBack | GiveBack | TakeBack | FindNobodyLeft


# --- events


@event("review.opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOpened(Event):
    """Whether an item stays held is to be looked at."""

    case: str
    content: str
    version: str
    about: About
    spoke: tuple[str, ...]
    sampled: bool


@event("review.asked")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAsked(Event):
    """The system asked somebody, until then. In this turn."""

    person: str
    turn: Turn
    until: datetime


@event("review.found")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFound(Event):
    """Somebody said something of it, having seen so much."""

    by: str
    at: datetime
    verdict: Verdict
    ground: Ground | None
    reason: NotUpheld | None
    step: Step
    pictures: int
    of: int
    words: PrivateText


@event("review.stepped_back")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSteppedBack(Event):
    """Somebody does not look at this, and is not asked about it again."""

    by: str


@event("review.given_back")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGivenBack(Event):
    """Somebody's turn ended without a finding; somebody is asked anew."""

    by: str


@event("review.taken_back")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTakenBack(Event):
    """Somebody took their finding back. It no longer counts, and they are not asked again."""

    by: str


@event("review.concluded")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewConcluded(Event):
    """The findings settle it. Toward release nothing follows before `effective_at`."""

    case: str
    content: str
    version: str
    outcome: Weighed
    ground: Ground | None
    """What a removal rests on. That a child asks is said only if nothing else is: then nothing was found."""
    reason: NotUpheld | None
    by: tuple[str, ...]
    """Those whose findings carry it."""
    effective_at: datetime


@event("review.needs_outside")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNeedsOutside(Event):
    """Nobody here can settle it, or nobody is left to be asked. It stays held, and is counted."""


# --- the table: (state before, command) -> state after; None is "does not exist yet"

REVIEW_TRANSITIONS: Final[Mapping[tuple[ReviewState | None, type], ReviewState]] = {
    (None, OpenReview): ReviewState.WAITING,
    (ReviewState.WAITING, AskPerson): ReviewState.ASKED,
    (ReviewState.NEEDS_OUTSIDE, AskPerson): ReviewState.ASKED,
    (ReviewState.ASKED, Find): ReviewState.WAITING,  # or where the findings lead
    (ReviewState.WAITING, StepBack): ReviewState.WAITING,
    (ReviewState.ASKED, StepBack): ReviewState.WAITING,  # if it is their turn
    (ReviewState.ASKED, GiveBack): ReviewState.WAITING,
    **dict.fromkeys(((state, TakeBack) for state in ReviewState), ReviewState.WAITING),  # or where the others lead
    (ReviewState.ASKED, TakeBack): ReviewState.ASKED,
    (ReviewState.WAITING, FindNobodyLeft): ReviewState.NEEDS_OUTSIDE,
}
_TURNS: Final[Mapping[Weighed, Turn]] = {
    Weighed.NEEDS_FIRST: Turn.FIRST,
    Weighed.NEEDS_SECOND: Turn.SECOND,
    Weighed.NEEDS_THIRD: Turn.THIRD,
    Weighed.NEEDS_OUTSIDE: Turn.THIRD,
}
_ASKS: Final = frozenset({Weighed.NEEDS_FIRST, Weighed.NEEDS_SECOND, Weighed.NEEDS_THIRD})


# --- deciding


def decide_review(review: Review | None, command: ReviewCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the review at `now`. Raises InvalidRequest for words that cannot be kept."""
    if (review and review.state, type(command)) not in REVIEW_TRANSITIONS:
        return Refusal("review.not_in_this_state", f"the review is {review.state if review else 'not there'}")
    if review is None:
        return _open(command)
    return _DECIDERS[type(command)](review, command, now)


def _open(command: Any) -> list[Event]:  # noqa: ANN401  # the table lets nothing but OpenReview come here
    return [ReviewOpened(**{name: getattr(command, name) for name in command.__dataclass_fields__})]


def _ask(review: Review, command: AskPerson, _now: datetime) -> list[Event] | Refusal:
    if command.person in review.spoke:
        return Refusal("review.spoke_before", "they found or decided something about this before")
    if command.person in review.recused:
        return Refusal("review.recused", "they stepped back from this")
    return [ReviewAsked(person=command.person, turn=review.turn, until=command.until)]


def _find(review: Review, command: Find, now: datetime) -> list[Event] | Refusal:
    refusal = _not_their_turn(review, command.by, now)
    one = Finding(
        by=command.by,
        verdict=command.verdict,
        at=now,
        seen=command.seen,
        ground=command.ground,
        reason=command.reason,
    )
    refusal = refusal or check_finding(one, command.known)
    if refusal:
        return refusal
    check_text("words", command.words)
    return [_found(one, command.words), *_follows(review, (*review.findings, one), now, command.afterthought)]


def _not_their_turn(review: Review, person: str, now: datetime) -> Refusal | None:
    if person != review.asked:
        return Refusal("review.not_asked", "somebody else is asked about this, or nobody")
    if review.until is not None and now >= review.until:
        return Refusal("review.turn_over", "your time for this is over, and somebody else is asked")
    return None


def _follows(review: Review, findings: tuple[Finding, ...], now: datetime, afterthought: timedelta) -> list[Event]:
    """What these settle, if anything."""
    weighed = _weighed(review, findings)
    if weighed is Weighed.NEEDS_OUTSIDE:
        return [ReviewNeedsOutside()]
    if not weighed.settles:
        return []
    later = afterthought if weighed is Weighed.NOT_UPHELD else timedelta()
    return [_concluded(review, weighed, carrying(findings, sampled=review.sampled), now + later)]


def _weighed(review: Review, findings: tuple[Finding, ...]) -> Weighed:
    return weigh(findings, sampled=review.sampled)


def _concluded(review: Review, outcome: Weighed, by: tuple[Finding, ...], effective_at: datetime) -> ReviewConcluded:
    grounds = sorted((one.ground for one in by if one.ground), key=lambda ground: ground is Ground.ASKED_BY_CHILD)
    return ReviewConcluded(
        case=review.case,
        content=review.content,
        version=review.version,
        outcome=outcome,
        ground=grounds[0] if grounds else None,
        reason=by[-1].reason,
        by=tuple(one.by for one in by),
        effective_at=effective_at,
    )


def _step_back(review: Review, command: StepBack, _now: datetime) -> list[Event] | Refusal:
    if command.by in review.spoke:
        return Refusal("review.spoke_before", "you found something: take that back instead")
    return [ReviewSteppedBack(by=command.by)]


def _give_back(review: Review, command: GiveBack, _now: datetime) -> list[Event] | Refusal:
    if command.by != review.asked:
        return Refusal("review.not_asked", "somebody else is asked about this, or nobody")
    return [ReviewGivenBack(by=command.by)]


def _take_back(review: Review, command: TakeBack, now: datetime) -> list[Event] | Refusal:
    own = [one for one in review.findings if one.by == command.by]
    if not own:
        return Refusal("review.nothing_found", "there is no finding of yours that counts")
    if own[-1].verdict is Verdict.REMOVE and now >= own[-1].at + AFTERTHOUGHT:
        return Refusal("review.too_late", "what removes can be taken back for ten minutes; then it takes an appeal")
    rest = tuple(one for one in review.findings if one.by != command.by)
    removes = own[-1].verdict is Verdict.REMOVE
    if review.outcome is Weighed.REMOVE and not removes and _weighed(review, rest) is not Weighed.REMOVE:
        return Refusal("review.settled", "somebody else's word removed it, and taking yours back would undo that")
    return [ReviewTakenBack(by=command.by), *_follows(review, rest, now, command.afterthought)]


def _nobody_left(_review: Review, _command: FindNobodyLeft, _now: datetime) -> list[Event] | Refusal:
    return [ReviewNeedsOutside()]


# --- evolving


def evolve_review(review: Review | None, happened: Event) -> Review:
    """The review after `happened`. Raises ValueError for an event that no review in this state can have."""
    if review is None and isinstance(happened, ReviewOpened):
        return Review(
            case=happened.case,
            content=happened.content,
            version=happened.version,
            about=happened.about,
            state=ReviewState.WAITING,
            spoke=frozenset(happened.spoke),
            sampled=happened.sampled,
        )
    if review is None or review.state not in _POSSIBLE.get(type(happened), ()):
        message = f"no review can have {happened.tag!r} here"
        raise ValueError(message)
    return _EVOLVERS[type(happened)](review, happened)


def _was_asked(review: Review, happened: ReviewAsked) -> Review:
    return replace(review, state=ReviewState.ASKED, asked=happened.person, until=happened.until)


def _was_found(review: Review, happened: ReviewFound) -> Review:
    seen = Seen(step=happened.step, pictures=happened.pictures, of=happened.of)
    one = Finding(
        by=happened.by,
        verdict=happened.verdict,
        at=happened.at,
        seen=seen,
        ground=happened.ground,
        reason=happened.reason,
    )
    return _with(replace(review, spoke=review.spoke | {happened.by}), (*review.findings, one))


def _stepped_back(review: Review, happened: ReviewSteppedBack) -> Review:
    without = replace(review, recused=review.recused | {happened.by})
    return _unasked(without) if review.asked == happened.by else without


def _took_back(review: Review, happened: ReviewTakenBack) -> Review:
    """Whoever is asked just then keeps their turn, unless the others settle it: they may have looked already."""
    without = _with(review, tuple(one for one in review.findings if one.by != happened.by))
    if review.state is not ReviewState.ASKED or _weighed(review, without.findings) not in _ASKS:
        return without
    return replace(without, state=review.state, asked=review.asked, until=review.until)


def _with(review: Review, findings: tuple[Finding, ...]) -> Review:
    """The review with these findings, before what they settle is said."""
    again = replace(review, findings=findings, outcome=None, effective_at=None)
    return replace(_unasked(again), turn=_TURNS.get(_weighed(review, findings), review.turn))


def _unasked(review: Review) -> Review:
    return replace(review, state=ReviewState.WAITING, asked=None, until=None)


def _was_concluded(review: Review, happened: ReviewConcluded) -> Review:
    settled = replace(_unasked(review), state=ReviewState.CONCLUDED)
    return replace(settled, outcome=happened.outcome, effective_at=happened.effective_at)


def _goes_outside(review: Review, _happened: ReviewNeedsOutside) -> Review:
    return replace(_unasked(review), state=ReviewState.NEEDS_OUTSIDE)


def _was_given_back(review: Review, _happened: ReviewGivenBack) -> Review:
    return _unasked(review)


def review_subject(review_id: str) -> str:
    """The journal's subject for a review."""
    return f"review:{review_id}"


def _found(one: Finding, words: str) -> ReviewFound:
    return ReviewFound(
        by=one.by,
        at=one.at,
        verdict=one.verdict,
        ground=one.ground,
        reason=one.reason,
        step=one.seen.step,
        pictures=one.seen.pictures,
        of=one.seen.of,
        words=words,
    )


_DECIDERS: Final[Mapping[type, Callable[[Review, Any, datetime], list[Event] | Refusal]]] = {
    AskPerson: _ask,
    Find: _find,
    StepBack: _step_back,
    GiveBack: _give_back,
    TakeBack: _take_back,
    FindNobodyLeft: _nobody_left,
}
_EVOLVERS: Final[Mapping[type, Callable[[Review, Any], Review]]] = {
    ReviewAsked: _was_asked,
    ReviewFound: _was_found,
    ReviewSteppedBack: _stepped_back,
    ReviewGivenBack: _was_given_back,
    ReviewTakenBack: _took_back,
    ReviewConcluded: _was_concluded,
    ReviewNeedsOutside: _goes_outside,
}
_OPEN: Final = frozenset({ReviewState.WAITING, ReviewState.ASKED})
_POSSIBLE: Final[Mapping[type, frozenset[ReviewState]]] = {
    ReviewAsked: frozenset({ReviewState.WAITING, ReviewState.NEEDS_OUTSIDE}),
    ReviewFound: frozenset({ReviewState.ASKED}),
    ReviewSteppedBack: _OPEN,
    ReviewGivenBack: frozenset({ReviewState.ASKED}),
    ReviewTakenBack: frozenset(ReviewState),
    ReviewConcluded: frozenset({ReviewState.WAITING}),
    ReviewNeedsOutside: frozenset({ReviewState.WAITING}),
}
_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    OpenReview: ReviewOpened,
    AskPerson: ReviewAsked,
    Find: ReviewFound,
    StepBack: ReviewSteppedBack,
    GiveBack: ReviewGivenBack,
    TakeBack: ReviewTakenBack,
    FindNobodyLeft: ReviewNeedsOutside,
}

# Two people stand behind a release by what `weighing` asks for, not by a proposal: each is shown what the other is not.
for _command, _told in _TOLD_BY.items():
    register(_command, _told)
