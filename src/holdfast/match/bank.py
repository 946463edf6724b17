# SPDX-License-Identifier: Apache-2.0
"""A bank: a named set of entries with a source, a meaning, a threshold and an action.

A `known` bank says what to stop. A `benign` bank has no action: it excuses, that is, it turns what
a merely similar picture would lead to into `review`. A bank that mirrors an exchange is filled by
that exchange alone; people may still set its threshold and action, and disable it.

`decide_bank` and `evolve_bank` are pure; time and identity are passed in. Which changes need two
people stands in `holdfast.match.two_people`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.errors import InvalidName, InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.match.video import USUAL, VideoRule, check_rule
from holdfast.sealed.text import PrivateText

DEFAULT_THRESHOLD: Final = 31  # of 256 bits, at most: the operating point PDQ's authors recommend
HIGHEST_THRESHOLD: Final = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Action(StrEnum):
    """What a match with the bank leads to."""

    HOLD = "hold"
    """Not published."""
    REVIEW = "review"
    """Not published until a person has looked."""
    IGNORE = "ignore"
    """Recorded only; the answer is as if the bank were not there."""


class BankKind(StrEnum):
    """What a bank is for; chosen when it is made, for good."""

    KNOWN = "known"
    """Known material: a match leads to the bank's action."""
    BENIGN = "benign"
    """Known to be harmless: a match turns what a similar picture leads to into review."""


class BankState(StrEnum):
    """Whether a bank takes part in screening."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A named set of signals, where they come from and what a match means; a benign bank has no action."""

    name: str
    meaning: str
    source: str
    threshold: int
    action: Action | None
    state: BankState
    kind: BankKind = BankKind.KNOWN
    exchange: str | None = None
    video: VideoRule = USUAL
    """When seeing a part of one of its videos again is enough."""

    def read_only_to(self, actor: str) -> bool:
        """Whether `actor` may not change what is in it: an exchange's bank is the exchange's."""
        return self.exchange is not None and actor != exchange_actor(self.exchange)


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBank:
    """Make a bank. Without an action, a known bank holds."""

    name: str
    meaning: str
    source: str
    threshold: int = DEFAULT_THRESHOLD
    action: Action | None = None
    kind: BankKind = BankKind.KNOWN
    exchange: str | None = None


@dataclass(frozen=True, slots=True)
class DisableBank:
    """Take the whole bank out of screening."""


@dataclass(frozen=True, slots=True)
class EnableBank:
    """Put the bank back into screening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeThreshold:
    """Match more, or less, with the bank."""

    threshold: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAction:
    """Let a match with the bank lead to something else."""

    action: Action
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVideoRule:
    """Ask for more, or less, of a known video before an upload counts as showing it."""

    rule: VideoRule
    because: str


BankCommand = CreateBank | DisableBank | EnableBank | ChangeThreshold | ChangeAction | ChangeVideoRule


# --- events


@event("bank.created")
@dataclass(frozen=True, slots=True, kw_only=True)
class BankCreated1(Event):
    """A bank of known material was made; it is active at once. The form before there were kinds and exchanges."""

    name: str
    meaning: str
    source: str
    threshold: int
    action: Action


@event("bank.created", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class BankCreated(Event):
    """A bank was made; it is active at once. A benign one has no action; `exchange` is who fills it, if one does."""

    name: str
    meaning: str
    source: str
    threshold: int
    action: Action | None
    kind: BankKind
    exchange: str | None


@event("bank.disabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class BankDisabled(Event):
    """A bank was taken out of screening; its entries no longer match."""


@event("bank.enabled")
@dataclass(frozen=True, slots=True, kw_only=True)
class BankEnabled(Event):
    """A bank was put back into screening."""


@event("bank.threshold_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChanged1(Event):
    """As it is in schema 2, from before its free text was sealed."""

    before: int
    threshold: int
    because: str


@event("bank.threshold_changed", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChanged(Event):
    """The largest distance that counts changed: a lower one misses disguises, a higher one holds strangers."""

    before: int
    threshold: int
    because: PrivateText


@event("bank.action_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ActionChanged1(Event):
    """As it is in schema 2, from before its free text was sealed."""

    before: Action
    action: Action
    because: str


@event("bank.action_changed", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class ActionChanged(Event):
    """What a match with the bank leads to changed."""

    before: Action
    action: Action
    because: PrivateText


@event("bank.video_rule_changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRuleChanged(Event):
    """How much of one of the bank's videos must be seen again changed: more misses excerpts, less holds strangers."""

    before: VideoRule
    rule: VideoRule
    because: PrivateText


# --- the table: (state before, command) -> state after; None is "does not exist yet"

BANK_TRANSITIONS: Final[Mapping[tuple[BankState | None, type], BankState]] = {
    (None, CreateBank): BankState.ACTIVE,
    (BankState.ACTIVE, DisableBank): BankState.DISABLED,
    (BankState.DISABLED, EnableBank): BankState.ACTIVE,
    (BankState.ACTIVE, ChangeThreshold): BankState.ACTIVE,
    (BankState.DISABLED, ChangeThreshold): BankState.DISABLED,
    (BankState.ACTIVE, ChangeAction): BankState.ACTIVE,
    (BankState.DISABLED, ChangeAction): BankState.DISABLED,
    (BankState.ACTIVE, ChangeVideoRule): BankState.ACTIVE,
    (BankState.DISABLED, ChangeVideoRule): BankState.DISABLED,
}


