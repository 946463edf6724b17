# SPDX-License-Identifier: Apache-2.0
"""How alarms reach people: each raised alarm owes a message to each channel, and who is silent hears it again.

A message is an effect: owed in the transaction that raises the alarm, sent by a worker, tried again, and in the
end quarantined. Messages of one alarm keep their order, but one that could not be sent does not keep later
ones from being sent. An alarm about a channel itself owes no message, so that there is an end to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from holdfast.alarm.alarm import alarm_subject
from holdfast.alarm.kinds import meaning_of
from holdfast.alarm.message import Message
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.effect.handler import Done, Failed, Leased, Outcome

TELL: Final = "alarm.tell"
TELL_AGAIN: Final = "alarm.tell_again"
TELL_CLEARED: Final = "alarm.tell_cleared"
TELLS: Final = frozenset({TELL, TELL_AGAIN, TELL_CLEARED})
"""The kinds of effects that are messages about alarms."""
EVERYTHING, URGENT_ONLY = "everything", "urgent"
URGENT_AGAIN: Final = timedelta(minutes=5)
AGAIN: Final = timedelta(hours=1)
_DEADLINE: Final = timedelta(minutes=5)
_MOST_TRIES: Final = 20
_log = structlog.get_logger("alarms")


@dataclass(frozen=True, slots=True)
class Told:
    """How telling ended, and what the other side said, which is not to be trusted: it may say anything."""

    outcome: Outcome
    untrusted_said: str


class AlarmChannel(Protocol):
    """A way to people outside.

    It MUST answer Done only once the other side has taken the message, and Failed where it cannot tell.
    It MUST send `message_id` so that the other side can tell a message that comes twice. It MUST end
    within the lease of an effect, and MUST NOT raise for anything that the other side does. A caller MAY
    call it again with the same id, and from several threads.
    """

    @property
    def where(self) -> str:
        """Where messages go, for people: no secret, no login, nobody's address in full."""

    @property
    def is_private(self) -> bool:
        """Whether nobody between here and there can read it."""

    def tell(self, message: Message, message_id: str) -> Told:
        """Hand the message over."""

    def reach(self) -> Told:
        """Go as far as can be gone without telling anything: Done if the other side would take a message."""


class Owing(Protocol):
    """What owes effects inside the transaction that is open: see `PostgresEffects.enqueue`."""

    def __call__(self, orders: Sequence[Order], *, actor: str, at: datetime) -> list[str]:
        """Owe these; their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Through which channels alarms are told, what owes that, and after how long they are told again."""

    owe: Owing
    channels: tuple[str, ...]
    patience: timedelta = AGAIN

    def orders(self, kind: str, alarm_id: str, *, owner: str, at: datetime) -> list[Order]:
        """One message about one alarm to each channel."""
        payload, line = (PayloadId("alarm", alarm_id),), alarm_subject(alarm_id)
        return [_order(kind, line, channel, payload, owner=owner, at=at) for channel in self.channels]

    def first_again(self, kind: str, at: datetime) -> datetime | None:
        """When an alarm that was told at `at` is told again at the latest; None if its kind is never told."""
        meaning = meaning_of(kind)
        if not meaning.told:
            return None
        return at + (min(URGENT_AGAIN, self.patience) if meaning.urgent else self.patience)


def again_order(channel: str, scope: str, *, owner: str, at: datetime) -> Order:
    """The message to one channel about what nobody has acknowledged: everything, or what is urgent."""
    return _order(TELL_AGAIN, again_line(scope), channel, (PayloadId("scope", scope),), owner=owner, at=at)


def again_line(scope: str) -> str:
    """The line of messages about what nobody has acknowledged."""
    return f"alarms:{scope}"


def channel_subject(channel: str) -> str:
    """What an alarm about a channel is about."""
    return f"channel:{channel}"


class Teller:
    """The `Handler` of messages about alarms."""

    def __init__(self, channels: Mapping[str, AlarmChannel], message: Callable[[Leased], Message | None]) -> None:
        """Tell through `channels`, by their names, what `message` says of an effect; None: nothing is left to say."""
        self._channels = channels
        self._message = message

    def __call__(self, effect: Leased) -> Outcome:
        """Tell once: see `Handler`. Nothing to say any more counts as done."""
        channel = self._channels.get(effect.location)
        if channel is None:
            return Failed("channel_not_set")
        message = self._message(effect)
        if message is None:
            return Done()
        outcome = channel.tell(message, effect.id).outcome
        if not isinstance(outcome, Done):
            what_to_do = "none: it is tried again; 'holdfast alarms test' says what the other side answers"
            _log.error(
                "alarm_not_told", effect=effect.id, channel=effect.location, fault=outcome.fault, what_to_do=what_to_do
            )
        return outcome


def _order(kind: str, line: str, channel: str, payload: tuple[PayloadId, ...], *, owner: str, at: datetime) -> Order:
    return Order(
        kind=kind,
        item=line,
        location=channel,
        payload=payload,
        weight=Weight.PROTECTIVE,  # so that one message that cannot be sent does not block the next
        deadline=at + _DEADLINE,
        most_tries=_MOST_TRIES,
        owner=owner,
    )
