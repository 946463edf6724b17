# SPDX-License-Identifier: Apache-2.0
"""A hash that somebody computed themselves and reported: uploads that show the same are stopped, before anybody looked.

It is an unproven word about a picture that nobody here has seen. So it goes into a bank of its own, which leads to
review and matches only what is nearly the same; it counts towards the published budget; what it finds here reaches
as far as a word does. Whoever sends one is answered the same whether it matches anything or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from holdfast.effect.handler import Done, Leased, Outcome
from holdfast.errors import InvalidSignal
from holdfast.hold.enforce import again
from holdfast.hold.reach import REACH, Standing
from holdfast.match.bank import Action, CreateBank
from holdfast.match.signal import Signal, SignalType, parse_value

REPORTED_HASHES: Final = "reported-hashes"
"""The name of their bank."""
ABOVE_BUDGET: Final = "above_the_budget"
_KINDS: Final = (SignalType.MD5, SignalType.SHA1, SignalType.SHA256, SignalType.PDQ)


class Hashes(Protocol):
    """What the handler needs."""

    def bank(self, reported_id: str) -> bool:
        """Bank a reported hash, once; False while the budget for unproven words is spent."""


@dataclass(frozen=True, slots=True)
class BankHash:
    """Banks a reported hash as soon as the budget lets it through. A `Handler`."""

    hashes: Hashes
    clock: Callable[[], datetime]

    def __call__(self, effect: Leased) -> Outcome:
        """Do it: see `Handler`."""
        if self.hashes.bank(effect.payload["reported"]):
            return Done()
        return again(effect, self.clock(), ABOVE_BUDGET)


def signals_of(untrusted_text: str) -> tuple[Signal, ...]:
    """What a reported hash may be: `pdq:` and digits, or digits alone, whose number says which; empty if it is none.

    64 digits alone may be a SHA-256 or a PDQ. It is taken for both: a digest that is read as a look is near to nothing.
    """
    kind, colon, digits = untrusted_text.strip().rpartition(":")
    kinds = [one for one in _KINDS if not colon or one == kind.strip().lower()]
    return tuple(found for one in kinds if (found := _read(one, digits)) is not None)


def bank_of_reported_hashes() -> CreateBank:
    """The bank as it is made when the first hash comes."""
    return CreateBank(
        name=REPORTED_HASHES,
        meaning="Hashes that people computed themselves and reported. Nobody has looked at what they are of.",
        source="reports",
        threshold=REACH[Standing.WORD].distance,
        action=Action.REVIEW,
    )


def _read(kind: SignalType, untrusted_digits: str) -> Signal | None:
    try:
        return parse_value(kind, untrusted_digits)
    except InvalidSignal:
        return None
