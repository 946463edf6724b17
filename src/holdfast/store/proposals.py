# SPDX-License-Identifier: Apache-2.0
"""Proposals in PostgreSQL: asked for in one transaction, agreed to and carried out in another.

Agreeing locks first what it will change and then the proposal, decides on both as they stand, carries
the command out, and commits all of it at once. So of two who agree one finds it agreed; what changed
meanwhile is seen; and whatever kills this process leaves it asked, or agreed and done, nothing between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from holdfast.access import two_people
from holdfast.access.person import Who
from holdfast.access.proposal import (
    AgreeProposal,
    AskProposal,
    MarkProposalOverdue,
    OvertakeProposal,
    Proposal,
    ProposalAgreed,
    ProposalCommand,
    ProposalEnd,
    ProposalOvertaken,
    ProposalState,
    RefuseProposal,
    WithdrawProposal,
    decide_proposal,
    evolve_proposal,
    proposal_subject,
)
from holdfast.access.two_people import Agreed, Wanted
from holdfast.errors import ConflictError, InvalidRequest, NotFound, ProposalUnknown, Refusal, Refused
from holdfast.log.event import Event
from holdfast.store.bank_changes import allowed, numbered_change
from holdfast.store.bank_rows import record_of
from holdfast.store.journal import PostgresJournal
from holdfast.store.keys import PostgresKeys
from holdfast.store.models import ProposalRow
from holdfast.store.once import claim_key
from holdfast.store.proposal_rows import ToldProposal, command_of, new_row, proposal_of, told_of
from holdfast.store.subjects import ON_BANKS, Effect, Subject
from holdfast.store.waiting import OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who owns what waits, how long until that is an alarm, and after how long one may agree alone, if at all."""

    owner: str
    patience: timedelta
    solo_after: timedelta | None


