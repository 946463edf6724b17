# SPDX-License-Identifier: Apache-2.0
"""Look banked entries up as an upload would be: only what is found is blocked.

By the very code that screens, against the banks as committed; and, where an address is set, over HTTP as a
platform would. An entry is found if its own signals lead to it, or to another entry of its bank that holds an
equal signal, which a screening may name in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from holdfast.match.given import as_seen
from holdfast.match.screen import Match
from holdfast.match.signal import Signal, SignalType
from holdfast.pipeline import Parts, find

ONE_BY_ONE: Final = 100
"""So few signals are looked up each by itself; of more, all of one kind of an entry at once."""
MOST_SENT: Final = 100
"""Signals of one entry that are sent over HTTP, evenly chosen: as many as one request takes."""
_AT_ONCE: Final = 500
Entries = Mapping[str, tuple[Signal, ...]]


class PublicPath(Protocol):
    """The public address at which platforms screen hashes."""

    def finds(self, bank: str, entry: str, signals: Sequence[Signal]) -> bool:
        """Whether an item with these signals, MOST_SENT at most, is held there because of this entry of this bank.

        An adapter MUST ask as a platform would, and MUST raise DependencyError where it cannot tell.
        """


def not_found(bank: str, entries: Entries, parts: Parts) -> list[str]:
    """Those of these entries of a bank some signal of which is not found in the banks as committed.

    Raises NotReady if they are not loaded or cannot be followed.
    """
    groups = list(_groups(entries))
    missing = [group for some in _batches(groups) for group in _not_found_at_once(bank, some, parts)]
    # What an equal signal of another entry hides when many are asked about is found when it is asked about alone.
    return sorted({entry for entry, signals in missing if not _found_alone(bank, signals, parts)})


def evenly(signals: Sequence[Signal], most: int = MOST_SENT) -> list[Signal]:
    """At most so many of them, evenly chosen."""
    return list(signals[:: -(-len(signals) // most) or 1])


def _groups(entries: Entries) -> Iterator[tuple[str, tuple[Signal, ...]]]:
    """What is looked up together and must be found: (entry, signals of one kind), or each signal where they are few."""
    few = sum(map(len, entries.values())) <= ONE_BY_ONE
    for entry, signals in entries.items():
        if few:
            yield from ((entry, (signal,)) for signal in signals)
            continue
        for kind in SignalType:
            if some := tuple(signal for signal in signals if signal.type is kind):
                yield entry, some


def _batches(groups: Sequence[tuple[str, tuple[Signal, ...]]]) -> Iterator[list[tuple[str, tuple[Signal, ...]]]]:
    """Groups whose entries and kinds all differ, so that a match tells which is meant; not too many at once."""
    some: dict[tuple[str, SignalType], tuple[Signal, ...]] = {}
    for entry, signals in groups:
        key = (entry, signals[0].type)
        if key in some or sum(map(len, some.values())) >= _AT_ONCE:
            yield [(name, held) for (name, _), held in some.items()]
            some = {}
        some[key] = signals
    if some:
        yield [(name, held) for (name, _), held in some.items()]


def _not_found_at_once(
    bank: str, groups: Sequence[tuple[str, tuple[Signal, ...]]], parts: Parts
) -> list[tuple[str, tuple[Signal, ...]]]:
    found = {
        (match.entry, match.signal) for match in _looked_up([one for _, some in groups for one in some], bank, parts)
    }
    return [(entry, signals) for entry, signals in groups if (entry, signals[0].type) not in found]


def _found_alone(bank: str, signals: tuple[Signal, ...], parts: Parts) -> bool:
    return any(match.distance == 0 for match in _looked_up(signals, bank, parts))


def _looked_up(signals: Sequence[Signal], bank: str, parts: Parts) -> list[Match]:
    return [match for match in find(as_seen([as_picture(one) for one in signals]), parts) if match.bank == bank]


def as_picture(signal: Signal) -> Signal:
    """A frame of a known video as a platform would send it: the hash of a picture."""
    return Signal(SignalType.PDQ, signal.value) if signal.type is SignalType.VPDQ else signal
