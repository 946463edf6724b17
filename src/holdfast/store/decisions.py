# SPDX-License-Identifier: Apache-2.0
"""Decisions in PostgreSQL: each made once, out of a review that is read again where it is acted on.

The promises: what a review came to, the decision, what it lets go and what it puts into the banks are one transaction,
so that whatever kills this process leaves all of it or nothing; a review makes one decision for what it came to;
nothing is let go but by what two people found of just that; and a removal is undone by one only of those who found
it, in time, and then it stays held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from holdfast.access.two_people import Actor, TwoFound
from holdfast.alarm.kinds import AlarmKind
from holdfast.case.case import CaseItem, CaseState, DecideCase, ReopenCase
from holdfast.case.clock import Moment
from holdfast.decision.basis import reference_for
from holdfast.decision.decision import (
    APPEALABLE,
    Because,
    CarryOut,
    DecisionCommand,
    DecisionKind,
    DecisionState,
    Digests,
    MakeDecision,
    Reverse,
    Uphold,
)
from holdfast.decision.take import CARRY, Settled, ToDo, Wait, is_as_decided
from holdfast.decision.telling import TELL
from holdfast.decision.two_found import carriers, takes_effect, two_found
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.hold.enforce import Seen
from holdfast.hold.hold import AskAgain, FindBreach, FindGone, HoldState, ReleaseHold, RemoveHeld
from holdfast.hold.platform import Acted
from holdfast.intake.reporter import Category
from holdfast.review.finding import Ground
from holdfast.review.review import AFTERTHOUGHT, Review, ReviewState
from holdfast.review.weighing import Weighed, carrying
from holdfast.store.bank_changes import numbered_change
from holdfast.store.case_book import CaseBook, order
from holdfast.store.confirmed_here import ConfirmedHere
from holdfast.store.deciding import Step, take_step
from holdfast.store.decision_rows import CHANGING, columns_of, decision_of
from holdfast.store.holds import PostgresHolds
from holdfast.store.means import Means
from holdfast.store.models import ArchiveHitRow, CaseItemRow, CaseRow, DecisionRow, HoldRow, ReportedRow

SYSTEM: Final = "system:decisions"
_MOST_TRIES: Final = 100_000
_SOON: Final = timedelta(minutes=10)
_UNSURE: Final = (HoldState.REQUESTED, HoldState.BREACHED, HoldState.REFUSED, HoldState.UNREACHABLE)
_HELD: Final = (*_UNSURE, HoldState.STAGED, HoldState.CONFIRMED)
_NO_MORE: Final = DecisionState.REVERSED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settling:
    """What one review comes to, on its way into the tables."""

    id: str
    review: Review
    case: CaseRow
    copies: tuple[CaseItem, ...]
    at: datetime

    @property
    def removes(self) -> bool:
        return self.review.outcome is Weighed.REMOVE

    @property
    def items(self) -> frozenset[tuple[str, str]]:
        own = (self.review.content, self.review.version)
        return frozenset({own, *((one.content, one.version) for one in self.copies)})


class PostgresDecisions:
    """Everything that was decided. It is a `holdfast.decision.take.Decisions`."""

    def __init__(  # each is one part
        self,
        means: Means,
        book: CaseBook,
        holds: PostgresHolds,
        known: ConfirmedHere,
        *,
        settled: Settled,
        digests: Callable[[], Digests],
        kept: timedelta = APPEALABLE,
    ) -> None:
        """Read reviews with `settled`; what is removed is kept so long before it is taken away for good."""
        self._means = means
        self._journal = means.journal
        self._clock = means.clock
        self._book = book
        self._holds = holds
        self._known = known
        self._settled = settled
        self._digests = digests
        self._kept = kept

    # --- making: see `Decisions`

    def item_of(self, review_id: str) -> CaseItem | Wait | None:
        """The item that a concluded review is about, once it takes effect."""
        review = self._review(review_id)
        if review.state is not ReviewState.CONCLUDED:
            return None
        if review.effective_at is None or not takes_effect(review, self._clock()):
            return Wait(review.effective_at or self._clock() + _SOON)
        return CaseItem(content=review.content, version=review.version)

    def take(self, review_id: str, copies: Sequence[CaseItem]) -> Wait | None:
        """Make the decision, or undo what was taken back: see `Decisions`."""
        with numbered_change():  # what is removed is known to the banks, and what is reversed is not, at that moment
            at, review = self._clock(), self._review(review_id)
            case = CaseRow.objects.select_for_update(no_key=True).get(id=review.case)
            if review.state is not ReviewState.CONCLUDED:
                self._undo(review_id, case, at)
                return None
            if review.effective_at is None or not takes_effect(review, at):
                return Wait(review.effective_at or at + _SOON)
            if not self._was_taken(review_id, review):
                same = _copies(review, copies)
                self._settle(_Settling(id=review_id, review=review, case=case, copies=same, at=at))
        return None

    def _review(self, review_id: str) -> Review:
        review = self._settled(review_id)
        if review is None:
            message = f"there is no review {review_id}"
            raise LookupError(message)
        return review

    def _was_taken(self, review_id: str, review: Review) -> bool:
        """Whether what this review came to last was decided before: then it is not decided again."""
        rows = DecisionRow.objects.filter(content_id=review.content, content_version=review.version)
        made = rows.filter(review=review_id, made_at__gte=review.effective_at).exists()
        return made or rows.filter(upheld_by__contains=[review_id]).exists()

    def _settle(self, one: _Settling) -> None:
        standing = _standing(one.review)
        appealed = standing is not None and standing.appealed_in == one.id and standing.state == DecisionState.APPEALED
        removed = standing is not None and DecisionKind(standing.kind).removes
        own = standing is not None and (appealed or standing.review == one.id)
        if standing is not None and appealed:
            self._means.clocks.stop(f"decision:{standing.id}", Moment.ANSWERED, at=one.at, actor=SYSTEM)
        if removed and not one.removes and not own:
            self._means.alarms.call(
                AlarmKind.CASE_NEEDS_A_LOOK, f"case:{one.case.id}", self._means.owner, actor=SYSTEM, at=one.at
            )  # another review removed it: that takes an appeal
            return
        if standing is not None and appealed and removed == one.removes:
            self._follow(one, standing, self._leave(one, standing.id), upheld=True)
            return
        decision_id = self._means.new_id("dec")
        leave = self._leave(one, decision_id)
        if standing is not None:
            because = Because.APPEAL if appealed else Because.NEW_FACTS
            self._tell(standing, Reverse(review=one.id, because=because, held=one.removes), leave, one.at)
        self._follow(one, self._make(one, decision_id, leave), leave, upheld=False)

    def _leave(self, one: _Settling, decision_id: str) -> Actor:
        """Two people's leave to let it be seen again; or the name under which one person's word is carried out."""
        if one.removes:
            return SYSTEM
        before = DecisionRow.objects.filter(content_id=one.review.content, content_version=one.review.version)
        undoes = [row.id for row in before if DecisionKind(row.kind).removes]
        found = two_found(one.id, one.review, one.at, decision=decision_id, copies=one.copies, undoes=undoes)
        if found is None:
            message = f"review {one.id} does not stand for two people"
            raise RuntimeError(message)
        return found

    def _make(self, one: _Settling, decision_id: str, leave: Actor) -> DecisionRow:
        step = Step("decision", decision_id, None, 0, self._command(one))
        told = take_step(self._journal, step, actor=leave, at=one.at)
        return DecisionRow.objects.create(id=decision_id, **columns_of(told.after), version=told.version)

    def _command(self, one: _Settling) -> MakeDecision:
        grounds = [found.ground for found in carrying(one.review.findings) if found.ground]
        ground = next((found for found in grounds if found is not Ground.ASKED_BY_CHILD), None) or (
            grounds[0] if grounds else None
        )
        asked = ground is Ground.ASKED_BY_CHILD
        removed = DecisionKind.ASKED_BY_CHILD if asked else DecisionKind.REMOVE
        hit = ArchiveHitRow.objects.filter(content_id=one.review.content).exists()
        reference = reference_for(Category(one.case.category), removed=one.removes, asked_by_child=asked)
        return MakeDecision(
            case=one.review.case,
            content=one.review.content,
            version=one.review.version,
            copies=one.copies,
            kind=removed if one.removes else DecisionKind.KEEP,
            review=one.id,
            by=carriers(one.review),
            ground=ground if one.removes else None,
            reason=None if one.removes else carrying(one.review.findings)[-1].reason,
            reference=reference,
            found_by_machine=hit or ground is Ground.LIST_MATCH,
            digests=self._digests(),
        )

    # --- what follows, in the same transaction

    def _follow(self, one: _Settling, row: DecisionRow, leave: Actor, *, upheld: bool) -> None:
        if upheld:
            self._tell(row, Uphold(one.id), SYSTEM, one.at)
            self._owe_telling(row, one.at)
        if one.removes:
            seen = [hold for hold in _holds(one.items, one.case.id) if hold.state == HoldState.RELEASED]
            self._holds.end(seen, AskAgain(), actor=SYSTEM, at=one.at)
            self._bank(one, row)
            if not upheld:
                self._owe_telling(row, one.at)
        else:
            self._let_go(one, row, leave)
        self._means.clocks.stop(f"case:{one.case.id}", Moment.DECIDED, at=one.at, actor=SYSTEM)
        self._close(one.case, one.at)
        self._owe(row, one.at)

    def _bank(self, one: _Settling, row: DecisionRow) -> None:
        """Know it from now on; not what a child asked for, nor what a list knows already."""
        if row.kind != DecisionKind.REMOVE or row.ground == Ground.LIST_MATCH:
            return
        people = {*row.by, *carriers(one.review)}
        self._known.enter(row.id, row.content_id, row.content_version, people=len(people), actor=SYSTEM)

    def _let_go(self, one: _Settling, row: DecisionRow, leave: Actor) -> None:
        assert isinstance(leave, TwoFound)
        because = f"not upheld: {row.reason}"
        self._known.take_out(leave.undoes, because=because, actor=leave)
        rows = [hold for hold in _holds(one.items, one.case.id) if hold.state in (*_HELD, HoldState.REMOVED)]
        self._holds.end(rows, ReleaseHold(decision=row.id, because=because), actor=leave, at=one.at)

    def _undo(self, review_id: str, case: CaseRow, at: datetime) -> None:
        """What followed from a review is held again, until somebody else has looked; also by the banks meanwhile."""
        row = DecisionRow.objects.select_for_update().filter(review=review_id).exclude(state=_NO_MORE).first()
        if row is None:
            return
        self._tell(row, Reverse(review=review_id, because=Because.TAKEN_BACK, held=True), SYSTEM, at)
        ended = [hold for hold in _holds(decision_of(row).items, case.id) if hold.state in _ENDED]
        self._holds.end(ended, AskAgain(), actor=SYSTEM, at=at)
        if case.state == CaseState.DECIDED:
            self._book.tell(case, ReopenCase(), at)

    def _close(self, case: CaseRow, at: datetime) -> None:
        """The case is decided once everything is that was named in it."""
        named = CaseItemRow.objects.filter(case=case, is_copy=False, waits=False)
        items = {(row.content_id, row.content_version) for row in named}
        rows = DecisionRow.objects.filter(case=case).exclude(state=_NO_MORE)
        decided = {item for row in rows for item in decision_of(row).items}
        if case.state == CaseState.OPEN and items <= decided:
            self._book.tell(case, DecideCase(), at)

    def _owe(self, row: DecisionRow, at: datetime) -> None:
        removes = DecisionKind(row.kind).removes
        order = Order(
            kind=CARRY,
            item=row.content_id,
            location=row.id,  # a line of its own: what is removed waits for months, and nobody waits for that
            payload=(PayloadId("decision", row.id),),
            weight=Weight.PROTECTIVE if removes else Weight.RELEASING,
            deadline=at + _SOON + (self._kept if removes else timedelta()),
            most_tries=_MOST_TRIES,
            owner=self._means.owner,
        )
        self._means.effects.enqueue([order], actor=SYSTEM, at=at)

    # --- carrying out: see `Decisions`

    def to_do(self, decision_id: str) -> ToDo | None:
        """What is still to be done; None if nothing is, or the decision was reversed."""
        row = DecisionRow.objects.get(id=decision_id)
        if row.state == _NO_MORE:
            return None
        holds = _holds(decision_of(row).items, row.case_id, lock=False)
        if not DecisionKind(row.kind).removes:
            released = [hold for hold in holds if hold.state == HoldState.RELEASED]
            return ToDo(removes=False, asked=tuple(self._holds.told(released)))
        left = [hold for hold in holds if hold.state in _HELD]
        return ToDo(
            removes=True,
            asked=tuple(self._holds.told(left)),
            is_held=all(hold.state == HoldState.CONFIRMED for hold in left),
            not_before=self._kept_until(row),
        )

    def _kept_until(self, row: DecisionRow) -> datetime:
        """As long as anybody may say that it was wrong: so long after the last who was shown it; and while they do."""
        shown = [one.at for one in decision_of(row).shown]
        until = max([row.made_at, *shown]) + self._kept
        appealed = row.state == DecisionState.APPEALED
        return max(until, self._clock() + timedelta(days=1)) if appealed else until

    def settle(self, decision_id: str, seen: Sequence[Seen]) -> bool:
        """Write what the platform said and a stranger saw; whether all of these are now as decided."""
        at = self._clock()
        with transaction.atomic(durable=True):
            row = DecisionRow.objects.select_for_update().get(id=decision_id)
            removes = DecisionKind(row.kind).removes
            holds = HoldRow.objects.select_for_update(no_key=True).filter(id__in=[one.hold for one in seen])
            found = {hold.id: hold for hold in holds.order_by("id")}
            told = [(found[one.hold], one) for one in seen if one.hold in found]
            if removes:
                return self._removed(row, told, at)
            return self._released(told, at)

    def _removed(self, row: DecisionRow, told: Sequence[tuple[HoldRow, Seen]], at: datetime) -> bool:
        if row.state == _NO_MORE:
            return True
        left = False
        for hold, seen in told:
            done = is_as_decided(seen.act, seen.sight, removes=True, public=hold.has_url)
            left = left or not done
            if done and hold.state in _HELD:
                gone = seen.act is not None and seen.act.acted is Acted.GONE and hold.state != HoldState.CONFIRMED
                self._holds.end([hold], FindGone() if gone else RemoveHeld(row.id), actor=SYSTEM, at=at)
        return not left

    def _released(self, told: Sequence[tuple[HoldRow, Seen]], at: datetime) -> bool:
        """Whether each is seen again. What was held anew while the platform was asked is asked for at once."""
        anew = [hold for hold, _ in told if hold.state == HoldState.CONFIRMED]
        self._holds.end(anew, FindBreach(), actor=SYSTEM, at=at)
        still = [(hold, seen) for hold, seen in told if hold.state == HoldState.RELEASED]
        return all(is_as_decided(seen.act, seen.sight, removes=False, public=hold.has_url) for hold, seen in still)

    def carried_out(self, decision_id: str) -> None:
        """Write, once, that everything that follows was confirmed."""
        with transaction.atomic(durable=True):
            row = DecisionRow.objects.select_for_update().get(id=decision_id)
            if row.state == DecisionState.MADE:
                self._tell(row, CarryOut(), SYSTEM, self._clock())
                if not DecisionKind(row.kind).removes:
                    self._owe_telling(row, self._clock())

    def _owe_telling(self, row: DecisionRow, at: datetime) -> None:
        """Whoever posted it is to be told; see `holdfast.decision.telling`."""
        told = order(TELL, row.content_id, at + AFTERTHOUGHT, self._means.owner, decision=row.id)
        self._means.effects.enqueue([told], actor=SYSTEM, at=at)

    # --- small parts

    def _tell(self, row: DecisionRow, command: DecisionCommand, actor: Actor, at: datetime) -> None:
        step = Step("decision", row.id, decision_of(row), row.version, command)
        told = take_step(self._journal, step, actor=actor, at=at)
        changed = {**columns_of(told.after), "version": told.version}
        for name in CHANGING:
            setattr(row, name, changed[name])
        row.save(update_fields=CHANGING)


_ENDED: Final = (HoldState.REMOVED, HoldState.RELEASED)


def _standing(review: Review) -> DecisionRow | None:
    """What was decided about this item's version, and still holds."""
    rows = DecisionRow.objects.select_for_update().exclude(state=_NO_MORE)
    return rows.filter(content_id=review.content, content_version=review.version).first()


