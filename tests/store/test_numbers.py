# SPDX-License-Identifier: Apache-2.0
"""An entry's number stands for that entry for ever, and for no other."""

from __future__ import annotations

import pytest

from holdfast.bootstrap import System
from holdfast.errors import EntryUnknown
from holdfast.match import bank as banks
from holdfast.match.entry import DisableEntry, EnableEntry, Entry, RemoveEntry
from holdfast.match.signal import SignalType
from tests.store.making import TWO, add, create, md5, pdq


def numbers(system: System, *entries: Entry) -> list[int]:
    from holdfast.store.numbers import numbers_of

    assert system
    found = numbers_of([entry.id for entry in entries])
    return [found[entry.id] for entry in entries]


def found(system: System, name: str, number: int) -> Entry:
    from holdfast.store.numbers import entry_numbered

    return entry_numbered(name, number, system.journal.sealer)


def test_every_entry_has_a_number_of_its_own_that_stays(system: System) -> None:
    create(system)
    entries = [add(system, pdq(seed), md5(seed)) for seed in range(3)]
    first = numbers(system, *entries)
    assert len(set(first)) == 3
    add(system, pdq(9))
    for command in (DisableEntry(), EnableEntry()):
        system.banks.change_entry("bank", entries[1].id, command, actor=TWO)
    assert numbers(system, *entries) == first
    assert [found(system, "bank", number).id for number in first] == [entry.id for entry in entries]


def test_a_number_that_is_not_an_entrys_is_unknown(system: System) -> None:
    create(system)
    create(system, "other")
    entry = add(system, pdq(1), md5(1))
    (number,) = numbers(system, entry)
    for name, wrong in (("other", number), ("bank", number + 1), ("bank", 0), ("bank", 2**80), ("none", number)):
        with pytest.raises(EntryUnknown):
            found(system, name, wrong)
    system.banks.change_entry("bank", entry.id, RemoveEntry(because="a test"), actor=TWO)
    with pytest.raises(EntryUnknown):
        found(system, "bank", number)


def test_signals_are_counted_while_they_take_part_in_screening(system: System) -> None:
    from holdfast.store.numbers import active_signals

    create(system)
    create(system, "other")
    entry = add(system, pdq(1), md5(1))
    add(system, pdq(2), pdq(3))
    add(system, md5(4), name="other")
    assert active_signals() == {SignalType.PDQ: 3, SignalType.MD5: 2}
    system.banks.change_entry("bank", entry.id, DisableEntry(), actor=TWO)
    system.banks.change_bank("other", banks.DisableBank(), actor=TWO)
    assert active_signals() == {SignalType.PDQ: 2}
