# SPDX-License-Identifier: Apache-2.0
"""A decider: everything the house needs to know of a noun with a life, in one value.

`holdfast.deciders` lists them. From that list come docs/states.md, the walk over all states, commands
and events that tests make, and the rebuilding of tables from the journal (`holdfast fsck`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.errors import Refusal
from holdfast.log.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """A noun: its name for people, its word in journal subjects, its table, and its two pure functions.

    `decide(thing, command, now)` gives events or a refusal; `evolve(thing, id, happened)` the thing after, and
    raises ValueError for an event that it cannot have. `thing` is None while it does not exist.
    """

    name: str
    noun: str
    transitions: Mapping[tuple[Any, type], Any]
    decide: Callable[[Any, Any, datetime], list[Event] | Refusal]
    evolve: Callable[[Any, str, Event], Any]
    state_of: Callable[[Any], Any] = lambda thing: thing.state

    def state(self, thing: object) -> Any:  # noqa: ANN401  # each noun has states of its own
        """The state of a thing; None if it does not exist."""
        return None if thing is None else self.state_of(thing)
