# SPDX-License-Identifier: Apache-2.0
"""What whoever reported may take home: which subjects of the journal are about their report, and what was sealed of it.

A sealed value is handed out with its salt, so that anybody who holds both can compare them with the commitment
in the event (`holdfast.sealed.sealing`). It is for the report's own reporter alone, and dangerous in a wrong hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from holdfast.intake.proof import proof_subject
from holdfast.intake.report import report_subject
from holdfast.intake.reported import reported_subject
from holdfast.log.event import decode
from holdfast.sealed.sealing import committed
from holdfast.sealed.text import SealedText, texts_of
from holdfast.store.models import JournalRow, ProofRow, ReportedRow
from holdfast.store.sealing import PostgresSealer, stored

_TOLD: Final = frozenset({"report.received", "report.added", "reported.named"})
"""The events whose words are the reporter's own. What others wrote about them is not theirs to take home here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sealed text, opened: its name in the event, its record, and what its commitment is made of."""

    name: str
    record: str
    opened: str
    salt: bytes


def subjects_of(report_id: str) -> list[str]:
    """The subjects of the journal that a report consists of: itself, what it names, its proofs."""
    items = ReportedRow.objects.filter(report_id=report_id).order_by("place").values_list("id", flat=True)
    proofs = ProofRow.objects.filter(report_id=report_id).order_by("received_at", "id").values_list("id", flat=True)
    return [report_subject(report_id), *map(reported_subject, items), *map(proof_subject, proofs)]


def opened_parts(subject: str, sealer: PostgresSealer) -> list[Part]:
    """What the reporter's own events of a subject sealed. What was erased is left out.

    Raises SealingKeyMissing or SealedDamaged.
    """
    rows = JournalRow.objects.filter(subject=subject, tag__in=_TOLD).order_by("version")
    texts = [(name, text) for row in rows for name, text in texts_of(decode(row.tag, row.schema, row.body))]
    sealed = [(name, text.record) for name, text in texts if isinstance(text, SealedText)]
    places = {one.place.record: one.place for one in stored([record for _, record in sealed])}
    opened = sealer.open_records(places)
    return [
        Part(name=name, record=record, opened=committed(found, places[record]), salt=found.salt)
        for name, record in sealed
        if (found := opened.get(record)) is not None
    ]
