# SPDX-License-Identifier: Apache-2.0
"""Reviews in PostgreSQL: opened where something is held, asked of whom chance picks, and settled where findings agree.

The promises: whatever is held and is no copy has a review from the transaction that confirmed it; nobody names who
is asked; what was said, what it settles and what follows from that are one transaction; and what was taken back is
owed anew, so that what it led to is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from holdfast.access.role import Colleague
from holdfast.errors import ReviewUnknown
from holdfast.hold.contest import ContestState
from holdfast.hold.hold import HoldState
from holdfast.intake.proof import NotUpheld
from holdfast.review.finding import Ground, Verdict
from holdfast.review.review import (
    AFTERTHOUGHT,
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
)
from holdfast.review.viewing import Seen
from holdfast.review.weighing import Weighed
from holdfast.store.circumstances import circumstances_of, urgency_of
from holdfast.store.deciding import Step, take_step, take_steps
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, ContestRow, HoldRow, ReviewRow
from holdfast.store.review_following import OPEN, SYSTEM, Following
from holdfast.store.review_people import People
from holdfast.store.review_rows import CHANGING, columns_of, review_of

TURN: Final = timedelta(hours=4)
"""How long somebody is asked before another is."""
_BATCH: Final = 200
_HELD: Final = (HoldState.CONFIRMED, HoldState.BREACHED)
_SOON: Final = timedelta(minutes=10)
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('review ' || one, 0)) from unnest(%s::text[]) one"
Saw = Callable[[str, str, str], Seen]
"""What a person has seen of an item's version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says of an item. What they had seen, and what else is known, is not theirs to say."""

    by: str
    verdict: Verdict
    ground: Ground | None = None
    reason: NotUpheld | None = None
    words: str
    """Why, in a sentence of their own; sealed."""


