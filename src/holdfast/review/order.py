# SPDX-License-Identifier: Apache-2.0
"""In which order people look: danger first.

Somebody in danger now; what the person depicted reports of themselves; what a verified source says; what is being
seen most; what is due; what somebody contests. How often a thing was reported is no part of it: counts never decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """What bears on when something is looked at."""

    imminent: bool = False
    """Somebody says that a person is in danger now."""
    own: bool = False
    """The person depicted reports it, or who acts for them."""
    verified: bool = False
    """A source whom somebody has verified."""
    views_per_hour: float = 0.0
    due: datetime
    """When its nearest clock runs out."""
    contested: bool = False
    since: datetime
    """Since when it waits."""


def rank(urgency: Urgency) -> tuple[bool, bool, bool, int, datetime, bool, datetime]:
    """A key to sort by: what is looked at first comes first.

    Views count by their magnitude: whether nine or eleven look each hour is chance, whether ten or a thousand is not.
    """
    return (
        not urgency.imminent,
        not urgency.own,
        not urgency.verified,
        -magnitude(urgency.views_per_hour),
        urgency.due,
        not urgency.contested,
        urgency.since,
    )


def standing(*, imminent: bool, own: bool, verified: bool) -> int:
    """What of `rank` does not change by the hour, as one number: what is looked at first has the least."""
    return 4 * (not imminent) + 2 * (not own) + (not verified)


def magnitude(views_per_hour: float) -> int:
    """How many digits a number of views has before the point; 0 for less than one."""
    return 0 if views_per_hour < 1 else math.floor(math.log10(views_per_hour)) + 1
