# SPDX-License-Identifier: Apache-2.0
"""Proposals as rows: read back with what they ask for and why, which lies in sealed records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.access import two_people
from holdfast.access.proposal import Proposal, ProposalState
from holdfast.errors import Refusal, Refused
from holdfast.sealed.text import ERASED
from holdfast.store.bank_rows import record_of
from holdfast.store.models import ProposalRow
from holdfast.store.sealing import PostgresSealer


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldProposal:
    """A proposal, and what became of it."""

    proposal: Proposal
    asked_by: str
    answered_by: str | None
    answer: str | None
    answered_at: datetime | None
    solo: bool


def proposal_of(row: ProposalRow, sealer: PostgresSealer) -> Proposal:
    """The proposal that a row holds."""
    return _proposal(row, _says([row], sealer))


def told_of(rows: Sequence[ProposalRow], sealer: PostgresSealer) -> list[ToldProposal]:
    """The same of many, with what became of them; their words are opened at once."""
    says = _says(rows, sealer)
    return [
        ToldProposal(
            proposal=_proposal(row, says),
            asked_by=row.asked_by,
            answered_by=row.answered_by,
            answer=says[row.answer_record] if row.answer_record else None,
            answered_at=row.answered_at,
            solo=row.solo,
        )
        for row in rows
    ]


def new_row(made: Proposal, *, asked_by: str, version: int) -> ProposalRow:
    """The row of a new proposal whose words were sealed."""
    return ProposalRow(
        id=made.id,
        command=made.command,
        command_schema=made.command_schema,
        body_record=record_of(made.body),
        subject=made.subject,
        at_version=made.at_version,
        person=made.person,
        asked_by=asked_by,
        because_record=record_of(made.because),
        asked_at=made.asked_at,
        owner=made.owner,
        due=made.due,
        state=made.state,
        version=version,
    )


def command_of(proposal: Proposal) -> Any:  # noqa: ANN401  # any command of the table
    """What was asked for. Raises Refused if that was erased: nobody can agree to what nobody knows any more."""
    if proposal.body == ERASED:
        raise Refused(Refusal("proposal.erased", "what was asked for was erased"))
    return two_people.decode(proposal.command, proposal.command_schema, proposal.body)


def _says(rows: Sequence[ProposalRow], sealer: PostgresSealer) -> Mapping[str, str]:
    return sealer.open_texts(record for row in rows for record in _records(row))


def _records(row: ProposalRow) -> Iterator[str]:
    yield from (row.body_record, row.because_record)
    if row.answer_record:
        yield row.answer_record


def _proposal(row: ProposalRow, says: Mapping[str, str]) -> Proposal:
    return Proposal(
        id=row.id,
        command=row.command,
        command_schema=row.command_schema,
        body=says[row.body_record],
        subject=row.subject,
        at_version=row.at_version,
        person=row.person,
        because=says[row.because_record],
        asked_at=row.asked_at,
        owner=row.owner,
        due=row.due,
        state=ProposalState(row.state),
    )
