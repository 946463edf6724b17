# SPDX-License-Identifier: Apache-2.0
"""A long screening: an upload that is answered later, and held until then.

It is received, taken up by one process after another until one of them finishes, and ends with a
verdict, or held for a person because none could be reached. Who takes it up holds a lease and a
number: each taking has a higher one. A lease that ran out lets the next one take it up; the one that
was late is known by its number, and nothing it says counts any more. No time and no failure ends it
without an answer, and none of its states means that the item may be published but a verdict that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from holdfast.errors import Refusal
from holdfast.log.event import Event, event
from holdfast.media.reason import Reason

ALARMING: Final = frozenset(
    {
        Reason.UPLOAD_LOST,
        Reason.GIVEN_UP,
        Reason.TIMED_OUT,
        Reason.DECODER_FAILED,
        Reason.DECODER_UNAVAILABLE,
    }
)
"""Why no verdict was reached, where somebody should look at us and not at the file."""


class LongState(StrEnum):
    """Where a long screening stands."""

    WAITING = "waiting"
    """Received, on disk and recorded; a process of ours takes it up next."""
    RUNNING = "running"
    """A process holds it; if it dies, its lease runs out and another takes it up."""
    ANSWERED = "answered"
    """A verdict was reached and recorded."""
    HELD_FOR_PERSON = "held_for_person"
    """No verdict could be reached. Held, with an owner and a clock, as an unscreened hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongScreening:
    """One upload that is answered later. `taken` counts who took it up; the last one's number fences the others."""

    content: str
    content_version: str
    due: datetime
    state: LongState = LongState.WAITING
    taken: int = 0
    free_from: datetime | None = None
    """When it may be taken up: the end of the lease while it runs, of a pause after a failure; None: at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveLong:
    """Keep an upload to be screened later."""

    content: str
    content_version: str
    surface: str
    size: int
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeUpLong:
    """Begin to screen it, with a lease until `lease_until`."""

    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBackLong:
    """It failed for a reason that may pass; try again from `free_from` on."""

    taking: int
    reason: Reason
    free_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLong:
    """A verdict was reached."""

    taking: int
    verdict: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLongForPerson:
    """No verdict can be reached."""

    taking: int
    reason: Reason


LongCommand = ReceiveLong | TakeUpLong | PutBackLong | AnswerLong | HoldLongForPerson


@event("screening.long.received")
@dataclass(frozen=True, slots=True, kw_only=True)
class LongReceived(Event):
    """An upload is on disk and will be answered later; the item is held until then."""

    content: str
    content_version: str
    surface: str
    size: int
    due: datetime


@event("screening.long.begun")
@dataclass(frozen=True, slots=True, kw_only=True)
class LongBegun(Event):
    """A process began to screen it. A second taking means that the first one never said how it ended."""

    taking: int


@event("screening.long.put_back")
@dataclass(frozen=True, slots=True, kw_only=True)
class LongPutBack(Event):
    """It could not be screened this time, for a reason that may pass."""

    taking: int
    reason: Reason


@event("screening.long.answered")
@dataclass(frozen=True, slots=True, kw_only=True)
class LongAnswered(Event):
    """A verdict was reached; the answer of the same id says which, and why."""

    taking: int
    verdict: str
    answer: str


@event("screening.long.held_for_person")
@dataclass(frozen=True, slots=True, kw_only=True)
class LongHeldForPerson(Event):
    """No verdict can be reached; an unscreened hold with an owner and a clock begins."""

    taking: int
    reason: Reason


LONG_TRANSITIONS: Final[Mapping[tuple[LongState | None, type], LongState]] = {
    (None, ReceiveLong): LongState.WAITING,
    (LongState.WAITING, TakeUpLong): LongState.RUNNING,
    (LongState.RUNNING, TakeUpLong): LongState.RUNNING,
    (LongState.RUNNING, PutBackLong): LongState.WAITING,
    (LongState.RUNNING, AnswerLong): LongState.ANSWERED,
    (LongState.RUNNING, HoldLongForPerson): LongState.HELD_FOR_PERSON,
}


def decide_long(long: LongScreening | None, command: LongCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the long screening as it stands at `now`."""
    if (long and long.state, type(command)) not in LONG_TRANSITIONS:
        state = long.state if long else "not there"
        return Refusal("long.not_in_this_state", f"the screening is {state}, and this cannot be done then")
    match long, command:
        case None, ReceiveLong():
            return [_received(command)]
        case LongScreening(), TakeUpLong():
            if long.free_from and now < long.free_from:
                return Refusal("long.leased", f"it may be taken up from {long.free_from.isoformat()} on")
            return [LongBegun(taking=long.taken + 1)]
        case LongScreening(), PutBackLong() | AnswerLong() | HoldLongForPerson():
            return _ended(long, command)
    raise AssertionError  # the table above has no other pair


def _received(command: ReceiveLong) -> Event:
    return LongReceived(
        content=command.content,
        content_version=command.content_version,
        surface=command.surface,
        size=command.size,
        due=command.due,
    )


def _ended(long: LongScreening, command: PutBackLong | AnswerLong | HoldLongForPerson) -> list[Event] | Refusal:
    """How a taking ended, if it is the last one: an earlier one lost its lease and says nothing any more."""
    if command.taking != long.taken:
        return Refusal("long.taken_over", f"taking {command.taking} lost its lease to taking {long.taken}")
    match command:
        case PutBackLong():
            return [LongPutBack(taking=command.taking, reason=command.reason)]
        case AnswerLong():
            return [LongAnswered(taking=command.taking, verdict=command.verdict, answer=command.answer)]
        case HoldLongForPerson():
            return [LongHeldForPerson(taking=command.taking, reason=command.reason)]


def evolve_long(long: LongScreening | None, happened: Event) -> LongScreening:
    """The long screening after `happened`; when it is free again stands beside it, not in the journal.

    Raises ValueError for an event that no long screening in this state can have.
    """
    match long, happened:
        case None, LongReceived():
            return LongScreening(content=happened.content, content_version=happened.content_version, due=happened.due)
        case LongScreening(state=LongState.WAITING | LongState.RUNNING), LongBegun():
            return replace(long, state=LongState.RUNNING, taken=happened.taking, free_from=None)
        case LongScreening(state=LongState.RUNNING), LongPutBack():
            return replace(long, state=LongState.WAITING, free_from=None)
        case LongScreening(state=LongState.RUNNING), LongAnswered():
            return replace(long, state=LongState.ANSWERED, free_from=None)
        case LongScreening(state=LongState.RUNNING), LongHeldForPerson():
            return replace(long, state=LongState.HELD_FOR_PERSON, free_from=None)
    message = f"no long screening can have {happened.tag!r} here"
    raise ValueError(message)


def long_subject(screening: str) -> str:
    """The journal's subject for a long screening; its answer has a subject of its own with the same id."""
    return f"long:{screening}"
