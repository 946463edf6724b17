# SPDX-License-Identifier: Apache-2.0
"""What follows from findings: a table, on one screen.

One person may remove. What lets an item be seen again takes two who found so by themselves; where two do not say the
same, a senior colleague decides, who records before seeing what the others said. "Unsure" is a disagreement.
Where three have not settled it, somebody from outside must: it stays held, and nobody's silence counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from holdfast.review.finding import Finding, Verdict, latest_of_each


class Weighed(StrEnum):
    """What findings come to."""

    NEEDS_FIRST = "needs_first"
    NEEDS_SECOND = "needs_second"
    NEEDS_THIRD = "needs_third"
    """Two do not say the same; somebody senior."""
    NEEDS_OUTSIDE = "needs_outside"
    """Nobody here can settle it. It stays held."""
    REMOVE = "remove"
    NOT_UPHELD = "not_upheld"

    @property
    def settles(self) -> bool:
        """Whether nothing more is needed."""
        return self in (Weighed.REMOVE, Weighed.NOT_UPHELD)


_ONE: Final[Mapping[Verdict, Weighed]] = {
    Verdict.REMOVE: Weighed.REMOVE,
    Verdict.NOT_UPHELD: Weighed.NEEDS_SECOND,
    Verdict.UNSURE: Weighed.NEEDS_SECOND,
    Verdict.CANNOT_ASSESS: Weighed.NEEDS_SECOND,
}
_AGREED: Final[Mapping[Verdict, Weighed]] = {
    Verdict.REMOVE: Weighed.REMOVE,
    Verdict.NOT_UPHELD: Weighed.NOT_UPHELD,
    Verdict.UNSURE: Weighed.NEEDS_THIRD,
    Verdict.CANNOT_ASSESS: Weighed.NEEDS_THIRD,
}
_ALONE: Final = 1
_PAIR: Final = 2


def weigh(findings: Iterable[Finding]) -> Weighed:
    """What these come to, one of each person, in the order in which they were first asked."""
    verdicts = [one.verdict for one in latest_of_each(findings)]
    if not verdicts:
        return Weighed.NEEDS_FIRST
    if len(verdicts) == _ALONE:
        return _ONE[verdicts[0]]
    if len(verdicts) == _PAIR:
        return _AGREED[verdicts[0]] if len(set(verdicts)) == 1 else Weighed.NEEDS_THIRD
    return _last_word(verdicts)


def _last_word(verdicts: list[Verdict]) -> Weighed:
    """Whoever was asked last decides: alone toward protection, and with another who found so too toward release."""
    last = verdicts[-1]
    if last is Verdict.REMOVE:
        return Weighed.REMOVE
    agree = verdicts.count(Verdict.NOT_UPHELD)
    return Weighed.NOT_UPHELD if last is Verdict.NOT_UPHELD and agree >= _PAIR else Weighed.NEEDS_OUTSIDE
