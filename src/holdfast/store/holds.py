# SPDX-License-Identifier: Apache-2.0
"""Holds in PostgreSQL: asked for in the transaction that owes the asking, and shown as held once that is so.

The promises: a location is asked for once, and until it is confirmed; what the platform said and what a
stranger saw are written together; what was confirmed is looked at again when it is due; and nobody is told
of a state that was not committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from holdfast.access.two_people import Actor
from holdfast.alarm.kinds import AlarmKind
from holdfast.case.clock import Moment, Place, every_clock
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.hold.enforce import Asked, Seen
from holdfast.hold.hold import (
    PATIENCE,
    AskAgain,
    AskHold,
    ConfirmedBy,
    ConfirmHold,
    FindBreach,
    FindGone,
    Hold,
    HoldCommand,
    HoldRequested,
    HoldStaged,
    HoldState,
    LoseSight,
    MarkUnconfirmed,
    RefuseHold,
    SeeHeld,
    StageHold,
)
from holdfast.hold.platform import Acted, Item, Sight, Spot
from holdfast.hold.reach import Standing, Valve
from holdfast.hold.reported_hash import REPORTED_HASHES
from holdfast.intake.reported import OPEN
from holdfast.store.bank_rows import record_of
from holdfast.store.case_book import COPIES, order
from holdfast.store.contests import PostgresContests
from holdfast.store.deciding import Step, Told, take_steps
from holdfast.store.many import update_many
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, CaseRow, HoldRow, ReportRow
from holdfast.store.reviews import PostgresReviews

ASK: Final = "hold.ask"
LOOK: Final = "hold.look"
_SYSTEM: Final = "system:holds"
_WAITING: Final = (HoldState.REQUESTED, HoldState.BREACHED, HoldState.UNREACHABLE)
_UNSURE: Final = (*_WAITING, HoldState.REFUSED)
_NOT_YET: Final = (*_UNSURE, HoldState.STAGED)
_MOST_TRIES: Final = 100_000
_BATCH: Final = 200
_HOUR: Final = timedelta(hours=1)
_UNSTAGED_AT_ONCE: Final = 50
_BANKED: Final = """
select exists (
    select from screening s, jsonb_array_elements(s.matches) as m
    where s.content_id = %(content)s and m ->> 'kind' = 'known' and m ->> 'bank' <> %(words)s
)
"""
_ARCHIVED: Final = "select greatest(reltuples, 0)::bigint from pg_class where oid = 'archive'::regclass"
# Repeated sources come later, whatever they say; how many reports name an item is not asked.
_IN_TURN: Final = """
select h.content_id from hold h left join lateral (
    select min((select count(*) from report o where o.source = p.source)) as busy
    from reported r join report p on p.id = r.report_id where r.content_id = h.content_id
) s on true
where h.state = 'staged' group by h.content_id
order by min(h.danger), min(coalesce(s.busy, 0)), min(h.asked_at), h.content_id limit %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What stands behind the holds that are placed together."""

    case: CaseRow
    standing: Standing
    danger: int
    staged: bool


class PostgresHolds:
    """Every location that is held or asked to be. It is a `holdfast.hold.enforce.Holds`."""

    def __init__(
        self,
        means: Means,
        contests: PostgresContests,
        reviews: PostgresReviews,
        *,
        valve: Valve,
    ) -> None:
        """Work with `means`; `valve` bounds the holds from unproven words in an hour."""
        self._means = means
        self._contests = contests
        self._reviews = reviews
        self._journal = means.journal
        self._effects = means.effects
        self._alarms = means.alarms
        self._clock = means.clock
        self._new_id = means.new_id
        self._owner = means.owner
        self._valve = valve

    # --- placing, inside the caller's transaction

    def place(self, items: Sequence[Item], placing: Placing, *, actor: str, at: datetime) -> list[HoldRow]:
        """Ask for every location of these items that is not held yet, or stage it; returns the rows that are new."""
        spots = [(item, location) for item in items for location in item.locations]
        known = {
            (row.content_id, row.content_version, row.location): row
            for row in HoldRow.objects.select_for_update(no_key=True)
            .filter(content_id__in={item.content for item in items})
            .order_by("id")
        }
        fresh = [(item, spot) for item, spot in spots if (item.content, item.version, spot.id) not in known]
        rows = self._begin(fresh, placing, actor, at)
        again = [row for row in known.values() if row.state in (HoldState.RELEASED, HoldState.GONE)]
        self._decide([(row, AskAgain()) for row in again if (row.content_id, row.content_version, row.location)
                      in {(item.content, item.version, spot.id) for item, spot in spots}], actor, at)  # fmt: skip
        if not placing.staged:
            raised = [row for row in known.values() if row.state == HoldState.STAGED]
            self._decide([(row, AskAgain()) for row in raised], actor, at)
        self._owe_asking(placing.case.id, actor, at)
        return rows

    def raise_to(self, contents: Sequence[str], standing: Standing, *, actor: str, at: datetime) -> list[str]:
        """Let more stand behind the holds of these items, and ask for what waited; the items for which that is new."""
        lower = HoldRow.objects.filter(content_id__in=contents, standing__lt=standing)
        rows = list(lower.select_for_update(no_key=True).order_by("id"))
        HoldRow.objects.filter(id__in=[row.id for row in rows]).update(standing=standing)
        staged = [row for row in rows if row.state == HoldState.STAGED]
        self._decide([(row, AskAgain()) for row in staged], actor, at)
        for case in sorted({row.case_id for row in staged}):
            self._owe_asking(case, actor, at)
        return sorted({row.content_id for row in rows})

    def lets_through(self, standing: Standing, content: str, *, at: datetime) -> bool:
        """Whether holds of such a report go out at once, or wait for the published budget.

        What a bank knows already is spoken for by more than a word.
        """
        if standing is not Standing.WORD:
            return True
        corroborated = _is_banked(content)
        held, visible = _held_from_words(at), self._visible()
        return self._valve.lets_through(standing, held_this_hour=held, visible_items=visible, corroborated=corroborated)

    def unstage(self, now: datetime) -> int:
        """Ask for items that have waited, in their turn, as far as the budget allows; returns for how many places."""
        if not HoldRow.objects.filter(state=HoldState.STAGED).exists():
            return 0
        with transaction.atomic(durable=True):
            room = min(self._valve.budget(self._visible()) - _held_from_words(now), _UNSTAGED_AT_ONCE)
            if room <= 0:
                return 0
            with connection.cursor() as cursor:
                cursor.execute(_IN_TURN, [room])
                items = [row[0] for row in cursor.fetchall()]
            staged = HoldRow.objects.filter(content_id__in=items, state=HoldState.STAGED)
            rows = list(staged.select_for_update(no_key=True).order_by("id"))
            self._decide([(row, AskAgain()) for row in rows], _SYSTEM, now)
            for case in sorted({row.case_id for row in rows}):
                self._owe_asking(case, _SYSTEM, now)
        return len(rows)

    # --- asking and looking: see `Holds`

    def asked(self, case: str) -> list[Asked]:
        """Everything of a case that the platform has not confirmed."""
        return self._told(HoldRow.objects.filter(case_id=case, state__in=_WAITING).order_by("id"))

    def due(self, case: str, now: datetime) -> list[Asked]:
        """Everything of a case that is to be looked at again."""
        confirmed = HoldRow.objects.filter(case_id=case, state=HoldState.CONFIRMED).order_by("id")
        return self._told(row for row in confirmed if (look_at := hold_of(row).look_at) and look_at <= now)

    def settle(self, case: str, seen: Sequence[Seen]) -> bool:
        """Write what the platform said and what a stranger saw; whether everything of the case is out of reach now."""
        at = self._clock()
        with transaction.atomic(durable=True):
            rows = self._locked(one.hold for one in seen)
            changes = [(rows[one.hold], _said(rows[one.hold], one)) for one in seen if one.hold in rows]
            self._decide([(row, command) for row, command in changes if command is not None], _SYSTEM, at)
            confirmed = {row.content_id for row, command in changes if isinstance(command, ConfirmHold)}
            self._contests.offer(case, confirmed, at)
            if confirmed:
                self._reviews.offer(case, confirmed, at)
                self._look_for_copies(case, at)
            self._alarm(rows.values(), at)
            self._stop_clocks(case, at)
            return not HoldRow.objects.filter(case_id=case, state__in=_UNSURE).exists()

    def looked(self, case: str, seen: Sequence[Seen]) -> int:
        """Write what was seen when it was looked at again; returns how many could be seen."""
        at, found = self._clock(), 0
        with transaction.atomic(durable=True):
            rows = self._locked(one.hold for one in seen)
            for one in seen:
                row = rows.get(one.hold)
                if row is None or row.state != HoldState.CONFIRMED:
                    continue
                command = _looked(one)
                if command is None:
                    row.look_at = at + PATIENCE  # nobody could tell: look again soon
                    row.save(update_fields=["look_at"])
                    continue
                found += isinstance(command, FindBreach)
                self._decide([(row, command)], _SYSTEM, at)
            self._alarm(rows.values(), at)
            if found:
                self._owe_asking(case, _SYSTEM, at)
        return found

    # --- what decisions ask for, inside the caller's transaction

    def end(self, rows: Sequence[HoldRow], command: HoldCommand, *, actor: Actor, at: datetime) -> None:
        """Let these be removed, released or asked for again. Raises SecondPersonNeeded, and then nothing is changed."""
        self._decide([(row, command) for row in rows], actor, at)
        for case in sorted({row.case_id for row in rows}):
            self._owe_asking(case, _SYSTEM, at)
        self._alarm(rows, at)

    def told(self, rows: Iterable[HoldRow]) -> list[Asked]:
        """These holds as the platform and a stranger are asked for them."""
        return self._told(rows)

    # --- what the worker does each second

    def owe_looks(self, now: datetime) -> int:
        """Owe a look to each case that has something to be looked at again; returns how many."""
        with transaction.atomic(durable=True):
            due = HoldRow.objects.filter(look_at__lte=now).order_by("look_at")
            rows = list(due.select_for_update(skip_locked=True, no_key=True)[:_BATCH])
            cases = sorted({row.case_id for row in rows})
            self._effects.enqueue([_order(LOOK, case, now, self._owner) for case in cases], actor=_SYSTEM, at=now)
            # When a look is owed again, should this one get lost; looking says when the next is due.
            HoldRow.objects.filter(id__in=[row.id for row in rows]).update(look_at=now + PATIENCE)
        return len(cases)

    def mark_unconfirmed(self, now: datetime) -> int:
        """Alarm about what was not confirmed within `PATIENCE`; returns how many."""
        with transaction.atomic(durable=True):
            late = HoldRow.objects.filter(state__in=_UNSURE, alarmed=False, asked_at__lte=now - PATIENCE)
            rows = list(late.select_for_update(skip_locked=True, no_key=True).order_by("asked_at")[:_BATCH])
            self._decide([(row, MarkUnconfirmed()) for row in rows], _SYSTEM, now)
            for case in sorted({row.case_id for row in rows}):
                self._alarms.call(AlarmKind.HOLD_UNCONFIRMED, f"case:{case}", self._owner, actor=_SYSTEM, at=now)
        return len(rows)

    # --- parts

    def _begin(self, fresh: Sequence[tuple[Item, Any]], placing: Placing, actor: str, at: datetime) -> list[HoldRow]:
        kind = StageHold if placing.staged else AskHold
        ids = [self._new_id("hld") for _ in fresh]
        steps = [
            Step("hold", key, None, 0, kind(case=placing.case.id, item=item.content, version=item.version,
                                            location=spot.id, url=spot.url or ""))
            for key, (item, spot) in zip(ids, fresh, strict=True)
        ]  # fmt: skip
        told = take_steps(self._journal, steps, actor=actor, at=at)
        rows = [_row(key, one, placing) for key, one in zip(ids, told, strict=True)]
        HoldRow.objects.bulk_create(rows)
        if rows:
            self._start_clocks(placing.case.id, actor, at)
        if rows and placing.staged:
            self._alarms.call(AlarmKind.HOLDS_STAGED, "settings:flood", self._owner, actor=actor, at=at)
        return rows

    def _decide(self, changes: Sequence[tuple[HoldRow, HoldCommand]], actor: Actor, at: datetime) -> None:
        steps = [Step("hold", row.id, hold_of(row), row.version, command) for row, command in changes]
        for (row, _), told in zip(changes, take_steps(self._journal, steps, actor=actor, at=at), strict=True):
            take(row, told)
        update_many([row for row, _ in changes], CHANGING)

    def _alarm(self, rows: Iterable[HoldRow], at: datetime) -> None:
        """What a person must know at once; and what is in order again."""
        for row in rows:
            about = f"case:{row.case_id}"
            if row.state == HoldState.BREACHED:
                self._alarms.call(AlarmKind.HOLD_BREACHED, about, self._owner, actor=_SYSTEM, at=at)
            elif row.state == HoldState.REFUSED:
                self._alarms.call(AlarmKind.HOLD_REFUSED, about, self._owner, actor=_SYSTEM, at=at)
        for case in {row.case_id for row in rows}:
            if not HoldRow.objects.filter(case_id=case, state__in=_UNSURE).exists():
                kinds = [AlarmKind.HOLD_UNCONFIRMED, AlarmKind.HOLD_BREACHED, AlarmKind.HOLD_REFUSED]
                self._alarms.clear(f"case:{case}", "all of it is out of reach", actor=_SYSTEM, at=at, kinds=kinds)

    def _start_clocks(self, case: str, actor: str, at: datetime) -> None:
        """A person looks first within hours, and whoever posted it is told why."""
        eu = Place.EU in self._means.places
        wanted = [one for one in every_clock() if one.starts is Moment.HOLD_PLACED and (eu or not one.legal)]
        self._means.clocks.start(f"case:{case}", wanted, at=at, actor=actor)

    def _stop_clocks(self, case: str, at: datetime) -> None:
        """Legal clocks of those reports whose every item was found and is out of reach wherever it is."""
        for report in ReportRow.objects.filter(items__case_id=case).distinct().order_by("id"):
            looking = report.items.filter(state__in=OPEN).exists()
            if not looking and not HoldRow.objects.filter(case_id__in=report.cases, state__in=_NOT_YET).exists():
                self._means.clocks.stop(f"report:{report.id}", Moment.OUT_OF_REACH, at=at, actor=_SYSTEM)

    def _owe_asking(self, case: str, actor: str, at: datetime) -> None:
        if HoldRow.objects.filter(case_id=case, state__in=_WAITING).exists():
            self._effects.enqueue([_order(ASK, case, at, self._owner)], actor=actor, at=at)

    def _look_for_copies(self, case: str, at: datetime) -> None:
        """Once all is held that was asked for: what was shared again before that, and after copies were listed.

        It ends when nothing new is found.
        """
        if HoldRow.objects.filter(case_id=case, state__in=(HoldState.REQUESTED, HoldState.BREACHED)).exists():
            return
        named = CaseItemRow.objects.filter(case_id=case, is_copy=False, waits=False).order_by("content_id")
        orders = [order(COPIES, one.content_id, at, self._owner, content=one.content_id) for one in named]
        self._effects.enqueue(orders, actor=_SYSTEM, at=at)

    def _told(self, rows: Iterable[HoldRow]) -> list[Asked]:
        found = list(rows)
        urls = self._journal.sealer.open_texts(row.url_record for row in found if row.has_url)
        return [
            Asked(row.id, Spot(content=row.content_id, version=row.content_version, location=row.location),
                  urls[row.url_record] if row.has_url else None)
            for row in found
        ]  # fmt: skip

    def _locked(self, ids: Iterable[str]) -> Mapping[str, HoldRow]:
        rows = HoldRow.objects.select_for_update(no_key=True).filter(id__in=list(ids)).order_by("id")
        return {row.id: row for row in rows}

    def _visible(self) -> int:
        """About how many items there are: as many as the archive remembers."""
        with connection.cursor() as cursor:
            cursor.execute(_ARCHIVED)
            return int(cursor.fetchone()[0])


def _is_banked(content: str) -> bool:
    """Whether a screening of this item found it in a bank of known material that is more than somebody's word."""
    with connection.cursor() as cursor:
        cursor.execute(_BANKED, {"content": content, "words": REPORTED_HASHES})
        return bool(cursor.fetchone()[0])


