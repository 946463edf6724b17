# SPDX-License-Identifier: Apache-2.0
"""Reports in PostgreSQL: received, receipted and owed in one transaction; opened again with the secret words alone.

The promises: whoever was given a code has a report, and what it names is being asked of the platform, or
waits for a person; a code opens its own report and says nothing of any other; and no answer tells whether a
code was nearly right.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.clock import About, Moment, clocks_for, started_at
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.errors import ReceiptUnknown
from holdfast.hold.reach import Standing
from holdfast.intake.code import CODE_BYTES, REFERENCE_BYTES, code_of, read_code, reference_of
from holdfast.intake.desk import Incoming, NamedItem, Receipt, ShownProof
from holdfast.intake.proof import ProofReceived, ReceiveProof
from holdfast.intake.report import (
    AddToReport,
    KeepCode,
    ReceiveReport,
    Report,
    ReportCommand,
    ReportReceived,
    ReportState,
    StopContact,
    WithdrawReport,
)
from holdfast.intake.reported import ItemNamed, LeaveToPerson, MarkElsewhere, NameItem, Reported, ReportedState
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs
from holdfast.intake.view import ReportView
from holdfast.store.bank_rows import record_of
from holdfast.store.deciding import Step, take_step, take_steps
from holdfast.store.means import Means
from holdfast.store.models import ProofRow, ReportedRow, ReportRow
from holdfast.store.once import claim_key
from holdfast.store.report_views import view_of

RESOLVE: Final = "report.resolve"
BANK_HASH: Final = "report.bank_hash"
_CODE: Final = "report code"
_SOURCE: Final = "report source"
_FOR_PERSON: Final = frozenset({ItemKind.DESCRIPTION, ItemKind.HASH})
_DEADLINE: Final = timedelta(seconds=60)
_MOST_TRIES: Final = 100_000
"""It is asked on until the platform answers; its owner is alarmed after a minute."""
_SOURCES_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReport:
    """A report that somebody opened with its code."""

    id: str
    reference: str
    received_at: datetime
    report: Report


class PostgresReports:
    """The desk."""

    def __init__(
        self,
        means: Means,
        widen: Callable[[ReportRow, datetime], None],
    ) -> None:
        """Work with `means`; `widen` lets holds reach as far as what stands behind their report does now."""
        self._means = means
        self._widen = widen
        self._journal = means.journal
        self._effects = means.effects
        self._alarms = means.alarms
        self._clock = means.clock
        self._new_id = means.new_id
        self._owner = means.owner

    def receive(self, incoming: Incoming, *, actor: str) -> Receipt:
        """Take a report, and give its receipt once it, and all that is owed for it, is committed.

        Raises InvalidRequest for words that cannot be kept. The clock of an imminent danger pages a person at once.
        """
        at, report_id = self._clock(), self._new_id("rep")
        code, reference = code_of(os.urandom(CODE_BYTES)), reference_of(os.urandom(REFERENCE_BYTES))
        with transaction.atomic(durable=True):
            claim_key()
            self._write(report_id, reference, code, incoming, actor, at)
            self._name(report_id, 0, incoming.items, actor, at)
            if incoming.proof:
                self._prove(report_id, incoming.proof, actor, at)
            self._start_clocks(report_id, incoming, actor, at)
        return Receipt(report=report_id, reference=reference, code=code, received_at=at, items=len(incoming.items))

    def open(self, untrusted_code: str) -> OpenedReport:
        """The report that these secret words open. Raises InvalidRequest if they are none, or ReceiptUnknown."""
        return _opened(self._row(untrusted_code))

    def view(self, untrusted_code: str) -> ReportView:
        """What whoever holds these words may see; raises as `open` does."""
        return view_of(self._row(untrusted_code).id, self._journal.sealer)

    def add(
        self, untrusted_code: str, words: str, items: Sequence[NamedItem] = (), proof: ShownProof | None = None
    ) -> OpenedReport:
        """Add words, items or a proof to one's report; raises as `open` does, and InvalidRequest."""
        at = self._clock()
        with transaction.atomic(durable=True):
            claim_key()
            row = self._row(untrusted_code, lock=True)
            self._apply(row, AddToReport(words=words), at)
            self._name(row.id, row.items.count(), items, _self(row), at)
            if proof:
                self._prove(row.id, proof, _self(row), at)
                self._widen(row, at)
        return _opened(row)

    def keep_code(self, untrusted_code: str) -> OpenedReport:
        """Whoever reported has the code now."""
        return self._change(untrusted_code, KeepCode())

    def stop_contact(self, untrusted_code: str) -> OpenedReport:
        """Whoever reported wants no more messages."""
        return self._change(untrusted_code, StopContact())

    def withdraw(self, untrusted_code: str) -> OpenedReport:
        """Whoever reported wants nothing more to do with it. Raises Refused if that was so already."""
        return self._change(untrusted_code, WithdrawReport())

    def address_of(self, reported_id: str) -> str | None:
        """How something that waits to be found was named; None if it waits no more."""
        row = ReportedRow.objects.filter(id=reported_id, state=ReportedState.NAMED).first()
        if row is None:
            return None
        return self._journal.sealer.open_texts([row.address_record])[row.address_record]

    def forget_sources(self, now: datetime) -> int:
        """Drop where reports came from once a day is over; returns how many."""
        old = ReportRow.objects.filter(received_at__lt=now - _SOURCES_KEPT, source__isnull=False)
        return old.update(source=None)

    # --- inside a transaction

    def _write(self, report_id: str, reference: str, code: str, incoming: Incoming, actor: str, at: datetime) -> None:
        command = ReceiveReport(
            reference=reference,
            reporter=incoming.reporter,
            verified=incoming.verified,
            category=incoming.category,
            elements=incoming.elements,
            words=incoming.words,
            contact=incoming.contact,
            known_ages=incoming.ages.as_text(),
            shown=incoming.shown,
        )
        told = take_step(self._journal, Step("report", report_id, None, 0, command), actor=actor, at=at)
        row = _report_row(report_id, told.events[0], at)
        row.code_digest = self._journal.sealer.finds(_CODE, code)
        row.source = self._journal.sealer.finds(_SOURCE, incoming.source) if incoming.source else None
        row.save(force_insert=True)

    def _start_clocks(self, report_id: str, incoming: Incoming, actor: str, at: datetime) -> None:
        """Legal clocks begin with the first receipt, complete or not; that the receipt was given is a fact by then."""
        about = About(
            category=incoming.category,
            reporter=incoming.reporter,
            places=self._means.places,
            notice_of_regulator=incoming.verified and incoming.reporter is ReporterKind.REGULATOR,
        )
        subject, clocks = f"report:{report_id}", self._means.clocks
        wanted = [clock for clock in clocks_for(about) if clock.starts is Moment.REPORT_RECEIVED]
        clocks.start(subject, wanted, at=at, actor=actor)
        clocks.stop(subject, Moment.RECEIPT_GIVEN, at=at, actor=actor)

    def _name(self, report_id: str, first: int, items: Sequence[NamedItem], actor: str, at: datetime) -> None:
        """Write what is named, owe the question to the platform, and set aside what only a person can find."""
        ids = [self._new_id("itm") for _ in items]
        named = [_name_item(report_id, item) for item in items]
        begun = take_steps(
            self._journal,
            [Step("reported", key, None, 0, command) for key, command in zip(ids, named, strict=True)],
            actor=actor,
            at=at,
        )
        rows = [
            _reported_row(key, first + place, told.events[0])
            for place, (key, told) in enumerate(zip(ids, begun, strict=True))
        ]
        aside = [row for row in rows if _set_aside(row) is not None]
        steps = [Step("reported", row.id, reported_of(row), row.version, _set_aside(row)) for row in aside]
        for row, told in zip(aside, take_steps(self._journal, steps, actor=actor, at=at), strict=True):
            row.state, row.version = told.after.state, told.version
            if told.after.state is ReportedState.FOR_PERSON:
                self._alarms.call(AlarmKind.ITEM_NEEDS_A_PERSON, f"report:{report_id}", self._owner, actor=actor, at=at)
        ReportedRow.objects.bulk_create(rows)
        asked = [asking_order(RESOLVE, row.id, at, self._owner) for row in rows if row.state == ReportedState.NAMED]
        hashes = [asking_order(BANK_HASH, row.id, at, self._owner) for row in rows if row.kind == ItemKind.HASH]
        self._effects.enqueue([*asked, *hashes], actor=actor, at=at)

    def _prove(self, report_id: str, proof: ShownProof, actor: str, at: datetime) -> None:
        proof_id = self._new_id("prf")
        command = ReceiveProof(
            report=report_id,
            says=proof.says,
            media_type=proof.media_type,
            size=len(proof.content),
            shown=base64.b64encode(proof.content).decode(),
        )
        told = take_step(self._journal, Step("proof", proof_id, None, 0, command), actor=actor, at=at)
        happened = told.events[0]
        assert isinstance(happened, ProofReceived)
        self._means.clocks.start(f"proof:{proof_id}", started_at(Moment.PROOF_RECEIVED), at=at, actor=actor)
        ProofRow.objects.create(
            id=proof_id,
            report_id=report_id,
            state=told.after.state,
            says=list(happened.says),
            shown_record=record_of(happened.shown),
            received_at=at,
            version=told.version,
        )

    def _change(self, untrusted_code: str, command: ReportCommand) -> OpenedReport:
        with transaction.atomic(durable=True):
            claim_key()
            row = self._row(untrusted_code, lock=True)
            self._apply(row, command, self._clock())
        return _opened(row)

    def _apply(self, row: ReportRow, command: ReportCommand, at: datetime) -> None:
        step = Step("report", row.id, report_of(row), row.version, command)
        told = take_step(self._journal, step, actor=_self(row), at=at)
        after: Report = told.after
        row.state, row.elements, row.version = after.state, sorted(after.elements), told.version
        row.contact_stopped, row.code_kept = after.contact_stopped, after.code_kept
        row.save()

    def _row(self, untrusted_code: str, *, lock: bool = False) -> ReportRow:
        digest = self._journal.sealer.finds(_CODE, read_code(untrusted_code))
        rows = ReportRow.objects.select_for_update(no_key=True) if lock else ReportRow.objects.all()
        row = rows.filter(code_digest=digest).first()
        if row is None:
            raise ReceiptUnknown
        return row


