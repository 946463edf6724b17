# SPDX-License-Identifier: Apache-2.0
"""Reviews in PostgreSQL: opened where something is held, asked of whom chance picks, and settled where findings agree.

The promises: whatever is held and is no copy has a review from the transaction that confirmed it; nobody names who
is asked; what was said, what it settles and what follows from that are one transaction; and what was taken back is
owed anew, so that what it led to is undone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from holdfast.access.role import Colleague
from holdfast.alarm.kinds import AlarmKind
from holdfast.case.clock import Moment, started_at
from holdfast.decision.take import TAKE
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.errors import Refusal, Refused, ReviewUnknown
from holdfast.review.eligible import Matter, asked, may_look
from holdfast.review.review import (
    About,
    AskPerson,
    Find,
    FindNobodyLeft,
    GiveBack,
    OpenReview,
    Review,
    ReviewCommand,
    ReviewState,
    StepBack,
    TakeBack,
    review_subject,
)
from holdfast.review.weighing import Weighed
from holdfast.store.deciding import Step, Told, take_step, take_steps
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, HoldRow, ReviewRow
from holdfast.store.review_rows import CHANGING, columns_of, review_of

SYSTEM: Final = "system:reviews"
TURN: Final = timedelta(hours=4)
"""How long somebody is asked before another is."""
SAMPLED_OF: Final = 10
"""One of so many reviews has a second look whatever the first says."""
_OPEN: Final = (ReviewState.WAITING, ReviewState.ASKED, ReviewState.NEEDS_OUTSIDE)
_BATCH: Final = 200
_MOST_TRIES: Final = 100_000
_SOON: Final = timedelta(minutes=10)
_FIRST_LOOK: Final = ("first-look",)
_NOBODY: Final = Refusal("review.no_colleague", "nobody of this name works here now")
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('review ' || one, 0)) from unnest(%s::text[]) one"
Colleagues = Callable[[], Sequence[Colleague]]
Accounts = Callable[[Iterable[str]], Mapping[str, str]]
"""The platform's references that sealed subjects hold; without those that were erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who can be asked, and by what lot: `chance(n)` is any number below n, and nobody can foretell it."""

    colleagues: Colleagues = tuple
    chance: Callable[[int], int] = secrets.randbelow


