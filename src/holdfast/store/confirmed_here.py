# SPDX-License-Identifier: Apache-2.0
"""What was removed here, in banks: entered by the decision that removes it, taken out by the one that reverses that.

The promises: a decision makes at most one entry in each of the two banks, however often it is tried; what one person
found leads to review where it merely looks the same; and nothing is taken out but by what two people found.
Everything here is done inside the caller's transaction, which is a numbered bank change.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from holdfast.access.two_people import Actor
from holdfast.errors import InvalidSignal
from holdfast.match.archive import unpacked
from holdfast.match.confirmed_here import CONFIRMED_HERE, ONCE, bank_of, entry_of
from holdfast.match.entry import AddEntry, EntryState, RemoveEntry
from holdfast.match.signal import Signal, SignalType, parse_value
from holdfast.match.two_people import AddEntries
from holdfast.media.pdq import to_hex
from holdfast.store.banks import PostgresBanks
from holdfast.store.models import ArchiveRow, BankRow, EntryRow

_EXACT: Final = (SignalType.MD5, SignalType.SHA1, SignalType.SHA256)
_MOST_OF_A_PICTURE: Final = 64
"""Hashes: every form of one picture over every ground. Of more than that some are of other pictures, or of a title."""
_WORDS: Final = 4


class ConfirmedHere:
    """The banks of what was removed here."""

    def __init__(self, banks: PostgresBanks) -> None:
        """Write to `banks`."""
        self._banks = banks

    def enter(self, decision: str, content: str, version: str, *, people: int, actor: str) -> bool:
        """Let what was screened of this item be known from now on; whether there was anything to know it by."""
        signals = signals_of(content, version)
        if not signals:
            return False
        firm = people >= _FIRM
        name, entry = CONFIRMED_HERE if firm else ONCE, entry_of(decision, firm=firm)
        if EntryRow.objects.filter(id=entry).exists():
            return True
        if not BankRow.objects.filter(name=name).exists():
            self._banks.change_bank(name, bank_of(firm=firm), actor=actor)
        new = AddEntry(id=entry, bank=name, signals=signals, provenance=f"decided here as {decision}")
        self._banks.add_all(name, AddEntries((new,)), actor=actor)
        return True

    def take_out(self, decisions: Collection[str], *, because: str, actor: Actor) -> int:
        """Let what these decisions entered be unknown again; how many entries. Raises SecondPersonNeeded."""
        names = {entry_of(one, firm=firm): name for one in decisions for firm, name in _BANKS}
        rows = EntryRow.objects.filter(id__in=names).exclude(state=EntryState.REMOVED)
        found = sorted(rows.values_list("id", flat=True))
        for entry in found:
            self._banks.change_entry(names[entry], entry, RemoveEntry(because=because), actor=actor)
        return len(found)


def signals_of(content: str, version: str) -> tuple[Signal, ...]:
    """What an item's screening left behind: digests of its bytes, and a picture's look or a film's frames."""
    rows = ArchiveRow.objects.filter(content_id=content, content_version=version).order_by("-at", "-screening")
    row = rows.first()
    if row is None:
        return ()
    texts = [(kind, bytes(getattr(row, kind.value)).hex()) for kind in _EXACT]
    frames, hashes = unpacked(bytes(row.frames)), np.frombuffer(bytes(row.hashes), np.uint64).reshape(-1, _WORDS)
    if not frames and 0 < len(hashes) <= _MOST_OF_A_PICTURE:
        texts.append((SignalType.PDQ, to_hex(hashes[0])))
    read = tuple(signal for kind, text in texts if text and (signal := _read(kind, text)) is not None)
    return (*read, *frames)


def _read(kind: SignalType, text: str) -> Signal | None:
    try:
        return parse_value(kind, text)
    except InvalidSignal:
        return None  # it would match everything


_FIRM: Final = 2
_BANKS: Final = ((False, ONCE), (True, CONFIRMED_HERE))
