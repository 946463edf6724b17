# SPDX-License-Identifier: Apache-2.0
"""How far a hold reaches: what is shared meanwhile, what lies beyond, what a proof changes, what a search finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.bootstrap import System
from holdfast.case.clock import ClockState
from holdfast.effect.handler import Done
from holdfast.errors import ProofUnknown
from holdfast.hold.reach import REACH, Standing, Valve
from holdfast.hold.reported_hash import REPORTED_HASHES
from holdfast.intake.desk import NamedItem, ShownProof
from holdfast.intake.proof import Claim, ProofState
from holdfast.intake.reporter import ItemKind
from holdfast.match.bank import Action, BankKind
from holdfast.match.screen import Matched, judge
from holdfast.match.signal import InVideo, Signal, SignalType
from holdfast.start import clock
from holdfast.testing.simulators import How
from tests.archived import carry_out, fill, flipped, with_folder, with_searches
from tests.desk.making import DOOR, Place, place
from tests.store.making import add, answered, create, matched, md5, pdq, record

SOON = timedelta(seconds=2)
PROOF = ShownProof(says=frozenset({Claim.BIRTH_DATE}), media_type="application/pdf", content=b"a scan")
ACCOUNTS = REACH[Standing.WORD].accounts or 0
ACCOUNTS_OF_PROOF = REACH[Standing.PROOF_RECEIVED].accounts or 0


@pytest.fixture
def at(system: System) -> Place:
    return place(system)


def waiting() -> list[str]:
    """Items that wait in a case for a person."""
    from holdfast.store.models import CaseItemRow

    return sorted(CaseItemRow.objects.filter(waits=True).values_list("content_id", flat=True))


def alarms(at: Place) -> list[str]:
    return sorted(item.alarm.kind for item in at.system.alarms.standing(limit=100))


def searched(at: Place, folder: Path) -> System:
    """The system whose searches hand on to this desk."""
    return with_searches(with_folder(at.system, folder), found=at.desk.found)


def content(at: Place, address: str) -> str:
    return at.site.upload(address).content


# --- copies


def test_what_is_shared_again_after_copies_were_listed_and_before_the_hold_is_held_too(at: Place) -> None:
    address = at.site.publish("mallory")
    at.report(address)
    at.carry("report.resolve")
    at.carry("case.copies")
    late = at.site.reshare(address, "trent")
    at.carry("hold.ask")
    assert at.seen(late)
    at.carry()
    assert not at.seen(late)


def test_asking_for_copies_ends_once_there_are_no_new_ones(at: Place) -> None:
    address = at.site.publish("mallory")
    for number in range(3):
        at.site.reshare(address, f"sharer-{number}")
    at.report(address)
    at.carry()
    assert not at.desk_owes("case.copies")


def test_what_lies_beyond_waits_by_name_and_is_no_news_when_it_is_found_again(at: Place) -> None:
    address = at.site.publish("mallory")
    beyond = at.site.reshare(address, "trent", distance=24)
    at.report(address)
    at.carry()
    assert waiting() == [content(at, beyond)]
    assert at.seen(beyond)


def test_accounts_that_earlier_copies_touched_count(at: Place) -> None:
    address = at.site.publish("mallory")
    first = [at.site.reshare(address, f"early-{number}") for number in range(ACCOUNTS - 1)]
    at.report(address)
    at.carry("report.resolve", "case.copies")
    late = [at.site.reshare(address, f"late-{number}") for number in range(3)]
    at.carry()
    assert not any(at.seen(one) for one in first)
    assert [at.seen(one) for one in late].count(False) == 1
    assert len(waiting()) == 2


def test_what_waits_is_held_once_somebody_names_it(at: Place) -> None:
    address = at.site.publish("mallory")
    beyond = at.site.reshare(address, "trent", distance=24)
    at.report(address)
    at.carry()
    at.report(beyond)
    at.carry()
    assert waiting() == []
    assert not at.seen(beyond)


def test_a_proof_that_comes_later_widens_what_is_held(at: Place) -> None:
    address = at.site.publish("mallory")
    beyond = at.site.reshare(address, "trent", distance=24)
    receipt = at.report(address)
    at.carry()
    assert at.seen(beyond)
    at.desk.reports.add(receipt.code, "my passport", proof=PROOF)
    at.carry()
    assert not at.seen(beyond)
    assert waiting() == []


def test_a_second_report_with_a_proof_widens_what_is_held(at: Place) -> None:
    address = at.site.publish("mallory")
    beyond = at.site.reshare(address, "trent", distance=24)
    at.report(address)
    at.carry()
    at.report(address, proof=PROOF)
    at.carry()
    assert not at.seen(beyond)


def test_a_verified_proof_widens_what_is_held_to_any_number_of_accounts(at: Place) -> None:
    address = at.site.publish("mallory")
    shares = [at.site.reshare(address, f"sharer-{number}") for number in range(ACCOUNTS + 3)]
    at.report(address, proof=PROOF)
    at.carry("report.resolve")
    more = [at.site.reshare(address, f"late-{number}", distance=24) for number in range(ACCOUNTS_OF_PROOF)]
    at.carry()
    assert any(at.seen(one) for one in more)
    (line,) = at.desk.proofs.waiting(everything=False, limit=10)
    assert at.desk.proofs.view(line.id, actor="cli:ida").content == PROOF.content
    done = at.desk.proofs.verify(line.id, frozenset({Claim.BIRTH_DATE}), actor="cli:ida")
    assert (done.state, done.views, done.verified) == (ProofState.VERIFIED, 1, (Claim.BIRTH_DATE,))
    at.carry()
    assert not any(at.seen(one) for one in shares + more)
    assert at.desk.proofs.waiting(everything=False, limit=10) == []


def test_that_somebody_looks_at_a_proof_is_written_before_it_is_shown(at: Place) -> None:
    at.report(at.site.publish("mallory"), proof=PROOF)
    (line,) = at.desk.proofs.waiting(everything=True, limit=10)
    at.desk.proofs.view(line.id, actor="cli:ida")
    told = [(one.happened.tag, one.actor) for one in at.system.journal.read(f"proof:{line.id}")]
    assert told == [("proof.received", DOOR), ("proof.viewed", "cli:ida")]


def test_looking_at_a_proof_stops_its_clock_and_an_unclear_one_widens_nothing(at: Place) -> None:
    address = at.site.publish("mallory")
    at.report(address, proof=PROOF)
    at.carry()
    (line,) = at.desk.proofs.waiting(everything=False, limit=10)
    assert [one.clock.state for one in at.system.clocks.of(f"proof:{line.id}")] == [ClockState.RUNNING]
    done = at.desk.proofs.find_unclear(line.id, "too dark to read", actor="cli:ida")
    assert done.state is ProofState.UNCLEAR
    assert [one.clock.state for one in at.system.clocks.of(f"proof:{line.id}")] == [ClockState.STOPPED]
    with pytest.raises(ProofUnknown):
        at.desk.proofs.verify("prf_none", frozenset({Claim.IDENTITY}), actor="cli:ida")


# --- what the archive knows of what resembles it


@pytest.mark.parametrize(("bits", "proof", "held"), [(10, None, True), (11, None, False), (31, PROOF, True)])
def test_what_resembles_what_was_reported_is_held_as_far_as_the_report_reaches(
    at: Place, bits: int, proof: ShownProof | None, held: bool
) -> None:
    address, again, other = (at.site.publish(name) for name in ("mallory", "trent", "alice"))
    fill(
        [
            (content(at, address), [pdq(1)]),
            (content(at, again), [flipped(pdq(1), bits)]),
            (content(at, other), [pdq(2)]),
        ]
    )
    at.report(address, proof=proof)
    at.carry()
    assert (at.seen(address), at.seen(again), at.seen(other)) == (False, not held, True)
    assert waiting() == ([] if held else [content(at, again)])


def test_what_resembles_it_from_farther_away_than_any_report_reaches_is_another(at: Place) -> None:
    address, other = at.site.publish("mallory"), at.site.publish("alice")
    fill([(content(at, address), [pdq(1)]), (content(at, other), [flipped(pdq(1), 32)])])
    at.report(address, proof=PROOF)
    at.carry()
    assert at.seen(other)
    assert waiting() == []


@pytest.mark.parametrize(("near", "held"), [(2, False), (3, True), (8, True)])
def test_a_film_resembles_another_if_three_pictures_do(at: Place, near: int, held: bool) -> None:
    address, again = at.site.publish("mallory"), at.site.publish("trent")
    frames = [Signal(SignalType.VPDQ, pdq(one).value, InVideo(one, 1000 * one, 90)) for one in range(8)]
    others = [flipped(one, 5) for one in frames[:near]] + [pdq(100 + number) for number in range(8 - near)]
    fill([(content(at, address), frames), (content(at, again), others)])
    at.report(address)
    at.carry()
    assert at.seen(again) is not held
    assert waiting() == []


def test_a_copy_of_a_copy_is_found_through_what_was_named_alone(at: Place) -> None:
    """Else from one picture to the next, each a little different, everything could be hidden."""
    address, again, farther = (at.site.publish(name) for name in ("mallory", "trent", "alice"))
    steps = zip((address, again, farther), (0, 10, 20), strict=True)
    fill([(content(at, one), [flipped(pdq(1), bits)]) for one, bits in steps])
    at.report(address)
    at.carry()
    assert (at.seen(again), at.seen(farther)) == (False, True)
    assert waiting() == [content(at, farther)]


# --- what a backwards search finds


def test_what_a_search_finds_is_held_with_its_copies_and_its_uploader_is_told(at: Place, tmp_path: Path) -> None:
    address = at.site.publish("mallory")
    copy, other = at.site.reshare(address, "trent"), at.site.publish("alice")
    fill([(content(at, address), [pdq(1)]), (content(at, other), [pdq(2)]), ("gone", [pdq(1)])])
    system = searched(at, tmp_path)
    create(system)
    add(system, flipped(pdq(1), 20))
    carry_out(system)
    at.now = clock()
    at.carry()
    assert not at.seen(address)
    assert not at.seen(copy)
    assert at.seen(other)
    assert len(at.site.notices("mallory")) == 1
    assert "copies_found" in alarms(at)


def test_what_a_search_finds_joins_the_case_that_has_it(at: Place, tmp_path: Path) -> None:
    from holdfast.store.models import CaseRow

    address = at.site.publish("mallory")
    beyond = at.site.reshare(address, "trent", distance=24)
    at.report(address)
    at.carry()
    fill([(content(at, beyond), [md5(1)])])
    system = searched(at, tmp_path)
    create(system)
    add(system, md5(1))
    carry_out(system)
    at.now = clock()
    at.carry()
    assert not at.seen(beyond)
    assert CaseRow.objects.count() == 1


def test_everything_that_one_entry_matches_is_one_case_however_much_it_is(at: Place, tmp_path: Path) -> None:
    from holdfast.store.models import CaseRow

    addresses = [at.site.publish(f"account-{number}") for number in range(101)]
    fill([(content(at, address), [md5(1)]) for address in addresses])
    system = searched(at, tmp_path)
    create(system)
    add(system, md5(1))
    carry_out(system)
    at.now = clock()
    at.carry()
    assert not any(at.seen(address) for address in addresses)
    assert CaseRow.objects.count() == 1


def test_one_frame_of_a_known_film_waits_for_a_person(at: Place, tmp_path: Path) -> None:
    address = at.site.publish("mallory")
    fill([(content(at, address), [pdq(1)])])
    system = searched(at, tmp_path)
    create(system)
    add(system, *(Signal(SignalType.VPDQ, pdq(one).value, InVideo(one, 1000 * one, 90)) for one in range(8)))
    carry_out(system)
    at.now = clock()
    at.carry()
    assert at.seen(address)
    assert waiting() == [content(at, address)]


def test_a_platform_that_is_away_is_asked_until_it_says_where_things_are(at: Place, tmp_path: Path) -> None:
    address = at.site.publish("mallory")
    fill([(content(at, address), [md5(1)])])
    system = searched(at, tmp_path)
    create(system)
    add(system, md5(1))
    carry_out(system)
    at.now = clock()
    at.platform.fail("resolve", How.AWAY, 2)
    for _ in range(3):
        at.carry()
        at.wait(SOON)
    at.carry()
    assert not at.seen(address)


def test_a_bank_whose_matches_lead_to_nothing_hides_nothing(at: Place, tmp_path: Path) -> None:
    address = at.site.publish("mallory")
    fill([(content(at, address), [md5(1)])])
    system = searched(at, tmp_path)
    create(system, action=Action.IGNORE)
    add(system, md5(1))
    carry_out(system)
    at.now = clock()
    at.carry()
    assert at.seen(address)


# --- hashes that people computed themselves


def hash_item(text: str) -> NamedItem:
    return NamedItem(kind=ItemKind.HASH, address=text)


def banked(at: Place) -> list[tuple[Signal, ...]]:
    """The entries of the bank of reported hashes."""
    return [entry.signals for entry in at.system.banks.entries(REPORTED_HASHES)]


def test_a_reported_hash_is_banked_once_and_whoever_sent_it_is_told_the_same_as_for_any(at: Place) -> None:
    first = at.report(items=(hash_item(pdq(1).value), hash_item("not a hash")))
    before = repr(at.desk.reports.view(first.code).items)
    assert at.carry() == [Done(), Done()]
    assert [{one.type for one in signals} for signals in banked(at)] == [{SignalType.SHA256, SignalType.PDQ}]
    assert repr(at.desk.reports.view(first.code).items) == before
    from holdfast.store.models import ReportedRow

    (done, _) = ReportedRow.objects.order_by("place").values_list("id", flat=True)
    assert at.desk.hashes.bank(done), "asked again, as after a crash"
    assert len(banked(at)) == 1


def test_what_a_reported_hash_finds_is_held_as_far_as_a_word_reaches(at: Place, tmp_path: Path) -> None:
    near, further = at.site.publish("mallory"), at.site.publish("trent")
    fill([(content(at, near), [flipped(pdq(1), 8)]), (content(at, further), [flipped(pdq(1), 14)])])
    system = searched(at, tmp_path)
    at.report(items=(hash_item(f"pdq:{pdq(1).value}"),))
    at.carry()
    carry_out(system)
    at.now = clock()
    at.carry()
    assert not at.seen(near)
    assert at.seen(further)


def test_reported_hashes_hide_no_more_accounts_than_a_word_may_touch(at: Place, tmp_path: Path) -> None:
    addresses = [at.site.publish(f"account-{number}") for number in range(ACCOUNTS + 3)]
    fill([(content(at, address), [md5(1)]) for address in addresses])
    system = searched(at, tmp_path)
    at.report(items=(hash_item(md5(1).value),))
    at.carry()
    carry_out(system)
    at.now = clock()
    at.carry()
    assert [at.seen(address) for address in addresses].count(False) == ACCOUNTS
    assert len(waiting()) == 3


def test_above_the_budget_a_reported_hash_waits_and_a_proof_lets_it_through(system: System) -> None:
    at = place(system, valve=Valve(least=2, percent_of_visible=0))
    at.report(items=tuple(hash_item(md5(number).value) for number in range(4)))
    at.carry()
    assert len(banked(at)) == 2
    at.report(items=(hash_item(md5(9).value),), proof=PROOF)
    at.carry()
    assert len(banked(at)) == 3
    at.wait(timedelta(hours=2))
    at.carry()
    assert len(banked(at)) == 5


@pytest.mark.parametrize(
    ("match", "speaks"),
    [
        ({"bank": REPORTED_HASHES}, False),
        ({"bank": "harmless", "action": None, "kind": BankKind.BENIGN}, False),
        ({"bank": "list"}, True),
    ],
)
def test_only_a_list_of_known_material_speaks_for_a_report(system: System, match: dict[str, Any], speaks: bool) -> None:
    """Whoever sends a hash, and a report of the same thing, has still only given a word."""
    known = matched()
    assert isinstance(known, Matched)
    (found,) = known.matches
    one = answered(screening=judge((replace(found, **match),), None))
    assert record(system, replace(one, list_version=system.banks.newest_change()))
    spent = place(system, valve=Valve(least=0, percent_of_visible=0))
    assert spent.desk.holds.lets_through(Standing.WORD, one.content.id, at=spent.now) is speaks
