# SPDX-License-Identifier: Apache-2.0
"""Answers in PostgreSQL: the screening, its event, the unscreened hold and the idempotency row, all or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Min, Q, QuerySet

from holdfast.errors import JournalConflict, Refusal, ScreeningUnknown
from holdfast.log.event import encode
from holdfast.match.archive import ArchivedItem
from holdfast.match.known import Level
from holdfast.match.screen import HashesGiven, NotScreened
from holdfast.match.signal import Signal
from holdfast.match.unscreened import (
    MarkOverdue,
    OpenUnscreened,
    SettleUnscreened,
    TryUnscreenedAgain,
    Unscreened,
    UnscreenedCommand,
    UnscreenedState,
    decide_unscreened,
    evolve_unscreened,
    unscreened_subject,
)
from holdfast.media.reason import Reason
from holdfast.pipeline import Answered, FirstAnswer, Once, Recorded
from holdfast.store.answers import Conditions, Sent, of_subject, send
from holdfast.store.archive import PostgresArchive
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import IdempotencyRow, ScreeningRow, UnscreenedRow

IDEMPOTENCY_KEPT: Final = timedelta(hours=24)
_OVERDUE_BATCH: Final = 100
_SYSTEM: Final = "system:worker"


@dataclass(frozen=True, slots=True)
class UnscreenedItem:
    """An unscreened hold with its id and since when it stands."""

    id: str
    since: datetime
    held: Unscreened


class PostgresScreenings:
    """The answers given, and what is held because nothing could be told."""

    def __init__(
        self,
        journal: PostgresJournal,
        archive: PostgresArchive,
        new_id: Callable[[str], str],
        *,
        owner: str,
        patience: timedelta,
    ) -> None:
        """Unscreened holds belong to `owner` and are overdue after `patience`."""
        self._journal = journal
        self._archive = archive
        self._new_id = new_id
        self._owner = owner
        self._patience = patience

    def first_answer(self, once: Once) -> FirstAnswer | None:
        """The answer already given to this Idempotency-Key of this API key, if any."""
        row = IdempotencyRow.objects.filter(api_key=once.api_key, idempotency_key=once.idempotency_key).first()
        return FirstAnswer(row.request_digest, row.body) if row else None

    def record(
        self,
        answered: Answered,
        body: dict[str, Any],
        level: Level,
        once: Once | None,
        left: ArchivedItem,
        *,
        unless: Sequence[Signal] = (),
    ) -> Recorded:
        """Write one answer, and what belongs to it, or nothing: see `holdfast.pipeline.Screenings`."""
        kept, uploader = (
            self._archive.allowed(left, answered.asked_by),
            self._journal.sealer.uploader_columns(answered.content.uploader),
        )
        settles = answered.content.named and not answered.shadow
        if not (settles and isinstance(answered.screening, NotScreened)):
            sent = send(answered, body, level, once, kept, uploader, Conditions(alone=settles, unless=unless))
            if not (sent.level and sent.held and settles and not sent.known):
                return _outcome(sent)
        with transaction.atomic(durable=True):
            sent = send(answered, body, level, once, kept, uploader, Conditions(alone=False, unless=unless))
            if sent.written:
                self._keep_unscreened(answered)
            return _outcome(sent)

    def record_inside(
        self, answered: Answered, body: dict[str, Any], level: Level, left: ArchivedItem, *, uploader: str | None
    ) -> Recorded:
        """As `record`, inside the transaction that is open; of the uploader the sealed subject is there already."""
        kept, subject = self._archive.allowed(left, answered.asked_by), of_subject(uploader)
        sent = send(answered, body, level, None, kept, subject, Conditions(alone=False))
        if sent.written and answered.content.named and not answered.shadow:
            self._keep_unscreened(answered)
        return _outcome(sent)

    def get(self, screening_id: str) -> dict[str, Any]:
        """One answer as its event tells it. Raises ScreeningUnknown."""
        recorded = self._journal.read(f"screening:{screening_id}")
        if not recorded:
            raise ScreeningUnknown
        told = encode(recorded[0].happened)
        by_platform = any(isinstance(one.happened, HashesGiven) for one in recorded)
        told["hashes_by"] = "platform" if by_platform else "holdfast"
        return {"screening": screening_id, "at": recorded[0].at.isoformat(), **told}

    def unscreened(self, *, limit: int) -> list[UnscreenedItem]:
        """What is held unscreened, the one due first at the top."""
        rows = UnscreenedRow.objects.exclude(state=UnscreenedState.SETTLED).order_by("due", "id")[:limit]
        return [UnscreenedItem(row.id, row.since, _held(row)) for row in rows]

    def count_unscreened(self) -> dict[str, int]:
        """How many unscreened holds are open and overdue."""
        return {
            state.value: UnscreenedRow.objects.filter(state=state).count()
            for state in (UnscreenedState.OPEN, UnscreenedState.OVERDUE)
        }

    def mark_overdue(self, now: datetime) -> list[UnscreenedItem]:
        """Mark holds whose clock has run out, at most a batch; returns them so that someone is alarmed."""
        marked = []
        with transaction.atomic(durable=True):
            due = UnscreenedRow.objects.filter(state=UnscreenedState.OPEN, due__lte=now).order_by("due")
            for row in due.select_for_update(skip_locked=True)[:_OVERDUE_BATCH]:
                after = self._apply(row, MarkOverdue(), actor=_SYSTEM, at=now)
                marked.append(UnscreenedItem(row.id, row.since, after))
        return marked

    def forget_idempotency(self, now: datetime) -> int:
        """Drop first answers older than a day; returns how many."""
        dropped, _ = IdempotencyRow.objects.filter(at__lt=now - IDEMPOTENCY_KEPT).delete()
        return dropped

    def _keep_unscreened(self, answered: Answered) -> None:
        """Open, renew or settle the unscreened holds that this answer is about."""
        content = answered.content
        standing = UnscreenedRow.objects.filter(content_id=content.id).exclude(state=UnscreenedState.SETTLED)
        if isinstance(answered.screening, NotScreened):
            self._still_unscreened(
                answered, answered.screening.reason, standing.filter(content_version=content.version)
            )
            return
        command = SettleUnscreened(screening=answered.id, verdict=answered.verdict)
        # A newer version takes an older one's place; a second look at an older one does not.
        first = ScreeningRow.objects.filter(content_id=content.id, content_version=content.version)
        first_seen = first.aggregate(at=Min("at"))["at"] or answered.at
        superseded = Q(content_version=content.version) | Q(since__lt=first_seen)
        for row in standing.filter(superseded).select_for_update():
            self._apply(row, command, actor=answered.asked_by, at=answered.at)

    def _still_unscreened(self, answered: Answered, reason: Reason, standing: QuerySet[UnscreenedRow]) -> None:
        row = standing.select_for_update().first()
        if row is not None:
            again = TryUnscreenedAgain(reason=reason, screening=answered.id)
            self._apply(row, again, actor=answered.asked_by, at=answered.at)
            return
        begin = OpenUnscreened(
            content=answered.content.id,
            content_version=answered.content.version,
            reason=reason,
            screening=answered.id,
            owner=self._owner,
            due=answered.at + self._patience,
        )
        self._open(begin, actor=answered.asked_by, at=answered.at)

    def _open(self, begin: OpenUnscreened, *, actor: str, at: datetime) -> None:
        hold_id = self._new_id("uns")
        events = decide_unscreened(None, begin, at)
        assert not isinstance(events, Refusal)
        self._journal.append(unscreened_subject(hold_id), after=0, events=events, actor=actor, at=at)
        try:
            UnscreenedRow.objects.create(
                id=hold_id,
                content_id=begin.content,
                content_version=begin.content_version,
                reason=begin.reason,
                state=UnscreenedState.OPEN,
                owner=begin.owner,
                since=at,
                due=begin.due,
                screening=begin.screening,
                version=len(events),
            )
        except IntegrityError as cause:
            raise JournalConflict from cause

    def _apply(self, row: UnscreenedRow, command: UnscreenedCommand, *, actor: str, at: datetime) -> Unscreened:
        after = _held(row)
        events = decide_unscreened(after, command, at)
        if isinstance(events, Refusal):
            raise JournalConflict(events.because)
        for happened in events:
            after = evolve_unscreened(after, happened)
        subject = unscreened_subject(row.id)
        self._journal.append(subject, after=row.version, events=events, actor=actor, at=at)
        row.state, row.reason, row.version = after.state, after.reason, row.version + len(events)
        row.screening = getattr(command, "screening", row.screening)
        row.save()
        return after


def _outcome(sent: Sent) -> Recorded:
    if sent.written:
        return Recorded.WRITTEN
    if sent.level and sent.known:
        return Recorded.KNOWN
    return Recorded.KEY_TAKEN if sent.level else Recorded.BEHIND


def _held(row: UnscreenedRow) -> Unscreened:
    return Unscreened(
        content=row.content_id,
        content_version=row.content_version,
        reason=Reason(row.reason),
        owner=row.owner,
        due=row.due,
        state=UnscreenedState(row.state),
    )
