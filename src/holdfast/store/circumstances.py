# SPDX-License-Identifier: Apache-2.0
"""What is known of a case when somebody finds something of one of its items, and how soon it is to be looked at.

Read from the tables in the transaction that acts on it, and never said by whoever finds. Whatever is not known
protects.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Min, Q, QuerySet

from holdfast.intake.proof import Claim, ProofState
from holdfast.intake.reporter import Category, ReporterKind, concerns_a_minor, counts_as, speaks_for_the_depicted
from holdfast.review.finding import Circumstances
from holdfast.review.order import standing
from holdfast.store.models import CaseRow, ProofRow, ReportRow

_OF_A_CHILD: Final = frozenset({ReporterKind.DEPICTED_CHILD, ReporterKind.PARENT})


def circumstances_of(case: str, content: str) -> Circumstances:
    """What bears on findings about an item of a case.

    That everybody in it was an adult nothing shows here yet: a verified birth date says who was born when, and not
    who is in it.
    """
    reports = reports_of(case, content)
    proofs = ProofRow.objects.filter(report__in=reports.values("id"))
    since = proofs.filter(state=ProofState.RECEIVED).aggregate(since=Min("received_at"))["since"]
    verified = {claim for claims in proofs.values_list("verified", flat=True) for claim in claims}
    return Circumstances(
        minor=_is_of_a_minor(case, reports),
        verified=frozenset(map(Claim, verified)),
        proof_waits_since=since,
    )


def urgency_of(case: str, content: str) -> int:
    """How soon an item is looked at, the least first: see `holdfast.review.order`."""
    reports = list(reports_of(case, content).values_list("category", "reporter", "verified"))
    return standing(
        imminent=any(category == Category.DANGER for category, _, _ in reports),
        own=any(speaks_for_the_depicted(ReporterKind(kind)) for _, kind, _ in reports),
        verified=any(verified for _, _, verified in reports),
    )


def reports_of(case: str, content: str) -> QuerySet[ReportRow]:
    """The reports that a case is made of, and those that name this item."""
    named = Q(items__case_id=case) | Q(items__content_id=content)
    return ReportRow.objects.filter(named).distinct()


def _is_of_a_minor(case: str, reports: QuerySet[ReportRow]) -> bool:
    categories = {CaseRow.objects.get(id=case).category, *reports.values_list("category", flat=True)}
    kinds = {
        counts_as(ReporterKind(kind), verified=checked) for kind, checked in reports.values_list("reporter", "verified")
    }
    return any(concerns_a_minor(Category(one)) for one in categories) or bool(kinds & _OF_A_CHILD)