def decide_bank(bank: Bank | None, command: BankCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the bank as it stands.

    Raises InvalidName or InvalidRequest for a command that could never be carried out.
    """
    refusal = _refusal(bank, command)
    if refusal is not None:
        return refusal
    return [_event_of(bank, command)]


def _event_of(bank: Bank | None, command: BankCommand) -> Event:
    """What a command leads to that no rule refuses."""
    match command:
        case CreateBank():
            happened: Event = _created(command)
        case DisableBank():
            happened = BankDisabled()
        case EnableBank():
            happened = BankEnabled()
        case ChangeThreshold():
            happened = _threshold_changed(bank, command)
        case ChangeAction():
            happened = _action_changed(bank, command)
        case ChangeVideoRule():
            happened = _video_rule_changed(bank, command)
    return happened


def evolve_bank(bank: Bank | None, happened: Event) -> Bank:
    """The bank after `happened`.

    Raises ValueError for an event that no bank in this state can have.
    """
    match bank, happened:
        case None, BankCreated() | BankCreated1():
            return _made(happened)
        case Bank(state=BankState.ACTIVE), BankDisabled():
            return replace(bank, state=BankState.DISABLED)
        case Bank(state=BankState.DISABLED), BankEnabled():
            return replace(bank, state=BankState.ACTIVE)
        case Bank(), ThresholdChanged(threshold=threshold) | ThresholdChanged1(threshold=threshold):
            return replace(bank, threshold=threshold)
        case Bank(), ActionChanged(action=action) | ActionChanged1(action=action):
            return replace(bank, action=action)
        case Bank(), VideoRuleChanged(rule=rule):
            return replace(bank, video=rule)
    message = f"no bank can have {happened.tag!r} here"
    raise ValueError(message)


def bank_subject(name: str) -> str:
    """The journal's subject for a bank."""
    return f"bank:{name}"


def exchange_actor(exchange: str) -> str:
    """How the journal names an exchange as the one who acts."""
    return f"exchange:{exchange}"


def _refusal(bank: Bank | None, command: BankCommand) -> Refusal | None:
    """Which rule says no, if one does."""
    if bank and isinstance(command, CreateBank):
        return Refusal("bank.exists", f"there is already a bank named {bank.name}")
    if bank is None:
        return None if isinstance(command, CreateBank) else Refusal("bank.unknown", "there is no such bank")
    if (bank.state, type(command)) not in BANK_TRANSITIONS:
        return Refusal("bank.not_in_this_state", f"the bank is {bank.state}, and this cannot be done then")
    if isinstance(command, ChangeAction) and bank.action is None:
        return Refusal("bank.benign", "a benign bank has no action, it only excuses")
    return _nothing_new(bank, command)


def _nothing_new(bank: Bank, command: BankCommand) -> Refusal | None:
    match command:
        case ChangeAction(action=bank.action):
            return Refusal("bank.unchanged", f"the action is {bank.action} already")
        case ChangeThreshold(threshold=bank.threshold):
            return Refusal("bank.unchanged", f"the threshold is {bank.threshold} already")
        case ChangeVideoRule(rule=bank.video):
            return Refusal("bank.unchanged", "videos are matched by this rule already")
    return None


def _created(command: CreateBank) -> BankCreated:
    _check_name("a bank's name", command.name)
    if command.exchange is not None:
        _check_name("an exchange's name", command.exchange)
    check_text("meaning", command.meaning)
    check_text("source", command.source)
    _check_threshold(command.threshold)
    benign = command.kind is BankKind.BENIGN
    if benign and command.action is not None:
        message = "action: a benign bank has none, it only excuses"
        raise InvalidRequest(message)
    return BankCreated(
        name=command.name,
        meaning=command.meaning.strip(),
        source=command.source.strip(),
        threshold=command.threshold,
        action=None if benign else command.action or Action.HOLD,
        kind=command.kind,
        exchange=command.exchange,
    )


def _made(happened: BankCreated | BankCreated1) -> Bank:
    kind, exchange = BankKind.KNOWN, None
    if isinstance(happened, BankCreated):
        kind, exchange = happened.kind, happened.exchange
    return Bank(
        name=happened.name,
        meaning=happened.meaning,
        source=happened.source,
        threshold=happened.threshold,
        action=happened.action,
        state=BankState.ACTIVE,
        kind=kind,
        exchange=exchange,
    )


def _threshold_changed(bank: Bank | None, command: ChangeThreshold) -> ThresholdChanged:
    assert bank is not None
    _check_threshold(command.threshold)
    check_text("because", command.because)
    return ThresholdChanged(before=bank.threshold, threshold=command.threshold, because=command.because.strip())


def _action_changed(bank: Bank | None, command: ChangeAction) -> ActionChanged:
    assert bank is not None
    assert bank.action is not None
    check_text("because", command.because)
    return ActionChanged(before=bank.action, action=command.action, because=command.because.strip())


def _video_rule_changed(bank: Bank | None, command: ChangeVideoRule) -> VideoRuleChanged:
    assert bank is not None
    check_rule(command.rule)
    check_text("because", command.because)
    return VideoRuleChanged(before=bank.video, rule=command.rule, because=command.because.strip())


def _check_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidName(what)


def _check_threshold(threshold: int) -> None:
    if not 0 <= threshold <= HIGHEST_THRESHOLD:
        message = f"threshold: between 0 and {HIGHEST_THRESHOLD} of 256 bits"
        raise InvalidRequest(message)
