# SPDX-License-Identifier: Apache-2.0
"""Deciding on many things at once: each by its own decider, all told to the journal in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.access.two_people import Actor, acting, name_of
from holdfast.deciders import BY_NOUN
from holdfast.log.event import Event
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal


@dataclass(frozen=True, slots=True)
class Step:
    """One command to one thing, as it stands: `before` is None, and `version` 0, while it does not exist."""

    noun: str
    id: str
    before: Any
    version: int
    command: Any


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a step: the thing after, its events as they were sealed, and its last version."""

    after: Any
    events: tuple[Event, ...]
    version: int


def take_steps(journal: PostgresJournal, steps: Sequence[Step], *, actor: Actor, at: datetime) -> list[Told]:
    """Decide on each and tell the journal, inside the open transaction.

    Raises Refused for what the state does not allow, SecondPersonNeeded for what weakens, JournalConflict.
    """
    decided = [_decided(step, actor, at) for step in steps]
    batch = [
        (f"{step.noun}:{step.id}", step.version, events) for step, events in zip(steps, decided, strict=True) if events
    ]
    sealed = iter(journal.append_many(batch, actor=name_of(actor), at=at) if batch else ())
    return [_told(step, [next(sealed) for _ in events]) for step, events in zip(steps, decided, strict=True)]


def take_step(journal: PostgresJournal, step: Step, *, actor: Actor, at: datetime) -> Told:
    """The same for one."""
    (told,) = take_steps(journal, [step], actor=actor, at=at)
    return told


def _decided(step: Step, actor: Actor, at: datetime) -> list[Event]:
    events = allowed(BY_NOUN[step.noun].decide(step.before, step.command, at))
    acting(actor, step.command, step.before, subject=f"{step.noun}:{step.id}", version=step.version)
    return events


def _told(step: Step, events: Sequence[Event]) -> Told:
    after = step.before
    for happened in events:
        after = BY_NOUN[step.noun].evolve(after, step.id, happened)
    return Told(after, tuple(events), step.version + len(events))
