# SPDX-License-Identifier: Apache-2.0
"""A system that tells its alarms through channels, and what of that is owed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.alarm.telling import AGAIN, TELLS, AlarmChannel, Teller, Telling
from holdfast.bootstrap import System, new_id
from holdfast.carry import Carrier
from holdfast.effect.handler import Leased
from tests.effect.making import ACTOR, LASTING, NOW


def calling(system: System, *channels: str, patience: timedelta = AGAIN) -> System:
    """The system, telling alarms through channels of these names."""
    from holdfast.store.alarm_telling import PostgresTelling
    from holdfast.store.alarms import PostgresAlarms
    from holdfast.store.clocks import PostgresClocks
    from holdfast.store.effect_desk import EffectDesk
    from holdfast.store.effects import PostgresEffects
    from holdfast.store.outbox import Outbox
    from holdfast.store.waking import Bell

    outbox = Outbox(new_id, Bell())
    telling = Telling(owe=outbox.enqueue, channels=channels, patience=patience)
    alarms = PostgresAlarms(system.journal, lambda: NOW, new_id, telling)
    return dataclasses.replace(
        system,
        alarms=alarms,
        telling=PostgresTelling(telling, lambda: NOW),
        clocks=PostgresClocks(system.journal, alarms, new_id),
        effects=PostgresEffects(system.journal, alarms, outbox, lambda: NOW),
        effect_desk=EffectDesk(system.journal, alarms, lambda: NOW, outbox.bell, system.keys.people),
    )


def call(
    system: System, about: str = "effect:1", kind: AlarmKind = AlarmKind.EFFECT_LATE, *, at: datetime = NOW
) -> str | None:
    """Raise an alarm in a transaction of its own."""
    with transaction.atomic(durable=True):
        return system.alarms.call(kind, about, "on-call", actor=ACTOR, at=at)


def clear(system: System, about: str = "effect:1", *, at: datetime = NOW) -> int:
    """Clear the alarms about one thing."""
    with transaction.atomic(durable=True):
        return system.alarms.clear(about, "it is in order", actor=ACTOR, at=at)


def owed(system: System, now: datetime = NOW) -> list[Leased]:
    """The messages whose turn it is, in a worker's hands."""
    return sorted(
        system.effects.lease(TELLS, most=100, lasting=LASTING, now=now), key=lambda one: (one.item, one.location)
    )


def deliver(system: System, channels: Mapping[str, AlarmChannel]) -> None:
    """Let a worker send everything that can be sent now."""
    handler = Teller(channels, system.telling.message)
    carrier = Carrier(system.effects, dict.fromkeys(TELLS, handler))
    carrier.drain()
    carrier.close()
