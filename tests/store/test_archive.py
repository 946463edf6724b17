# SPDX-License-Identifier: Apache-2.0
"""What was screened leaves its signals behind: found for a banked entry, forgotten in time, not of private places."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from holdfast.bootstrap import System, new_id
from holdfast.errors import EntryUnknown
from holdfast.match.archive import ArchivedItem, ArchiveSearched
from holdfast.match.signal import Signal, SignalType
from holdfast.media.pdq import from_hex
from holdfast.pipeline import Recorded
from holdfast.start import clock
from tests.store.making import ACTOR, NOW, add, answered, create, md5, pdq, rows


def item(*signals: Signal, content: str = "post-1", surface: str = "photos", **more: object) -> ArchivedItem:
    hashes = [from_hex(one.value) for one in signals if one.type is SignalType.PDQ]
    facts = {
        "screening": new_id("scr"),
        "content": content,
        "content_version": "1",
        "surface": surface,
        "verdict": "no_match",
        "exact": tuple(one for one in signals if one.type.is_exact),
        "hashes": np.array(hashes, np.uint64).reshape(-1, 4),
        "at": NOW,
        **more,
    }
    return ArchivedItem(**facts)  # type: ignore[arg-type]


def keep(system: System, *items: ArchivedItem, archive: Any = None) -> None:
    """Answer for each of these items, as the pipeline does."""
    from holdfast.store.screenings import PostgresScreenings

    screenings = system.screenings
    if archive:
        screenings = PostgresScreenings(system.journal, archive, new_id, owner="x", patience=timedelta(days=1))
    for one in items:
        answer = dataclasses.replace(answered(one.content, one.content_version, at=one.at), id=one.screening)
        outcome = screenings.record(answer, answer.as_body(), system.banks.newest_level(), None, one)
        assert outcome is Recorded.WRITTEN


def flipped(signal: Signal, bits: int) -> Signal:
    return Signal(signal.type, f"{int(signal.value, 16) ^ ((1 << bits) - 1):064x}")


def test_an_item_screened_before_its_picture_was_known_is_found_afterwards(system: System) -> None:
    keep(system, item(pdq(1), pdq(2), content="a"), item(pdq(3), content="b"), item(md5(4), content="c"))
    create(system)
    entry = add(system, flipped(pdq(2), 20), md5(4))
    past = system.archive.search("bank", entry.id, actor=ACTOR)
    assert {(one.content, one.signal, one.distance) for one in past} == {
        ("a", SignalType.PDQ, 20),
        ("c", SignalType.MD5, 0),
    }


def test_the_bank_s_own_threshold_counts(system: System) -> None:
    keep(system, item(pdq(1)))
    create(system, "strict", threshold=10)
    create(system, "wide", threshold=40)
    far = flipped(pdq(1), 35)
    assert system.archive.search("strict", add(system, far, name="strict").id, actor=ACTOR) == []
    assert len(system.archive.search("wide", add(system, far, name="wide").id, actor=ACTOR)) == 1


def test_an_item_is_named_once_and_the_newest_first(system: System) -> None:
    both = item(pdq(1), md5(1), content="old")
    keep(system, both, item(pdq(1), content="new", at=NOW + timedelta(hours=1)))
    create(system)
    past = system.archive.search("bank", add(system, pdq(1), md5(1)).id, actor=ACTOR)
    assert [one.content for one in past] == ["new", "old"]


def test_batches_are_all_walked(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.store.archive._BATCH", 3)
    keep(system, *(item(pdq(seed), content=f"c{seed}") for seed in range(10)))
    create(system)
    found = [
        system.archive.search("bank", add(system, pdq(seed)).id, actor=ACTOR)[0].content for seed in (0, 2, 3, 5, 9)
    ]
    assert found == ["c0", "c2", "c3", "c5", "c9"]


@pytest.mark.parametrize("nothing", [{"kept": False}, {"private": "photos"}])
def test_nothing_is_kept_of_private_surfaces_nor_where_nothing_is_to_be_kept(
    system: System, nothing: dict[str, object]
) -> None:
    private = frozenset([str(nothing["private"])] if "private" in nothing else [])
    from holdfast.store.archive import PostgresArchive

    archive = PostgresArchive(
        system.journal, clock, new_id, kept=bool(nothing.get("kept", True)), private_surfaces=private
    )
    keep(system, item(pdq(1), surface="photos"), archive=archive)
    assert rows(system.settings.data, "archive") == {"archive": 0}


def test_what_has_no_signal_leaves_nothing(system: System) -> None:
    keep(system, item())
    assert rows(system.settings.data, "archive") == {"archive": 0}


def test_what_is_older_than_is_kept_is_forgotten(system: System) -> None:
    keep(system, item(pdq(1), at=NOW - timedelta(days=91)), item(pdq(2), at=NOW))
    assert system.archive.forget_old(NOW - timedelta(days=90)) == 1
    assert system.archive.forget_old(NOW - timedelta(days=90)) == 0
    assert rows(system.settings.data, "archive") == {"archive": 1}


def test_only_an_entry_of_the_bank_can_be_searched_for(system: System) -> None:
    create(system)
    create(system, "other")
    entry = add(system, pdq(1), name="other")
    for bank, wanted in (("bank", entry.id), ("bank", "ent_none"), ("none", entry.id)):
        with pytest.raises(EntryUnknown):
            system.archive.search(bank, wanted, actor=ACTOR)
    assert rows(system.settings.data, "archive") == {"archive": 0}


def test_who_searched_for_what_is_in_the_journal_and_what_was_found_is_not(system: System) -> None:
    keep(system, item(pdq(1), content="somebody-s-picture"))
    create(system)
    entry = add(system, pdq(1))
    system.archive.search("bank", entry.id, actor="key:abcdefgh")
    from holdfast.store.models import JournalRow

    row = JournalRow.objects.get(tag="archive.searched")
    (recorded,) = system.journal.read(row.subject)
    assert recorded.actor == "key:abcdefgh"
    assert recorded.happened == ArchiveSearched(bank="bank", entry=entry.id, threshold=31, since=NOW, found=1)
    assert "somebody" not in str(row.body)
