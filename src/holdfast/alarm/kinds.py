# SPDX-License-Identifier: Apache-2.0
"""Every kind of alarm there is: what it says, what to do about it, and where to look. One table; a test walks it.

Code raises alarms of these kinds alone. What is said is the same for every alarm of a kind and holds no
word about what or whom it concerns: the alarm itself adds an id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class AlarmKind(StrEnum):
    """What an alarm may be about."""

    UNSCREENED_OVERDUE = "unscreened_overdue"
    LONG_SCREENING_HELD = "long_screening_held"
    EFFECT_QUARANTINED = "effect_quarantined"
    EFFECT_LATE = "effect_late"
    PROPOSAL_OVERDUE = "proposal_overdue"
    SETTINGS_WEAKENED = "settings_weakened"
    CLOCK_SHORT = "clock_short"
    CLOCK_NEAR = "clock_near"
    CLOCK_MISSED = "clock_missed"
    ITEM_NEEDS_A_PERSON = "item_needs_a_person"
    CASE_NEEDS_A_LOOK = "case_needs_a_look"
    COPIES_NEED_A_LOOK = "copies_need_a_look"
    HOLD_UNCONFIRMED = "hold_unconfirmed"
    HOLD_REFUSED = "hold_refused"
    HOLD_BREACHED = "hold_breached"
    HOLDS_STAGED = "holds_staged"
    HOLD_CONTESTED = "hold_contested"
    REVIEW_NEEDS_OUTSIDE = "review_needs_outside"
    DISMISSALS_UNUSUAL = "dismissals_unusual"
    COPIES_FOUND = "copies_found"
    SEARCH_LATE = "search_late"
    SEARCH_UNPROVEN = "search_unproven"
    CHANNEL_SILENT = "channel_silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a kind of alarm tells the person who gets it."""

    says: str
    what_to_do: str
    where_to_look: str
    urgent: bool = False
    """Told again every five minutes until somebody acknowledges it."""
    told: bool = True
    """Whether it goes out through the alarm channel. An alarm about the channel does not: it would have no end."""


