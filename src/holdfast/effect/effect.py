# SPDX-License-Identifier: Apache-2.0
"""An effect: one act on the world outside, owed since the transaction that decided on it.

It has a subject, which is one item at one location, and stands in that subject's line: it is done
after what was owed before it and before what is owed after it. It is done at least once; its id is
the idempotency key of the call it makes. What does not succeed within its tries is quarantined: an
alarm with an owner, never a log line. A quarantined effect blocks its own subject alone, and even
there what protects may go first; what releases never may.

`decide_effect` and `evolve_effect` are pure; time and identity are passed in. A lease and a try
that failed are kept in the table alone (`EffectLeased`, `EffectFailed`), not in the journal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText

LONGEST_REFERENCE: Final = 255
LOST: Final = "the worker at it was lost"
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_REFERENCE: Final = re.compile(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{LONGEST_REFERENCE}}}")
_ID: Final = re.compile(rf"[^\s\x00-\x1f\x7f\ud800-\udfff]{{1,{LONGEST_REFERENCE}}}")


class Weight(StrEnum):
    """What an effect does to protection."""

    PROTECTIVE = "protective"
    """Less can be reached after it, or somebody is called. May go before what is quarantined."""
    NEUTRAL = "neutral"
    """Nothing more and nothing less can be reached after it."""
    RELEASING = "releasing"
    """More can be reached after it. Never goes before anything."""


class EffectState(StrEnum):
    """Where an effect stands."""

    WAITING = "waiting"
    LEASED = "leased"
    """A worker is at it."""
    DONE = "done"
    QUARANTINED = "quarantined"
    """It did not succeed; its owner was alarmed and decides."""
    GIVING_UP = "giving_up"
    """One person wants to give it up; another has to agree."""
    GIVEN_UP = "given_up"


OPEN: Final = frozenset({EffectState.WAITING, EffectState.LEASED, EffectState.QUARANTINED, EffectState.GIVING_UP})
"""Still owed."""


@dataclass(frozen=True, slots=True)
class PayloadId:
    """One id that the act needs, by its name. Never a text, never anything about a person."""

    name: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done, to what, how urgently, and who answers for it."""

    kind: str
    item: str
    location: str
    payload: tuple[PayloadId, ...] = ()
    weight: Weight
    deadline: datetime
    """Not done by then, its owner is alarmed; it is tried on."""
    most_tries: int = 10
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """An effect as it stands."""

    order: Order
    state: EffectState
    tries: int = 0
    late: bool = False
    asked_by: str | None = None
    """Who wants to give it up."""


# --- commands


@dataclass(frozen=True, slots=True)
class EnqueueEffect:
    """Owe it."""

    order: Order


@dataclass(frozen=True, slots=True)
class LeaseEffect:
    """Begin a try."""


@dataclass(frozen=True, slots=True)
class FinishEffect:
    """It was done."""


@dataclass(frozen=True, slots=True)
class FailEffect:
    """A try failed; another may not."""

    fault: str


@dataclass(frozen=True, slots=True)
class RefuseEffect:
    """The other side refused it for good."""

    fault: str


@dataclass(frozen=True, slots=True)
class OvertakeEffect:
    """It releases, and something protective that was owed later went first: to do it now would undo that."""


@dataclass(frozen=True, slots=True)
class LoseEffect:
    """The worker that was at it has not been heard of within its time."""


@dataclass(frozen=True, slots=True)
class MarkEffectLate:
    """Look at the clock."""


@dataclass(frozen=True, slots=True)
class RetryEffect:
    """Try it again after all. `overtaken`: something protective owed later was done, or is being done, already."""

    because: str
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class AskToGiveUpEffect:
    """One person wants to give it up. `by`: who, not with which key or account."""

    by: str
    because: str


@dataclass(frozen=True, slots=True)
class GiveUpEffect:
    """Another person agrees. `by`: who, not with which key or account."""

    by: str
    because: str


EffectCommand = (
    EnqueueEffect
    | LeaseEffect
    | FinishEffect
    | FailEffect
    | RefuseEffect
    | LoseEffect
    | OvertakeEffect
    | MarkEffectLate
    | RetryEffect
    | AskToGiveUpEffect
    | GiveUpEffect
)


# --- events


