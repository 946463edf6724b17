# SPDX-License-Identifier: Apache-2.0
"""A decision: what follows from a review for one item's version and its exact copies, on what basis, carried by whom.

It is made once for what a review came to, carried out at the platform, shown to whoever it concerns, and may be
appealed for six months from the day on which it was shown. It is never changed: another decision takes its
place, or it is reversed. What lets anything be seen again takes two people (`two_found`); time decides nothing.

`decide_decision` and `evolve_decision` are pure; time and identity are passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from holdfast.access.two_people import TwoFound, register
from holdfast.case.case import CaseItem
from holdfast.decision.basis import Basis, Reference
from holdfast.errors import InvalidRequest, Refusal
from holdfast.intake.proof import NotUpheld
from holdfast.log.event import Event, event
from holdfast.log.text import check_story
from holdfast.review.finding import Ground
from holdfast.sealed.text import PrivateText

APPEALABLE: Final = timedelta(days=185)
"""From the day on which somebody was shown it: no six months are longer (DSA 20(1))."""


class DecisionKind(StrEnum):
    """What becomes of an item."""

    REMOVE = "remove"
    RESTRICT = "restrict"
    """Seen again, by fewer than before."""
    KEEP_WITH_WARNING = "keep_with_warning"
    KEEP = "keep"
    """Seen again, as it was."""
    ASKED_BY_CHILD = "asked_by_child"
    """Removed without a finding, because a child does not want it seen: reported to nobody, on no list of abuse."""

    @property
    def removes(self) -> bool:
        """Whether nobody sees it any more."""
        return self in (DecisionKind.REMOVE, DecisionKind.ASKED_BY_CHILD)


class DecisionState(StrEnum):
    """Where a decision stands."""

    MADE = "made"
    """The platform is asked to do what follows."""
    CARRIED_OUT = "carried_out"
    APPEALED = "appealed"
    """People who had no part in it look again. What was removed stays so meanwhile."""
    UPHELD = "upheld"
    REVERSED = "reversed"


class Party(StrEnum):
    """Whom a decision concerns, and who may appeal it."""

    REPORTER = "reporter"
    UPLOADER = "uploader"


class Because(StrEnum):
    """Why a decision no longer holds."""

    TAKEN_BACK = "taken_back"
    """Whoever found it took their word back in time. It is held, and looked at again."""
    APPEAL = "appeal"
    NEW_FACTS = "new_facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """To whom it was shown, by the id of their report or contest, and when first."""

    to: Party
    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Which policy, which words and which software were in force: SHA-256, in hex."""

    policy: str
    template: str
    software: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision as it stands."""

    case: str
    content: str
    version: str
    copies: tuple[CaseItem, ...] = ()
    kind: DecisionKind
    review: str
    by: tuple[str, ...]
    ground: Ground | None = None
    reason: NotUpheld | None = None
    reference: Reference = Reference.TERMS_OTHER
    found_by_machine: bool = False
    state: DecisionState
    made_at: datetime
    shown: tuple[Shown, ...] = ()
    appealed_in: str | None = None
    """The review that looks again."""
    upheld_by: tuple[str, ...] = ()
    """Reviews that looked again and came to the same."""

    @property
    def items(self) -> frozenset[tuple[str, str]]:
        """Content and version of all that it is about."""
        return frozenset({(self.content, self.version), *((one.content, one.version) for one in self.copies)})

    def appeal_until(self, who: str) -> datetime | None:
        """Until when this report or contest may appeal; None while it was not shown: then it stays open."""
        return next((one.at + APPEALABLE for one in self.shown if one.who == who), None)


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeDecision:
    """Decide what becomes of an item and its exact copies."""

    case: str
    content: str
    version: str
    copies: tuple[CaseItem, ...] = ()
    kind: DecisionKind
    review: str
    by: tuple[str, ...]
    ground: Ground | None = None
    """For what is removed, and for nothing else."""
    reason: NotUpheld | None = None
    """For what is seen again, and for nothing else."""
    reference: Reference
    found_by_machine: bool
    """Whether a machine found it; no machine ever decides."""
    digests: Digests


@dataclass(frozen=True, slots=True)
class CarryOut:
    """The platform did, everywhere, what follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDecision:
    """Somebody was shown it: their six months begin."""

    to: Party
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """Say that it was decided wrongly, and why; others look, in this review."""

    by: Party
    who: str
    words: str
    review: str


