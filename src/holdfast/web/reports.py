# SPDX-License-Identifier: Apache-2.0
"""/v1/reports: reports from platforms and partners who have a form of their own, and from verified authorities.

The secret words travel in bodies alone, so that no address and no log of a proxy has them; for the same reason
there is nothing to GET. Under an Idempotency-Key a report is made once; its words are shown once: the same
request again is answered 409 with the reference (`holdfast.web.once`), because nothing that is kept may hold them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import connection
from django.http import HttpRequest
from ninja import Router

from holdfast.access.key import Key, Scope
from holdfast.errors import InvalidRequest, LogElsewhere, ScopeMissing
from holdfast.intake.age import BirthDate
from holdfast.intake.desk import Incoming, KnownAges, NamedItem, ShownProof
from holdfast.intake.proof import Claim
from holdfast.intake.report import Element, report_subject
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs, counts_as
from holdfast.prove import prove
from holdfast.start import clock
from holdfast.store.reports import OpenedReport
from holdfast.web import report_shapes as forms
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey, actor_of, key_of
from holdfast.web.proofs import proof_of
from holdfast.web.system import system

router = Router(tags=["reports"])
_PROBLEMS = (401, 403, 404, 409, 422, 503)


class _NeedsEither(NeedsKey):
    """Lets a key through that may report, verified or not."""

    def authenticate(self, request: HttpRequest, token: str) -> Key:
        """The key that `token` opens."""
        try:
            return super().authenticate(request, token)
        except ScopeMissing:
            return NeedsKey(Scope.REPORT_VERIFIED).authenticate(request, token)


_KEY = _NeedsEither(Scope.REPORT)
_CHANGED = {200: forms.ChangedOut, _PROBLEMS: shapes.Problem}


@router.post("", response={201: forms.ReportOut, _PROBLEMS: shapes.Problem}, auth=_KEY)
def receive_report(request: HttpRequest, given: forms.ReportIn) -> tuple[int, dict[str, Any]]:
    """Hand a report in. What it names is looked for, and hidden, at once; nothing personal is needed."""
    receipt = system().desk.reports.receive(_incoming(request, given), actor=actor_of(request))
    return 201, {**asdict(receipt), "receipt": _signed(receipt.report)}


@router.post("/open", response={200: forms.ReportViewOut, _PROBLEMS: shapes.Problem}, auth=_KEY)
def open_report(request: HttpRequest, given: forms.CodeIn) -> dict[str, Any]:  # noqa: ARG001
    """How a report stands, for whoever has its words."""
    return asdict(system().desk.reports.view(given.code))


@router.post("/add", response=_CHANGED, auth=_KEY)
def add_to_report(request: HttpRequest, given: forms.AddIn) -> dict[str, Any]:  # noqa: ARG001
    """Add words, items or a proof to a report; after a withdrawal this takes it up again."""
    items, proof = _items(given.items), _proof(given.proof)
    if not (items or given.words.strip() or proof):
        message = "items, words or proof: add one of them"
        raise InvalidRequest(message)
    return _changed(system().desk.reports.add(given.code, given.words, items, proof))


@router.post("/stop-contact", response=_CHANGED, auth=_KEY)
def stop_contact(request: HttpRequest, given: forms.CodeIn) -> dict[str, Any]:  # noqa: ARG001
    """Let nobody write to whoever reported."""
    return _changed(system().desk.reports.stop_contact(given.code))


@router.post("/withdraw", response=_CHANGED, auth=_KEY)
def withdraw_report(request: HttpRequest, given: forms.CodeIn) -> dict[str, Any]:  # noqa: ARG001
    """Withdraw a report. That lifts no hold and ends no case: somebody may be made to withdraw."""
    return _changed(system().desk.reports.withdraw(given.code))


def _incoming(request: HttpRequest, given: forms.ReportIn) -> Incoming:
    """The report; what a key says of others than its own holder is only their word."""
    who = ReporterKind(given.reporter)
    is_authority = counts_as(who, verified=False) is not counts_as(who, verified=True)
    return Incoming(
        reporter=who,
        verified=is_authority and Scope.REPORT_VERIFIED in key_of(request).scopes,
        category=Category(given.category),
        items=_items(given.items),
        words=given.words,
        contact=given.contact,
        ages=_ages(given.ages),
        elements=frozenset(map(Element, given.elements)),
        proof=_proof(given.proof),
        source=f"{actor_of(request)} {given.source or ''}",
    )


def _items(given: Sequence[forms.ItemIn]) -> tuple[NamedItem, ...]:
    return tuple(
        NamedItem(kind=ItemKind(one.kind), address=one.address, uploader_is=UploaderIs(one.uploader_is))
        for one in given
    )


def _ages(given: forms.AgesIn | None) -> KnownAges:
    if given is None:
        return KnownAges()
    if given.lower is not None and given.upper is not None and given.lower > given.upper:
        message = "ages: the lower first"
        raise InvalidRequest(message)
    born = BirthDate(year=given.born.year, month=given.born.month, day=given.born.day) if given.born else None
    if born:
        _ = born.earliest  # raises InvalidRequest for a day that was never
    return KnownAges(lower=given.lower, upper=given.upper, born=born)


def _proof(given: forms.ProofIn | None) -> ShownProof | None:
    if given is None:
        return None
    try:
        content = base64.b64decode(given.content, validate=True)
    except (binascii.Error, ValueError):
        message = "proof.content: base64 is needed"
        raise InvalidRequest(message) from None
    return proof_of(content, map(Claim, given.says))


def _signed(report_id: str) -> dict[str, Any] | None:
    """The log's word that it was received; none where its keys are not, which takes nothing from the report."""
    with connection.cursor() as cursor:
        try:
            return prove(cursor, system().log_folder, report_subject(report_id), now=clock())
        except LogElsewhere:
            return None


def _changed(opened: OpenedReport) -> dict[str, Any]:
    report = opened.report
    told = {"state": report.state, "contact_stopped": report.contact_stopped}
    return {"report": opened.id, "reference": opened.reference, **told}
