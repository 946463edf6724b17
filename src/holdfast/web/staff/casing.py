# SPDX-License-Identifier: Apache-2.0
"""Cases, for those who answer for them: what was reported and how it stands. No content, no finding of an open review.

Whoever may be asked to look learns here neither that somebody found something nor what: a decision is shown once it
is one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from holdfast.access.role import Role
from holdfast.access.session import Signed
from holdfast.case.clock import ClockState, every_clock
from holdfast.case.running_clock import RunningClock
from holdfast.decision.actions import Action, actions
from holdfast.decision.decision import DecisionKind, DecisionState
from holdfast.errors import CaseUnknown
from holdfast.hold.hold import HoldState
from holdfast.review.review import ReviewState
from holdfast.start import clock
from holdfast.store.case_views import CaseSheet, case_sheet, cases
from holdfast.store.models import DecisionRow, ReviewRow
from holdfast.web.staff.frame import page, staff_door
from holdfast.web.system import system

ANSWER_FOR_CASES: Final = frozenset(role for role in Role if Action.READ in actions(ReviewState.ASKED, (role,)))
"""Who reads how things stand, whoever is asked about them: intake, lead, legal, auditor."""
_SHOWN: Final = 50
_MOST_PLACES: Final = 200
_KINDS: Final = {
    DecisionKind.REMOVE: "removed",
    DecisionKind.RESTRICT: "seen by fewer people",
    DecisionKind.KEEP_WITH_WARNING: "seen again, with a warning",
    DecisionKind.KEEP: "seen again",
    DecisionKind.ASKED_BY_CHILD: "removed, as a child asked",
}
_STATES: Final = {
    DecisionState.MADE: "in force",
    DecisionState.CARRIED_OUT: "carried out",
    DecisionState.APPEALED: "appealed: others look again",
    DecisionState.UPHELD: "looked at again, and upheld",
    DecisionState.REVERSED: "no longer in force",
}


def listed(request: HttpRequest, signed: Signed) -> HttpResponse:  # noqa: ARG001  # the form of all views
    """The newest cases."""
    return page("cases", signed, {"cases": cases(limit=_SHOWN), "most": _SHOWN})


def shown(request: HttpRequest, signed: Signed, case: str) -> HttpResponse:  # noqa: ARG001
    """One case. Raises CaseUnknown."""
    now = clock()
    sheet = case_sheet(case, now)
    if sheet is None:
        raise CaseUnknown(ascii(case))
    clocks = [_clock(one.clock, now) for one in system().clocks.of(f"case:{case}")]
    told = {"case": sheet.line, "seen": sheet.exposure, "minutes": round(sheet.exposure.exposure.minutes_visible, 1)}
    return page("case_sheet", signed, {**told, **_places(sheet), **_looked(case), "clocks": clocks})


def _clock(of: RunningClock, now: datetime) -> dict[str, Any]:
    """What it is for, in words, and whether it is late."""
    runs = of.state not in (ClockState.STOPPED, ClockState.STOPPED_LATE)
    what = next((one.what for one in every_clock() if one.code == of.terms.code), of.terms.code)
    return {"what": what, "runs": runs, "due": of.terms.due, "late": runs and of.terms.due < now}


def _places(sheet: CaseSheet) -> dict[str, Any]:
    """Where it is, place by place, as far as a page can hold."""
    out_of_reach = sum(state in (HoldState.CONFIRMED, HoldState.REMOVED) for *_, state in sheet.holds)
    rows = [{"item": item, "place": place, "state": state} for item, _, place, state in sheet.holds[:_MOST_PLACES]]
    return {
        "places": rows,
        "more": max(0, len(sheet.holds) - len(rows)),
        "out_of_reach": out_of_reach,
        "of": len(sheet.holds),
        "waiting": [item for item, _ in sheet.waiting],
    }


def _looked(case: str) -> dict[str, Any]:
    """How many are still to be looked at, and what was decided."""
    rows = DecisionRow.objects.filter(case=case).order_by("made_at", "id")
    decisions = [
        {
            "item": row.content_id,
            "copies": len(row.copies),
            "what": _KINDS[DecisionKind(row.kind)],
            "state": _STATES[DecisionState(row.state)],
            "at": row.made_at,
        }
        for row in rows
    ]
    reviews = ReviewRow.objects.filter(case=case).exclude(state=ReviewState.CONCLUDED)
    outside = reviews.filter(state=ReviewState.NEEDS_OUTSIDE).count()
    return {"decisions": decisions, "looking": reviews.count(), "outside": outside}


list_view = staff_door(ANSWER_FOR_CASES, GET=listed)
show_view = staff_door(ANSWER_FOR_CASES, GET=shown)
