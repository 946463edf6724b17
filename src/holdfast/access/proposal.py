# SPDX-License-Identifier: Apache-2.0
"""A proposal: one person asks for what weakens protection; another, who was shown what it does, agrees or refuses.

It holds the command itself, typed and versioned, what it is about and at which version that was.
Agreeing carries the command out in the same transaction. It is never carried out by time: a clock
runs only so that its owner is alarmed. If what it is about has changed meanwhile, it is overtaken:
nobody agreed to *this*.

The asker never agrees, with whatever key. Only where the machine's owner declared solo mode, and
there is nobody else, may one person do both, after a delay; the event says so.

`decide_proposal` and `evolve_proposal` are pure; time, identity and the known people are passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import rfc8785

from holdfast.access.person import People, Who, counting
from holdfast.access.two_people import register
from holdfast.errors import Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText


class ProposalState(StrEnum):
    """Where a proposal stands."""

    ASKED = "asked"
    """Waiting for a second person."""
    OVERDUE = "overdue"
    """The clock ran out and its owner was alarmed; still waiting."""
    AGREED = "agreed"
    """A second person agreed, and it was carried out."""
    REFUSED = "refused"
    """Somebody said no."""
    WITHDRAWN = "withdrawn"
    """Whoever asked takes it back."""
    OVERTAKEN = "overtaken"
    """What it is about has changed, so that nobody agreed to this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What was asked for, by whom, about what and why; and how it stands."""

    id: str
    command: str
    command_schema: int
    body: str
    subject: str
    at_version: int
    person: str
    because: str
    asked_at: datetime
    owner: str
    due: datetime
    state: ProposalState

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody."""
        return self.state in (ProposalState.ASKED, ProposalState.OVERDUE)

    @property
    def digest(self) -> str:
        """SHA-256 over what would be done, to what: whoever agrees says it, and so agrees to nothing else."""
        about: tuple[str, int] = (self.subject, self.at_version)
        said: list[str | int] = [self.id, self.command, self.command_schema, str(self.body), *about]
        return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class AskProposal:
    """Ask for what one person may not do."""

    id: str
    by: Who
    command: str
    command_schema: int
    body: str
    subject: str
    at_version: int
    because: str
    owner: str
    due: datetime
    people: People


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeProposal:
    """Be the second person. `digest` says what was shown; `now_at` is the subject's version at this moment."""

    by: Who
    people: People
    because: str
    digest: str
    now_at: int | None
    solo_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseProposal:
    """Say no. One person may: that protects."""

    by: Who
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawProposal:
    """Take back what one asked for."""

    by: Who
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertakeProposal:
    """Say that it can no longer be what it was."""

    because: str


@dataclass(frozen=True, slots=True)
class MarkProposalOverdue:
    """Look at the clock."""


ProposalCommand = (
    AskProposal | AgreeProposal | RefuseProposal | WithdrawProposal | OvertakeProposal | MarkProposalOverdue
)


# --- events


@event("proposal.asked")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalAsked(Event):
    """Somebody asked for what weakens protection. Nothing of it was done."""

    command: str
    command_schema: int
    body: PrivateText
    about: str
    at_version: int
    person: str
    because: PrivateText
    asked_at: datetime
    owner: str
    due: datetime


