# SPDX-License-Identifier: Apache-2.0
"""The calls of docs/platform.md: what is done, and what is answered. `open` alone is in `desk.py`: it gives bytes.

Each is one transaction, and its answer is written in it beside the `webhook-id`. The same id again finds that answer
and does nothing. An answer is given only once it is committed and every cache knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from commons import holding
from commons.asked import Asked, Freeze, Notify, Resolve, Spots, ToTell, Version, ViewsOf
from commons.counting import views_until
from commons.database import Connection
from commons.facts import account_number, freeze
from commons.holding import Acted, Spot
from commons.site import Site
from commons.told import copies_of, moment, resolved


class WrongCall(Exception):  # noqa: N818  # the name says what is so
    """The call itself is wrong, and asking again does not help. Answered with `status`, 4xx, and the text."""

    def __init__(self, status: int, detail: str) -> None:
        """Say what is wrong."""
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class Calling:
    """What a call works with: the site, its transaction, the time in seconds since 1970, the files to be forgotten."""

    site: Site
    transaction: Connection
    now: float
    freed: list[str]


A = TypeVar("A", bound=Asked)


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One of the calls: the shape of what is asked, and what answers it."""

    shape: type[A]
    answer: Callable[[Calling, A], dict[str, Any]]

    def read(self, untrusted_body: bytes) -> Callable[[Calling], dict[str, Any]]:
        """What is to be done. Raises WrongCall for a body of another shape."""
        try:
            asked = self.shape.model_validate_json(untrusted_body)
        except ValidationError as fault:
            first = fault.errors(include_input=False, include_url=False)[0]
            raise WrongCall(400, f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from fault
        return lambda calling: self.answer(calling, asked)


def answer(site: Site, name: str, message: str, body: bytes, now: float) -> str:
    """The answer, as JSON, to the call `name` with the webhook-id `message`. Raises WrongCall."""
    do, digest, freed = CALLS[name].read(body), hashlib.sha256(body).hexdigest(), list[str]()
    with site.database.writing() as transaction:
        before = transaction.row("select call, digest, body from answered where id = ?", message)
        if before is not None and (before["call"], before["digest"]) != (name, digest):
            raise WrongCall(409, "this webhook-id came before, with another body")
        said: str = before["body"] if before else json.dumps(do(Calling(site, transaction, now, freed)))
        transaction.rows("insert or ignore into answered values (?, ?, ?, ?, ?)", message, name, digest, said, now)
    if name in _CHANGES:
        site.epoch.grow()  # also for an answer found: whoever gave it may have died before it came to this
    site.files.forget(freed)
    return said


def _resolve(calling: Calling, asked: Resolve) -> dict[str, Any]:
    origin = calling.site.settings.origin
    return {"results": [resolved(calling.transaction, address, origin) for address in asked.addresses]}


def _copies(calling: Calling, asked: Version) -> dict[str, Any]:
    return {"copies": copies_of(calling.transaction, asked.content, asked.version, calling.site.settings.origin)}


def _act(act: Callable[..., Acted]) -> Callable[[Calling, Spots], dict[str, Any]]:
    def act_on(calling: Calling, asked: Spots) -> dict[str, Any]:
        spots = [Spot(spot.content, spot.version, spot.location) for spot in asked.spots]
        acted = act(calling.transaction, spots, calling.now)
        calling.freed.extend(acted.freed)
        return {"results": acted.results}

    return act_on


def _views(calling: Calling, asked: ViewsOf) -> dict[str, Any]:
    calling.site.views.fold(calling.transaction, calling.now)
    at, views = asked.at.timestamp() if asked.at else None, []
    for location in asked.locations:
        count, until = views_until(calling.transaction, location, at, calling.now)
        views.append({"location": location, "views": count, "at": moment(until)})
    return {"views": views}


def _notify(calling: Calling, asked: Notify) -> dict[str, Any]:
    return {"results": [{"state": "done" if _told(calling, one) else "gone"} for one in asked.notices]}


def _told(calling: Calling, one: ToTell) -> bool:
    account = account_number(calling.transaction, one.account)
    if account is None:
        return False  # there never was one, or it was closed
    calling.transaction.rows(
        "insert or ignore into notice values (?, ?, ?, ?, ?, ?, ?, ?)",
        *(one.notice, account, one.content, one.title, one.text, one.answer_url, one.answer_code),
        calling.now,
    )
    return True


def _freeze(calling: Calling, asked: Freeze) -> dict[str, Any]:
    return {"facts": freeze(calling.transaction, asked.account, asked.content, calling.now)}


CALLS: Final[Mapping[str, Call[Any]]] = {
    "resolve": Call(Resolve, _resolve),
    "copies": Call(Version, _copies),
    "hold": Call(Spots, _act(holding.hold)),
    "release": Call(Spots, _act(holding.release)),
    "remove": Call(Spots, _act(holding.remove)),
    "views": Call(ViewsOf, _views),
    "notify": Call(Notify, _notify),
    "freeze": Call(Freeze, _freeze),
}
_CHANGES: Final = frozenset({"hold", "release", "remove"})