class PostgresProposals:
    """What waits for a second person, and what became of it."""

    def __init__(  # each is one part
        self,
        journal: PostgresJournal,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        *,
        keys: PostgresKeys,
        subjects: Mapping[str, Subject],
        terms: Terms,
    ) -> None:
        """Use `clock` for time, `new_id` for ids, `keys` for the people there are."""
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._keys = keys
        self._subjects = subjects
        self._terms = terms

    # --- asking and answering

    def ask(self, wanted: Wanted, by: Who, *, because: str | None = None) -> Proposal:
        """Ask for what one person may not do; what waits already in just these words is not asked for twice.

        Raises PersonMissing, or InvalidRequest if neither the command nor `because` gives a reason.
        """
        reason = wanted.because or because
        if reason is None:
            message = "because: what weakens protection needs a reason"
            raise InvalidRequest(message)
        name, schema, body = two_people.encode(wanted.command)
        now = self._clock()
        command = AskProposal(
            id=self._new_id("pro"),
            by=by,
            command=name,
            command_schema=schema,
            body=body,
            subject=wanted.subject,
            at_version=wanted.at_version,
            because=reason,
            owner=self._terms.owner,
            due=now + self._terms.patience,
            people=self._keys.people(),
        )
        with transaction.atomic(durable=True):
            claim_key()
            events = allowed(decide_proposal(None, command, now))
            return self._waiting(command) or self._write_new(command, events, now)

    def agree(self, proposal_id: str, by: Who, *, because: str, digest: str) -> Proposal:
        """Be the second person: what was asked for is carried out in the same transaction.

        Raises ProposalUnknown, PersonMissing, InvalidRequest, and Refused: not by who asked, not twice, not
        unless `digest` is that of what was shown, not if what it is about has changed: it is overtaken then.
        """
        subject = self.get(proposal_id).subject
        with self._place(subject):
            row = _locked(proposal_id)
            before, now = self._of(row), self._clock()
            command = AgreeProposal(
                by=by,
                people=self._keys.people(),
                because=because,
                digest=digest,
                now_at=self._version(subject),
                solo_after=self._terms.solo_after,
            )
            events = allowed(decide_proposal(before, command, now))
            if isinstance(events[0], ProposalAgreed):
                events = self._carried_out(before, events)
            after = self._write(row, events, by.actor, now)
        if isinstance(events[-1], ProposalOvertaken):
            raise Refused(Refusal("proposal.overtaken", f"nothing was done: {events[-1].because}; ask for it anew"))
        return after

    def draw_half(self, proposal_id: str, by: Who) -> str:
        """The half of a key, or of an account's code, that whoever agreed gives to its person themselves. Once.

        Whoever asked has the other half: with all of it they could be that person, and so two people.
        Raises ProposalUnknown, and Refused if somebody else agreed, there is no half, or it was drawn.
        """
        told = self.told(proposal_id)
        if told.proposal.state is not ProposalState.AGREED or told.answered_by != by.actor:
            raise Refused(Refusal("proposal.not_who_agreed", "only whoever agreed to it draws this half"))
        noun, _, about = told.proposal.subject.partition(":")
        half = self._subjects[noun].draw_half(about, proposal_id)
        if half is None:
            message = "there is no half to draw: it was drawn, or this gives nobody anything; if it is lost, ask anew"
            raise Refused(Refusal("proposal.no_half", message))
        return half

    def refuse(self, proposal_id: str, by: Who, *, because: str) -> Proposal:
        """Say no. Raises ProposalUnknown, InvalidRequest or Refused."""
        return self._answer(proposal_id, RefuseProposal(by=by, because=because), by)

    def withdraw(self, proposal_id: str, by: Who, *, because: str) -> Proposal:
        """Take back what the same person asked for. Raises ProposalUnknown, InvalidRequest or Refused."""
        return self._answer(proposal_id, WithdrawProposal(by=by, because=because), by)

    def mark_overdue(self, now: datetime) -> list[Proposal]:
        """Alarm about what nobody answered in time; end what is overtaken. Returns what is overdue since now."""
        due = ProposalRow.objects.filter(state=ProposalState.ASKED, due__lte=now).values_list("id", flat=True)
        marked = [self._mark(proposal_id, now) for proposal_id in list(due)]
        return [one for one in marked if one is not None and one.state is ProposalState.OVERDUE]

    # --- reading

    def get(self, proposal_id: str) -> Proposal:
        """One proposal. Raises ProposalUnknown."""
        return self.told(proposal_id).proposal

    def told(self, proposal_id: str) -> ToldProposal:
        """The same, with what became of it. Raises ProposalUnknown."""
        found = told_of(list(ProposalRow.objects.filter(id=proposal_id)), self._journal.sealer)
        if not found:
            raise ProposalUnknown(proposal_id)
        return found[0]

    def all_told(self, *, waiting: bool) -> Sequence[ToldProposal]:
        """What waits, or everything, the newest first; at most a thousand."""
        found = ProposalRow.objects.order_by("-asked_at", "id")
        return told_of(list((found.filter(state__in=OPEN) if waiting else found)[:1000]), self._journal.sealer)

    def count_overdue(self) -> int:
        """How many nobody answered in time."""
        return ProposalRow.objects.filter(state=ProposalState.OVERDUE).count()

    def effect(self, proposal: Proposal) -> Effect | None:
        """What it would do as things stand; None if it cannot be carried out any more."""
        if not proposal.is_open or self._version(proposal.subject) != proposal.at_version:
            return None
        noun, _, about = proposal.subject.partition(":")
        try:
            return self._subjects[noun].effect(about, command_of(proposal))
        except (ConflictError, NotFound):
            return None

    # --- one at a time

    def _place(self, subject: str) -> AbstractContextManager[Any]:
        """The transaction in which the subject changes, with its lock."""
        on_banks = subject.partition(":")[0] in ON_BANKS
        return numbered_change() if on_banks else _claimed_transaction()

    def _version(self, subject: str) -> int | None:
        noun, _, about = subject.partition(":")
        return self._subjects[noun].version(about)

    def _carried_out(self, proposal: Proposal, events: list[Event]) -> list[Event]:
        """Do it, all or nothing; if its own rules no longer allow it, it is overtaken."""
        noun, _, about = proposal.subject.partition(":")
        try:
            with transaction.atomic():
                self._subjects[noun].carry_out(about, command_of(proposal), Agreed(proposal.id))
        except (ConflictError, NotFound) as fault:
            return [ProposalOvertaken(because=str(fault))]
        return events

    def _answer(self, proposal_id: str, command: ProposalCommand, by: Who) -> Proposal:
        now = self._clock()
        with transaction.atomic(durable=True):
            claim_key()
            row = _locked(proposal_id)
            events = allowed(decide_proposal(self._of(row), command, now))
            return self._write(row, events, by.actor, now)

    def _mark(self, proposal_id: str, now: datetime) -> Proposal | None:
        """Look at one clock; None if another worker is at it, or it was answered meanwhile."""
        with transaction.atomic(durable=True):
            waiting = ProposalRow.objects.select_for_update(skip_locked=True)
            row = waiting.filter(id=proposal_id, state=ProposalState.ASKED).first()
            if row is None:
                return None
            command: ProposalCommand = MarkProposalOverdue()
            if self._version(row.subject) != row.at_version:
                command = OvertakeProposal(because=f"{row.subject} has changed since")
            events = allowed(decide_proposal(self._of(row), command, now))
            return self._write(row, events, "system:worker", now)

    def _waiting(self, asked: AskProposal) -> Proposal | None:
        """What waits already in just these words."""
        same = {"subject": asked.subject, "command": asked.command, "at_version": asked.at_version}
        rows = ProposalRow.objects.filter(state__in=OPEN, **same)
        return next((one for row in rows if (one := self._of(row)).body == asked.body), None)

    def _write_new(self, asked: AskProposal, events: list[Event], now: datetime) -> Proposal:
        subject = proposal_subject(asked.id)
        written = self._journal.append(subject, after=0, events=events, actor=asked.by.actor, at=now)
        made = evolve_proposal(None, asked.id, written[0])
        new_row(made, asked_by=asked.by.actor, version=len(events)).save(force_insert=True)
        return made

    def _of(self, row: ProposalRow) -> Proposal:
        return proposal_of(row, self._journal.sealer)

    def _write(self, row: ProposalRow, events: list[Event], actor: str, now: datetime) -> Proposal:
        """Append, and bring the row to the state after."""
        after = self._of(row)
        for happened in events:
            after = evolve_proposal(after, row.id, happened)
        subject = proposal_subject(row.id)
        written = self._journal.append(subject, after=row.version, events=events, actor=actor, at=now)
        row.state, row.version = after.state, row.version + len(events)
        if isinstance(ended := written[-1], ProposalEnd):
            row.answered_by, row.answered_at = actor, now
            row.answer_record = record_of(ended.because)
            row.solo = isinstance(ended, ProposalAgreed) and ended.solo
        row.save()
        return after


@contextmanager
def _claimed_transaction() -> Iterator[None]:
    """A transaction of its own, under the key of the request, if it bears one."""
    with transaction.atomic(durable=True):
        claim_key()
        yield


def _locked(proposal_id: str) -> ProposalRow:
    """The row, for this transaction alone. Raises ProposalUnknown."""
    row = ProposalRow.objects.select_for_update().filter(id=proposal_id).first()
    if row is None:
        raise ProposalUnknown(proposal_id)
    return row