def _held_from_words(at: datetime) -> int:
    """How many items unproven words alone have hidden in the hour before; however many places each is at."""
    held = HoldRow.objects.filter(standing=Standing.WORD, asked_at__gt=at - _HOUR).exclude(state=HoldState.STAGED)
    return held.values("content_id").distinct().count()


def hold_of(row: HoldRow) -> Hold:
    """The hold that a row holds."""
    return Hold(
        case=row.case_id,
        item=row.content_id,
        version=row.content_version,
        location=row.location,
        state=HoldState(row.state),
        asked_at=row.asked_at,
        confirmed_at=row.confirmed_at,
        looks=row.looks,
        alarmed=row.alarmed,
    )


CHANGING: Final = ("state", "asked_at", "confirmed_at", "looks", "alarmed", "look_at", "version")


def take(row: HoldRow, told: Told) -> None:
    """Let a row hold what was told of it."""
    after: Hold = told.after
    row.state, row.asked_at, row.confirmed_at = after.state, after.asked_at, after.confirmed_at
    row.looks, row.alarmed, row.look_at, row.version = after.looks, after.alarmed, after.look_at, told.version


def _row(hold_id: str, told: Told, placing: Placing) -> HoldRow:
    happened, hold = told.events[0], told.after
    assert isinstance(happened, (HoldRequested, HoldStaged))
    return HoldRow(
        id=hold_id,
        case_id=hold.case,
        content_id=hold.item,
        content_version=hold.version,
        location=hold.location,
        url_record=record_of(happened.url),
        has_url=bool(happened.url),
        state=hold.state,
        standing=placing.standing,
        danger=placing.danger,
        asked_at=hold.asked_at,
        version=told.version,
    )


