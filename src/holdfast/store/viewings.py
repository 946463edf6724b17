# SPDX-License-Identifier: Apache-2.0
"""Who was shown which picture of what, in PostgreSQL, and the addresses that show one.

The promises: that a picture is shown is committed before a byte of it is handed out; an address opens once; a day's
budget is kept however many windows somebody has open; and what waits to be shown lies here sealed with a key that
only its address says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Sum

from holdfast.errors import Refusal, Refused
from holdfast.media.preview import Preview, Previews
from holdfast.review.look import (
    ADDRESS_LIVES,
    COST,
    NOTHING_HERE,
    Address,
    Picture,
    ShowPicture,
    Viewing,
    ViewingState,
    affordable,
    day_of,
    seen_of,
)
from holdfast.review.showing import Given, Viewer, Wanted
from holdfast.review.viewing import Seen, Step
from holdfast.sealed.single import LONGEST_TOKEN, Locked, digest_of, lock, unlock
from holdfast.store.deciding import Step as Taken
from holdfast.store.deciding import take_step
from holdfast.store.means import Means
from holdfast.store.models import ViewingAddressRow, ViewingRow

_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('holdfast exposure ' || %s, 0))"
_NAMES: Final = ("person", "session", "case_id", "review", "content_id", "content_version", "step", "number")
_FACTS: Final = (*_NAMES, "pictures", "at_ms", "lasts_ms", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewingLine:
    """One viewing as an auditor reads it."""

    person: str
    content: str
    version: str
    step: str
    number: int
    of: int
    seconds: float | None
    review: str
    shown_at: datetime


class PostgresViewings:
    """What was shown, and the addresses. It is a `holdfast.review.showing.Viewings`."""

    def __init__(self, means: Means, *, budget: int) -> None:
        """Work with `means`; `budget` is how many pictures one person may see in grey in a day."""
        self._means = means
        self._budget = budget

    def seen(self, person: str, content: str, version: str) -> Seen:
        """What somebody has seen of an item's version."""
        return seen_of([viewing_of(row) for row in _of_item(person, content, version).order_by("shown_at", "id")])

    def reached(self, person: str, content: str, version: str) -> dict[int, Step]:
        """How clearly somebody saw each picture of an item's version; those that they did not see are left out."""
        order, found = tuple(Step), dict[int, Step]()
        for number, step in _of_item(person, content, version).values_list("number", "step"):
            found[number] = max(found.get(number, Step.NOTHING), Step(step), key=order.index)
        return found

    def affords(self, person: str, step: Step) -> int:
        """For how many more pictures at this step somebody's budget of today lasts. What waits is spent."""
        now = self._means.clock()
        today = ViewingRow.objects.filter(person=person, shown_at__gte=day_of(now))
        waiting = ViewingAddressRow.objects.filter(person=person, until__gt=now)
        return affordable(step, _cost(today) + _cost(waiting), self._budget)

    def give(self, viewer: Viewer, wanted: Wanted, previews: Previews) -> list[Given]:
        """An address for each of these, as far as the day's budget lasts: the first ones, or none."""
        now = self._means.clock()
        with transaction.atomic(durable=True):
            self.forget(now)
            _alone(viewer.person)
            shown = previews.pictures[: self.affords(viewer.person, wanted.step)]
            made = [_address(viewer, wanted, one, previews.of, now) for one in shown]
            ViewingAddressRow.objects.bulk_create(row for row, _ in made)
        return [given for _, given in made]

    def review_at(self, untrusted_token: str) -> str | None:
        """The review that an address belongs to; None if it opens nothing any more."""
        row = ViewingAddressRow.objects.filter(digest=_digest(untrusted_token)).first()
        return row.review if row and self._means.clock() < row.until else None

    def show(self, viewer: Viewer, untrusted_token: str) -> bytes | Refusal:
        """Open an address: the picture, once that it is shown is written and committed."""
        with transaction.atomic(durable=True):
            row = ViewingAddressRow.objects.select_for_update().filter(digest=_digest(untrusted_token)).first()
            if row is None:
                return NOTHING_HERE
            try:
                self._write(viewer, row)
            except Refused as refused:
                return refused.refusal
            ViewingAddressRow.objects.filter(digest=row.digest).delete()
        return unlock(Locked(bytes(row.digest), bytes(row.sealed)), untrusted_token)

    def forget(self, now: datetime) -> int:
        """Drop the addresses whose minute is over; returns how many there were."""
        return ViewingAddressRow.objects.filter(until__lte=now).delete()[0]

    def of_case(self, case: str) -> list[ViewingLine]:
        """Who saw what of a case, in the order in which it was."""
        return [_line(row) for row in ViewingRow.objects.filter(case_id=case).order_by("shown_at", "id")]

    def _write(self, viewer: Viewer, row: ViewingAddressRow) -> None:
        at, key = self._means.clock(), self._means.new_id("vie")
        reached = self.reached(row.person, row.content_id, row.content_version).get(row.number, Step.NOTHING)
        show = ShowPicture(address=address_of(row), by=viewer.person, session=viewer.session_digest, reached=reached)
        told = take_step(self._means.journal, Taken("viewing", key, None, 0, show), actor=viewer.actor, at=at)
        ViewingRow.objects.create(
            id=key,
            **{name: getattr(row, name) for name in _FACTS},
            state=told.after.state,
            shown_at=at,
            version=told.version,
        )


