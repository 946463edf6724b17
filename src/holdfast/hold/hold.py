# SPDX-License-Identifier: Apache-2.0
"""A hold at one location: asked for, confirmed, seen again as a stranger would, and never taken on trust.

Held means unreachable and undeletable. It is asked for at once, and shown as held only when the platform
says so or when somebody who is nobody there finds nothing. It is looked at again after a minute, an hour
and each day; what can be seen again is a breach: held anew, with an alarm. A release needs a decision, and
two people; time alone ends nothing.

`decide_hold` and `evolve_hold` are pure; time is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import TwoFound, register
from holdfast.errors import Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText

PATIENCE: Final = timedelta(seconds=60)
"""After which an unconfirmed hold is an alarm; it is asked for on."""
_LOOKS: Final = (timedelta(minutes=1), timedelta(hours=1))
_LOOKS_AFTER: Final = timedelta(days=1)


class HoldState(StrEnum):
    """Where a hold at one location stands."""

    STAGED = "staged"
    """Waits for the published budget; the receipt says that it is not hidden yet."""
    REQUESTED = "requested"
    """The platform was asked, and has not confirmed."""
    CONFIRMED = "confirmed"
    """Out of reach, by the platform's word or by looking."""
    BREACHED = "breached"
    """It was confirmed, and a stranger saw it; asked for again, with an alarm."""
    REFUSED = "refused"
    """The platform says no; a person moves."""
    UNREACHABLE = "unreachable"
    """The platform does not answer; asked on, and a person knows."""
    GONE = "gone"
    """There is nothing there any more."""
    RELEASED = "released"
    """A decision of two people let it be seen again."""
    REMOVED = "removed"
    """A decision took it away for good."""


class ConfirmedBy(StrEnum):
    """What a confirmation rests on."""

    PLATFORM = "platform"
    LOOKING = "looking"