@event("effect.enqueued")
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectEnqueued(Event):
    """An act on the world outside is owed, to one item at one location; ids only."""

    kind: str
    item: str
    location: str
    payload: tuple[PayloadId, ...]
    weight: Weight
    deadline: datetime
    most_tries: int
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectLeased(Event):
    """A worker began a try. In the table alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed(Event):
    """A try failed and another is due. In the table alone."""


@event("effect.done")
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectDone(Event):
    """The other side confirmed the act; `tries` counts every attempt, this one too."""

    tries: int


@event("effect.quarantined")
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectQuarantined(Event):
    """The act did not succeed within its tries, or was refused; its owner was alarmed. It is still owed."""

    tries: int
    fault: str
    owner: str


@event("effect.late")
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectLate(Event):
    """The act was not done by its deadline; its owner was alarmed. It is tried on."""

    owner: str
    deadline: datetime


@event("effect.retried")
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRetried(Event):
    """A person let a quarantined act be tried again, with all its tries."""

    because: PrivateText


@event("effect.giving_up_asked")
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectGivingUpAsked(Event):
    """One person, `by`, wants to give a quarantined act up; nothing changes until another agrees."""

    by: str
    because: PrivateText


@event("effect.given_up")
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectGivenUp(Event):
    """Two people gave a quarantined act up: it is no longer owed."""

    asked_by: str
    by: str
    because: PrivateText


# --- the table: (state before, command) -> state after; None is "does not exist yet"
# FailEffect and LoseEffect lead to QUARANTINED instead once the tries are used up.

EFFECT_TRANSITIONS: Final[Mapping[tuple[EffectState | None, type], EffectState]] = {
    (None, EnqueueEffect): EffectState.WAITING,
    (EffectState.WAITING, LeaseEffect): EffectState.LEASED,
    (EffectState.LEASED, FinishEffect): EffectState.DONE,
    (EffectState.LEASED, FailEffect): EffectState.WAITING,
    (EffectState.LEASED, LoseEffect): EffectState.WAITING,
    (EffectState.LEASED, RefuseEffect): EffectState.QUARANTINED,
    (EffectState.WAITING, OvertakeEffect): EffectState.QUARANTINED,
    (EffectState.WAITING, MarkEffectLate): EffectState.WAITING,
    (EffectState.LEASED, MarkEffectLate): EffectState.LEASED,
    (EffectState.QUARANTINED, RetryEffect): EffectState.WAITING,
    (EffectState.GIVING_UP, RetryEffect): EffectState.WAITING,
    (EffectState.QUARANTINED, AskToGiveUpEffect): EffectState.GIVING_UP,
    (EffectState.GIVING_UP, GiveUpEffect): EffectState.GIVEN_UP,
}


def decide_effect(effect: Effect | None, command: EffectCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the effect as it stands at `now`.

    Raises InvalidRequest for a command that could never be carried out.
    """
    if (effect and effect.state, type(command)) not in EFFECT_TRANSITIONS:
        state = effect.state if effect else "not there"
        return Refusal("effect.not_in_this_state", f"the effect is {state}, and this cannot be done then")
    if effect is None:
        assert isinstance(command, EnqueueEffect)
        return [_enqueued(command.order)]
    tried = _decide_try(effect, command)
    return [tried] if tried else _decide_with_clock_or_person(effect, command, now)


def evolve_effect(effect: Effect | None, happened: Event) -> Effect:
    """The effect after `happened`.

    Raises ValueError for an event that no effect in this state can have. A journal does not tell of
    leases, so what ends one may follow straight upon waiting.
    """
    match effect, happened:
        case None, EffectEnqueued():
            return Effect(order=_order(happened), state=EffectState.WAITING)
        case Effect(state=EffectState.WAITING | EffectState.LEASED), _:
            after = _evolve_try(effect, happened)
        case Effect(state=EffectState.QUARANTINED | EffectState.GIVING_UP), _:
            after = _evolve_quarantined(effect, happened)
        case _:
            after = None
    if after is None:
        message = f"no effect can have {happened.tag or type(happened).__name__!r} here"
        raise ValueError(message)
    return after


def effect_subject(effect_id: str) -> str:
    """The journal's subject for an effect."""
    return f"effect:{effect_id}"


def _evolve_try(effect: Effect, happened: Event) -> Effect | None:
    """A waiting or leased effect after this; None if it cannot have it."""
    leased = effect.state is EffectState.LEASED
    match happened:
        case EffectLeased() if not leased:
            return replace(effect, state=EffectState.LEASED, tries=effect.tries + 1)
        case EffectFailed() if leased:
            return replace(effect, state=EffectState.WAITING)
        case EffectDone(tries=tries):
            return replace(effect, state=EffectState.DONE, tries=tries)
        case EffectQuarantined(tries=tries):
            return replace(effect, state=EffectState.QUARANTINED, tries=tries)
        case EffectLate() if not effect.late:
            return replace(effect, late=True)
    return None


def _evolve_quarantined(effect: Effect, happened: Event) -> Effect | None:
    """An effect that people decide about, after this; None if it cannot have it."""
    asked = effect.state is EffectState.GIVING_UP
    match happened:
        case EffectRetried():
            return replace(effect, state=EffectState.WAITING, tries=0, asked_by=None)
        case EffectGivingUpAsked(by=by) if not asked:
            return replace(effect, state=EffectState.GIVING_UP, asked_by=by)
        case EffectGivenUp() if asked:
            return replace(effect, state=EffectState.GIVEN_UP)
    return None