@dataclass(frozen=True, slots=True)
class Uphold:
    """Others looked, and come to the same."""

    review: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """It no longer holds. `held`: whether what it is about stays out of reach all the same."""

    review: str
    because: Because
    held: bool


DecisionCommand = MakeDecision | CarryOut | ShowDecision | Appeal | Uphold | Reverse


# --- events


@event("decision.made")
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade(Event):
    """It was decided what becomes of an item and its exact copies."""

    case: str
    content: str
    version: str
    copies: tuple[CaseItem, ...]
    kind: DecisionKind
    review: str
    by: tuple[str, ...]
    """Whose findings carry it."""
    ground: Ground | None
    reason: NotUpheld | None
    basis: Basis
    reference: Reference
    found_by_machine: bool
    decided_by_machine: bool
    digests: Digests
    made_at: datetime


@event("decision.carried_out")
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCarriedOut(Event):
    """The platform confirmed, for every location, what follows; what is to be seen again was seen."""


@event("decision.shown")
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionShown(Event):
    """It was shown to somebody whom it concerns, for the first time."""

    to: Party
    who: str
    at: datetime


@event("decision.appealed")
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAppealed(Event):
    """Somebody whom it concerns says that it was decided wrongly. People who had no part in it look."""

    by: Party
    who: str
    words: PrivateText
    review: str


@event("decision.upheld")
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionUpheld(Event):
    """Others looked again and came to the same."""

    review: str


@event("decision.reversed")
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionReversed(Event):
    """It no longer holds, and all that followed from it is undone."""

    review: str
    because: Because
    held: bool
    """Whether what it is about stays out of reach all the same."""


# --- the table: (state before, command) -> state after; None is "does not exist yet"

_STANDING: Final = tuple(state for state in DecisionState if state is not DecisionState.REVERSED)
_SETTLED: Final = (DecisionState.MADE, DecisionState.CARRIED_OUT, DecisionState.UPHELD)
DECISION_TRANSITIONS: Final[Mapping[tuple[DecisionState | None, type], DecisionState]] = {
    (None, MakeDecision): DecisionState.MADE,
    (DecisionState.MADE, CarryOut): DecisionState.CARRIED_OUT,
    (DecisionState.APPEALED, CarryOut): DecisionState.APPEALED,
    (DecisionState.UPHELD, CarryOut): DecisionState.UPHELD,
    **{(state, ShowDecision): state for state in DecisionState},
    **dict.fromkeys(((state, Appeal) for state in _SETTLED), DecisionState.APPEALED),
    (DecisionState.APPEALED, Uphold): DecisionState.UPHELD,
    **dict.fromkeys(((state, Reverse) for state in _STANDING), DecisionState.REVERSED),
}


# --- deciding


