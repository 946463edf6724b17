# SPDX-License-Identifier: Apache-2.0
"""An entry is blocked if each of its signals leads to it, or to what stands in its place, in the banks as committed."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import blocked
from holdfast.blocked import MOST_SENT, evenly, not_found
from holdfast.bootstrap import System
from holdfast.match.entry import DisableEntry, Entry
from holdfast.match.index import LayeredIndex
from holdfast.match.known import Known
from holdfast.match.signal import InVideo, Signal, SignalType
from tests.store.making import ACTOR, TWO, add, create, md5, pdq


def vpdq(seed: int) -> Signal:
    return Signal(SignalType.VPDQ, pdq(seed).value, InVideo(seed, 1000 * seed, 90))


def missing(system: System, *entries: Entry, name: str = "bank") -> list[str]:
    return not_found(name, {entry.id: entry.signals for entry in entries}, system.parts())


@pytest.fixture(params=[0, 10**9], ids=["many at once", "one by one"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Up to how many signals each is looked up by itself."""
    monkeypatch.setattr(blocked, "ONE_BY_ONE", request.param)
    return int(request.param)


@pytest.fixture
def banked(system: System) -> list[Entry]:
    create(system)
    signals: list[tuple[Signal, ...]] = [(pdq(1), md5(1)), (pdq(2), pdq(3)), (md5(2), md5(3)), (vpdq(4), vpdq(5))]
    added = system.banks.add_entries("bank", [(one, "tests") for one in signals], actor=ACTOR)
    system.known.follow()
    return added


@pytest.mark.usefixtures("few")
def test_what_is_banked_is_found(system: System, banked: list[Entry]) -> None:
    assert missing(system, *banked) == []


@pytest.mark.usefixtures("few")
def test_what_is_not_in_the_banks_is_not_found(system: System, banked: list[Entry]) -> None:
    create(system, "other")
    elsewhere = add(system, pdq(8), name="other")
    assert missing(system, *banked, elsewhere) == [elsewhere.id], "what another bank holds does not count"
    system.banks.change_entry("bank", banked[0].id, DisableEntry(), actor=TWO)
    assert missing(system, *banked) == [banked[0].id]


@pytest.mark.usefixtures("few")
def test_what_stands_in_the_banks_and_not_in_the_memory_is_not_found(system: System, banked: list[Entry]) -> None:
    system.known.index.clear()
    perceptual = [entry.id for entry in (banked[0], banked[1], banked[3])]
    assert missing(system, *banked) == sorted(perceptual), "though a digest of the first is found"


@pytest.mark.usefixtures("few")
def test_an_entry_that_a_screening_names_another_for_is_found_all_the_same(system: System, banked: list[Entry]) -> None:
    twins = [add(system, *entry.signals) for entry in banked]
    assert missing(system, *banked, *twins) == []


def test_each_signal_of_few_has_to_be_found(system: System, banked: list[Entry]) -> None:
    from holdfast.store.models import EntrySignalRow

    changes = system.banks.changes_after(None)
    assert changes is not None
    index = LayeredIndex()
    index.add(list(changes.added_labels)[1:], changes.added_hashes[1:])
    lacking = Known(LayeredIndex, system.banks)
    lacking.adopt(index, changes.level, changes.radius)
    parts = system.parts()
    lame: Any = type(parts)(**{name: getattr(parts, name) for name in parts.__slots__} | {"known": lacking})
    entries = {entry.id: entry.signals for entry in banked}
    first = EntrySignalRow.objects.get(id=changes.added_labels[0])
    assert not_found("bank", entries, lame) == [first.entry_id]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 199, 5000])
def test_of_many_signals_so_many_are_sent_from_first_to_last(count: int) -> None:
    signals = [vpdq(seed) for seed in range(min(count, 300))] * (1 if count <= 300 else count // 300)
    chosen = evenly(signals)
    assert len(chosen) <= MOST_SENT
    assert chosen[:1] == signals[:1]
    assert len(chosen) >= min(len(signals), MOST_SENT // 2)