@event("proposal.agreed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalAgreed(Event):
    """A second person agreed to what was shown, and it was carried out. `solo`: it was the same person, alone."""

    person: str
    because: PrivateText
    digest: str
    solo: bool


@event("proposal.refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRefused(Event):
    """Somebody refused what was asked for; it cannot be agreed to any more."""

    person: str | None
    because: PrivateText


@event("proposal.withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalWithdrawn(Event):
    """Whoever had asked took it back."""

    because: PrivateText


@event("proposal.overtaken")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalOvertaken(Event):
    """What it was about had changed before anybody agreed; nothing was done."""

    because: PrivateText


@event("proposal.overdue")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalOverdue(Event):
    """Nobody answered in time. Its owner was alarmed; nothing is done by time, and it still waits."""

    owner: str
    due: datetime


ProposalEnd = ProposalAgreed | ProposalRefused | ProposalWithdrawn | ProposalOvertaken
"""What ends a proposal; each says why."""


# --- the table: (state before, command) -> state after; None is "does not exist yet"

PROPOSAL_TRANSITIONS: Final[Mapping[tuple[ProposalState | None, type], ProposalState]] = {
    (None, AskProposal): ProposalState.ASKED,
    (ProposalState.ASKED, AgreeProposal): ProposalState.AGREED,
    (ProposalState.ASKED, RefuseProposal): ProposalState.REFUSED,
    (ProposalState.ASKED, WithdrawProposal): ProposalState.WITHDRAWN,
    (ProposalState.ASKED, OvertakeProposal): ProposalState.OVERTAKEN,
    (ProposalState.ASKED, MarkProposalOverdue): ProposalState.OVERDUE,
    (ProposalState.OVERDUE, AgreeProposal): ProposalState.AGREED,
    (ProposalState.OVERDUE, RefuseProposal): ProposalState.REFUSED,
    (ProposalState.OVERDUE, WithdrawProposal): ProposalState.WITHDRAWN,
    (ProposalState.OVERDUE, OvertakeProposal): ProposalState.OVERTAKEN,
}
"""Agreeing to what has changed meanwhile leads to `overtaken` instead."""
_ENDS: Final[Mapping[type[Event], ProposalState]] = {
    ProposalAgreed: ProposalState.AGREED,
    ProposalRefused: ProposalState.REFUSED,
    ProposalWithdrawn: ProposalState.WITHDRAWN,
    ProposalOvertaken: ProposalState.OVERTAKEN,
}


def decide_proposal(proposal: Proposal | None, command: ProposalCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the proposal as it stands at `now`.

    Raises InvalidRequest without a reason, and PersonMissing if whoever asks or agrees does not count.
    """
    if (proposal and proposal.state, type(command)) not in PROPOSAL_TRANSITIONS:
        state = proposal.state if proposal else "not there"
        return Refusal("proposal.not_in_this_state", f"the proposal is {state}, and this cannot be done then")
    if isinstance(command, AskProposal):
        return [_asked(command, now)]
    match proposal, command:
        case Proposal(), AgreeProposal():
            return _agreed(proposal, command, now)
        case Proposal(), WithdrawProposal():
            return _withdrawn(proposal, command)
        case Proposal(), MarkProposalOverdue():
            return _overdue(proposal, now)
        case _, RefuseProposal() | OvertakeProposal():
            return [_ended(command)]
    raise AssertionError  # the table above has no other pair


def evolve_proposal(proposal: Proposal | None, proposal_id: str, happened: Event) -> Proposal:
    """The proposal after `happened`.

    Raises ValueError for an event that no proposal in this state can have.
    """
    if proposal is None and isinstance(happened, ProposalAsked):
        return _begun(proposal_id, happened)
    if proposal is not None and proposal.state is ProposalState.ASKED and isinstance(happened, ProposalOverdue):
        return replace(proposal, state=ProposalState.OVERDUE)
    if proposal is not None and proposal.is_open and type(happened) in _ENDS:
        return replace(proposal, state=_ENDS[type(happened)])
    message = f"no proposal can have {happened.tag!r} here"
    raise ValueError(message)


def proposal_subject(proposal_id: str) -> str:
    """The journal's subject for a proposal, and the actor of what was carried out by it."""
    return f"proposal:{proposal_id}"


def _asked(command: AskProposal, now: datetime) -> ProposalAsked:
    return ProposalAsked(
        command=command.command,
        command_schema=command.command_schema,
        body=command.body,
        about=command.subject,
        at_version=command.at_version,
        person=counting(command.by, command.people),
        because=_reason(command.because),
        asked_at=now,
        owner=command.owner,
        due=command.due,
    )


def _agreed(proposal: Proposal, command: AgreeProposal, now: datetime) -> list[Event] | Refusal:
    person, because = counting(command.by, command.people), _reason(command.because)
    if command.digest != proposal.digest:
        return Refusal("proposal.not_what_was_shown", "the digest is not that of this proposal: look at it first")
    if proposal.person not in command.people.now:
        return Refusal("proposal.asker_gone", f"{proposal.person}, who asked, has no good key any more")
    solo = person == proposal.person
    if solo and (refusal := _alone(proposal, command, now)):
        return refusal
    if command.now_at != proposal.at_version:
        at = "is gone" if command.now_at is None else f"is at version {command.now_at}"
        return [ProposalOvertaken(because=f"{proposal.subject} {at}; it was asked for at {proposal.at_version}")]
    return [ProposalAgreed(person=person, because=because, digest=proposal.digest, solo=solo)]


def _ended(command: RefuseProposal | OvertakeProposal) -> Event:
    if isinstance(command, OvertakeProposal):
        return ProposalOvertaken(because=command.because)
    return ProposalRefused(person=command.by.person, because=_reason(command.because))


def _withdrawn(proposal: Proposal, command: WithdrawProposal) -> list[Event] | Refusal:
    if command.by.person != proposal.person:
        return Refusal("proposal.not_yours", "only who asked can withdraw it; anyone may refuse it")
    return [ProposalWithdrawn(because=_reason(command.because))]


def _overdue(proposal: Proposal, now: datetime) -> list[Event] | Refusal:
    if now < proposal.due:
        return Refusal("proposal.not_due", f"the clock runs until {proposal.due.isoformat()}")
    return [ProposalOverdue(owner=proposal.owner, due=proposal.due)]


def _alone(proposal: Proposal, command: AgreeProposal, now: datetime) -> Refusal | None:
    """Why the asker may not agree; None in solo mode, when nobody else is there and the delay has passed."""
    if command.solo_after is None or len(command.people.now) > 1:
        return Refusal("proposal.same_person", f"{proposal.person} asked for it; another person must agree")
    if now < proposal.asked_at + command.solo_after:
        until = proposal.asked_at + command.solo_after
        return Refusal("proposal.solo_waits", f"alone, it can be agreed to from {until.isoformat()} on")
    return None


def _reason(because: str) -> str:
    """Raises InvalidRequest unless it is a reason that can be kept."""
    check_text("because", because)
    return because.strip()


def _begun(proposal_id: str, happened: ProposalAsked) -> Proposal:
    return Proposal(
        id=proposal_id,
        command=happened.command,
        command_schema=happened.command_schema,
        body=happened.body,
        subject=happened.about,
        at_version=happened.at_version,
        person=happened.person,
        because=happened.because,
        asked_at=happened.asked_at,
        owner=happened.owner,
        due=happened.due,
        state=ProposalState.ASKED,
    )


register(AskProposal, ProposalAsked)
register(AgreeProposal, ProposalAgreed)  # it is the second person; who that may be is decided above
register(RefuseProposal, ProposalRefused)
register(WithdrawProposal, ProposalWithdrawn)
register(OvertakeProposal, ProposalOvertaken)
register(MarkProposalOverdue, ProposalOverdue)