MEANINGS: Final[Mapping[str, Meaning]] = {
    AlarmKind.UNSCREENED_OVERDUE: Meaning(
        says="An item that could not be screened has been held for longer than it may be.",
        what_to_do="Have it sent again or looked at by a person; it stays held until it is screened.",
        where_to_look="GET /v1/unscreened",
    ),
    AlarmKind.LONG_SCREENING_HELD: Meaning(
        says="An upload that was to be answered later could not be screened, for a reason that lies with us.",
        what_to_do="Mend the cause, have the item sent again; it stays held until then.",
        where_to_look="'holdfast doctor', and GET /v1/unscreened",
    ),
    AlarmKind.EFFECT_QUARANTINED: Meaning(
        says="Something that another system was to do was refused, or did not succeed in all its tries.",
        what_to_do="Mend the cause and let it be tried again; to give it up takes two people.",
        where_to_look="'holdfast effects list --quarantined', or GET /v1/effects",
    ),
    AlarmKind.EFFECT_LATE: Meaning(
        says="Something that another system was to do was not done by its deadline; it is tried on.",
        what_to_do="See whether the other system answers.",
        where_to_look="'holdfast effects list', or GET /v1/effects",
    ),
    AlarmKind.PROPOSAL_OVERDUE: Meaning(
        says="Something that takes two people has waited too long for the second one.",
        what_to_do="Look at it, and agree or refuse; nothing is done until then.",
        where_to_look="'holdfast proposals list', or GET /v1/proposals",
    ),
    AlarmKind.SETTINGS_WEAKENED: Meaning(
        says="Holdfast was started with settings that protect less than two people have accepted.",
        what_to_do="Set them right, or have two people accept them: 'holdfast settings accept'.",
        where_to_look="'holdfast settings show'",
    ),
    AlarmKind.CLOCK_SHORT: Meaning(
        says="Something must be looked at within minutes: somebody may be in danger.",
        what_to_do="Look at it now; whoever is near it first.",
        where_to_look="'holdfast clocks list', or GET /v1/clocks",
        urgent=True,
    ),
    AlarmKind.CLOCK_NEAR: Meaning(
        says="A clock is running out: what must be done by then is not done yet.",
        what_to_do="Do it, or hand it to somebody who can, before the clock's end.",
        where_to_look="'holdfast clocks list', or GET /v1/clocks",
    ),
    AlarmKind.CLOCK_MISSED: Meaning(
        says="A clock has run out: what had to be done by then was not done. It is still due.",
        what_to_do="Do it now, and tell whoever answers for it; where it is a legal clock, tell your lawyer.",
        where_to_look="'holdfast clocks list', or GET /v1/clocks",
        urgent=True,
    ),
    AlarmKind.ITEM_NEEDS_A_PERSON: Meaning(
        says="A report names something that no machine can find: a description, a hash, or an address that is none.",
        what_to_do="Read the report and find it, or ask whoever reported; it stays open until then.",
        where_to_look="'holdfast cases waiting'",
    ),
    AlarmKind.CASE_NEEDS_A_LOOK: Meaning(
        says="Something was reported that is not hidden before a person has looked.",
        what_to_do="Look at it; its clock runs.",
        where_to_look="'holdfast cases show' with the case that the alarm names",
    ),
    AlarmKind.COPIES_NEED_A_LOOK: Meaning(
        says="Things that only look like what was reported were found; they are not hidden.",
        what_to_do="Look at them within a day.",
        where_to_look="'holdfast cases show' with the case that the alarm names",
    ),
    AlarmKind.HOLD_UNCONFIRMED: Meaning(
        says="The platform has not confirmed within a minute that something is out of reach; it is asked on.",
        what_to_do="See whether the platform answers, and what a stranger sees; hide it by hand if need be.",
        where_to_look="'holdfast doctor', and the platform's own log",
        urgent=True,
    ),
    AlarmKind.HOLD_REFUSED: Meaning(
        says="The platform refuses to put something out of reach.",
        what_to_do="Talk to the platform's engineers now; it can still be seen.",
        where_to_look="'holdfast cases show' with the case that the alarm names, and the platform's own log",
        urgent=True,
    ),
    AlarmKind.HOLD_BREACHED: Meaning(
        says="Something that was out of reach could be seen again. It is asked for anew; this is an incident.",
        what_to_do="Find out how it came back, and write it down.",
        where_to_look="'holdfast cases show' with the case that the alarm names, and the platform's own log",
        urgent=True,
    ),
    AlarmKind.HOLDS_STAGED: Meaning(
        says="So much was reported that what rests on unproven words alone waits its turn before it is hidden.",
        what_to_do="Look at what waits: something true may be among it. See where the reports come from.",
        where_to_look="'holdfast doctor'; HOLDFAST_HOLD_BUDGET_LEAST and HOLDFAST_HOLD_BUDGET_PERCENT are the limits",
        urgent=True,
    ),
    AlarmKind.HOLD_CONTESTED: Meaning(
        says="Whoever posted what is held says that it should be visible.",
        what_to_do="Read what they say and look, within a day.",
        where_to_look="'holdfast cases contests'",
    ),
    AlarmKind.REVIEW_NEEDS_OUTSIDE: Meaning(
        says="Whether something stays held cannot be settled by the people here. It stays held.",
        what_to_do="Find somebody from outside who may look, or more people; nothing is let go by time.",
        where_to_look="'holdfast reviews list'",
    ),
    AlarmKind.DISMISSALS_UNUSUAL: Meaning(
        says="What somebody finds toward release is unusual: too fast, far more often than others, or by the same two.",
        what_to_do="Look at what they let go, and talk with them; it may be harmless. Nothing was undone.",
        where_to_look="'holdfast reviews unusual'",
    ),
    AlarmKind.COPIES_FOUND: Meaning(
        says="Items that were screened earlier match an entry that a bank has now.",
        what_to_do="See which they are. Where a platform is set they are being held; otherwise have them held.",
        where_to_look="'holdfast searches list', or GET /v1/searches",
    ),
    AlarmKind.SEARCH_LATE: Meaning(
        says="A search of what was screened earlier has not ended in time; it goes on.",
        what_to_do="See that a worker runs and how far it is.",
        where_to_look="'holdfast searches list', or GET /v1/searches",
    ),
    AlarmKind.SEARCH_UNPROVEN: Meaning(
        says="A new entry of a bank is not found by screening, or nobody could tell: it is not called blocked.",
        what_to_do="Mend what 'holdfast doctor' names; it is tried again.",
        where_to_look="'holdfast searches list', or GET /v1/searches",
        urgent=True,
    ),
    AlarmKind.CHANNEL_SILENT: Meaning(
        says="A channel does not take the messages about alarms, or not for everybody who should get them.",
        what_to_do="Try 'holdfast alarms test', and mend what it names; until then look at the alarms here.",
        where_to_look="'holdfast alarms list', or GET /v1/alarms",
        told=False,
    ),
}

_UNKNOWN: Final = Meaning(
    says="Something is not as promised; this version of Holdfast has no sentence for it.",
    what_to_do="Look at what it is about, with the version of Holdfast that raised it.",
    where_to_look="'holdfast alarms list', or GET /v1/alarms",
)
URGENT: Final = frozenset(kind for kind, meaning in MEANINGS.items() if meaning.urgent)
"""The kinds that wake people."""


def meaning_of(kind: str) -> Meaning:
    """What a kind of alarm tells; of one that another version raised, that it is unknown."""
    return MEANINGS.get(kind, _UNKNOWN)
