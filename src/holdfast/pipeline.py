# SPDX-License-Identifier: Apache-2.0
"""The path of one item, top to bottom.

content -> match -> answer     (case -> hold -> review -> decision -> outcomes follow as they are built)

Each function is one arrow. What it changes and what it tells the journal are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final, Protocol

from holdfast.errors import IdempotencyConflict, JournalConflict, NotReady
from holdfast.intake.content import Content
from holdfast.intake.upload import TooLong, Upload
from holdfast.match.archive import ArchivedItem, archived
from holdfast.match.index import Neighbour
from holdfast.match.known import Known, Level
from holdfast.match.look import Seen, look
from holdfast.match.screen import (
    Answer,
    Match,
    NotScreened,
    Screening,
    answer_to,
    effect_of,
    firmest,
    judge,
    matches_of,
    verdict_name,
)
from holdfast.match.signal import Signal, SignalType
from holdfast.match.video import Film, part_body, spot_body
from holdfast.media.decoder import Decoder

_TRIES: Final = 50
"""How often an upload is looked up anew because a bank changed meanwhile: each costs milliseconds."""


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What was answered to an Idempotency-Key before, and to which request."""

    request_digest: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Once:
    """An Idempotency-Key: whose it is, the request it stands for, and the answer it had when the request came."""

    api_key: str
    idempotency_key: str
    digest: Callable[[], str]
    """Of the whole request; asked for only when it is needed, because it may still be worked out."""
    first: FirstAnswer | None = None

    @property
    def request_digest(self) -> str:
        """SHA-256 of the request, in hexadecimal."""
        return self.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One screening and what the platform was told."""

    id: str
    content: Content
    screening: Screening
    answer: Answer
    shadow: bool
    list_version: int
    asked_by: str
    at: datetime
    given: tuple[SignalType, ...] = ()
    """Which kinds of hashes the platform sent instead of the upload; none if Holdfast saw it itself."""

    @property
    def verdict(self) -> str:
        """The verdict as one word."""
        return verdict_name(self.screening)

    @property
    def matches(self) -> tuple[Match, ...]:
        """Every match found."""
        return matches_of(self.screening)

    def as_body(self) -> dict[str, Any]:
        """The whole answer as JSON types: the public part, and the explanation."""
        reason = self.screening.reason if isinstance(self.screening, NotScreened) else None
        effect = effect_of(self.screening)
        explanation = {
            "verdict": self.verdict,
            "effect": effect and effect.value,
            "reason": reason and reason.value,
            "reason_says": reason and reason.says,
            "send_again": bool(reason and reason.passes),
            "hashes_by": "platform" if self.given else "holdfast",
            "shadow": self.shadow,
            "list_version": self.list_version,
            "looked_up_at": self.at.isoformat(),
            "matches": [_match_body(match) for match in self.matches],
        }
        return {"answer": self.answer.value, "screening": self.id, "explanation": explanation}


class Recorded(Enum):
    """What became of writing an answer."""

    WRITTEN = auto()
    BEHIND = auto()
    """The banks have changed: nothing was written, look again."""
    KEY_TAKEN = auto()
    """The Idempotency-Key was answered meanwhile: nothing was written."""
    KNOWN = auto()
    """A digest that was not looked up stands in a bank: nothing was written, look it up."""


class Banks(Protocol):
    """What screening asks of the banks as committed."""

    def look_up(
        self, digests: Sequence[Signal], near: Sequence[tuple[int, str, int]], film: Film | None = None
    ) -> tuple[Level, tuple[Match, ...]]:
        """The active matches of these digests and behind these (label, variant, distance), and the newest change.

        `film`: the upload is a video, whose frames the variants name.

        An adapter MUST read the newest change last, or all of it at one moment: if nothing was committed
        since some level, every look saw exactly that level.
        """


class Screenings(Protocol):
    """Where answers are written."""

    def first_answer(self, once: Once) -> FirstAnswer | None:
        """The answer already given to this Idempotency-Key."""

    def record(
        self,
        answered: Answered,
        body: dict[str, Any],
        level: Level,
        once: Once | None,
        left: ArchivedItem,
        *,
        unless: Sequence[Signal] = (),
    ) -> Recorded:
        """Write one answer, its event, its unscreened hold, its Idempotency-Key and what it leaves: all, or nothing.

        An adapter MUST write nothing unless `level` is the newest bank change at that moment, nor if one
        of the digests in `unless` then stands in any bank, in whatever state; it MAY answer KNOWN without
        looking. Raises JournalConflict if the same item was answered at the same moment; asking again is safe.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What screening works with."""

    decoder: Decoder
    known: Known
    banks: Banks
    screenings: Screenings
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    shadow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What was asked: about which item, by whom, under which Idempotency-Key, with whose hashes."""

    content: Content
    asked_by: str
    once: Once | None
    given: tuple[SignalType, ...] = ()


