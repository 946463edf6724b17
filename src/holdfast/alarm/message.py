# SPDX-License-Identifier: Apache-2.0
"""What an alarm channel tells: which alarms, about which ids, whose, since when, what to do and where to look.

A message is made of ids, names of roles, times and the sentences of `holdfast.alarm.kinds`. It never holds
content, a hash, or a word about a person; a test looks for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from holdfast.alarm.alarm import AlarmItem, AlarmState
from holdfast.alarm.kinds import meaning_of

MOST_LISTED: Final = 50
"""How many alarms one message lists; of the rest it says how many they are."""


class Occasion(StrEnum):
    """Why a message is sent."""

    RAISED = "alarm.raised"
    """Also when it was renewed."""
    AGAIN = "alarm.again"
    """Nobody has acknowledged these."""
    CLEARED = "alarm.cleared"
    TEST = "alarm.test"
    """Somebody tries the channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `more`: how many alarms stand besides those listed."""

    occasion: Occasion
    alarms: tuple[AlarmItem, ...]
    at: datetime
    more: int = 0

    @property
    def is_urgent(self) -> bool:
        """Whether anything in it cannot wait."""
        return self.occasion is not Occasion.CLEARED and any(meaning_of(one.alarm.kind).urgent for one in self.alarms)

    @property
    def goes_to_deputy(self) -> bool:
        """Whether the deputy gets it too: when the owner has not answered, and when the channel is tried."""
        return self.occasion in (Occasion.AGAIN, Occasion.TEST)

    @property
    def title(self) -> str:
        """One line, for a subject; it names no id."""
        urgent = "URGENT: " if self.is_urgent else ""
        return f"[Holdfast] {urgent}{self._title()}"

    def as_text(self) -> str:
        """The whole of it in plain words."""
        parts = [self._opening(), *(_in_words(one) for one in self.alarms)]
        if self.more:
            parts.append(f"{self.more} more stand: 'holdfast alarms list', or GET /v1/alarms.")
        return "\n\n".join(part for part in parts if part) + "\n"

    def as_payload(self) -> bytes:
        """The same for a program: JSON, as Standard Webhooks lays it out."""
        data = {"urgent": self.is_urgent, "more": self.more, "alarms": [_as_json(one) for one in self.alarms]}
        told = {"type": self.occasion.value, "timestamp": self.at.isoformat(), "data": data}
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()

    def _title(self) -> str:
        match self.occasion:
            case Occasion.TEST:
                return "a test of the alarm channel"
            case Occasion.AGAIN:
                count = len(self.alarms) + self.more
                return f"{count} alarm{'s' * (count != 1)} that nobody has acknowledged"
            case Occasion.CLEARED:
                return "in order again: " + ", ".join(one.alarm.kind for one in self.alarms)
            case Occasion.RAISED:
                return "alarm: " + ", ".join(one.alarm.kind for one in self.alarms)

    def _opening(self) -> str:
        match self.occasion:
            case Occasion.TEST:
                return "Somebody tried the alarm channel. It works: you get alarms of Holdfast here. Nothing is wrong."
            case Occasion.AGAIN:
                return "Nobody has acknowledged what follows. This message comes again until somebody does."
            case Occasion.CLEARED:
                return "What this alarm was about is in order again. There is nothing to do."
            case Occasion.RAISED:
                return ""


def _in_words(item: AlarmItem) -> str:
    alarm, meaning = item.alarm, meaning_of(item.alarm.kind)
    lines = [
        meaning.says,
        "",
        f"Kind:           {alarm.kind}",
        f"About:          {alarm.about}",
        f"Whose:          {alarm.owner}",
        f"Since:          {item.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"State:          {alarm.state}",
    ]
    if alarm.state is not AlarmState.CLEARED:
        lines += [
            f"What to do:     {meaning.what_to_do}",
            f"Where to look:  {meaning.where_to_look}",
            f"Seen it? Say:   holdfast alarms acknowledge {item.id}",
            f"                or POST /v1/alarms/{item.id}/acknowledge",
        ]
    return "\n".join(lines)


def _as_json(item: AlarmItem) -> dict[str, Any]:
    alarm, meaning = item.alarm, meaning_of(item.alarm.kind)
    return {
        "alarm": item.id,
        "kind": alarm.kind,
        "urgent": meaning.urgent,
        "about": alarm.about,
        "owner": alarm.owner,
        "since": item.since.isoformat(),
        "state": alarm.state.value,
        "says": meaning.says,
        "what_to_do": meaning.what_to_do,
        "where_to_look": meaning.where_to_look,
    }
