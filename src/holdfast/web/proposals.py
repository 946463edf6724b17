# SPDX-License-Identifier: Apache-2.0
"""/v1/proposals: what waits for a second person. And the one place where a refused deed becomes a proposal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from holdfast.access.key import Scope
from holdfast.access.person import Who
from holdfast.access.proposal import Proposal
from holdfast.access.two_people import Wanted
from holdfast.errors import SecondPersonNeeded
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey, who_of
from holdfast.web.shapes import Strict, Text
from holdfast.web.system import system
from holdfast.web.uploads import refuse_unknown

if TYPE_CHECKING:
    from holdfast.store.proposal_rows import ToldProposal

router = Router(tags=["proposals"])
_KEY = NeedsKey(Scope.PROPOSALS)
_PROBLEMS = (401, 403, 404, 409, 422, 503)


class Asked(Schema):
    """What was asked weakens protection: nothing was changed, it waits for a second person."""

    proposal: str
    state: str
    needs: str = "a second person"


class ListOptions(Strict):
    """Which proposals."""

    state: Literal["waiting", "all"] = "waiting"


class Answer(Strict):
    """Why one refuses, or takes back."""

    because: Text = Field(description="Why; it is in the journal.")


class Agreement(Answer):
    """What one agrees to, and why."""

    digest: str = Field(pattern="^[0-9a-f]{64}$", description="As shown: what is agreed to is this and nothing else.")


class AnsweredProposal(Schema):
    """A proposal as it stands, without anybody's words: this is kept beside an Idempotency-Key."""

    id: str
    state: str = Field(description="asked, overdue, agreed, refused, withdrawn or overtaken")
    command: str
    about: str
    at_version: int
    person: str
    asked_at: datetime
    owner: str
    due: datetime
    answered_by: str | None
    answered_at: datetime | None
    solo: bool = Field(description="One person did both, in solo mode.")


class ProposalShape(AnsweredProposal):
    """The same, and why."""

    because: str
    answer: str | None
    digest: str = Field(description="Sent back by whoever agrees.")


class ShownProposal(ProposalShape):
    """A proposal, and what it would do."""

    does: dict[str, Any] | None = Field(
        description="What it would do as things stand; null if that cannot be any more, or it was answered."
    )


class Half(Schema):
    """Half of a key, or of the code with which somebody begins a staff account."""

    half: str


_ONE = {200: ShownProposal, _PROBLEMS: shapes.Problem}
_ANSWERED = {200: AnsweredProposal, _PROBLEMS: shapes.Problem}


@router.get("", response={200: list[ProposalShape], (401, 403, 422, 503): shapes.Problem}, auth=_KEY)
def list_proposals(request: HttpRequest, options: Query[ListOptions]) -> list[dict[str, Any]]:
    """What waits for a second person, the newest first."""
    refuse_unknown(request, ListOptions)
    return [_shape(told) for told in system().proposals.all_told(waiting=options.state == "waiting")]


@router.get("/{proposal_id}", response=_ONE, auth=_KEY)
def show_proposal(request: HttpRequest, proposal_id: str) -> dict[str, Any]:  # noqa: ARG001
    """One proposal, and what it would do as things stand."""
    return _shown(proposal_id)


@router.post("/{proposal_id}/agree", response=_ANSWERED, auth=_KEY)
def agree(request: HttpRequest, proposal_id: str, given: Agreement) -> dict[str, Any]:
    """Be the second person: it is done at once. Not for who asked, with whatever key."""
    system().proposals.agree(proposal_id, who_of(request), because=given.because, digest=given.digest)
    return _shape(system().proposals.told(proposal_id))


@router.post("/{proposal_id}/half", response={200: Half, _PROBLEMS: shapes.Problem}, auth=_KEY)
def half(request: HttpRequest, proposal_id: str) -> dict[str, str]:
    """Having agreed to a key or an account, draw your half of it, once; give it to its person yourself."""
    return {"half": system().proposals.draw_half(proposal_id, who_of(request))}


@router.post("/{proposal_id}/refuse", response=_ANSWERED, auth=_KEY)
def refuse(request: HttpRequest, proposal_id: str, given: Answer) -> dict[str, Any]:
    """Say no. Anybody may, alone."""
    system().proposals.refuse(proposal_id, who_of(request), because=given.because)
    return _shape(system().proposals.told(proposal_id))


@router.post("/{proposal_id}/withdraw", response=_ANSWERED, auth=_KEY)
def withdraw(request: HttpRequest, proposal_id: str, given: Answer) -> dict[str, Any]:
    """Take back what one asked for."""
    system().proposals.withdraw(proposal_id, who_of(request), because=given.because)
    return _shape(system().proposals.told(proposal_id))


def ask(needed: SecondPersonNeeded, who: Who, because: str | None = None) -> Proposal:
    """Ask for what takes two. Raises PersonMissing, or InvalidRequest if nobody said why."""
    assert isinstance(needed.wanted, Wanted)
    return system().proposals.ask(needed.wanted, who, because=because)


def _shown(proposal_id: str) -> dict[str, Any]:
    told = system().proposals.told(proposal_id)
    return {**_shape(told), "does": system().proposals.effect(told.proposal)}


def _shape(told: ToldProposal) -> dict[str, Any]:
    proposal = told.proposal
    facts = ("id", "state", "command", "at_version", "person", "because", "asked_at", "owner", "due", "digest")
    ended = {name: getattr(told, name) for name in ("answered_by", "answer", "answered_at", "solo")}
    return {**{name: getattr(proposal, name) for name in facts}, "about": proposal.subject, **ended}