def screen(
    received: Upload | TooLong, content: Content, *, asked_by: str, once: Once | None, parts: Parts
) -> dict[str, Any]:
    """Content -> match -> answer: screen one upload and record the answer before giving it.

    Raises NotReady if the banks are not loaded or cannot be followed (hold, ask again),
    IdempotencyConflict if the Idempotency-Key stood for another request, and JournalConflict if
    the same item kept being answered at the same moment. Nothing is recorded then.
    """
    if once and once.first:
        return _same(once.first, once)
    asked = _Asked(content=content, asked_by=asked_by, once=once)
    return _screen_seen(look(received, parts.decoder), asked, parts)


def screen_hashes(
    seen: Seen, content: Content, *, given: tuple[SignalType, ...], asked_by: str, once: Once | None, parts: Parts
) -> dict[str, Any]:
    """Content -> match -> answer for an item that only the platform saw: its hashes of the kinds `given`.

    Raises what `screen` raises. That nobody here saw the item is recorded with the answer.
    """
    if once and once.first:
        return _same(once.first, once)
    return _screen_seen(seen, _Asked(content=content, asked_by=asked_by, once=once, given=given), parts)


def find(seen: Seen, parts: Parts) -> tuple[Match, ...]:
    """Every match of what was seen, in the banks as committed, without recording anything.

    For questions that are about no item: there is nothing to hold. Raises NotReady as `screen` does.
    """
    for _ in range(_TRIES):
        level, neighbours = parts.known.near(seen.hashes)
        newest, matches = _look_up(seen, neighbours, parts.banks)
        if newest == level:
            return firmest(matches)
        parts.known.follow()
    raise NotReady


def _screen_seen(seen: Seen, asked: _Asked, parts: Parts) -> dict[str, Any]:
    """Match -> answer: look up and judge, and record it if the banks still stand as they were looked up in.

    Every change has a level of its own, so if the banks are at `level` when the answer is written,
    they were so at every look before, and all looks saw one and the same state.
    """
    conflict: JournalConflict | None = None
    for _ in range(_TRIES):
        try:
            recorded, body = _try_once(seen, asked, parts)
        except JournalConflict as fault:
            conflict = fault
            continue
        if recorded is Recorded.WRITTEN:
            return body
        if recorded is Recorded.KEY_TAKEN:
            break
        parts.known.follow()
    if asked.once and (first := parts.screenings.first_answer(asked.once)):
        return _same(first, asked.once)
    raise conflict or NotReady()


def _try_once(seen: Seen, asked: _Asked, parts: Parts) -> tuple[Recorded, dict[str, Any]]:
    """Look up, judge and record, against the banks at one level.

    Nearly always nothing is near and no digest is known: then that is found out by the very statement that records.
    """
    level, neighbours = parts.known.near(seen.hashes)
    if not neighbours:
        recorded, body = _answer(seen, (), level, asked, parts, unless=seen.exact)
        if recorded is not Recorded.KNOWN:
            return recorded, body
    newest, matches = _look_up(seen, neighbours, parts.banks)
    if newest != level:
        return Recorded.BEHIND, {}
    return _answer(seen, matches, level, asked, parts)


def _answer(  # everything an answer is made of
    seen: Seen,
    matches: tuple[Match, ...],
    level: Level,
    asked: _Asked,
    parts: Parts,
    *,
    unless: Sequence[Signal] = (),
) -> tuple[Recorded, dict[str, Any]]:
    """Judge and record; what became of it, and the answer, which counts only if it was written."""
    screening = judge(matches, seen.obstacle)
    answered = Answered(
        id=parts.new_id("scr"),
        content=asked.content,
        screening=screening,
        answer=Answer.PUBLISH if parts.shadow else answer_to(screening),
        shadow=parts.shadow,
        list_version=level.number,
        asked_by=asked.asked_by,
        at=parts.clock(),
        given=asked.given,
    )
    body = answered.as_body()
    # An answer that asking again may change is not kept for its Idempotency-Key.
    passing = isinstance(screening, NotScreened) and screening.reason.passes
    left = archived(seen, asked.content, screening=answered.id, verdict=answered.verdict, at=answered.at)
    once = None if passing else asked.once
    return parts.screenings.record(answered, body, level, once, left, unless=unless), body


def _look_up(seen: Seen, neighbours: Sequence[Neighbour], banks: Banks) -> tuple[Level, tuple[Match, ...]]:
    """What the banks hold that equals or lies near what was seen, and which change they are at."""
    return banks.look_up(
        seen.exact, [(found.label, seen.variants[found.query], found.distance) for found in neighbours], seen.film
    )


def _same(first: FirstAnswer, once: Once) -> dict[str, Any]:
    """The first answer again, if the request is the same."""
    if first.request_digest != once.request_digest:
        raise IdempotencyConflict
    return first.body


def _match_body(match: Match) -> dict[str, Any]:
    return {
        "bank": match.bank,
        "entry": match.entry,
        "signal": match.signal.value,
        "variant": match.variant,
        "distance": match.distance,
        "threshold": match.threshold,
        "action": match.action and match.action.value,
        "kind": match.kind.value,
        "opinion": match.opinion and match.opinion.value,
        "effect": match.effect.value,
        "part": part_body(match.part),
        "spot": spot_body(match.spot),
    }
