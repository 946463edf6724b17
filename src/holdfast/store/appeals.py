# SPDX-License-Identifier: Apache-2.0
"""Decisions as those whom they concern may read and appeal them, in PostgreSQL.

The promises: a decision counts as shown to somebody from the moment at which its statement was given out, once;
an appeal and the review that it opens are one transaction; whoever found or decided anything about the item before
is not asked in that review; and an appeal lets nothing be seen again by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from holdfast.case.clock import Moment, started_at
from holdfast.decision.decision import Appeal, Decision, DecisionCommand, DecisionState, Party, ShowDecision
from holdfast.decision.statement import statement
from holdfast.decision.take import OpensReviews
from holdfast.hold.notice import NoticeText
from holdfast.review.review import About, Review
from holdfast.store.deciding import Step, take_step
from holdfast.store.decision_notices import undoes_another
from holdfast.store.decision_rows import CHANGING, columns_of, decision_of
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, ContestRow, DecisionRow, ReportedRow

_SYSTEM: Final = "system:decisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A decision as a party reads it, and until when they may appeal."""

    decision: str
    text: NoticeText
    state: DecisionState
    appeal_until: datetime


class PostgresAppeals:
    """What was decided, for whom it concerns."""

    def __init__(
        self,
        means: Means,
        *,
        settled: Callable[[str], Review | None],
        open_review: OpensReviews,
    ) -> None:
        """Read reviews with `settled`, and open others with `open_review`."""
        self._means = means
        self._settled = settled
        self._open_review = open_review

    def shown_to_reporter(self, report_id: str) -> list[Told]:
        """The statements of every decision about what a report names; their months begin now, if not before."""
        named = ReportedRow.objects.filter(report_id=report_id, content_id__isnull=False)
        contents = list(named.values_list("content_id", flat=True))
        return self._show(Party.REPORTER, report_id, contents, blameless=False)

    def shown_to_uploader(self, contest_id: str) -> list[Told]:
        """The same for whoever posted an item, by the contest that they were offered."""
        row = ContestRow.objects.get(id=contest_id)
        return self._show(Party.UPLOADER, contest_id, [row.content_id], blameless=row.blameless)

    def appeal(self, decision_id: str, *, by: Party, who: str, words: str) -> str:
        """Say that it was decided wrongly; the id of the review that looks again.

        Raises Refused if it is no time or no state for that, InvalidRequest for words that say nothing, and
        LookupError for a decision that does not concern them.
        """
        with transaction.atomic(durable=True):
            row = DecisionRow.objects.select_for_update().filter(id=decision_id).first()
            if row is None or not {content for content, _ in decision_of(row).items} & _contents(by, who):
                message = f"{decision_id} is no decision about anything of {who}"
                raise LookupError(message)
            at = self._means.clock()
            spoke = self._spoke(row)
            review = self._open_review(row.case_id, row.content_id, row.content_version, About.APPEAL, spoke)
            self._tell(row, Appeal(by=by, who=who, words=words, review=review), f"{by.value}:{who}", at)
            self._means.clocks.start(f"decision:{row.id}", started_at(Moment.APPEALED), at=at, actor=_SYSTEM)
        return review

    def _spoke(self, row: DecisionRow) -> frozenset[str]:
        """Everybody who found or decided anything about this item before, in whatever version."""
        rows = list(DecisionRow.objects.filter(content_id=row.content_id))
        reviews = {name for one in rows for name in (one.review, *one.upheld_by)}
        found = [review.spoke for name in sorted(reviews) if (review := self._settled(name)) is not None]
        return frozenset({person for one in rows for person in one.by}).union(*found)

    def _show(self, to: Party, who: str, contents: Sequence[str | None], *, blameless: bool) -> list[Told]:
        at = self._means.clock()
        with transaction.atomic(durable=True):
            rows = DecisionRow.objects.select_for_update().filter(_about(contents)).order_by("made_at", "id")
            return [self._told(row, to, who, at, blameless=blameless) for row in rows]

    def _told(self, row: DecisionRow, to: Party, who: str, at: datetime, *, blameless: bool) -> Told:
        decision = self._tell(row, ShowDecision(to=to, who=who), f"{to.value}:{who}", at)
        until = decision.appeal_until(who)
        assert until is not None  # it was shown just now, or before
        text = statement(decision, to, blameless=blameless, undoes=undoes_another(decision))
        return Told(decision=row.id, text=text, state=decision.state, appeal_until=until)

    def _tell(self, row: DecisionRow, command: DecisionCommand, actor: str, at: datetime) -> Decision:
        step = Step("decision", row.id, decision_of(row), row.version, command)
        told = take_step(self._means.journal, step, actor=actor, at=at)
        changed = {**columns_of(told.after), "version": told.version}
        for name in CHANGING:
            setattr(row, name, changed[name])
        row.save(update_fields=CHANGING)
        after: Decision = told.after
        return after


def _about(contents: Sequence[str | None]) -> Q:
    """Decisions about any of these items, or about what is the same byte for byte and followed."""
    found = Q(content_id__in=contents)
    for content in filter(None, contents):
        found |= Q(case__in=CaseItemRow.objects.filter(content_id=content).values("case"), copies__contains=[[content]])
    return found


def _contents(by: Party, who: str) -> frozenset[str | None]:
    """The items that a report names, or that a contest is about."""
    rows = ReportedRow.objects.filter(report_id=who) if by is Party.REPORTER else ContestRow.objects.filter(id=who)
    return frozenset(rows.values_list("content_id", flat=True))
