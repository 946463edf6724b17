# SPDX-License-Identifier: Apache-2.0
"""One look at one picture of an item: for whom, how clearly, and that it was written down before it was shown.

Whoever is asked about an item is given an address for a picture. It opens once, within a minute, in the session and for
the person that it was given to, and that it is opened is an event before a byte leaves. Steps are taken in order,
picture by picture: nobody sees in grey what they did not see blurred. What somebody saw in a day is their exposure,
and has a budget.

`decide_viewing` and `evolve_viewing` are pure; time is passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import Refusal
from holdfast.log.event import Event, event
from holdfast.review.viewing import Seen, Step

ADDRESS_LIVES: Final = timedelta(seconds=60)
MOST_AT_ONCE: Final = 48
"""Pictures for which somebody may ask at once: a page of them."""
COST: Final[Mapping[Step, int]] = {Step.BLURRED: 1, Step.GREY: 4, Step.CLEAR: 8}
"""What a picture takes of a day's budget, in quarters of one seen in grey."""
QUARTERS: Final = 4


class ViewingState(StrEnum):
    """Where a viewing stands. What nobody opened is none."""

    SHOWN = "shown"
    """The picture was shown, as far as anybody here can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of an item's version, at one step."""

    case: str
    review: str
    content: str
    version: str
    step: Step
    number: int
    """From 0."""
    of: int
    """How many pictures the item has; 0 if nobody knows."""
    at_ms: int | None = None
    """When it is shown, in a video."""
    lasts_ms: int = 0
    """How much of the video it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What an address would show, to whom, and until when."""

    picture: Picture
    person: str
    session: str
    """A digest of the session's own name."""
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """A picture that somebody was shown."""

    person: str
    session: str
    picture: Picture
    state: ViewingState = ViewingState.SHOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPicture:
    """Open an address, as this person in this session. `reached`: how clearly they saw this picture before."""

    address: Address
    by: str
    session: str
    reached: Step


ViewingCommand = ShowPicture


@event("viewing.shown")
@dataclass(frozen=True, slots=True, kw_only=True)
class ViewingShown(Event):
    """Somebody is being shown one picture of an item. Written before a byte of it leaves."""

    person: str
    session: str
    case: str
    review: str
    content: str
    version: str
    step: Step
    number: int
    of: int
    at_ms: int | None
    lasts_ms: int


VIEWING_TRANSITIONS: Final[Mapping[tuple[ViewingState | None, type], ViewingState]] = {
    (None, ShowPicture): ViewingState.SHOWN,
}
NOTHING_HERE: Final = Refusal(
    "viewing.nothing_here", "an address opens once, within a minute, for whoever asked for it and where they asked"
)
"""Said of every address that does not open, whatever keeps it shut."""


def decide_viewing(viewing: Viewing | None, command: ShowPicture, now: datetime) -> list[Event] | Refusal:
    """What happens when an address is opened at `now`."""
    if (viewing and viewing.state, type(command)) not in VIEWING_TRANSITIONS:
        return Refusal("viewing.not_in_this_state", "what was shown was shown, and is not shown again")
    address = command.address
    if (address.person, address.session) != (command.by, command.session) or now >= address.until:
        return NOTHING_HERE
    refusal = check_order(address.picture.step, [command.reached])
    return refusal or [_shown(address)]


def evolve_viewing(viewing: Viewing | None, happened: Event) -> Viewing:
    """The viewing after `happened`. Raises ValueError for an event that it cannot have."""
    if viewing is not None or not isinstance(happened, ViewingShown):
        message = f"no viewing can have {happened.tag!r} here"
        raise ValueError(message)
    names = ("case", "review", "content", "version", "step", "number", "of", "at_ms", "lasts_ms")
    picture = Picture(**{name: getattr(happened, name) for name in names})
    return Viewing(person=happened.person, session=happened.session, picture=picture)


def check_order(step: Step, reached: Iterable[Step]) -> Refusal | None:
    """Why pictures that were seen as clearly as this may not be seen at `step` yet; None if they may."""
    if step is Step.NOTHING:
        return Refusal("viewing.no_such_step", "there is nothing to be seen at this step")
    order = tuple(Step)
    before = order[order.index(step) - 1]
    if all(one.reaches(before) for one in reached):
        return None
    return Refusal("viewing.step_order", f"look at it {before} first: each step shows more than the one before")


def seen_of(viewings: Collection[Viewing]) -> Seen:
    """What somebody has seen of an item's version, who was shown these of it, the latest last."""
    shown = [one.picture for one in viewings]
    if not shown:
        return Seen()
    order = tuple(Step)
    clearest = max((one.step for one in shown), key=order.index)
    as_clear = {one.number: one.lasts_ms for one in shown if one.step.reaches(clearest)}
    return Seen(step=clearest, pictures=len(as_clear), of=shown[-1].of, seconds=sum(as_clear.values()) / 1000)


def affordable(step: Step, spent: int, budget: int) -> int:
    """For how many pictures at `step` a day's budget (in grey pictures) still lasts; `spent` is in quarters."""
    return max(0, (budget * QUARTERS - spent) // COST[step])


def day_of(now: datetime) -> datetime:
    """When the day of a budget began, in UTC."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def session_digest(session: str) -> str:
    """What stands for a session where it may be read: it opens nothing."""
    return hashlib.sha256(f"holdfast viewing session\x00{session}".encode()).hexdigest()[:32]


def viewing_subject(viewing_id: str) -> str:
    """The journal's subject for a viewing."""
    return f"viewing:{viewing_id}"


def _shown(address: Address) -> ViewingShown:
    one = address.picture
    return ViewingShown(
        person=address.person,
        session=address.session,
        case=one.case,
        review=one.review,
        content=one.content,
        version=one.version,
        step=one.step,
        number=one.number,
        of=one.of,
        at_ms=one.at_ms,
        lasts_ms=one.lasts_ms,
    )


register(ShowPicture, ViewingShown)
