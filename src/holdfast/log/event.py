# SPDX-License-Identifier: Apache-2.0
"""Events: typed, past tense, versioned, tagged `subject.noun.verb`.

An event class registers under its tag once; a second class with the same tag and schema is
refused at import. Changing what an event carries means a new schema number beside the old class,
never an edit: old rows must stay readable for as long as anyone may ask what was known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

from pydantic import TypeAdapter

_TAG = re.compile(r"[a-z]+(\.[a-z_]+){1,2}")
_REGISTRY: dict[tuple[str, int], type[Event]] = {}
_ADAPTERS: dict[type[Event], TypeAdapter[Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one subject. Who and when stand beside it in the journal."""

    tag: ClassVar[str] = ""
    schema: ClassVar[int] = 1


EventType = TypeVar("EventType", bound=type[Event])


def event(tag: str, *, schema: int = 1) -> Callable[[EventType], EventType]:
    """Register a frozen dataclass as the event `tag` at `schema`.

    Raises ValueError at import time if the tag breaks the grammar or is already taken.
    """

    def register(cls: EventType) -> EventType:
        if not _TAG.fullmatch(tag):
            message = f"event tag {tag!r} does not read subject.verb or subject.noun.verb"
            raise ValueError(message)
        if (tag, schema) in _REGISTRY:
            message = f"event {tag!r} schema {schema} is registered twice"
            raise ValueError(message)
        cls.tag, cls.schema = tag, schema
        _REGISTRY[tag, schema] = cls
        return cls

    return register


def is_kept(happened: Event) -> bool:
    """Whether the journal keeps it. An event without a tag only carries a decision to its projection."""
    return bool(happened.tag)


def registered() -> Mapping[tuple[str, int], type[Event]]:
    """Every event known to this build, by tag and schema."""
    return dict(_REGISTRY)


def encode(happened: Event) -> dict[str, Any]:
    """The event's body as JSON types."""
    return cast("dict[str, Any]", _adapter(type(happened)).dump_python(happened, mode="json"))


def decode(tag: str, schema: int, body: Mapping[str, Any]) -> Event:
    """Rebuild an event from its journal row.

    Raises KeyError for an unknown tag or schema: a reader that guesses would fold a false state.
    """
    return cast("Event", _adapter(_REGISTRY[tag, schema]).validate_python(dict(body)))


def _adapter(kind: type[Event]) -> TypeAdapter[Any]:
    """Made once for each kind: making one takes milliseconds, using it microseconds."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
