# SPDX-License-Identifier: Apache-2.0
"""Proofs in PostgreSQL, for whoever has the identity role: what waits, each look, and what was found.

The promises: that somebody looks is written before a byte is handed out; once a claim is verified, the holds of
its report reach as far as a verified report's; and the clock of a proof stops when somebody says what it shows.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from holdfast.case.clock import Moment
from holdfast.errors import ProofUnknown
from holdfast.intake.proof import (
    Claim,
    FindProofUnclear,
    Proof,
    ProofReceived,
    ProofState,
    VerifyProof,
    ViewProof,
    proof_subject,
)
from holdfast.log.event import decode
from holdfast.sealed.text import ERASED
from holdfast.store.deciding import Step, take_step
from holdfast.store.means import Means
from holdfast.store.models import JournalRow, ProofRow, ReportRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofLine:
    """A proof as a list shows it: nothing of what it shows, nor of who sent it."""

    id: str
    reference: str
    """The report's, which may be quoted."""
    state: ProofState
    says: tuple[Claim, ...]
    verified: tuple[Claim, ...]
    views: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The file that was shown."""

    media_type: str
    content: bytes


class PostgresProofs:
    """The proofs."""

    def __init__(self, means: Means, widen: Callable[[ReportRow, datetime], None]) -> None:
        """Work with `means`; `widen` lets holds reach as far as what stands behind their report does now."""
        self._means = means
        self._journal = means.journal
        self._widen = widen

    def waiting(self, *, everything: bool, limit: int) -> list[ProofLine]:
        """Those that nobody has looked at, or all of them; the longest waiting first."""
        rows = ProofRow.objects.select_related("report").order_by("received_at", "id")
        return [_line(row) for row in (rows if everything else rows.filter(state=ProofState.RECEIVED))[:limit]]

    def view(self, proof_id: str, *, actor: str) -> Shown:
        """What was shown. That it is looked at is written first. Raises ProofUnknown; also where it was erased."""
        with transaction.atomic(durable=True):
            row = self._row(proof_id)
            self._apply(row, ViewProof(), actor)
        text = self._journal.sealer.open_texts([row.shown_record])[row.shown_record]
        if text == ERASED:
            raise ProofUnknown(ascii(proof_id))
        first = JournalRow.objects.get(subject=proof_subject(row.id), version=1)
        received = decode(first.tag, first.schema, first.body)
        assert isinstance(received, ProofReceived)
        return Shown(media_type=received.media_type, content=base64.b64decode(text))

    def verify(self, proof_id: str, claims: frozenset[Claim], *, actor: str) -> ProofLine:
        """It shows these claims. Raises ProofUnknown, Refused, or InvalidRequest if none is named."""
        return self._decide(proof_id, VerifyProof(claims), actor)

    def find_unclear(self, proof_id: str, because: str, *, actor: str) -> ProofLine:
        """It cannot be told. Raises ProofUnknown, Refused, or InvalidRequest for a reason that cannot be kept."""
        return self._decide(proof_id, FindProofUnclear(because), actor)

    def _decide(self, proof_id: str, command: VerifyProof | FindProofUnclear, actor: str) -> ProofLine:
        at = self._means.clock()
        with transaction.atomic(durable=True):
            row = self._row(proof_id)
            self._apply(row, command, actor)
            self._means.clocks.stop(proof_subject(row.id), Moment.LOOKED_AT, at=at, actor=actor)
            if row.state == ProofState.VERIFIED:
                self._widen(row.report, at)
        return _line(row)

    def _row(self, proof_id: str) -> ProofRow:
        row = (
            ProofRow.objects.select_for_update(of=("self",), no_key=True)
            .select_related("report")
            .filter(id=proof_id)
            .first()
        )
        if row is None:
            raise ProofUnknown(ascii(proof_id))
        return row

    def _apply(self, row: ProofRow, command: ViewProof | VerifyProof | FindProofUnclear, actor: str) -> None:
        step = Step("proof", row.id, proof_of(row), row.version, command)
        told = take_step(self._journal, step, actor=actor, at=self._means.clock())
        after: Proof = told.after
        row.state, row.verified, row.views = after.state, sorted(after.verified), after.views
        row.version = told.version
        row.save(update_fields=["state", "verified", "views", "version"])


def proof_of(row: ProofRow) -> Proof:
    """The proof that a row holds."""
    return Proof(
        report=row.report_id,
        state=ProofState(row.state),
        says=frozenset(map(Claim, row.says)),
        verified=frozenset(map(Claim, row.verified)),
        views=row.views,
    )


def _line(row: ProofRow) -> ProofLine:
    return ProofLine(
        id=row.id,
        reference=row.report.reference,
        state=ProofState(row.state),
        says=tuple(map(Claim, row.says)),
        verified=tuple(map(Claim, row.verified)),
        views=row.views,
        received_at=row.received_at,
    )
