# SPDX-License-Identifier: Apache-2.0
"""Who may do what, and when: one function of where an item stands and of who somebody is.

The same list draws the buttons of a review's page and gates its requests, so that no request goes where there is no
button. docs/actions.md is written from it, and says for what there is nothing yet (`NOT_THERE_YET`). To look and to
find goes with being asked, and with no role: whom that may be is `holdfast.review.eligible`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from holdfast.access.role import Role
from holdfast.decision.decision import DecisionState, Party
from holdfast.errors import Refusal
from holdfast.review.review import Review, ReviewState

Where = ReviewState | DecisionState
"""How far an item has come: its review, then its decision."""


class Duty(StrEnum):
    """What somebody has to do with one review, whatever their roles."""

    ASKED = "whoever is asked"
    SPOKE = "whoever found something"


By = Role | Duty | Party
WHERE: Final[tuple[Where, ...]] = (*ReviewState, *DecisionState)
WHO: Final[tuple[By, ...]] = (*Role, *Duty, *Party)


class Action(StrEnum):
    """What somebody may do about one item of a case."""

    READ = "read"
    """Read how it stands, without seeing the item."""
    READ_HISTORY = "read_history"
    LOOK = "look"
    """See a preview of it."""
    FIND = "find"
    STEP_BACK = "step_back"
    GIVE_BACK = "give_back"
    TAKE_BACK = "take_back"
    """Take one's own finding back."""
    RECUSE = "recuse"
    """Take somebody else off it."""
    CALL_OUTSIDE = "call_outside"
    """Let somebody from outside be asked."""
    SEE_PROOFS = "see_proofs"
    ANSWER = "answer"
    """Write to whoever reported it."""
    DELAY_NOTICE = "delay_notice"
    """With a recorded basis and an end."""
    ADD_FACTS = "add_facts"
    CONTEST = "contest"
    """Say that it should not be held."""
    READ_DECISION = "read_decision"
    APPEAL = "appeal"


_UNDECIDED: Final = frozenset(ReviewState)
_DECIDED: Final = frozenset(DecisionState)
_ALWAYS: Final = _UNDECIDED | _DECIDED
_OPEN: Final = frozenset({ReviewState.WAITING, ReviewState.ASKED})
_TURN: Final = frozenset({ReviewState.ASKED})
_APPEALABLE: Final = frozenset({DecisionState.MADE, DecisionState.CARRIED_OUT, DecisionState.UPHELD})
_MAY: Final[Mapping[By, Mapping[Action, frozenset[Where]]]] = {
    Role.INTAKE: {Action.READ: _ALWAYS, Action.ANSWER: _ALWAYS},
    Role.REVIEWER: {},
    Role.SENIOR: {},
    Role.LEAD: {
        Action.READ: _ALWAYS,
        Action.READ_HISTORY: _ALWAYS,
        Action.RECUSE: _OPEN,
        Action.CALL_OUTSIDE: frozenset({ReviewState.NEEDS_OUTSIDE}),
    },
    Role.IDENTITY: {Action.SEE_PROOFS: _ALWAYS},
    Role.LEGAL: {Action.READ: _ALWAYS, Action.READ_HISTORY: _ALWAYS, Action.DELAY_NOTICE: _DECIDED},
    Role.AUDITOR: {Action.READ: _ALWAYS, Action.READ_HISTORY: _ALWAYS},
    Role.ADMINISTRATOR: {},
    Duty.ASKED: dict.fromkeys(
        (Action.READ, Action.READ_HISTORY, Action.LOOK, Action.FIND, Action.STEP_BACK, Action.GIVE_BACK), _TURN
    ),
    Duty.SPOKE: {Action.TAKE_BACK: _UNDECIDED | {DecisionState.MADE, DecisionState.CARRIED_OUT}},
    Party.REPORTER: {Action.ADD_FACTS: _ALWAYS, Action.READ_DECISION: _DECIDED, Action.APPEAL: _APPEALABLE},
    Party.UPLOADER: {Action.CONTEST: _UNDECIDED, Action.READ_DECISION: _DECIDED, Action.APPEAL: _APPEALABLE},
}


NOT_THERE_YET: Final = (Action.RECUSE, Action.CALL_OUTSIDE, Action.ANSWER, Action.DELAY_NOTICE)
"""What these roles will do: no page and no command does it now."""


def duties_of(review: Review, person: str) -> tuple[Duty, ...]:
    """What somebody has to do with a review: by the name under which they act."""
    asked = (Duty.ASKED,) if review.asked == person else ()
    return (*asked, Duty.SPOKE) if any(one.by == person for one in review.findings) else asked


def actions(where: Where, by: Iterable[By]) -> frozenset[Action]:
    """Everything that somebody who is all of these may do about an item that stands there."""
    return frozenset(action for one in by for action, places in _MAY[one].items() if where in places)


def refusal_of(action: Action, where: Where, by: Iterable[By]) -> Refusal | None:
    """Why somebody who is all of these may not do it there; None if they may."""
    roles = tuple(by)
    if action in actions(where, roles):
        return None
    needed = [str(one) for one in WHO if action in actions(where, (one,))]
    if not needed:
        return Refusal("action.not_now", f"nobody can {_said(action)} while it is {_said(where)}")
    return Refusal("action.not_yours", f"only {', '.join(needed)} can {_said(action)} while it is {_said(where)}")


_IN_WORDS: Final[Mapping[StrEnum, str]] = {Action.FIND: "say what they find", Action.LOOK: "look at it"}


def _said(word: StrEnum) -> str:
    return _IN_WORDS.get(word, word.value.replace("_", " "))
