# SPDX-License-Identifier: Apache-2.0
"""A key-encryption key's life: made, used, retiring while data keys are wrapped anew, destroyed.

`decide_kek` and `evolve_kek` are pure. The key itself is never here; see `holdfast.sealed.keyring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from holdfast.errors import Refusal
from holdfast.log.event import Event, event


class KekState(StrEnum):
    """Where a key-encryption key stands."""

    NEXT = "next"
    """Made; nothing is wrapped with it yet."""
    USED = "used"
    """New data keys are wrapped with it."""
    RETIRING = "retiring"
    """It still opens what it wrapped; that is being wrapped anew."""
    DESTROYED = "destroyed"
    """It opens nothing any more, wherever a copy of what it wrapped may lie."""


@dataclass(frozen=True, slots=True)
class MakeKek:
    """Make a key."""


@dataclass(frozen=True, slots=True)
class UseKek:
    """Wrap with it from now on."""


@dataclass(frozen=True, slots=True)
class RetireKek:
    """Use another one from now on."""


@dataclass(frozen=True, slots=True)
class DestroyKek:
    """Nothing is wrapped with it any more: destroy it."""


KekCommand = MakeKek | UseKek | RetireKek | DestroyKek


@event("sealed.key.made")
@dataclass(frozen=True, slots=True, kw_only=True)
class KekMade(Event):
    """A key-encryption key was made and is in the keyring."""


@event("sealed.key.used")
@dataclass(frozen=True, slots=True, kw_only=True)
class KekUsed(Event):
    """New data keys are wrapped with this key from now on."""


@event("sealed.key.retiring")
@dataclass(frozen=True, slots=True, kw_only=True)
class KekRetiring(Event):
    """Another key is used now; what this one wrapped is being wrapped anew."""


@event("sealed.key.destroyed")
@dataclass(frozen=True, slots=True, kw_only=True)
class KekDestroyed(Event):
    """Nothing in this database is wrapped with this key any more, and it leaves the keyring."""


KEK_TRANSITIONS: Final[Mapping[tuple[KekState | None, type], KekState]] = {
    (None, MakeKek): KekState.NEXT,
    (KekState.NEXT, UseKek): KekState.USED,
    (KekState.USED, RetireKek): KekState.RETIRING,
    (KekState.RETIRING, DestroyKek): KekState.DESTROYED,
}
_EVENTS: Final[Mapping[type, type[Event]]] = {
    MakeKek: KekMade,
    UseKek: KekUsed,
    RetireKek: KekRetiring,
    DestroyKek: KekDestroyed,
}


def decide_kek(state: KekState | None, command: KekCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the key as it stands."""
    if (state, type(command)) not in KEK_TRANSITIONS:
        return Refusal(
            "sealed.key.not_in_this_state", f"the key is {state or 'not there'}, and this cannot be done then"
        )
    return [_EVENTS[type(command)]()]


def evolve_kek(state: KekState | None, happened: Event) -> KekState:
    """The key after `happened`. Raises ValueError for an event that no key in this state can have."""
    for (before, command), after in KEK_TRANSITIONS.items():
        if before == state and isinstance(happened, _EVENTS[command]):
            return after
    message = f"no key can have {happened.tag!r} here"
    raise ValueError(message)


def kek_subject(kek_id: str) -> str:
    """The journal's subject for a key-encryption key."""
    return f"sealed.key:{kek_id}"
