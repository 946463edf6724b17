# SPDX-License-Identifier: Apache-2.0
"""An alarm: something is not as promised, and a named owner has to look at it.

It is raised once for each thing it is about, and stands until what it is about is in order again.
Acknowledging says that a person has seen it; it does not end it. Nothing ends it by time. Renewing says that
it has become more pressing: whoever saw it has to look again.

`decide_alarm` and `evolve_alarm` are pure; time and identity are passed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.alarm.kinds import AlarmKind
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText

_KIND: Final = re.compile(r"[a-z]+(_[a-z]+)*")


class AlarmState(StrEnum):
    """Where an alarm stands."""

    RAISED = "raised"
    """Its owner has to look."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has seen it; what it is about is not in order yet."""
    CLEARED = "cleared"
    """What it is about is in order again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm. `about` is the journal's subject that it is about, such as `effect:eff_...`."""

    kind: str
    about: str
    owner: str
    state: AlarmState
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class AlarmItem:
    """An alarm with its id and since when it stands."""

    id: str
    since: datetime
    alarm: Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlarm:
    """Call the owner."""

    kind: AlarmKind
    about: str
    owner: str


@dataclass(frozen=True, slots=True)
class AcknowledgeAlarm:
    """Say that it was seen."""

    by: str


@dataclass(frozen=True, slots=True)
class RenewAlarm:
    """Call the owner again, who may have seen it already: it has become more pressing."""


@dataclass(frozen=True, slots=True)
class ClearAlarm:
    """What it is about is in order again."""

    because: str


AlarmCommand = RaiseAlarm | AcknowledgeAlarm | RenewAlarm | ClearAlarm


@event("alarm.raised")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised(Event):
    """Something is not as promised; `owner` has to look at `about`."""

    kind: str
    about: str
    owner: str


@event("alarm.acknowledged")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmAcknowledged(Event):
    """Somebody has seen an alarm. It still stands."""

    by: str


@event("alarm.renewed")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRenewed(Event):
    """What an alarm is about has become more pressing: whoever saw it has to look again."""


@event("alarm.cleared")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCleared(Event):
    """What an alarm was about is in order again."""

    because: PrivateText


ALARM_TRANSITIONS: Final[Mapping[tuple[AlarmState | None, type], AlarmState]] = {
    (None, RaiseAlarm): AlarmState.RAISED,
    (AlarmState.RAISED, AcknowledgeAlarm): AlarmState.ACKNOWLEDGED,
    (AlarmState.RAISED, RenewAlarm): AlarmState.RAISED,
    (AlarmState.ACKNOWLEDGED, RenewAlarm): AlarmState.RAISED,
    (AlarmState.RAISED, ClearAlarm): AlarmState.CLEARED,
    (AlarmState.ACKNOWLEDGED, ClearAlarm): AlarmState.CLEARED,
}


def decide_alarm(alarm: Alarm | None, command: AlarmCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the alarm as it stands.

    Raises InvalidRequest for a command that could never be carried out.
    """
    if (alarm and alarm.state, type(command)) not in ALARM_TRANSITIONS:
        state = alarm.state if alarm else "not there"
        return Refusal("alarm.not_in_this_state", f"the alarm is {state}, and this cannot be done then")
    match command:
        case RaiseAlarm(kind=kind, about=about, owner=owner):
            _check(command)
            return [AlarmRaised(kind=kind, about=about, owner=owner)]
        case AcknowledgeAlarm(by=by):
            return [AlarmAcknowledged(by=by)]
        case RenewAlarm():
            return [AlarmRenewed()]
        case ClearAlarm(because=because):
            check_text("because", because)
            return [AlarmCleared(because=because.strip())]


def evolve_alarm(alarm: Alarm | None, happened: Event) -> Alarm:
    """The alarm after `happened`.

    Raises ValueError for an event that no alarm in this state can have.
    """
    match alarm, happened:
        case None, AlarmRaised(kind=kind, about=about, owner=owner):
            return Alarm(kind=kind, about=about, owner=owner, state=AlarmState.RAISED)
        case Alarm(state=AlarmState.RAISED), AlarmAcknowledged(by=by):
            return replace(alarm, state=AlarmState.ACKNOWLEDGED, acknowledged_by=by)
        case Alarm(state=AlarmState.RAISED | AlarmState.ACKNOWLEDGED), AlarmRenewed():
            return replace(alarm, state=AlarmState.RAISED, acknowledged_by=None)
        case Alarm(state=AlarmState.RAISED | AlarmState.ACKNOWLEDGED), AlarmCleared():
            return replace(alarm, state=AlarmState.CLEARED)
    message = f"no alarm can have {happened.tag!r} here"
    raise ValueError(message)


def alarm_subject(alarm_id: str) -> str:
    """The journal's subject for an alarm."""
    return f"alarm:{alarm_id}"


def _check(command: RaiseAlarm) -> None:
    check_text("owner", command.owner)
    if not _KIND.fullmatch(command.kind) or not command.about:
        message = "kind, about: a short word, and what it is about"
        raise InvalidRequest(message)


register(RaiseAlarm, AlarmRaised)
register(AcknowledgeAlarm, AlarmAcknowledged)  # it still stands
register(RenewAlarm, AlarmRenewed)
register(ClearAlarm, AlarmCleared)  # only what is in order again is cleared, and by no person