def standing_of(report: ReportRow) -> Standing:
    """What stands behind a report: how far it reaches."""
    states = {proof.state for proof in report.proofs.all()}
    if report.verified or "verified" in states:
        return Standing.VERIFIED
    return Standing.PROOF_RECEIVED if "received" in states else Standing.WORD


def report_of(row: ReportRow) -> Report:
    """The report that a row holds."""
    return Report(
        reporter=ReporterKind(row.reporter),
        verified=row.verified,
        category=Category(row.category),
        state=ReportState(row.state),
        elements=frozenset(row.elements),
        cases=tuple(row.cases),
        contact_stopped=row.contact_stopped,
        code_kept=row.code_kept,
    )


def reported_of(row: ReportedRow) -> Reported:
    """The thing named that a row holds."""
    return Reported(
        report=row.report_id,
        kind=ItemKind(row.kind),
        uploader_is=UploaderIs(row.uploader_is),
        state=ReportedState(row.state),
        content=row.content_id,
        version=row.content_version,
        case=row.case_id,
    )


def asking_order(kind: str, reported_id: str, at: datetime, owner: str) -> Order:
    """The effect that asks the platform what an address names, or banks a hash."""
    return Order(
        kind=kind,
        item=reported_id,
        location="platform",
        payload=(PayloadId("reported", reported_id),),
        weight=Weight.PROTECTIVE,
        deadline=at + _DEADLINE,
        most_tries=_MOST_TRIES,
        owner=owner,
    )