class PostgresReviews:
    """Everything that somebody is to look at."""

    def __init__(self, means: Means, people: People, seen: Saw, afterthought: timedelta = AFTERTHOUGHT) -> None:
        """Work with `means`; `people` says who is asked, `seen` what somebody saw of an item.

        For `afterthought` what lets something be seen again has no effect.
        """
        self._means = means
        self._journal = means.journal
        self._people = people
        self._seen = seen
        self._afterthought = afterthought
        self._following = Following(means)
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

    def heed_contests(self, now: datetime) -> int:
        """Open a review for what is held, contested, and was never to be looked at by itself; returns how many."""
        held = HoldRow.objects.filter(content_id=OuterRef("content_id"), state__in=_HELD)
        reviewed = ReviewRow.objects.filter(content_id=OuterRef("content_id"))
        found = ContestRow.objects.filter(Exists(held), ~Exists(reviewed), state=ContestState.CONTESTED)
        if not found.exists():
            return 0
        with transaction.atomic(durable=True):
            rows = list(found.order_by("offered_at", "id").values_list("content_id", flat=True)[:_BATCH])
            with connection.cursor() as cursor:
                cursor.execute(_LOCK, [rows])
            items = CaseItemRow.objects.filter(~Exists(reviewed), content_id__in=rows).order_by("content_id")
            return len(self._open([replace(self._question(row), about=About.CONTEST) for row in items], now))

    def _question(self, row: CaseItemRow) -> OpenReview:
        """Whoever spoke of this item in an earlier review is not asked again."""
        earlier = ReviewRow.objects.filter(content_id=row.content_id).values_list("spoke", flat=True)
        return OpenReview(
            case=row.case_id,
            content=row.content_id,
            version=row.content_version,
            about=About.HELD,
            spoke=tuple(sorted({person for some in earlier for person in some})),
            sampled=self._people.sampled(),
        )

    def _open(self, questions: Sequence[OpenReview], at: datetime) -> list[str]:
        ids = [self._means.new_id("rev") for _ in questions]
        urgencies = [urgency_of(one.case, one.content) for one in questions]
        steps = [Step("review", key, None, 0, command) for key, command in zip(ids, questions, strict=True)]
        told = take_steps(self._journal, steps, actor=SYSTEM, at=at)
        ReviewRow.objects.bulk_create(
            ReviewRow(
                id=key, opened_at=at, due=at + _SOON, version=one.version, urgency=urgency, **columns_of(one.after)
            )
            for key, one, urgency in zip(ids, told, urgencies, strict=True)
        )
        return ids

    # --- asking, each second

    def ask(self, now: datetime) -> int:
        """Ask somebody about each review that waits for it, the most urgent first; returns how many were asked.

        Where nobody works here yet, nobody is asked and nothing is said of it: the clock of the first look runs.
        What nobody could settle is asked about again as soon as other people work here.
        """
        here = self._people.here()
        if not here:
            return 0
        with transaction.atomic(durable=True):
            self._end_turns(now)
            rows = self._in_turn(ReviewState.WAITING)[:_BATCH]
            number = sum(self._ask(row, here, now) for row in rows)
            if here != self._asked_before:
                number += sum(self._ask(row, here, now) for row in self._in_turn(ReviewState.NEEDS_OUTSIDE))
        self._asked_before = here
        return number

    def _in_turn(self, state: ReviewState) -> QuerySet[ReviewRow]:
        rows = ReviewRow.objects.filter(state=state).order_by("urgency", "due", "opened_at", "id")
        return rows.select_for_update(skip_locked=True, no_key=True)

    def _end_turns(self, now: datetime) -> None:
        """Whoever's time is over is asked no longer; it is no fault of theirs."""
        over = ReviewRow.objects.filter(state=ReviewState.ASKED, until__lte=now).order_by("id")
        for row in over.select_for_update(skip_locked=True, no_key=True)[:_BATCH]:
            self._apply(row, GiveBack(str(row.asked)), SYSTEM, now)

    def _ask(self, row: ReviewRow, here: Sequence[Colleague], now: datetime) -> bool:
        review = review_of(row)
        found = self._people.drawn(review, here)
        if found is None:
            if review.state is ReviewState.WAITING:
                self._apply(row, FindNobodyLeft(), SYSTEM, now)
            return False
        self._apply(row, AskPerson(person=found.person, until=now + TURN), SYSTEM, now)
        return True

    # --- what people do

    def find(self, review_id: str, said: Said, *, actor: str) -> Review:
        """Let somebody say what they find. Raises ReviewUnknown, Refused, or InvalidRequest for their words."""
        with transaction.atomic(durable=True):
            row = _row(review_id)
            review = review_of(row)
            self._people.check(review, said.by)
            return self._apply(row, self._finding(review, said), actor, self._means.clock())

    def _finding(self, review: Review, said: Said) -> Find:
        """What they say, with what they saw and what is known, as the tables have it now."""
        return Find(
            by=said.by,
            verdict=said.verdict,
            ground=said.ground,
            reason=said.reason,
            words=said.words,
            seen=self._seen(said.by, review.content, review.version),
            known=circumstances_of(review.case, review.content),
            afterthought=self._afterthought,
        )

    def step_back(self, review_id: str, person: str, *, actor: str) -> Review:
        """Let somebody not look at this. Raises ReviewUnknown or Refused."""
        return self._act(review_id, StepBack(person), actor)

    def give_back(self, review_id: str, person: str, *, actor: str) -> Review:
        """Let somebody else look, without blame. Raises ReviewUnknown or Refused."""
        return self._act(review_id, GiveBack(person), actor)

    def take_back(self, review_id: str, person: str, *, actor: str) -> Review:
        """Let somebody take back what they found. Raises ReviewUnknown or Refused."""
        return self._act(review_id, TakeBack(person, self._afterthought), actor)

    def of(self, review_id: str, /) -> Review | None:
        """A review as it stands; inside a transaction it is locked. See `holdfast.decision.take.Settled`."""
        rows = ReviewRow.objects.filter(id=review_id)
        row = (rows.select_for_update(no_key=True) if connection.in_atomic_block else rows).first()
        return None if row is None else review_of(row)

    def said_by(self, person: str) -> list[tuple[str, Review]]:
        """The reviews of the last day in which a word of theirs counts, the newest first: (id, review)."""
        since = self._means.clock() - timedelta(days=1)
        rows = ReviewRow.objects.filter(spoke__contains=[person], opened_at__gte=since - TURN).order_by("-opened_at")
        found = [(row.id, review_of(row)) for row in rows[:_BATCH]]
        return [(key, one) for key, one in found if any(f.by == person and f.at >= since for f in one.findings)]

    def asked_of(self, person: str) -> list[tuple[str, Review]]:
        """The reviews about which this person is asked now, the most urgent first: (id, review)."""
        rows = ReviewRow.objects.filter(state=ReviewState.ASKED, asked=person)
        return [(row.id, review_of(row)) for row in rows.order_by("urgency", "due", "opened_at", "id")[:_BATCH]]

    def _act(self, review_id: str, command: StepBack | GiveBack | TakeBack, actor: str) -> Review:
        with transaction.atomic(durable=True):
            return self._apply(_row(review_id), command, actor, self._means.clock())

    # --- parts

    def _apply(self, row: ReviewRow, command: ReviewCommand, actor: str, at: datetime) -> Review:
        before = review_of(row)
        told = take_step(self._journal, Step("review", row.id, before, row.version, command), actor=actor, at=at)
        changed = {**columns_of(told.after), "version": told.version}
        for name in CHANGING:
            setattr(row, name, changed[name])
        row.save(update_fields=CHANGING)
        after: Review = told.after
        self._following.follow(row, before, after, at)
        return after


def _row(review_id: str) -> ReviewRow:
    """A review, locked. Raises ReviewUnknown."""
    row = ReviewRow.objects.select_for_update(no_key=True).filter(id=review_id).first()
    if row is None:
        raise ReviewUnknown(ascii(review_id))
    return row


def _is_news(row: CaseItemRow) -> bool:
    """Whether nobody is asked about this yet, nor was since it was held anew."""
    asked_before = ReviewRow.objects.filter(content_id=row.content_id, content_version=row.content_version)
    if asked_before.filter(state__in=OPEN).exists():
        return False
    last = asked_before.order_by("-opened_at").first()
    if last is None:
        return True
    if last.outcome != Weighed.NOT_UPHELD:
        return False
    holds = HoldRow.objects.filter(content_id=row.content_id, content_version=row.content_version)
    return holds.filter(asked_at__gt=last.effective_at).exists()