class PostgresReviews:
    """Everything that somebody is to look at."""

    def __init__(
        self,
        means: Means,
        *,
        accounts: Accounts,
        asking: Asking | None = None,
    ) -> None:
        """`accounts` names the platform's accounts that bear on a conflict of interest; `asking` says who is asked."""
        asking = asking or Asking()
        self._means = means
        self._journal = means.journal
        self._accounts = accounts
        self._colleagues = asking.colleagues
        self._chance = asking.chance
        self._asked_before: Sequence[Colleague] | None = None

    # --- opening, inside the caller's transaction

    def offer(self, case: str, contents: Collection[str], at: datetime) -> None:
        """Open a review for each of these items of a case, which are held now, unless one asks the same."""
        items = CaseItemRow.objects.filter(case_id=case, content_id__in=contents, is_copy=False, waits=False)
        rows = list(items.order_by("content_id"))
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [[row.content_id for row in rows]])
        self._open([self._question(row) for row in rows if _is_news(row)], at)

    def open(self, case: str, content: str, version: str, about: About, spoke: frozenset[str], /) -> str:
        """Open a review in which nobody of `spoke` is asked; its id. See `holdfast.decision.take.OpensReviews`."""
        command = OpenReview(case=case, content=content, version=version, about=about, spoke=tuple(sorted(spoke)))
        return self._open([command], self._means.clock())[0]

    def _question(self, row: CaseItemRow) -> OpenReview:
        """Whoever spoke of this item in an earlier review is not asked again."""
        earlier = ReviewRow.objects.filter(content_id=row.content_id).values_list("spoke", flat=True)
        return OpenReview(
            case=row.case_id,
            content=row.content_id,
            version=row.content_version,
            about=About.HELD,
            spoke=tuple(sorted({person for some in earlier for person in some})),
            sampled=self._chance(SAMPLED_OF) == 0,
        )

    def _open(self, questions: Sequence[OpenReview], at: datetime) -> list[str]:
        ids = [self._means.new_id("rev") for _ in questions]
        steps = [Step("review", key, None, 0, command) for key, command in zip(ids, questions, strict=True)]
        told = take_steps(self._journal, steps, actor=SYSTEM, at=at)
        ReviewRow.objects.bulk_create(
            ReviewRow(id=key, opened_at=at, due=at + _SOON, version=one.version, **columns_of(one.after))
            for key, one in zip(ids, told, strict=True)
        )
        return ids

    # --- asking, each second

    def ask(self, now: datetime) -> int:
        """Ask somebody about each review that waits for it, the most urgent first; returns how many were asked.

        Where nobody works here yet, nobody is asked and nothing is said of it: the clock of the first look runs.
        What nobody could settle is asked about again as soon as other people work here.
        """
        colleagues = self._colleagues()
        if not colleagues:
            return 0
        with transaction.atomic(durable=True):
            self._end_turns(now)
            rows = self._in_turn(ReviewState.WAITING)[:_BATCH]
            number = sum(self._ask(row, colleagues, now) for row in rows)
            if colleagues != self._asked_before:
                number += sum(self._ask(row, colleagues, now) for row in self._in_turn(ReviewState.NEEDS_OUTSIDE))
        self._asked_before = colleagues
        return number

    def _in_turn(self, state: ReviewState) -> QuerySet[ReviewRow]:
        rows = ReviewRow.objects.filter(state=state).order_by("urgency", "due", "opened_at", "id")
        return rows.select_for_update(skip_locked=True, no_key=True)

    def _end_turns(self, now: datetime) -> None:
        """Whoever's time is over is asked no longer; it is no fault of theirs."""
        over = ReviewRow.objects.filter(state=ReviewState.ASKED, until__lte=now).order_by("id")
        for row in over.select_for_update(skip_locked=True, no_key=True)[:_BATCH]:
            self._apply(row, GiveBack(str(row.asked)), SYSTEM, now)

    def _ask(self, row: ReviewRow, colleagues: Sequence[Colleague], now: datetime) -> bool:
        review = review_of(row)
        found = asked(colleagues, self._matter(review, colleagues), review.turn, self._chance(2**32))
        if found is None:
            if review.state is ReviewState.WAITING:
                self._apply(row, FindNobodyLeft(), SYSTEM, now)
            return False
        self._apply(row, AskPerson(person=found.person, until=now + TURN), SYSTEM, now)
        return True

    def _matter(self, review: Review, colleagues: Sequence[Colleague]) -> Matter:
        """What bears on who may look: whose it is, who spoke, and of which teams they are."""
        posted = CaseItemRow.objects.filter(content_id=review.content, account_subject__isnull=False)
        subjects = [str(one) for one in posted.values_list("account_subject", flat=True)]
        teams = frozenset(one.team for one in colleagues if one.person in review.spoke)
        parties = frozenset(self._accounts(subjects).values())
        return Matter(parties=parties, spoke=review.spoke, recused=review.recused, teams=teams)

    # --- what people do

    def find(self, review_id: str, command: Find, *, actor: str) -> Review:
        """Let somebody say what they find. Raises ReviewUnknown, Refused, or InvalidRequest for their words."""
        return self._act(review_id, command, actor)

    def step_back(self, review_id: str, person: str, *, actor: str) -> Review:
        """Let somebody not look at this. Raises ReviewUnknown or Refused."""
        return self._act(review_id, StepBack(person), actor)

    def give_back(self, review_id: str, person: str, *, actor: str) -> Review:
        """Let somebody else look, without blame. Raises ReviewUnknown or Refused."""
        return self._act(review_id, GiveBack(person), actor)

    def take_back(self, review_id: str, person: str, *, actor: str) -> Review:
        """Let somebody take back what they found. Raises ReviewUnknown or Refused."""
        return self._act(review_id, TakeBack(person), actor)

    def of(self, review_id: str, /) -> Review | None:
        """A review as it stands; inside a transaction it is locked. See `holdfast.decision.take.Settled`."""
        rows = ReviewRow.objects.filter(id=review_id)
        row = (rows.select_for_update(no_key=True) if connection.in_atomic_block else rows).first()
        return None if row is None else review_of(row)

    def asked_of(self, person: str) -> list[tuple[str, Review]]:
        """The reviews about which this person is asked now, the most urgent first: (id, review)."""
        rows = ReviewRow.objects.filter(state=ReviewState.ASKED, asked=person)
        return [(row.id, review_of(row)) for row in rows.order_by("urgency", "due", "opened_at", "id")[:_BATCH]]

    def _act(self, review_id: str, command: Find | StepBack | GiveBack | TakeBack, actor: str) -> Review:
        with transaction.atomic(durable=True):
            row = ReviewRow.objects.select_for_update(no_key=True).filter(id=review_id).first()
            if row is None:
                raise ReviewUnknown(ascii(review_id))
            if isinstance(command, Find):
                self._check(review_of(row), command.by)
            return self._apply(row, command, actor, self._means.clock())

    def _check(self, review: Review, person: str) -> None:
        """Whoever speaks may look still: powers may have been taken since they were asked."""
        colleagues = self._colleagues()
        found = next((one for one in colleagues if one.person == person), None)
        refusal = _NOBODY if found is None else may_look(found, self._matter(review, colleagues))
        if refusal:
            raise Refused(refusal)

    # --- parts

    def _apply(self, row: ReviewRow, command: ReviewCommand, actor: str, at: datetime) -> Review:
        before = review_of(row)
        told = take_step(self._journal, Step("review", row.id, before, row.version, command), actor=actor, at=at)
        changed = {**columns_of(told.after), "version": told.version}
        for name in CHANGING:
            setattr(row, name, changed[name])
        row.save(update_fields=CHANGING)
        self._follow(row, before, told, at)
        after: Review = told.after
        return after

    def _follow(self, row: ReviewRow, before: Review, told: Told, at: datetime) -> None:
        """What a step leads to elsewhere: what is owed, which clocks run, and who is alarmed."""
        after: Review = told.after
        if ReviewState.CONCLUDED in (before.state, after.state):
            self._owe(row.id, after, at)
        self._move_clocks(row, before, after, at)
        about = review_subject(row.id)
        if after.state is ReviewState.NEEDS_OUTSIDE:
            self._means.alarms.call(AlarmKind.REVIEW_NEEDS_OUTSIDE, about, self._means.owner, actor=SYSTEM, at=at)
        elif before.state is ReviewState.NEEDS_OUTSIDE:
            kinds = [AlarmKind.REVIEW_NEEDS_OUTSIDE]
            self._means.alarms.clear(about, "somebody looks", actor=SYSTEM, at=at, kinds=kinds)

    def _owe(self, review_id: str, after: Review, at: datetime) -> None:
        releases = after.outcome is Weighed.NOT_UPHELD
        owed = Order(
            kind=TAKE,
            item=review_id,
            location=TAKE,
            payload=(PayloadId("review", review_id),),
            weight=Weight.NEUTRAL if releases else Weight.PROTECTIVE,
            deadline=(after.effective_at or at) + _SOON,
            most_tries=_MOST_TRIES,
            owner=self._means.owner,
        )
        self._means.effects.enqueue([owed], actor=SYSTEM, at=at)

    def _move_clocks(self, row: ReviewRow, before: Review, after: Review, at: datetime) -> None:
        clocks, about = self._means.clocks, review_subject(row.id)
        if after.state is ReviewState.CONCLUDED:
            clocks.stop(about, Moment.DECIDED, at=at, actor=SYSTEM)
        elif after.findings and not before.findings:
            clocks.start(about, started_at(Moment.FIRST_FINDING), at=at, actor=SYSTEM)
        if after.findings and not _unseen(row.case_id):
            clocks.stop(f"case:{row.case_id}", Moment.LOOKED_AT, at=at, actor=SYSTEM, codes=_FIRST_LOOK)


def _is_news(row: CaseItemRow) -> bool:
    """Whether nobody is asked about this yet, nor was since it was held anew."""
    asked_before = ReviewRow.objects.filter(content_id=row.content_id, content_version=row.content_version)
    if asked_before.filter(state__in=_OPEN).exists():
        return False
    last = asked_before.order_by("-opened_at").first()
    if last is None:
        return True
    if last.outcome != Weighed.NOT_UPHELD:
        return False
    holds = HoldRow.objects.filter(content_id=row.content_id, content_version=row.content_version)
    return holds.filter(asked_at__gt=last.effective_at).exists()


def _unseen(case: str) -> bool:
    """Whether something of a case is held of which nobody has said anything."""
    return ReviewRow.objects.filter(case_id=case, state__in=_OPEN, findings=[]).exists()