def _said(row: HoldRow, seen: Seen) -> HoldCommand | None:
    """What the platform's word and a stranger's look come to; None if nothing changes."""
    if row.state not in _UNSURE:
        return None
    if seen.act is None:
        return None if row.state == HoldState.UNREACHABLE else LoseSight()
    if seen.act.acted is Acted.GONE:
        return FindGone()
    if seen.act.acted is Acted.REFUSED:
        return RefuseHold(seen.act.because or "no reason given") if row.state != HoldState.REFUSED else None
    if seen.sight is Sight.VISIBLE:
        return None  # its word is not enough: it is asked again
    return ConfirmHold(ConfirmedBy.LOOKING if seen.sight is Sight.HIDDEN else ConfirmedBy.PLATFORM)


def _looked(seen: Seen) -> HoldCommand | None:
    if seen.sight is Sight.VISIBLE:
        return FindBreach()
    if seen.sight is Sight.HIDDEN:
        return SeeHeld()
    if seen.act is not None and seen.act.acted is Acted.DONE:
        return SeeHeld()
    return FindGone() if seen.act is not None and seen.act.acted is Acted.GONE else None


def _order(kind: str, case: str, at: datetime, owner: str) -> Order:
    return Order(
        kind=kind,
        item=case,
        location=kind,
        payload=(PayloadId("case", case),),
        weight=Weight.PROTECTIVE,
        deadline=at + PATIENCE,
        most_tries=_MOST_TRIES,
        owner=owner,
    )
