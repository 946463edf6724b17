# SPDX-License-Identifier: Apache-2.0
"""An unscreened hold: an item held only because it could not be screened.

It is not an accusation and never becomes a case, a strike or a filing by itself. It has an owner,
a clock and exits: the same version of the item is screened after all, or a newer version is. When
the clock runs out it is overdue, which raises an alarm; the hold stays. Nothing ends it by time.
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


class UnscreenedState(StrEnum):
    """Where an unscreened hold stands."""

    OPEN = "open"
    """Waiting for the platform to send it again; its owner moves."""
    OVERDUE = "overdue"
    """The clock ran out and its owner was alarmed; still held."""
    SETTLED = "settled"
    """A later screening gave a verdict, or a newer version took its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscreened:
    """One item's version that is held because nothing is known about it."""

    content: str
    content_version: str
    reason: Reason
    owner: str
    due: datetime
    state: UnscreenedState


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenUnscreened:
    """Begin to hold."""

    content: str
    content_version: str
    reason: Reason
    screening: str
    owner: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TryUnscreenedAgain:
    """It was sent again and still could not be screened."""

    reason: Reason
    screening: str


@dataclass(frozen=True, slots=True)
class MarkOverdue:
    """Look at the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleUnscreened:
    """A verdict exists now."""

    screening: str
    verdict: str


UnscreenedCommand = OpenUnscreened | TryUnscreenedAgain | MarkOverdue | SettleUnscreened


@event("unscreened.opened")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnscreenedOpened(Event):
    """An item is held because it could not be screened; someone owns it and a clock runs."""

    content: str
    content_version: str
    reason: Reason
    screening: str
    owner: str
    due: datetime


@event("unscreened.tried_again")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnscreenedTriedAgain(Event):
    """The item was sent again and still could not be screened; the clock runs on."""

    reason: Reason
    screening: str


@event("unscreened.overdue")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnscreenedOverdue(Event):
    """The clock ran out. The owner was alarmed; the item stays held."""

    owner: str
    due: datetime


@event("unscreened.settled")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnscreenedSettled(Event):
    """A later screening reached a verdict, which now decides about the item."""

    screening: str
    verdict: str


UNSCREENED_TRANSITIONS: Final[Mapping[tuple[UnscreenedState | None, type], UnscreenedState]] = {
    (None, OpenUnscreened): UnscreenedState.OPEN,
    (UnscreenedState.OPEN, TryUnscreenedAgain): UnscreenedState.OPEN,
    (UnscreenedState.OPEN, MarkOverdue): UnscreenedState.OVERDUE,
    (UnscreenedState.OPEN, SettleUnscreened): UnscreenedState.SETTLED,
    (UnscreenedState.OVERDUE, TryUnscreenedAgain): UnscreenedState.OVERDUE,
    (UnscreenedState.OVERDUE, SettleUnscreened): UnscreenedState.SETTLED,
}


def decide_unscreened(held: Unscreened | None, command: UnscreenedCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the hold as it stands at `now`."""
    if (held and held.state, type(command)) not in UNSCREENED_TRANSITIONS:
        state = held.state if held else "not there"
        return Refusal("unscreened.not_in_this_state", f"the unscreened hold is {state}, and this cannot be done then")
    match held, command:
        case _, OpenUnscreened():
            return [
                UnscreenedOpened(
                    content=command.content,
                    content_version=command.content_version,
                    reason=command.reason,
                    screening=command.screening,
                    owner=command.owner,
                    due=command.due,
                )
            ]
        case _, TryUnscreenedAgain():
            return [UnscreenedTriedAgain(reason=command.reason, screening=command.screening)]
        case Unscreened(), MarkOverdue():
            if now < held.due:
                return Refusal("unscreened.not_due", f"the clock runs until {held.due.isoformat()}")
            return [UnscreenedOverdue(owner=held.owner, due=held.due)]
        case _, SettleUnscreened():
            return [UnscreenedSettled(screening=command.screening, verdict=command.verdict)]
    raise AssertionError  # the table above has no other pair


def evolve_unscreened(held: Unscreened | None, happened: Event) -> Unscreened:
    """The hold after `happened`.

    Raises ValueError for an event that no such hold in this state can have.
    """
    match held, happened:
        case None, UnscreenedOpened():
            return Unscreened(
                content=happened.content,
                content_version=happened.content_version,
                reason=happened.reason,
                owner=happened.owner,
                due=happened.due,
                state=UnscreenedState.OPEN,
            )
        case Unscreened(state=UnscreenedState.OPEN | UnscreenedState.OVERDUE), UnscreenedTriedAgain():
            return replace(held, reason=happened.reason)
        case Unscreened(state=UnscreenedState.OPEN), UnscreenedOverdue():
            return replace(held, state=UnscreenedState.OVERDUE)
        case Unscreened(state=UnscreenedState.OPEN | UnscreenedState.OVERDUE), UnscreenedSettled():
            return replace(held, state=UnscreenedState.SETTLED)
    message = f"no unscreened hold can have {happened.tag!r} here"
    raise ValueError(message)


def unscreened_subject(hold_id: str) -> str:
    """The journal's subject for an unscreened hold."""
    return f"unscreened:{hold_id}"
