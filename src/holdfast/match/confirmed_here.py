# SPDX-License-Identifier: Apache-2.0
"""What was removed here goes into banks of its own: uploads that show the same are stopped from then on.

One person may remove, and then what merely looks the same is held until a person has looked; once a second person
found so too, it is held as what any list knows. An equal digest is held either way. What a child asked for
goes into neither: nobody found anything.
"""

from __future__ import annotations

from typing import Final

from holdfast.match.bank import Action, CreateBank

ONCE: Final = "confirmed-here-once"
"""The name of the bank of what one person found."""
CONFIRMED_HERE: Final = "confirmed-here"
"""The name of the bank of what at least two found."""
_MEANINGS: Final = {
    ONCE: "Removed here by one person. What looks the same waits for a person.",
    CONFIRMED_HERE: "Removed here by at least two people.",
}


def bank_of(*, firm: bool) -> CreateBank:
    """The bank as it is made when the first entry comes."""
    name = CONFIRMED_HERE if firm else ONCE
    action = Action.HOLD if firm else Action.REVIEW
    return CreateBank(name=name, meaning=_MEANINGS[name], source="decisions", action=action)


def entry_of(decision: str, *, firm: bool) -> str:
    """The id of the entry that a decision makes there."""
    return f"ent_{decision.partition('_')[2]}{'f' if firm else ''}"


def is_entry_of(bank: str, subject: str, decisions: frozenset[str]) -> bool:
    """Whether this is the journal's subject for what one of these decisions put into one of these banks."""
    firm = {ONCE: False, CONFIRMED_HERE: True}.get(bank)
    return firm is not None and subject in {f"entry:{entry_of(one, firm=firm)}" for one in decisions}
