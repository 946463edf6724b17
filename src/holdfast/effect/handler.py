# SPDX-License-Identifier: Apache-2.0
"""What carries effects out: a registry of kinds, and what each handler promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from holdfast.effect.effect import Weight

LEASE: Final = timedelta(seconds=60)
"""How long one try may take, unless a worker says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """One effect in the hands of one worker, until `until` by the database's clock.

    `id` is the idempotency key of the call that it makes: the same in every try, by whichever worker.
    """

    id: str
    kind: str
    item: str
    location: str
    payload: Mapping[str, str]
    weight: Weight
    tries: int
    """This try's number, from 1."""
    owner: str
    fence: int
    """Tells this lease from every other of the effect; whoever holds an older one is not listened to."""
    until: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """The other side confirmed it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work, or nobody knows whether it did; `fault` is a short word, safe to show, without content."""

    fault: str
    retry_at: datetime | None = None
    """When to try again, if the other side said; else after a while that doubles."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side said no, and would say no again; `fault` as with `Failed`."""

    fault: str


Outcome = Done | Failed | Refused


class Handler(Protocol):
    """Carries out the effects of one kind.

    It MUST send `effect.id` as the idempotency key of what it does, because it may be called again for
    the same effect, also while an earlier call still runs. It MUST answer Done only once the other side has
    confirmed, and Failed where it cannot tell. It MUST end within the lease. It may be called by
    several threads at once, for effects of different subjects. What it raises counts as Failed.
    """

    def __call__(self, effect: Leased) -> Outcome:
        """Do it, once more if need be."""


Registry = Mapping[str, Handler]
"""Each kind of effect, and what carries it out. A worker leaves kinds that it does not know to others."""
