# SPDX-License-Identifier: Apache-2.0
"""What tests of deciders share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.errors import Refusal
from holdfast.log.event import Event

CODE = re.compile(r"[a-z]+(\.[a-z_]+)+")
UNWRITABLE = ["\x00", "a\x00b", "\ud800"]
"""What PostgreSQL can hold neither as text nor as JSON."""


def named(thing: object) -> str:
    """A name for a test case."""
    if thing is None:
        return "none"
    return str(getattr(thing, "state", None) or getattr(thing, "__name__", None) or type(thing).__name__)


def state_of(thing: Any) -> Any:
    """Its state, None if there is no such thing yet."""
    return thing.state if thing else None


def decided(outcome: list[Event] | Refusal) -> list[Event]:
    """Insist that it was allowed."""
    assert isinstance(outcome, list), outcome
    return outcome


def refused(outcome: list[Event] | Refusal) -> Refusal:
    """Insist that it was refused."""
    assert isinstance(outcome, Refusal), outcome
    return outcome


def reachable(table: Mapping[Any, str], first: str | None = None) -> set[str | None]:
    """Every state that commands can lead to from the first one."""
    found: set[str | None] = {first}
    while more := {after for (before, _), after in table.items() if before in found} - found:
        found |= more
    return found