_OPEN: Final = frozenset(
    {HoldState.STAGED, HoldState.REQUESTED, HoldState.CONFIRMED, HoldState.BREACHED, HoldState.REFUSED,
     HoldState.UNREACHABLE}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One item's version at one location, and how its hold stands."""

    case: str
    item: str
    version: str
    location: str
    state: HoldState
    asked_at: datetime
    confirmed_at: datetime | None = None
    looks: int = 0
    """How often it was looked at since it was confirmed last."""
    alarmed: bool = False
    """Whether its owner knows that it was not confirmed in time."""

    @property
    def keeps(self) -> bool:
        """Whether it is still meant to be out of reach."""
        return self.state in _OPEN or self.state is HoldState.REMOVED

    @property
    def look_at(self) -> datetime | None:
        """When somebody looks again; None while there is nothing to be seen again."""
        if self.state is not HoldState.CONFIRMED or self.confirmed_at is None:
            return None
        if self.looks < len(_LOOKS):
            return self.confirmed_at + _LOOKS[self.looks]
        return self.confirmed_at + _LOOKS[-1] + (self.looks - len(_LOOKS) + 1) * _LOOKS_AFTER


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHold:
    """Ask the platform for it."""

    case: str
    item: str
    version: str
    location: str
    url: str = ""
    """What a stranger would open; empty where nobody can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageHold:
    """Let it wait for the budget."""

    case: str
    item: str
    version: str
    location: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Ask the platform for it once more; for what was staged, for the first time."""


@dataclass(frozen=True, slots=True)
class ConfirmHold:
    """It is out of reach."""

    by: ConfirmedBy


@dataclass(frozen=True, slots=True)
class SeeHeld:
    """It was looked at again, and is still out of reach."""


@dataclass(frozen=True, slots=True)
class FindBreach:
    """It was looked at again, and can be seen."""


@dataclass(frozen=True, slots=True)
class RefuseHold:
    """The platform says no."""

    because: str


@dataclass(frozen=True, slots=True)
class LoseSight:
    """The platform does not answer."""


@dataclass(frozen=True, slots=True)
class FindGone:
    """There is nothing there any more."""


@dataclass(frozen=True, slots=True)
class MarkUnconfirmed:
    """Look at the clock."""


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Let it be seen again, because of a decision."""

    decision: str
    because: str


@dataclass(frozen=True, slots=True)
class RemoveHeld:
    """Take it away for good, because of a decision."""

    decision: str


HoldCommand = (
    AskHold | StageHold | AskAgain | ConfirmHold | SeeHeld | FindBreach | RefuseHold | LoseSight | FindGone
    | MarkUnconfirmed | ReleaseHold | RemoveHeld
)  # fmt: skip


# --- events


@event("hold.requested")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequested(Event):
    """The platform is asked to put an item out of reach at one location, undeletable."""

    case: str
    item: str
    version: str
    location: str
    url: PrivateText
    asked_at: datetime


@event("hold.staged")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStaged(Event):
    """A hold waits for the published budget of holds from unproven words."""

    case: str
    item: str
    version: str
    location: str
    url: PrivateText
    asked_at: datetime


@event("hold.asked_again")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAskedAgain(Event):
    """The platform is asked once more; or for the first time, for what was staged."""

    asked_at: datetime


@event("hold.confirmed")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldConfirmed(Event):
    """It is out of reach: the platform says so, or somebody who is nobody there looked."""

    by: ConfirmedBy
    confirmed_at: datetime


@event("hold.seen_held")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSeenHeld(Event):
    """It was looked at again as a stranger, and is out of reach."""


@event("hold.breached")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBreached(Event):
    """A stranger could see what was confirmed as held. It is asked for again; an incident."""

    seen_at: datetime


@event("hold.refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRefused(Event):
    """The platform refused to put it out of reach."""

    because: PrivateText


@event("hold.unreachable")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldUnreachable(Event):
    """The platform does not answer for this location. It is asked on."""


@event("hold.gone")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldGone(Event):
    """There is nothing at this location any more, by whoever's act."""


@event("hold.unconfirmed")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldUnconfirmed(Event):
    """It was not confirmed in time. Its owner was alarmed; it is asked for on."""

    asked_at: datetime


@event("hold.released")
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleased(Event):
    """A decision of two people let it be seen again."""

    decision: str
    because: PrivateText


@event("hold.removed")
@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRemoved(Event):
    """A decision took it away for good."""

    decision: str


# --- the table: (state before, command) -> state after; None is "does not exist yet"

_ASKED_AGAIN: Final = (
    HoldState.STAGED, HoldState.REFUSED, HoldState.UNREACHABLE, HoldState.RELEASED, HoldState.REMOVED, HoldState.GONE
)  # fmt: skip
_WAITING: Final = (HoldState.REQUESTED, HoldState.BREACHED, HoldState.REFUSED, HoldState.UNREACHABLE)
_RELEASED: Final = (*_WAITING, HoldState.STAGED, HoldState.CONFIRMED, HoldState.REMOVED)
HOLD_TRANSITIONS: Final[Mapping[tuple[HoldState | None, type], HoldState]] = {
    (None, AskHold): HoldState.REQUESTED,
    (None, StageHold): HoldState.STAGED,
    **{(state, AskAgain): HoldState.REQUESTED for state in _ASKED_AGAIN},
    **{(state, ConfirmHold): HoldState.CONFIRMED for state in _WAITING},
    (HoldState.CONFIRMED, SeeHeld): HoldState.CONFIRMED,
    (HoldState.CONFIRMED, FindBreach): HoldState.BREACHED,
    **{(state, RefuseHold): HoldState.REFUSED for state in (HoldState.REQUESTED, HoldState.BREACHED)},
    **{(state, LoseSight): HoldState.UNREACHABLE for state in (HoldState.REQUESTED, HoldState.BREACHED)},
    **{(state, FindGone): HoldState.GONE for state in (*_WAITING, HoldState.STAGED, HoldState.CONFIRMED)},
    **{(state, MarkUnconfirmed): state for state in _WAITING},
    **{(state, ReleaseHold): HoldState.RELEASED for state in _RELEASED},
    **{(state, RemoveHeld): HoldState.REMOVED for state in (*_WAITING, HoldState.STAGED, HoldState.CONFIRMED)},
}


def decide_hold(hold: Hold | None, command: HoldCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the hold as it stands at `now`.

    Raises InvalidRequest for a reason that cannot be kept.
    """
    if (hold and hold.state, type(command)) not in HOLD_TRANSITIONS:
        state = hold.state if hold else "not there"
        return Refusal("hold.not_in_this_state", f"the hold is {state}, and this cannot be done then")
    if hold is not None and isinstance(command, MarkUnconfirmed):
        return _unconfirmed(hold, now)
    return [_event(command, now)]


def evolve_hold(hold: Hold | None, happened: Event) -> Hold:
    """The hold after `happened`.

    Raises ValueError for an event that no hold in this state can have.
    """
    if hold is None and isinstance(happened, (HoldRequested, HoldStaged)):
        return _begun(happened)
    if hold is None or (hold.state, type(happened)) not in _POSSIBLE:
        message = f"no hold can have {happened.tag!r} here"
        raise ValueError(message)
    return _changed(hold, happened)


def hold_subject(hold_id: str) -> str:
    """The journal's subject for a hold."""
    return f"hold:{hold_id}"


_ENDS: Final[Mapping[type[Event], HoldState]] = {
    HoldRefused: HoldState.REFUSED,
    HoldUnreachable: HoldState.UNREACHABLE,
    HoldGone: HoldState.GONE,
    HoldReleased: HoldState.RELEASED,
    HeldRemoved: HoldState.REMOVED,
}


def _begun(happened: HoldRequested | HoldStaged) -> Hold:
    return Hold(
        case=happened.case,
        item=happened.item,
        version=happened.version,
        location=happened.location,
        state=HoldState.REQUESTED if isinstance(happened, HoldRequested) else HoldState.STAGED,
        asked_at=happened.asked_at,
    )


def _changed(hold: Hold, happened: Event) -> Hold:
    match happened:
        case HoldAskedAgain(asked_at=at):
            return replace(hold, state=HoldState.REQUESTED, asked_at=at, confirmed_at=None, looks=0, alarmed=False)
        case HoldConfirmed(confirmed_at=at):
            return replace(hold, state=HoldState.CONFIRMED, confirmed_at=at, looks=0, alarmed=False)
        case HoldSeenHeld():
            return replace(hold, looks=hold.looks + 1)
        case HoldBreached(seen_at=at):
            return replace(hold, state=HoldState.BREACHED, asked_at=at, confirmed_at=None, looks=0)
        case HoldUnconfirmed():
            return replace(hold, alarmed=True)
    return replace(hold, state=_ENDS[type(happened)])


def _unconfirmed(hold: Hold, now: datetime) -> list[Event] | Refusal:
    if hold.alarmed:
        return []
    if now < hold.asked_at + PATIENCE:
        return Refusal("hold.not_due", "the platform still has time to confirm")
    return [HoldUnconfirmed(asked_at=hold.asked_at)]


def _event(command: HoldCommand, now: datetime) -> Event:
    match command:
        case AskHold() | StageHold():
            about = {name: getattr(command, name) for name in ("case", "item", "version", "location", "url")}
            return (HoldRequested if isinstance(command, AskHold) else HoldStaged)(**about, asked_at=now)
        case AskAgain() | ConfirmHold() | FindBreach():
            return _at(command, now)
        case RefuseHold(because=because):
            return HoldRefused(because=_reason(because))
        case ReleaseHold(decision=decision, because=because):
            return HoldReleased(decision=decision, because=_reason(because))
    if isinstance(command, RemoveHeld):
        return HeldRemoved(decision=command.decision)
    return _PLAIN[type(command)]()


def _at(command: AskAgain | ConfirmHold | FindBreach, now: datetime) -> Event:
    if isinstance(command, AskAgain):
        return HoldAskedAgain(asked_at=now)
    if isinstance(command, ConfirmHold):
        return HoldConfirmed(by=command.by, confirmed_at=now)
    return HoldBreached(seen_at=now)


def _is_released_by(command: ReleaseHold, hold: Hold, found: TwoFound, _subject: str) -> bool:
    """Whether two people found it of just this item's version, and this is what was decided with that."""
    about = (hold.case, command.decision) == (found.case, found.decision)
    return about and (hold.item, hold.version) in found.items


def _reason(because: str) -> str:
    check_text("because", because)
    return because.strip()


_PLAIN: Final[Mapping[type, type[Event]]] = {
    SeeHeld: HoldSeenHeld,
    LoseSight: HoldUnreachable,
    FindGone: HoldGone,
}

_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    AskHold: HoldRequested,
    StageHold: HoldStaged,
    AskAgain: HoldAskedAgain,
    ConfirmHold: HoldConfirmed,
    FindBreach: HoldBreached,
    RefuseHold: HoldRefused,
    MarkUnconfirmed: HoldUnconfirmed,
    ReleaseHold: HoldReleased,
    RemoveHeld: HeldRemoved,
    **_PLAIN,
}
_POSSIBLE: Final = frozenset((state, _TOLD_BY[command]) for state, command in HOLD_TRANSITIONS if state is not None)


register(AskHold, HoldRequested)
register(StageHold, HoldStaged)  # the flood valve, by a published rule; it never undoes a hold
register(AskAgain, HoldAskedAgain)
register(ConfirmHold, HoldConfirmed)
register(SeeHeld, HoldSeenHeld)
register(FindBreach, HoldBreached)
register(RefuseHold, HoldRefused)
register(LoseSight, HoldUnreachable)
register(FindGone, HoldGone)
register(MarkUnconfirmed, HoldUnconfirmed)
register(ReleaseHold, HoldReleased, when="always", weakens=lambda _command, _state: True, settled=_is_released_by)
register(RemoveHeld, HeldRemoved)
