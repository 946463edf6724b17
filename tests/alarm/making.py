# SPDX-License-Identifier: Apache-2.0
"""Alarms and messages for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from holdfast.alarm.alarm import Alarm, AlarmItem, AlarmState
from holdfast.alarm.kinds import AlarmKind
from holdfast.alarm.message import Message, Occasion

NOW = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)


def standing(
    number: int = 1, kind: str = AlarmKind.EFFECT_QUARANTINED, state: AlarmState = AlarmState.RAISED
) -> AlarmItem:
    """An alarm that stands."""
    return AlarmItem(f"alm_{number}", NOW, Alarm(kind=kind, about=f"effect:eff_{number}", owner="on-call", state=state))


def message(*alarms: AlarmItem, occasion: Occasion = Occasion.RAISED, more: int = 0) -> Message:
    """A message about these, or about one."""
    return Message(occasion=occasion, alarms=alarms or (standing(),), at=NOW, more=more)
