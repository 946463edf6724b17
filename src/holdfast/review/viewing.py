# SPDX-License-Identifier: Apache-2.0
"""How much of an item somebody has seen: in steps, each of which shows more than the one before.

A finding asks what its finder has seen, and nothing else: how a preview is made and who may have it
is not said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """How clearly an item is shown, in the order in which somebody may ask for more."""

    NOTHING = "nothing"
    BLURRED = "blurred"
    """Small, grey and blurred."""
    GREY = "grey"
    """Grey, and still small; the most that an outside reviewer sees."""
    CLEAR = "clear"
    """In colour, at the size of a preview; never the item itself."""

    def reaches(self, other: Step) -> bool:
        """Whether this shows at least as much as the other."""
        order = tuple(Step)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one person has seen of one item's version."""

    step: Step = Step.NOTHING
    """The clearest step they opened."""
    pictures: int = 0
    """How many of its pictures they were shown as clearly as that; one seen clearly and twenty blurred are one."""
    of: int = 0
    """How many there are; 0 while nobody knows."""
    seconds: float = 0.0
    """How much of a video those pictures stand for."""
