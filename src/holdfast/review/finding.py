# SPDX-License-Identifier: Apache-2.0
"""A finding: what one person says of one item, why, and what of it they had seen when they said so.

There are four things to say, and two of them are "I cannot say". What may not be upheld has one of a closed
list of reasons (`intake.proof.NotUpheld`), among which there is no "looks adult". How much its finder must
have seen depends on the reason: a refusal rests on all of an item, a removal may rest on one picture, on
words or on a list, unseen. Nobody is made to look at more than what they say requires.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.errors import Refusal
from holdfast.intake.proof import Claim, NotUpheld, contradicts
from holdfast.review.viewing import Seen, Step

PROOF_PATIENCE: Final = timedelta(hours=24)
"""For which a refusal waits for a proof that nobody has looked at."""


class Verdict(StrEnum):
    """What somebody says of an item."""

    REMOVE = "remove"
    NOT_UPHELD = "not_upheld"
    UNSURE = "unsure"
    """They looked and cannot say. No fault of theirs; it goes on to another."""
    CANNOT_ASSESS = "cannot_assess"
    """There is nothing that they could look at, or too little of it can be opened."""


class Ground(StrEnum):
    """What a removal rests on."""

    SEEN = "seen"
    """What its finder saw of it, if only one picture."""
    WORDS = "words"
    """What is written with it, or what was reported."""
    LIST_MATCH = "list_match"
    """It is on a list of confirmed material: nobody has to look."""
    ASKED_BY_CHILD = "asked_by_child"
    """A child does not want it seen: removed without a finding, reported to nobody, on no list of abuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One person's word about one item, in the version that they were shown."""

    by: str
    verdict: Verdict
    at: datetime
    seen: Seen
    ground: Ground | None = None
    """For a removal, and for nothing else."""
    reason: NotUpheld | None = None
    """For what is not upheld, and for nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of a case besides the item, when somebody finds something. Whatever is not known protects."""

    minor: bool = True
    """Whether it is about somebody's safety who is handled as a child."""
    verified: frozenset[Claim] = frozenset()
    everybody_adult: bool = False
    """Whether something verified shows that everybody in the item was an adult when it was made."""
    proof_waits_since: datetime | None = None
    """Since when a proof waits for somebody to look at it; None if none does."""


MUST_HAVE_SEEN: Final[Mapping[NotUpheld, Step]] = {
    NotUpheld.SHOWN_ADULT: Step.GREY,
    NotUpheld.NOT_INTIMATE: Step.GREY,
    NotUpheld.OTHER_ITEM: Step.BLURRED,
    NotUpheld.NOT_IN_IT: Step.CLEAR,
    NotUpheld.NO_AUTHORITY: Step.GREY,
}
"""How clearly whoever does not uphold a report must have seen all of the item."""
NOT_OF_MINORS: Final = frozenset({NotUpheld.NOT_IN_IT, NotUpheld.NO_AUTHORITY})
"""No reasons where a minor's safety is concerned: anybody may report that."""


def check_finding(finding: Finding, known: Circumstances) -> Refusal | None:
    """Why this may not be found in these circumstances; None if it may."""
    checks = (
        _is_of_one_kind(finding),
        _was_seen(finding),
        _is_a_reason_here(finding, known),
        _may_be_said(finding, known),
    )
    return next((refusal for refusal in checks if refusal), None)


def saw_enough(seen: Seen, step: Step) -> bool:
    """Whether all of an item was seen at this step. Of how many pictures nobody knows is not all."""
    if step is Step.NOTHING:
        return True
    return seen.step.reaches(step) and 0 < seen.of <= seen.pictures


def _is_of_one_kind(finding: Finding) -> Refusal | None:
    if (finding.ground is not None) != (finding.verdict is Verdict.REMOVE):
        return Refusal("finding.ground", "a removal says what it rests on, and nothing else does")
    if (finding.reason is not None) != (finding.verdict is Verdict.NOT_UPHELD):
        return Refusal("finding.reason", "what is not upheld has a reason from the list, and nothing else has")
    return None


def _was_seen(finding: Finding) -> Refusal | None:
    if finding.ground is Ground.SEEN and not finding.seen.pictures:
        return Refusal("finding.unseen", "this rests on what was seen, and nothing of the item was looked at")
    if finding.reason is not None and not saw_enough(finding.seen, MUST_HAVE_SEEN[finding.reason]):
        step = MUST_HAVE_SEEN[finding.reason]
        return Refusal("finding.unseen", f"whoever finds this has seen all of the item, at least {step}")
    return None


def _is_a_reason_here(finding: Finding, known: Circumstances) -> Refusal | None:
    if known.minor and finding.reason in NOT_OF_MINORS:
        return Refusal("finding.not_of_minors", "who reports is no reason where a minor's safety is concerned")
    return None


def _may_be_said(finding: Finding, known: Circumstances) -> Refusal | None:
    """Whether what is verified lets it be said. Nobody "looks adult": that takes something that shows it."""
    if finding.reason is NotUpheld.SHOWN_ADULT and not known.everybody_adult:
        return Refusal("finding.not_shown", "nothing verified shows that everybody in it was an adult")
    shown = finding.reason is NotUpheld.SHOWN_ADULT
    if finding.reason is not None and not shown and contradicts(finding.reason, known.verified):
        return Refusal("finding.contradicts_proof", f"a verified proof shows that {finding.reason} is not so")
    since = known.proof_waits_since
    if finding.reason is not None and since is not None and finding.at < since + PROOF_PATIENCE:
        return Refusal("finding.proof_waits", "a proof waits for somebody to look at it: ask whoever sees proofs")
    return None


def latest_of_each(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding of each person, in the order of their first: nobody counts twice."""
    latest: dict[str, Finding] = {}
    for one in findings:
        latest[one.by] = one
    return tuple(latest.values())
