# SPDX-License-Identifier: Apache-2.0
"""The platform's wire (docs/platform.md): what is asked as JSON, and what counts as an answer to it.

An answer fits or it does not. One that leaves something out, says something twice, or says it in another form than
was agreed is a `Misfit`: nobody can tell what was meant, and nothing is guessed. Fields that nobody asked for are
ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from holdfast.adapters.strict_json import CONTROL, Json, Misfit, as_object, each, field, moment, plain, whole, yes_or_no
from holdfast.hold.platform import (
    Act,
    Acted,
    Ambiguous,
    CopyAt,
    Found,
    Item,
    Location,
    Notice,
    Nowhere,
    Resolved,
    Spot,
    Views,
)
from holdfast.intake.reporter import ItemKind
from holdfast.log.text import LONGEST_TEXT

MOST_AT_ONCE: Final = 100
"""Addresses, spots, locations or notices in one call."""
_LONGEST_URL: Final = 8192
_MOST_VIEWS: Final = 2**53
_MOST_DISTANCE: Final = 256
_KINDS: Final = frozenset(
    {ItemKind.POST, ItemKind.MESSAGE, ItemKind.ACCOUNT, ItemKind.CONVERSATION, ItemKind.LIVE}
)  # what a platform has; the others are words of reporters
_LONE_HALF: Final = re.compile(r"[\ud800-\udfff]")


# --- what is asked


def spots_body(spots: Sequence[Spot]) -> Json:
    """What `hold`, `release` and `remove` ask."""
    told = [{"content": spot.content, "version": spot.version, "location": spot.location} for spot in spots]
    return {"spots": told}


def views_body(locations: Sequence[str], at: datetime | None) -> Json:
    """What `views` asks."""
    return {"locations": list(locations), "at": at and at.astimezone(UTC).isoformat().replace("+00:00", "Z")}


def notices_body(notices: Sequence[Notice]) -> Json:
    """What `notify` asks."""
    return {"notices": [_notice(one) for one in notices]}


def _notice(notice: Notice) -> Json:
    return {
        "notice": notice.id,
        "account": notice.account,
        "content": notice.content,
        "title": notice.title,
        "text": notice.text,
        "answer_url": notice.answer_url,
        "answer_code": notice.answer_code,
    }


def as_bytes(body: Json) -> bytes:
    """A body as it is signed and sent: ASCII, so that nothing a reporter typed can fail to be written."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")


# --- what is answered: each takes the answer's object and raises Misfit


def read_resolved(untrusted: Json, asked: int) -> list[Resolved]:
    """The answer to `resolve` of so many addresses."""
    return each(untrusted, "results", _resolved, exactly=asked)


def read_copies(untrusted: Json) -> list[CopyAt]:
    """The answer to `copies`."""
    return each(untrusted, "copies", _copy)


def read_acts(untrusted: Json, asked: int) -> list[Act]:
    """The answer to `hold`, `release`, `remove` or `notify` of so many spots or notices."""
    return each(untrusted, "results", _act, exactly=asked)


def read_views(untrusted: Json, asked: Sequence[str]) -> list[Views]:
    """The answer to `views` of these locations, in their order."""
    views = each(untrusted, "views", _views, exactly=len(asked))
    if [one.location for one in views] != list(asked):
        message = "other locations than were asked for, or in another order"
        raise Misfit(message)
    return views


def read_facts(untrusted: Json) -> str | None:
    """The answer to `freeze`; None if the platform keeps no such facts."""
    facts = field(untrusted, "facts")
    if facts is None:
        return None
    if not isinstance(facts, str) or not facts.strip() or _LONE_HALF.search(facts):
        message = "facts that are no text"
        raise Misfit(message)
    return facts


# --- the parts


def _resolved(untrusted: Json) -> Resolved:
    match field(untrusted, "state"):
        case "found":
            return Found(_item(as_object(field(untrusted, "item"), "an item")))
        case "ambiguous":
            candidates = each(untrusted, "items", _item)
            if candidates:
                return Ambiguous(tuple(candidates))
            message = "ambiguous without a candidate"
            raise Misfit(message)
        case "nowhere":
            return Nowhere()
    message = "unknown state"
    raise Misfit(message)


def _item(untrusted: Json) -> Item:
    locations = each(untrusted, "locations", _location)
    if len({location.id for location in locations}) != len(locations):
        message = "a location twice in one item"
        raise Misfit(message)
    account, first_seen = untrusted.get("account"), untrusted.get("first_seen")
    return Item(
        content=plain(untrusted, "content"),
        version=plain(untrusted, "version"),
        kind=_kind(field(untrusted, "kind")),
        locations=tuple(locations),
        account=None if account is None else plain(untrusted, "account"),
        first_seen=None if first_seen is None else moment(untrusted, "first_seen"),
        is_asset="asset" in untrusted and yes_or_no(untrusted, "asset"),
    )


def _location(untrusted: Json) -> Location:
    url = field(untrusted, "url")
    return Location(id=plain(untrusted, "id"), url=None if url is None else plain(untrusted, "url", _LONGEST_URL))


def _copy(untrusted: Json) -> CopyAt:
    exact = yes_or_no(untrusted, "exact")
    distance = 0 if exact and "distance" not in untrusted else whole(untrusted, "distance", _MOST_DISTANCE)
    if exact and distance:
        message = "an exact copy at a distance"
        raise Misfit(message)
    return CopyAt(item=_item(as_object(field(untrusted, "item"), "an item")), exact=exact, distance=distance)


def _act(untrusted: Json) -> Act:
    state, because = field(untrusted, "state"), untrusted.get("because", "")
    if state not in list(Acted):
        message = "unknown state"
        raise Misfit(message)
    if because is not None and not isinstance(because, str):
        message = "because: no text"
        raise Misfit(message)
    # A reason that is too long, or on several lines, is still a refusal: it is made showable, not refused itself.
    return Act(Acted(state), " ".join(CONTROL.sub(" ", because or "").split())[:LONGEST_TEXT])


def _views(untrusted: Json) -> Views:
    return Views(
        location=plain(untrusted, "location"), views=whole(untrusted, "views", _MOST_VIEWS), at=moment(untrusted, "at")
    )


def _kind(untrusted: object) -> ItemKind:
    if isinstance(untrusted, str) and untrusted in _KINDS:
        return ItemKind(untrusted)
    message = "unknown kind of item"
    raise Misfit(message)
