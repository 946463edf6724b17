# SPDX-License-Identifier: Apache-2.0
"""How something stands, in sentences for whoever reported it. Only what is so, with the times at which it became so.

Hidden is said where every known place has confirmed it, and not before. All times are UTC and say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from holdfast.case.clock import every_clock
from holdfast.decision.decision import DecisionState
from holdfast.intake.proof import ProofState
from holdfast.intake.view import NamedView, ProofView, ReportView, Standing
from holdfast.store.appeals import Told

_DAY: Final = "j F Y"
_TIME: Final = "H:i:s"

_PLAIN: Final[Mapping[Standing, Promise]] = {
    Standing.LOOKING: _("We are looking for this now. It is not hidden yet."),
    Standing.NEEDS_HELP: _(
        "Not found with what you gave us: we need help. A person was told. If you can, paste the whole address below."
    ),
    Standing.FOR_PERSON: _("A person has to read this and look for it, and was told. Nothing is hidden yet."),
    Standing.ELSEWHERE: _("This is on another site, where we cannot hide it. Those named below can help."),
    Standing.WAITING_LINE: _(
        "Found, and not hidden yet: many reports came at once. It waits its turn, and a person was alarmed."
    ),
    Standing.FOR_REVIEW: _("Found. A person looks at it before anything is hidden; it can be seen until then."),
    Standing.GONE: _("There is nothing there any more."),
}
_PROOFS: Final[Mapping[ProofState, Promise]] = {
    ProofState.RECEIVED: _("It is locked away. Nobody has looked at it yet."),
    ProofState.VERIFIED: _("It was looked at, and it counts."),
    ProofState.UNCLEAR: _("It was looked at, and what it shows cannot be told. That does not count against you."),
    ProofState.REJECTED: _("It was looked at, and does not show what it was sent for. You can send another."),
}


def item_told(item: NamedView) -> str:
    """How one thing that was named stands."""
    if item.standing is Standing.HIDDEN:
        return _hidden(item)
    if item.standing is Standing.ASKED:
        return _asked(item)
    return str(_PLAIN[item.standing])


def is_good(item: NamedView) -> bool:
    """Whether nobody can see it any more at any place that is known."""
    return item.standing in (Standing.HIDDEN, Standing.GONE)


def proof_told(proof: ProofView) -> str:
    """How one proof stands."""
    came = gettext("Your file came on %(at)s.") % {"at": moment(proof.received_at)}
    return f"{came} {_PROOFS[proof.state]}"


def copies_told(view: ReportView) -> str:
    """What became of other places with the same content; empty for whoever may not know."""
    if view.copies_hidden is None:
        return ""
    told = ngettext(
        "We also found %(count)d other place with the same, and it is hidden.",
        "We also found %(count)d other places with the same, and they are hidden.",
        view.copies_hidden,
    ) % {"count": view.copies_hidden}
    waiting = view.copies_waiting or 0
    rest = ngettext(
        "%(count)d more is not confirmed yet; we go on asking.",
        "%(count)d more are not confirmed yet; we go on asking.",
        waiting,
    ) % {"count": waiting}
    return f"{told} {rest}" if waiting else told


def moment(at: datetime) -> str:
    """A day and a time, to the second."""
    return f"{formats.date_format(at.astimezone(UTC), _DAY)}, {_time(at)} UTC"


def hours_of(code: str) -> int:
    """Within how many hours at the latest a clock of `case.clock` ends."""
    (clock,) = (one for one in every_clock() if one.code == code)
    return int((clock.limit or clock.target).total_seconds() // 3600)


def _hidden(item: NamedView) -> str:
    where = _places(item.hidden, item.places)
    if item.asked_at is None or item.hidden_at is None:
        return gettext("Hidden, at %(where)s.") % {"where": where}
    same_day = item.asked_at.astimezone(UTC).date() == item.hidden_at.astimezone(UTC).date()
    until = f"{_time(item.hidden_at)} UTC" if same_day else moment(item.hidden_at)
    told = {"asked": moment(item.asked_at), "hidden": until, "where": where}
    return gettext("Asked on %(asked)s, hidden by %(hidden)s, at %(where)s.") % told


def _asked(item: NamedView) -> str:
    missing = item.places - item.hidden
    rest = ngettext(
        "%(count)d place has not confirmed yet; we go on asking.",
        "%(count)d places have not confirmed yet; we go on asking.",
        missing,
    ) % {"count": missing}
    begun = gettext("We asked on %(asked)s.") % {"asked": moment(item.asked_at)} if item.asked_at else ""
    done = gettext("Hidden so far at %(where)s.") % {"where": _places(item.hidden, item.places)} if item.hidden else ""
    return " ".join(part for part in (begun, done, rest) if part)


def _places(some: int, every: int) -> str:
    told = ngettext("%(some)d of %(every)d place", "%(some)d of %(every)d places", every)
    return told % {"some": some, "every": every}


def _time(at: datetime) -> str:
    return formats.date_format(at.astimezone(UTC), _TIME)


def decision_told(told: Told) -> dict[str, Any]:
    """A decision as its page shows it: its words in parts, and until when somebody may say that it is wrong."""
    appealable = told.state not in (DecisionState.APPEALED, DecisionState.REVERSED)
    return {
        "id": told.decision,
        "title": told.text.title,
        "parts": told.text.text.split("\n\n"),
        "looked_at_again": told.state is DecisionState.APPEALED,
        "reversed": told.state is DecisionState.REVERSED,
        "until": moment(told.appeal_until) if appealable else "",
    }
