# SPDX-License-Identifier: Apache-2.0
"""Which changes of banks need two people: their part of the one table in `holdfast.access.two_people`.

A change needs two people if after it fewer uploads may be held, or held as firmly: nobody weakens
protection alone. Raising a threshold is among them too, and asking for more of a video: both hold
strangers. Unscreened holds and long screenings have a part too, an empty one: nothing that is done to
them by command lets anything pass.

In a benign bank everything is the other way round: what goes in weakens, what comes out strengthens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

from holdfast.access import two_people
from holdfast.log.event import Event
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match import importing, long_screening, unscreened
from holdfast.match.bank import Action, Bank, BankKind
from holdfast.match.confirmed_here import is_entry_of
from holdfast.match.entry import AddEntry, Opinion


class When(StrEnum):
    """When a change needs two people, in words for docs/events.md."""

    NEVER = "never"
    ALWAYS = "always"
    KNOWN = "in a bank of known material"
    BENIGN = "in a benign bank"
    LESS = "when it leads to less: from hold to review or ignore, from review to ignore"
    DOUBT = "when it disputes in a bank of known material, or confirms in a benign one"


@dataclass(frozen=True, slots=True)
class AddEntries:
    """Add several known items to one bank: all, or none."""

    entries: tuple[AddEntry, ...]


RULES: Final[Mapping[type, tuple[type[Event], When]]] = {
    banks.CreateBank: (banks.BankCreated, When.NEVER),
    banks.DisableBank: (banks.BankDisabled, When.KNOWN),
    banks.EnableBank: (banks.BankEnabled, When.BENIGN),
    banks.ChangeThreshold: (banks.ThresholdChanged, When.ALWAYS),
    banks.ChangeAction: (banks.ActionChanged, When.LESS),
    banks.ChangeVideoRule: (banks.VideoRuleChanged, When.ALWAYS),
    entries.AddEntry: (entries.EntryAdded, When.BENIGN),
    AddEntries: (entries.EntryAdded, When.BENIGN),
    entries.DisableEntry: (entries.EntryDisabled, When.KNOWN),
    entries.EnableEntry: (entries.EntryEnabled, When.BENIGN),
    entries.RemoveEntry: (entries.EntryRemoved, When.KNOWN),
    entries.GiveOpinion: (entries.OpinionGiven, When.DOUBT),
    importing.BeginImport: (importing.ImportBegun, When.NEVER),
    importing.PublishImport: (importing.ImportPublished, When.BENIGN),
    importing.RollBackImport: (importing.ImportRolledBack, When.KNOWN),
    importing.AbandonImport: (importing.ImportAbandoned, When.NEVER),
}
"""Each command, the event it leads to, and when that needs two people."""

_FIRMNESS: Final = {Action.HOLD: 2, Action.REVIEW: 1, Action.IGNORE: 0}


def needs_two_people(command: Any, bank: Bank) -> bool:  # noqa: ANN401  # any command of the table
    """Whether `command`, to this bank as it stands or to something in it, needs a second person."""
    benign = bank.kind is BankKind.BENIGN
    match RULES[type(command)][1]:
        case When.NEVER:
            return False
        case When.ALWAYS:
            return True
        case When.KNOWN:
            return not benign
        case When.BENIGN:
            return benign
        case When.LESS:
            return bank.action is not None and _FIRMNESS[command.action] < _FIRMNESS[bank.action]
        case When.DOUBT:
            return benign == (command.opinion is Opinion.CONFIRMED)


def _weakens(kind: type, command: Any, bank: Bank | None) -> bool:  # noqa: ANN401  # any command of the table
    """Whether a command of this kind needs two; one that makes its bank, or begins an import, never does."""
    return RULES[kind][1] is not When.NEVER and (bank is None or needs_two_people(command, bank))


def _is_unbanked_by(kind: type, _command: Any, bank: Bank, found: two_people.TwoFound, subject: str) -> bool:  # noqa: ANN401  # any command of the table
    """Whether it takes out what a decision put in that ends with what two people found."""
    return kind is entries.RemoveEntry and is_entry_of(bank.name, subject, found.undoes)


for _kind, (_event, _when) in RULES.items():
    two_people.register(
        _kind, _event, when=_when, weakens=partial(_weakens, _kind), settled=partial(_is_unbanked_by, _kind)
    )
two_people.register(unscreened.OpenUnscreened, unscreened.UnscreenedOpened)
two_people.register(unscreened.TryUnscreenedAgain, unscreened.UnscreenedTriedAgain)
two_people.register(unscreened.MarkOverdue, unscreened.UnscreenedOverdue)
two_people.register(unscreened.SettleUnscreened, unscreened.UnscreenedSettled)
two_people.register(long_screening.ReceiveLong, long_screening.LongReceived)
two_people.register(long_screening.TakeUpLong, long_screening.LongBegun)
two_people.register(long_screening.PutBackLong, long_screening.LongPutBack)
two_people.register(long_screening.AnswerLong, long_screening.LongAnswered)
two_people.register(long_screening.HoldLongForPerson, long_screening.LongHeldForPerson)
