# SPDX-License-Identifier: Apache-2.0
"""What whoever holds a receipt may see of their report: what they named, and what has become of it, as it is.

Nothing of any other report. Copies are counted for whoever has shown that they speak for the person
depicted; others see only what they named, so that nobody can find out by reporting what else is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.intake.proof import ProofState
from holdfast.intake.report import ReportState
from holdfast.intake.reported import ReportedState
from holdfast.intake.reporter import Category, ItemKind


class Standing(StrEnum):
    """How one thing that was named stands, in the words of a receipt."""

    LOOKING = "looking"
    """The platform is being asked what it is."""
    NEEDS_HELP = "needs_help"
    """Not found: a person helps. Nothing is dropped."""
    FOR_PERSON = "for_person"
    """A description or a hash: a person reads it."""
    ELSEWHERE = "elsewhere"
    WAITING_LINE = "waiting_line"
    """Found, and not hidden yet: it waits its turn in a flood."""
    ASKED = "asked"
    """The platform was asked to hide it, and has not confirmed everywhere."""
    HIDDEN = "hidden"
    """Nobody can see it at any place that is known."""
    FOR_REVIEW = "for_review"
    """Found; a person looks before anything is hidden."""
    GONE = "gone"
    """There is nothing there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedView:
    """One thing that was named."""

    number: int
    """From 1, in the order in which they were named."""
    kind: ItemKind
    address: str
    """As it was typed."""
    standing: Standing
    places: int
    """How many places it was found at."""
    hidden: int
    """At how many of them it is confirmed to be hidden."""
    asked_at: datetime | None
    hidden_at: datetime | None
    """When the last of them was confirmed; None until all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofView:
    """One proof that was sent."""

    received_at: datetime
    state: ProofState


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """A report as its own reporter sees it."""

    reference: str
    received_at: datetime
    category: Category
    state: ReportState
    items: tuple[NamedView, ...]
    proofs: tuple[ProofView, ...]
    copies_hidden: int | None
    """Other places with the same content that were hidden; None for whoever may not know."""
    copies_waiting: int | None
    code_kept: bool
    contact_stopped: bool


def standing_of(state: ReportedState, held: Sequence[str]) -> Standing:
    """The words for something in this state, whose places are held like this (states of `hold.hold.HoldState`)."""
    plain = {
        ReportedState.NAMED: Standing.LOOKING,
        ReportedState.AMBIGUOUS: Standing.NEEDS_HELP,
        ReportedState.UNRESOLVED: Standing.NEEDS_HELP,
        ReportedState.FOR_PERSON: Standing.FOR_PERSON,
        ReportedState.ELSEWHERE: Standing.ELSEWHERE,
        ReportedState.GONE: Standing.GONE,
    }
    if state in plain:
        return plain[state]
    if not held:
        return Standing.FOR_REVIEW
    if set(held) <= {"gone"}:
        return Standing.GONE
    if set(held) <= {"confirmed", "removed", "gone"}:
        return Standing.HIDDEN
    if "released" in held:
        return Standing.FOR_REVIEW
    return Standing.WAITING_LINE if "staged" in held else Standing.ASKED
