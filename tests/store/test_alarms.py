# SPDX-License-Identifier: Apache-2.0
"""An alarm is raised once while its cause lasts, is seen by a person, and ends with its cause; each is an event."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from holdfast.access.key import Scope
from holdfast.access.person import Who
from holdfast.access.two_people import Wanted
from holdfast.alarm.alarm import AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmState
from holdfast.alarm.kinds import AlarmKind
from holdfast.bootstrap import System
from holdfast.errors import AlarmUnknown, Refused
from holdfast.match.bank import DisableBank
from holdfast.settings import Settings
from tests.store.making import ACTOR, NOTHING_TOLD, NOW, answered, create, record, together

PATIENCE = timedelta(days=30)


def call(system: System, about: str = "effect:1", kind: AlarmKind = AlarmKind.EFFECT_LATE) -> str | None:
    with transaction.atomic(durable=True):
        return system.alarms.call(kind, about, "on-call", actor=ACTOR, at=NOW)


def clear(system: System, about: str = "effect:1") -> int:
    with transaction.atomic(durable=True):
        return system.alarms.clear(about, "it is in order", actor=ACTOR, at=NOW)


def watch(system: System) -> int:
    from holdfast.store.watch import watch_overdue

    return watch_overdue(system.alarms, NOW)


def test_an_alarm_is_raised_seen_and_cleared_and_each_is_an_event(system: System) -> None:
    alarm_id = call(system)
    assert alarm_id
    seen = system.alarms.acknowledge(alarm_id, actor="cli:ann")
    assert (seen.alarm.state, seen.alarm.acknowledged_by) == (AlarmState.ACKNOWLEDGED, "cli:ann")
    assert [item.id for item in system.alarms.standing(limit=9)] == [alarm_id]
    assert clear(system) == 1
    assert system.alarms.standing(limit=9) == []
    told = [type(row.happened) for row in system.journal.read(f"alarm:{alarm_id}")]
    assert told == [AlarmRaised, AlarmAcknowledged, AlarmCleared]


def test_the_same_alarm_stands_once_and_is_raised_anew_after_it_was_cleared(system: System) -> None:
    first = call(system)
    assert call(system) is None
    assert call(system, "effect:2")
    assert call(system, kind=AlarmKind.EFFECT_QUARANTINED)
    assert clear(system) == 2
    assert call(system) not in (None, first)


def test_of_many_that_raise_the_same_alarm_at_once_one_does(system: System) -> None:
    raised = together([lambda: call(system)] * 6)
    assert sum(one is not None for one in raised) == 1
    assert len(system.alarms.standing(limit=9)) == 1


def test_an_alarm_is_acknowledged_once_and_only_if_there_is_one(system: System) -> None:
    alarm_id = call(system)
    assert alarm_id
    system.alarms.acknowledge(alarm_id, actor=ACTOR)
    with pytest.raises(Refused):
        system.alarms.acknowledge(alarm_id, actor=ACTOR)
    with pytest.raises(AlarmUnknown):
        system.alarms.acknowledge("alm_none", actor=ACTOR)


def test_an_overdue_hold_has_one_alarm_until_it_is_screened(system: System) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    assert watch(system) == 0
    system.screenings.mark_overdue(NOW + PATIENCE)
    assert (watch(system), watch(system)) == (1, 0)
    (item,) = system.alarms.standing(limit=9)
    (hold,) = system.screenings.unscreened(limit=9)
    assert (item.alarm.kind, item.alarm.about) == ("unscreened_overdue", f"unscreened:{hold.id}")
    assert item.alarm.owner == hold.held.owner
    record(system, answered(at=NOW + 2 * PATIENCE))
    assert (watch(system), watch(system)) == (1, 0)
    assert system.alarms.standing(limit=9) == []


def test_a_proposal_that_nobody_answered_in_time_has_an_alarm_until_somebody_does(system: System) -> None:
    ann = Who("key:aaaaaaaa", "ann")
    system.keys.create(label="l", scopes=frozenset({Scope.PROPOSALS}), expires_at=None, actor=ACTOR, person="ann")
    create(system)
    asked = system.proposals.ask(Wanted(command=DisableBank(), subject="bank:bank", at_version=1), ann, because="x")
    assert watch(system) == 0
    assert system.proposals.mark_overdue(asked.due) != []
    assert (watch(system), watch(system)) == (1, 0)
    (item,) = system.alarms.standing(limit=9)
    assert (item.alarm.kind, item.alarm.about) == ("proposal_overdue", f"proposal:{asked.id}")
    assert item.alarm.owner == asked.owner
    system.proposals.refuse(asked.id, Who("key:bbbbbbbb", "bob"), because="no")
    assert (watch(system), watch(system)) == (1, 0)
    assert system.alarms.standing(limit=9) == []


def test_weaker_settings_have_an_alarm_until_they_are_set_right(system: System) -> None:
    from holdfast.store.watch import watch_settings

    def look() -> int:
        return watch_settings(system.alarms, system.safety.found(), "somebody", NOW)

    assert look() == 0
    system.safety.record(Settings(shadow=True), actor=ACTOR)
    assert (look(), look()) == (1, 0)
    (item,) = system.alarms.standing(limit=9)
    assert (item.alarm.kind, item.alarm.about, item.alarm.owner) == (
        "settings_weakened",
        "settings:in_force",
        "somebody",
    )
    system.safety.record(Settings(), actor=ACTOR)
    assert (look(), look()) == (1, 0)
    assert system.alarms.standing(limit=9) == []
