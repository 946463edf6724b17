# SPDX-License-Identifier: Apache-2.0
"""JSON from outside, read without goodwill: each value is what was agreed, or the whole answer is none.

A `Misfit` says what does not fit, in words that hold nothing of what was read. `true` is no number, "true" is no
boolean, a name that stands twice in an object means nothing, and a time has a zone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

T = TypeVar("T")
Json = Mapping[str, Any]

LONGEST_ID: Final = 255
MOST_IN_A_LIST: Final = 10_000
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, ends of lines, and halves of characters, which nothing can write down."""
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE | re.ASCII
)  # RFC 3339


class Misfit(ValueError):  # noqa: N818  # it says what happened, as in errors.py
    """What was read is not what was agreed. Its text is safe to show."""


def read_object(untrusted_body: bytes) -> Json:
    """The JSON object that a body is. Raises Misfit for anything else."""
    try:
        read = json.loads(untrusted_body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except Misfit:
        raise
    except (ValueError, RecursionError) as cause:  # cut short, not UTF-8, nested without end
        message = "not JSON"
        raise Misfit(message) from cause
    return as_object(read, "the answer")


def field(untrusted: Json, name: str) -> Any:  # noqa: ANN401  # whatever JSON can hold
    """The value of a name that must be there, null included."""
    if name not in untrusted:
        message = f"{name} is missing"
        raise Misfit(message)
    return untrusted[name]


def each(untrusted: Json, name: str, read: Callable[[Json], T], *, exactly: int | None = None) -> list[T]:
    """What `read` makes of each object of a list: of `exactly` so many, or of not too many."""
    values = field(untrusted, name)
    if not isinstance(values, list):
        message = f"{name}: no list"
        raise Misfit(message)
    if exactly is not None and len(values) != exactly:
        message = f"{name}: {len(values)} for {exactly} asked"
        raise Misfit(message)
    if len(values) > MOST_IN_A_LIST:
        message = f"{name}: more than {MOST_IN_A_LIST:,}"
        raise Misfit(message)
    return [read(as_object(value, name)) for value in values]


def as_object(untrusted: object, what: str) -> Json:
    """An object, and nothing else."""
    if isinstance(untrusted, dict):
        return untrusted
    message = f"{what}: no object"
    raise Misfit(message)


def plain(untrusted: Json, name: str, longest: int = LONGEST_ID) -> str:
    """A text of one line that is not empty: an id, an address."""
    value = field(untrusted, name)
    if isinstance(value, str) and 0 < len(value) <= longest and not CONTROL.search(value):
        return value
    message = f"{name}: no text of 1 to {longest:,} characters without control characters"
    raise Misfit(message)


def yes_or_no(untrusted: Json, name: str) -> bool:
    """True or false."""
    value = field(untrusted, name)
    if isinstance(value, bool):
        return value
    message = f"{name}: neither true nor false"
    raise Misfit(message)


def whole(untrusted: Json, name: str, most: int) -> int:
    """A whole number from 0 to `most`."""
    value = field(untrusted, name)
    if type(value) is int and 0 <= value <= most:  # for Python, true is a 1
        return value
    message = f"{name}: no whole number from 0 to {most:,}"
    raise Misfit(message)


def moment(untrusted: Json, name: str) -> datetime:
    """A time with its zone; in UTC."""
    value = field(untrusted, name)
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February; before the year 1 in UTC
        pass
    message = f"{name}: no time with its zone, as RFC 3339 has it"
    raise Misfit(message)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        message = "a name twice in one object"
        raise Misfit(message)
    return read


def _no_constant(_: str) -> None:
    message = "a number that is none"
    raise Misfit(message)
