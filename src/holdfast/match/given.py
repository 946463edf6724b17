# SPDX-License-Identifier: Apache-2.0
"""Hashes that a platform computed itself, as something to look up: its word stands in for our eyes.

Only the forms it sends are looked up: a turned copy is found if the platform sends the hashes of
the turned forms too. And "could not tell" stays "could not tell": digests alone, or one perceptual
hash of too little detail among however many others, never lead to `publish`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.errors import InvalidRequest
from holdfast.match.look import Seen
from holdfast.match.signal import Signal, SignalType
from holdfast.match.variant import in_frame
from holdfast.media import pdq
from holdfast.media.reason import NotDecoded, Reason

GIVEN: Final = "given"
"""The form of a hash that the platform sent: how it came about is not known here.

Nor is which picture it is of, so each counts as a picture of its own: what is benign in one excuses no other.
"""


@dataclass(frozen=True, slots=True)
class Given:
    """One signal as the platform sent it; a perceptual one with its quality, 0 to 100."""

    signal: Signal
    quality: int | None = None


def seen_by_platform(given: Sequence[Given]) -> Seen:
    """What the platform saw, in the form that screening takes.

    Raises InvalidRequest for a perceptual hash without its quality: it could be of a flat picture,
    whose hash means nothing and is in no bank.
    """
    if any(not one.signal.type.is_exact and one.quality is None for one in given):
        message = "signals: a pdq signal needs its quality, which whatever computed the hash has told"
        raise InvalidRequest(message)
    looks = [one for one in given if not one.signal.type.is_exact]
    usable = [one.signal for one in looks if (one.quality or 0) >= pdq.MINIMUM_QUALITY]
    exact = [one.signal for one in given if one.signal.type.is_exact]
    seen = as_seen([*exact, *usable])
    if looks and len(usable) == len(looks):
        return seen
    # What cannot be compared may be a picture of its own: another one's look says nothing about it.
    reason = Reason.LOW_QUALITY if looks else Reason.ONLY_DIGESTS
    return Seen(seen.exact, seen.hashes, seen.variants, NotDecoded(reason))


def as_seen(signals: Sequence[Signal]) -> Seen:
    """Signals as something to look up, whatever they are of."""
    exact = tuple(dict.fromkeys(signal for signal in signals if signal.type.is_exact))
    values = dict.fromkeys(signal.value for signal in signals if signal.type is SignalType.PDQ)
    hashes = np.array([pdq.from_hex(value) for value in values], np.uint64).reshape(-1, 4)
    return Seen(exact, hashes, tuple(in_frame(number, GIVEN) for number in range(len(hashes))), None)
