# SPDX-License-Identifier: Apache-2.0
"""What a receipt shows, read from the tables at one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db.models import Q

from holdfast.hold.hold import HoldState
from holdfast.intake.proof import ProofState
from holdfast.intake.report import ReportState
from holdfast.intake.reported import ReportedState
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, speaks_for_the_depicted
from holdfast.intake.view import NamedView, ProofView, ReportView, Standing, standing_of
from holdfast.store.models import HoldRow, ReportedRow, ReportRow
from holdfast.store.sealing import PostgresSealer

_HIDDEN: Final = (HoldState.CONFIRMED, HoldState.REMOVED)


def view_of(report_id: str, sealer: PostgresSealer) -> ReportView:
    """A report as its own reporter sees it."""
    row = ReportRow.objects.prefetch_related("proofs").get(id=report_id)
    items = list(row.items.order_by("place"))
    holds = _holds_of(items)
    says = sealer.open_texts(item.address_record for item in items)
    proofs = sorted(row.proofs.all(), key=lambda proof: proof.received_at)
    copies = _copies(row, items)
    return ReportView(
        reference=row.reference,
        received_at=row.received_at,
        category=Category(row.category),
        state=ReportState(row.state),
        items=tuple(_named(item, says[item.address_record], holds[item.content_id or ""]) for item in items),
        proofs=tuple(ProofView(received_at=one.received_at, state=ProofState(one.state)) for one in proofs),
        copies_hidden=copies and copies[0],
        copies_waiting=copies and copies[1],
        code_kept=row.code_kept,
        contact_stopped=row.contact_stopped,
    )


def _holds_of(items: Sequence[ReportedRow]) -> Mapping[str, list[HoldRow]]:
    found: dict[str, list[HoldRow]] = defaultdict(list)
    for hold in HoldRow.objects.filter(content_id__in={item.content_id for item in items if item.content_id}):
        found[hold.content_id].append(hold)
    return found


def _named(item: ReportedRow, address: str, holds: Sequence[HoldRow]) -> NamedView:
    standing = standing_of(ReportedState(item.state), [hold.state for hold in holds])
    hidden = [hold for hold in holds if hold.state in _HIDDEN]
    return NamedView(
        number=item.place + 1,
        kind=ItemKind(item.kind),
        address=address,
        standing=standing,
        places=len([hold for hold in holds if hold.state != HoldState.GONE]),
        hidden=len(hidden),
        asked_at=min((hold.asked_at for hold in holds), default=None),
        hidden_at=_last(hidden) if standing is Standing.HIDDEN else None,
    )


def _last(hidden: Sequence[HoldRow]) -> datetime | None:
    return max((hold.confirmed_at for hold in hidden if hold.confirmed_at), default=None)


def _copies(row: ReportRow, items: Sequence[ReportedRow]) -> tuple[int, int] | None:
    """(hidden, not yet) of places with the same content that the report did not name; None for who may not know."""
    shown = row.verified or any(proof.state == ProofState.VERIFIED for proof in row.proofs.all())
    if not shown or not speaks_for_the_depicted(ReporterKind(row.reporter)):
        return None
    named = {item.content_id for item in items}
    others = HoldRow.objects.filter(~Q(content_id__in=named), case_id__in=row.cases).exclude(state=HoldState.GONE)
    hidden = others.filter(state__in=_HIDDEN).count()
    return hidden, others.count() - hidden