def _copies(review: Review, exact: Sequence[CaseItem]) -> tuple[CaseItem, ...]:
    """Those exact copies that are held in the case only as copies.

    One that somebody named, or that was decided about by itself, is looked at by itself.
    """
    contents = {one.content for one in exact} - {review.content}
    rows = CaseItemRow.objects.filter(case_id=review.case, content_id__in=contents, is_copy=True, waits=False)
    named = set(ReportedRow.objects.filter(content_id__in=contents).values_list("content_id", flat=True))
    own = DecisionRow.objects.filter(content_id__in=contents).exclude(state=_NO_MORE)
    decided = set(own.values_list("content_id", flat=True))
    in_case = {row.content_id: row.content_version for row in rows}
    fitting = [one for one in exact if in_case.get(one.content) == one.version]
    alone = {one.content: one for one in fitting if one.content not in named | decided}
    return tuple(alone[content] for content in sorted(alone))


def _holds(items: frozenset[tuple[str, str]], case: str, *, lock: bool = True) -> list[HoldRow]:
    """The holds of these versions in a case."""
    rows = HoldRow.objects.select_for_update(no_key=True) if lock else HoldRow.objects.all()
    found = rows.filter(case_id=case, content_id__in={content for content, _ in items}).order_by("id")
    return [row for row in found if (row.content_id, row.content_version) in items]
