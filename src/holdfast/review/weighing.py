# SPDX-License-Identifier: Apache-2.0
"""What follows from findings: a table, on one screen.

One person may remove, unless a lot asks for a second look. What lets an item be seen again takes two who found so by
themselves, for the same reason; where two do not say the same, a senior colleague decides, who records before seeing
what the others said. "Unsure" is a disagreement. Where three have not settled it, somebody from outside must: it stays
held, and nobody's silence counts.
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


def weigh(findings: Iterable[Finding], *, sampled: bool = False) -> Weighed:
    """What these come to, one of each person, in the order in which they were first asked.

    `sampled`: a lot was drawn that two look whatever the first says, so that being asked second says nothing.
    """
    words = [(one.verdict, one.reason) for one in latest_of_each(findings)]
    if not words:
        return Weighed.NEEDS_FIRST
    verdict, _ = words[-1]
    if len(words) == _ALONE:
        return Weighed.NEEDS_SECOND if sampled else _ONE[verdict]
    if len(words) == _PAIR:
        return _AGREED[verdict] if len(set(words)) == 1 else Weighed.NEEDS_THIRD
    if verdict is Verdict.REMOVE:
        return Weighed.REMOVE
    agreed = verdict is Verdict.NOT_UPHELD and words.count(words[-1]) >= _PAIR
    return Weighed.NOT_UPHELD if agreed else Weighed.NEEDS_OUTSIDE


def carrying(findings: Iterable[Finding], *, sampled: bool = False) -> tuple[Finding, ...]:
    """Those findings that carry what these settle: every one that removes, or those of the agreed reason."""
    latest = latest_of_each(findings)
    weighed = weigh(latest, sampled=sampled)
    if not weighed.settles:
        return ()
    removes = weighed is Weighed.REMOVE
    reason = None if removes else latest[-1].reason
    wanted = Verdict.REMOVE if removes else Verdict.NOT_UPHELD
    return tuple(one for one in latest if (one.verdict, one.reason) == (wanted, reason))