def _name_item(report_id: str, item: NamedItem) -> NameItem:
    return NameItem(report=report_id, kind=item.kind, address=item.address, uploader_is=item.uploader_is)


def _set_aside(row: ReportedRow) -> LeaveToPerson | MarkElsewhere | None:
    """What no platform needs to be asked about."""
    if row.kind == ItemKind.ELSEWHERE:
        return MarkElsewhere()
    return LeaveToPerson() if row.kind in _FOR_PERSON else None


def _report_row(report_id: str, happened: object, at: datetime) -> ReportRow:
    assert isinstance(happened, ReportReceived)
    return ReportRow(
        id=report_id,
        reference=happened.reference,
        reporter=happened.reporter,
        verified=happened.verified,
        category=happened.category,
        state=ReportState.RECEIVED,
        elements=list(happened.elements),
        words_record=record_of(happened.words),
        contact_record=record_of(happened.contact),
        ages_record=record_of(happened.known_ages),
        shown=happened.shown,
        received_at=at,
        version=1,
    )


def _reported_row(reported_id: str, place: int, happened: object) -> ReportedRow:
    assert isinstance(happened, ItemNamed)
    return ReportedRow(
        id=reported_id,
        report_id=happened.report,
        place=place,
        kind=happened.kind,
        address_record=record_of(happened.address),
        uploader_is=happened.uploader_is,
        state=ReportedState.NAMED,
        version=1,
    )


def _opened(row: ReportRow) -> OpenedReport:
    return OpenedReport(id=row.id, reference=row.reference, received_at=row.received_at, report=report_of(row))


def _self(row: ReportRow) -> str:
    """The journal's name for whoever holds the code of a report."""
    return f"report:{row.id}"