def decide_decision(decision: Decision | None, command: DecisionCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the decision at `now`. Raises InvalidRequest for words that cannot be kept."""
    if (decision and decision.state, type(command)) not in DECISION_TRANSITIONS:
        return Refusal("decision.not_in_this_state", f"the decision is {decision.state if decision else 'not there'}")
    if decision is None:
        assert isinstance(command, MakeDecision)
        return _make(command, now)
    return _DECIDERS[type(command)](decision, command, now)


def _make(command: MakeDecision, now: datetime) -> list[Event] | Refusal:
    removes = command.kind.removes
    if removes != (command.ground is not None) or removes == (command.reason is not None):
        return Refusal("decision.reason", "what is removed has a ground, what is seen again a reason from the list")
    if (command.kind is DecisionKind.ASKED_BY_CHILD) != (command.ground is Ground.ASKED_BY_CHILD):
        return Refusal(
            "decision.asked_by_child", "what a child asks for is removed without a finding, and as nothing else"
        )
    if len(set(command.by)) < (1 if removes else _TWO):
        return Refusal("decision.two_people", "nobody lets anything be seen again alone: two found the same")
    fields = {name: getattr(command, name) for name in command.__dataclass_fields__}
    return [DecisionMade(**fields, basis=command.reference.basis, decided_by_machine=False, made_at=now)]


def _carry_out(_decision: Decision, _command: CarryOut, _now: datetime) -> list[Event]:
    return [DecisionCarriedOut()]


def _show(decision: Decision, command: ShowDecision, now: datetime) -> list[Event]:
    """Once: being shown it again does not begin the months anew."""
    if any(one.who == command.who for one in decision.shown):
        return []
    return [DecisionShown(to=command.to, who=command.who, at=now)]


def _appeal(decision: Decision, command: Appeal, now: datetime) -> list[Event] | Refusal:
    until = decision.appeal_until(command.who)
    if until is not None and now > until:
        return Refusal("decision.appeal_over", f"it could be appealed until {until:%Y-%m-%d}; say what is new instead")
    check_story("words", command.words)
    if not command.words.strip():
        message = "words: say why it was decided wrongly"
        raise InvalidRequest(message)
    return [DecisionAppealed(by=command.by, who=command.who, words=command.words, review=command.review)]


def _uphold(_decision: Decision, command: Uphold, _now: datetime) -> list[Event]:
    return [DecisionUpheld(review=command.review)]


def _reverse(_decision: Decision, command: Reverse, _now: datetime) -> list[Event]:
    return [DecisionReversed(review=command.review, because=command.because, held=command.held)]


# --- evolving


def evolve_decision(decision: Decision | None, happened: Event) -> Decision:
    """The decision after `happened`. Raises ValueError for an event that it cannot have in this state."""
    if decision is None and isinstance(happened, DecisionMade):
        return _made(happened)
    if decision is None or (decision.state, type(happened)) not in _POSSIBLE:
        message = f"no decision can have {happened.tag!r} here"
        raise ValueError(message)
    after = _POSSIBLE[decision.state, type(happened)]
    if isinstance(happened, DecisionShown):
        return replace(decision, shown=(*decision.shown, Shown(to=happened.to, who=happened.who, at=happened.at)))
    if isinstance(happened, DecisionAppealed):
        return replace(decision, state=after, appealed_in=happened.review)
    if isinstance(happened, DecisionUpheld):
        return replace(decision, state=after, upheld_by=(*decision.upheld_by, happened.review))
    return replace(decision, state=after)


def decision_subject(decision_id: str) -> str:
    """The journal's subject for a decision."""
    return f"decision:{decision_id}"


def _made(happened: DecisionMade) -> Decision:
    return Decision(
        case=happened.case,
        content=happened.content,
        version=happened.version,
        copies=happened.copies,
        kind=happened.kind,
        review=happened.review,
        by=happened.by,
        ground=happened.ground,
        reason=happened.reason,
        reference=happened.reference,
        found_by_machine=happened.found_by_machine,
        state=DecisionState.MADE,
        made_at=happened.made_at,
    )


def _lets_be_seen(command: MakeDecision, _decision: Decision | None) -> bool:
    return not command.kind.removes


def _is_made_by(command: MakeDecision, _decision: Decision | None, found: TwoFound, _subject: str) -> bool:
    """Whether two people found it in the review that is named, of the items that are named."""
    items = {(command.content, command.version), *((one.content, one.version) for one in command.copies)}
    about = (command.review, command.case) == (found.review, found.case)
    return about and items == found.items and set(command.by) == found.by


def _undoes_removal(command: Reverse, decision: Decision) -> bool:
    return decision.kind.removes and not command.held


def _is_reversed_by(command: Reverse, decision: Decision, found: TwoFound, _subject: str) -> bool:
    """Whether two people found it, in the review that is named, of the very item that was decided about."""
    about = (command.review, decision.case) == (found.review, found.case)
    return about and (decision.content, decision.version) in found.items


_TWO: Final = 2
_DECIDERS: Final[Mapping[type, Callable[[Decision, Any, datetime], list[Event] | Refusal]]] = {
    CarryOut: _carry_out,
    ShowDecision: _show,
    Appeal: _appeal,
    Uphold: _uphold,
    Reverse: _reverse,
}
_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    MakeDecision: DecisionMade,
    CarryOut: DecisionCarriedOut,
    ShowDecision: DecisionShown,
    Appeal: DecisionAppealed,
    Uphold: DecisionUpheld,
    Reverse: DecisionReversed,
}
_POSSIBLE: Final = {
    (state, _TOLD_BY[command]): after for (state, command), after in DECISION_TRANSITIONS.items() if state is not None
}

register(
    MakeDecision,
    DecisionMade,
    when="when anything is to be seen again",
    weakens=_lets_be_seen,
    settled=_is_made_by,
)
register(CarryOut, DecisionCarriedOut)
register(ShowDecision, DecisionShown)
register(Appeal, DecisionAppealed)  # whoever appeals only asks others to look; nothing is seen by it
register(Uphold, DecisionUpheld)
register(
    Reverse,
    DecisionReversed,
    when="when what was removed is not held any more",
    weakens=_undoes_removal,
    settled=_is_reversed_by,
)