def viewing_of(row: ViewingRow) -> Viewing:
    """The viewing that a row holds."""
    return Viewing(person=row.person, session=row.session, picture=_picture(row), state=ViewingState(row.state))


def address_of(row: ViewingAddressRow) -> Address:
    """The address that a row holds."""
    return Address(picture=_picture(row), person=row.person, session=row.session, until=row.until)


def _picture(row: ViewingRow | ViewingAddressRow) -> Picture:
    return Picture(
        case=row.case_id,
        review=row.review,
        content=row.content_id,
        version=row.content_version,
        step=Step(row.step),
        number=row.number,
        of=row.pictures,
        at_ms=row.at_ms,
        lasts_ms=row.lasts_ms,
    )


def _of_item(person: str, content: str, version: str) -> Any:  # noqa: ANN401  # a query set of Django's
    return ViewingRow.objects.filter(person=person, content_id=content, content_version=version)


def _cost(rows: Any) -> int:  # noqa: ANN401  # a query set of Django's
    return int(rows.aggregate(cost=Sum("cost"))["cost"] or 0)


def _alone(person: str) -> None:
    """Nobody gives this person an address until the open transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [person])


def _address(viewer: Viewer, wanted: Wanted, one: Preview, of: int, now: datetime) -> tuple[ViewingAddressRow, Given]:
    token, locked = lock(one.content)
    row = ViewingAddressRow(
        digest=locked.digest,
        person=viewer.person,
        session=viewer.session_digest,
        case_id=wanted.case,
        review=wanted.review,
        content_id=wanted.content,
        content_version=wanted.version,
        step=wanted.step,
        number=one.number,
        pictures=of,
        at_ms=None if one.seconds is None else round(one.seconds * 1000),
        lasts_ms=round(one.lasts * 1000),
        cost=COST[wanted.step],
        sealed=locked.sealed,
        until=now + ADDRESS_LIVES,
    )
    return row, Given(token=token, number=one.number, step=wanted.step, seconds=one.seconds)


def _digest(untrusted_token: str) -> bytes:
    return digest_of(untrusted_token[:LONGEST_TOKEN])


def _line(row: ViewingRow) -> ViewingLine:
    return ViewingLine(
        person=row.person,
        content=row.content_id,
        version=row.content_version,
        step=row.step,
        number=row.number,
        of=row.pictures,
        seconds=None if row.at_ms is None else row.at_ms / 1000,
        review=row.review,
        shown_at=row.shown_at,
    )