def _decide_try(effect: Effect, command: EffectCommand) -> Event | None:  # noqa: PLR0911  # one line per command
    """What a worker's command leads to; None if it is not a worker's."""
    match command:
        case LeaseEffect():
            return EffectLeased()
        case FinishEffect():
            return EffectDone(tries=effect.tries)
        case FailEffect(fault=fault):
            return _failed(effect, fault)
        case LoseEffect():
            return _failed(effect, LOST)
        case RefuseEffect(fault=fault):
            return _quarantined(effect, fault)
        case OvertakeEffect():
            return _quarantined(effect, "overtaken by something protective")
    return None


def _decide_with_clock_or_person(effect: Effect, command: EffectCommand, now: datetime) -> list[Event] | Refusal:
    match command:
        case MarkEffectLate():
            if effect.late or now < effect.order.deadline:
                return Refusal("effect.not_late", "the clock still runs, or its owner was alarmed already")
            return [EffectLate(owner=effect.order.owner, deadline=effect.order.deadline)]
        case RetryEffect():
            return _retried(effect, command)
        case AskToGiveUpEffect():
            check_text("because", command.because)
            return [EffectGivingUpAsked(by=command.by, because=command.because.strip())]
        case GiveUpEffect():
            return _given_up(effect, command)
    raise AssertionError  # the table above has no other pair


def _retried(effect: Effect, command: RetryEffect) -> list[Event] | Refusal:
    if command.overtaken and effect.order.weight is Weight.RELEASING:
        because = "something protective was decided later and went first; this would undo it, so give it up"
        return Refusal("effect.overtaken", because)
    check_text("because", command.because)
    return [EffectRetried(because=command.because.strip())]


def _given_up(effect: Effect, command: GiveUpEffect) -> list[Event] | Refusal:
    assert effect.asked_by is not None
    if command.by == effect.asked_by:
        return Refusal("effect.same_person", "nobody gives up alone what is owed: another person has to agree")
    check_text("because", command.because)
    return [EffectGivenUp(asked_by=effect.asked_by, by=command.by, because=command.because.strip())]


def _failed(effect: Effect, fault: str) -> Event:
    """Another try, unless this was the last."""
    return _quarantined(effect, fault) if effect.tries >= effect.order.most_tries else EffectFailed()


def _quarantined(effect: Effect, fault: str) -> EffectQuarantined:
    return EffectQuarantined(tries=effect.tries, fault=fault, owner=effect.order.owner)


def _enqueued(order: Order) -> EffectEnqueued:
    _check(order)
    return EffectEnqueued(
        kind=order.kind,
        item=order.item,
        location=order.location,
        payload=order.payload,
        weight=order.weight,
        deadline=order.deadline,
        most_tries=order.most_tries,
        owner=order.owner,
    )


def _order(told: EffectEnqueued) -> Order:
    return Order(
        kind=told.kind,
        item=told.item,
        location=told.location,
        payload=told.payload,
        weight=told.weight,
        deadline=told.deadline,
        most_tries=told.most_tries,
        owner=told.owner,
    )


def _check(order: Order) -> None:
    """Raise InvalidRequest, naming the field, for an order that could never be carried out."""
    check_text("owner", order.owner)
    faults = {
        "kind": not _WORD.fullmatch(order.kind),
        "item": not _REFERENCE.fullmatch(order.item),
        "location": not _REFERENCE.fullmatch(order.location),
        "payload": not all(_WORD.fullmatch(one.name) and _ID.fullmatch(one.id) for one in order.payload),
        "payload names": len({one.name for one in order.payload}) != len(order.payload),
        "most_tries": order.most_tries < 1,
        "deadline": order.deadline.tzinfo is None,
    }
    wrong = [field for field, fault in faults.items() if fault]
    if wrong:
        message = f"{', '.join(wrong)}: not of the form that an effect takes"
        raise InvalidRequest(message)


register(EnqueueEffect, EffectEnqueued)
register(LeaseEffect, EffectLeased)
register(FinishEffect, EffectDone)
register(FailEffect, EffectFailed)
register(RefuseEffect, EffectQuarantined)
register(OvertakeEffect, EffectQuarantined)
register(LoseEffect, EffectFailed)
register(MarkEffectLate, EffectLate)
register(RetryEffect, EffectRetried)  # it was decided on before, and is refused where it would undo what protects
register(AskToGiveUpEffect, EffectGivingUpAsked)
register(GiveUpEffect, EffectGivenUp)  # it is the second person; who that may be is decided above
