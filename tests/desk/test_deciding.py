# SPDX-License-Identifier: Apache-2.0
"""From a review to what follows: each decided once, by as many people as it takes, and done where anybody can look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from holdfast.bootstrap import System
from holdfast.case.case import CaseState
from holdfast.decision.decision import APPEALABLE, Because, DecisionKind, DecisionMade, DecisionReversed, DecisionState
from holdfast.decision.take import KEPT, NOT_YET, TAKE
from holdfast.effect.effect import Order, PayloadId, Weight
from holdfast.effect.handler import Done, Failed, Outcome
from holdfast.errors import SecondPersonNeeded
from holdfast.hold.hold import HoldState
from holdfast.intake.proof import NotUpheld
from holdfast.intake.reporter import Category, ReporterKind
from holdfast.log.event import Event
from holdfast.match.confirmed_here import CONFIRMED_HERE, ONCE
from holdfast.match.signal import InVideo, Signal, SignalType
from holdfast.media.pdq import from_hex
from holdfast.review.finding import Finding, Ground, Verdict
from holdfast.review.review import AFTERTHOUGHT, About, Review, ReviewState
from holdfast.review.viewing import Seen
from holdfast.review.weighing import Weighed
from holdfast.testing.simulators import How
from tests.archived import fill
from tests.desk.making import Place, place
from tests.store.making import pdq

if TYPE_CHECKING:
    from holdfast.store.models import DecisionRow

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SHA = Signal(SignalType.SHA256, "ab12" * 16)
LOOK = pdq(7)


@dataclass
class Reviews:
    """Reviews as they stand, in memory: what a store of reviews reads is given here word for word."""

    by_id: dict[str, Review] = field(default_factory=dict)

    def __call__(self, review_id: str) -> Review | None:
        return self.by_id.get(review_id)


@dataclass
class Room:
    """A desk, its platform, and the reviews that people have brought to an end."""

    at: Place
    reviews: Reviews

    def hold(self, who: str = "mallory", **more: object) -> str:
        """Something that was reported and is out of reach."""
        address = self.at.site.publish(who)
        self.at.report(address, **more)  # type: ignore[arg-type]
        self.at.carry()
        assert not self.at.seen(address)
        return address

    def conclude(self, address: str, *findings: Finding, name: str = "rev_1", **other: object) -> None:
        """Let these findings end a review of it, and owe what follows."""
        upload = self.at.site.upload(address)
        removes = any(one.verdict is Verdict.REMOVE for one in findings)
        review = Review(
            case=self.case(address),
            content=upload.content,
            version=upload.newest,
            about=About.HELD,
            state=ReviewState.CONCLUDED,
            findings=findings,
            spoke=frozenset(one.by for one in findings),
            outcome=Weighed.REMOVE if removes else Weighed.NOT_UPHELD,
            effective_at=self.at.now + (timedelta() if removes else AFTERTHOUGHT),
        )
        self.reviews.by_id[name] = replace(review, **other)  # type: ignore[arg-type]
        self.owe(name)

    def owe(self, name: str = "rev_1") -> None:
        """Owe the decision that follows from a review."""
        from django.db import transaction

        order = Order(
            kind=TAKE,
            item=name,
            location=TAKE,
            payload=(PayloadId("review", name),),
            weight=Weight.NEUTRAL,
            deadline=self.at.now + timedelta(hours=1),
            most_tries=1000,
            owner="reviewers",
        )
        with transaction.atomic():
            self.at.system.effects.enqueue([order], actor="tests", at=self.at.now)

    def pass_by(self, much: timedelta = AFTERTHOUGHT) -> list[Outcome]:
        """Let time go by, and carry out what is owed by then."""
        self.at.wait(much)
        return self.at.carry()

    def content(self, address: str) -> str:
        """The platform's reference of it, also of what is gone."""
        return address.rpartition("/")[2]

    def case(self, address: str) -> str:
        from holdfast.store.models import CaseItemRow

        return CaseItemRow.objects.get(content_id=self.content(address)).case_id

    def case_state(self, address: str) -> str:
        from holdfast.store.models import CaseRow

        return CaseRow.objects.get(id=self.case(address)).state

    def holds(self, address: str) -> set[str]:
        from holdfast.store.models import HoldRow

        rows = HoldRow.objects.filter(content_id=self.content(address))
        return set(rows.values_list("state", flat=True))

    def decisions(self) -> list[DecisionRow]:
        from holdfast.store.models import DecisionRow

        return list(DecisionRow.objects.order_by("made_at", "id"))

    def told(self, decision: str) -> list[Event]:
        return [row.happened for row in self.at.system.journal.read(f"decision:{decision}")]

    def screen(self, address: str) -> None:
        """Let the archive remember how it looked when it was uploaded."""
        from holdfast.store.models import ArchiveRow

        upload = self.at.site.upload(address)
        content, version = upload.content, upload.newest
        hashes = np.stack([from_hex(LOOK.value)] * 8).tobytes()
        ArchiveRow.objects.create(
            screening=f"scr_{content}",
            content_id=content,
            content_version=version,
            surface="feed",
            verdict="no_match",
            md5=b"",
            sha1=b"",
            sha256=bytes.fromhex(SHA.value),
            hashes=hashes,
            at=self.at.now,
        )

    def banked(self) -> dict[str, set[SignalType]]:
        """The active entries of the banks of what was removed here, by bank."""
        names = [one.bank.name for one in self.at.system.banks.all_banks()]
        entries = {name: list(self.at.system.banks.entries(name)) for name in names}
        return {name: {one.type for entry in some for one in entry.signals} for name, some in entries.items() if some}


def removes(by: str, ground: Ground = Ground.SEEN) -> Finding:
    return Finding(by=by, verdict=Verdict.REMOVE, at=NOON, seen=Seen(), ground=ground)


def refuses(by: str, reason: NotUpheld = NotUpheld.NOT_INTIMATE) -> Finding:
    return Finding(by=by, verdict=Verdict.NOT_UPHELD, at=NOON, seen=Seen(), reason=reason)


@pytest.fixture
def room(system: System) -> Room:
    from holdfast.desk import Deciding

    reviews = Reviews()
    return Room(place(system, deciding=Deciding(settled=reviews)), reviews)


# --- removing


def test_one_person_removes_and_it_stays_out_of_reach(room: Room) -> None:
    address = room.hold()
    room.conclude(address, removes("ann"))
    assert Done() in room.at.carry(TAKE)
    (one,) = room.decisions()
    assert (one.kind, one.by, one.ground) == (DecisionKind.REMOVE, ["ann"], Ground.SEEN)
    assert not room.at.seen(address)
    (made,) = room.told(one.id)
    assert isinstance(made, DecisionMade)
    assert len({made.digests.policy, made.digests.template, made.digests.software}) == 3
    assert not made.decided_by_machine


def test_what_is_removed_is_kept_while_it_can_be_appealed_and_then_gone_for_good(room: Room) -> None:
    address = room.hold()
    room.conclude(address, removes("ann"))
    assert Failed(KEPT, retry_at=room.at.now + APPEALABLE) in room.at.carry()
    assert room.decisions()[0].state == DecisionState.CARRIED_OUT
    assert room.holds(address) == {HoldState.CONFIRMED}
    room.pass_by(APPEALABLE)
    assert room.holds(address) == {HoldState.REMOVED}
    assert room.at.site.named(address) == []


def test_a_platform_that_refuses_to_remove_is_asked_on_and_nothing_is_said_to_be_gone(room: Room) -> None:
    address = room.hold()
    room.conclude(address, removes("ann"))
    room.at.carry()
    room.at.platform.fail("remove", How.AWAY)
    room.pass_by(APPEALABLE)
    assert room.holds(address) == {HoldState.CONFIRMED}
    room.at.platform.recover()
    room.pass_by(timedelta(minutes=5))
    assert room.holds(address) == {HoldState.REMOVED}


def test_an_exact_copy_is_removed_with_it_and_one_that_only_looks_alike_is_not(room: Room) -> None:
    address = room.at.site.publish("mallory")
    same = room.at.site.reshare(address, "trent")
    alike = room.at.site.reshare(address, "victor", distance=10)
    room.at.report(address, reporter=ReporterKind.POLICE, verified=True)
    room.at.carry()
    room.conclude(address, removes("ann"))
    room.at.carry(TAKE)
    copies = {content for content, _ in room.decisions()[0].copies}
    assert room.at.site.upload(same).content in copies
    assert room.at.site.upload(alike).content not in copies


def test_what_one_person_removed_is_known_from_then_on_and_what_looks_the_same_waits_for_a_person(room: Room) -> None:
    address = room.hold()
    room.screen(address)
    room.conclude(address, removes("ann"))
    room.at.carry(TAKE)
    assert room.banked() == {ONCE: {SignalType.SHA256, SignalType.PDQ}}
    assert room.at.system.banks.get(ONCE).action == "review"


def test_what_two_people_removed_is_held_as_what_a_list_knows(room: Room) -> None:
    address = room.hold()
    room.screen(address)
    room.conclude(address, removes("ann"), removes("bob"))
    room.at.carry(TAKE)
    assert room.banked() == {CONFIRMED_HERE: {SignalType.SHA256, SignalType.PDQ}}
    assert room.at.system.banks.get(CONFIRMED_HERE).action == "hold"


def test_a_film_that_was_removed_is_known_by_its_frames(room: Room) -> None:
    address = room.hold()
    frames = [Signal(SignalType.VPDQ, pdq(one).value, InVideo(one, 1000 * one, 90)) for one in range(4)]
    fill([(room.content(address), frames)])
    room.conclude(address, removes("ann"), removes("bob"))
    room.at.carry(TAKE)
    (entry,) = room.at.system.banks.entries(CONFIRMED_HERE)
    assert sorted(one for one in entry.signals if one.type is SignalType.VPDQ) == sorted(frames)


@pytest.mark.parametrize("ground", [Ground.ASKED_BY_CHILD, Ground.LIST_MATCH])
def test_what_a_child_asked_for_and_what_a_list_knows_are_not_banked(room: Room, ground: Ground) -> None:
    address = room.hold()
    room.screen(address)
    room.conclude(address, removes("ann", ground))
    room.at.carry(TAKE)
    assert room.banked() == {}
    asked = ground is Ground.ASKED_BY_CHILD
    assert room.decisions()[0].kind == (DecisionKind.ASKED_BY_CHILD if asked else DecisionKind.REMOVE)


# --- letting go


def test_what_two_people_did_not_uphold_is_seen_again_after_the_time_for_second_thoughts(room: Room) -> None:
    address = room.hold()
    room.conclude(address, refuses("ann"), refuses("bob"))
    assert room.at.carry(TAKE) == [Failed(NOT_YET, retry_at=room.at.now + AFTERTHOUGHT)]
    assert room.decisions() == []
    room.pass_by()
    assert room.at.seen(address)
    assert room.holds(address) == {HoldState.RELEASED}
    (one,) = room.decisions()
    assert (one.kind, one.state, one.by) == (DecisionKind.KEEP, DecisionState.CARRIED_OUT, ["ann", "bob"])
    for hold in _holds_of(address, room):
        last = room.at.system.journal.read(f"hold:{hold}")[-1]
        assert (last.happened.tag, last.actor) == ("hold.released", "review:rev_1")


def test_it_is_not_said_to_be_visible_before_a_stranger_sees_it(room: Room) -> None:
    address = room.hold()
    room.conclude(address, refuses("ann"), refuses("bob"))
    room.at.platform.fail("release", How.LIES)
    room.pass_by()
    assert not room.at.seen(address)
    assert room.decisions()[0].state == DecisionState.MADE
    room.at.platform.recover()
    room.pass_by(timedelta(minutes=1))
    assert room.at.seen(address)
    assert room.decisions()[0].state == DecisionState.CARRIED_OUT


def test_an_exact_copy_goes_free_with_it_but_not_one_that_somebody_named(room: Room) -> None:
    address = room.at.site.publish("mallory")
    same, named = room.at.site.reshare(address, "trent"), room.at.site.reshare(address, "victor")
    room.at.report(address, reporter=ReporterKind.POLICE, verified=True)
    room.at.carry()
    room.at.report(named)
    room.at.carry()
    room.conclude(address, refuses("ann"), refuses("bob"))
    room.pass_by()
    assert room.at.seen(address)
    assert room.at.seen(same)
    assert not room.at.seen(named)


@pytest.mark.parametrize(
    "findings",
    [
        (refuses("ann"),),
        (refuses("ann"), refuses("ann")),
        (refuses("ann"), refuses("bob", NotUpheld.OTHER_ITEM)),
        (refuses("ann"), replace(refuses("bob"), verdict=Verdict.UNSURE, reason=None)),
        (),
    ],
)
def test_a_row_that_says_so_lets_nothing_go_where_two_people_did_not_find_it(
    room: Room, findings: tuple[Finding, ...]
) -> None:
    address = room.hold()
    room.conclude(address, *findings, outcome=Weighed.NOT_UPHELD)
    with pytest.raises(RuntimeError, match="does not stand for two people"):
        room.pass_by()
    assert not room.at.seen(address)
    assert room.decisions() == []


def test_nobody_lets_go_what_a_review_of_something_else_found(room: Room) -> None:
    held, other = room.hold(), room.hold("trent")
    room.conclude(other, refuses("ann"), refuses("bob"))
    room.pass_by()
    assert room.at.seen(other)
    assert not room.at.seen(held)


def test_a_newer_version_is_not_what_they_found_it_of(room: Room) -> None:
    address = room.hold()
    room.conclude(address, refuses("ann"), refuses("bob"), version="another")
    room.pass_by()
    assert not room.at.seen(address)
    assert room.holds(address) == {HoldState.CONFIRMED}


def test_no_name_of_a_single_person_releases_a_hold(room: Room) -> None:
    from django.db import transaction

    from holdfast.hold.hold import ReleaseHold
    from holdfast.store.models import HoldRow

    room.hold()
    for actor in ("ann", "review:rev_1", "system:decisions"):
        with pytest.raises(SecondPersonNeeded), transaction.atomic():
            room.at.desk.holds.end(list(HoldRow.objects.all()), ReleaseHold("dec_1", "x"), actor=actor, at=room.at.now)


# --- once, whatever happens


def test_a_review_that_is_taken_again_decides_nothing_anew(room: Room) -> None:
    address = room.hold()
    room.conclude(address, removes("ann"))
    room.at.carry(TAKE)
    room.owe()
    room.at.carry(TAKE)
    assert len(room.decisions()) == 1
    assert len(room.told(room.decisions()[0].id)) == 1


def test_what_was_taken_back_before_it_took_effect_decides_nothing(room: Room) -> None:
    address = room.hold()
    room.conclude(address, refuses("ann"), refuses("bob"))
    room.at.carry(TAKE)
    review = room.reviews.by_id["rev_1"]
    room.reviews.by_id["rev_1"] = replace(review, state=ReviewState.WAITING, outcome=None, effective_at=None)
    room.pass_by()
    assert room.decisions() == []
    assert not room.at.seen(address)


def test_a_removal_that_was_taken_back_is_reversed_and_stays_held(room: Room) -> None:
    address = room.hold()
    room.screen(address)
    room.conclude(address, removes("ann"))
    room.at.carry()
    review = room.reviews.by_id["rev_1"]
    room.reviews.by_id["rev_1"] = replace(review, state=ReviewState.WAITING, outcome=None, effective_at=None)
    room.owe()
    room.at.carry()
    (one,) = room.decisions()
    assert one.state == DecisionState.REVERSED
    last = room.told(one.id)[-1]
    assert isinstance(last, DecisionReversed)
    assert (last.because, last.held) == (Because.TAKEN_BACK, True)
    assert not room.at.seen(address)
    assert room.case_state(address) == CaseState.OPEN
    assert ONCE in room.banked(), "what is held stays known, until two people say otherwise"
    room.pass_by(APPEALABLE)
    assert room.holds(address) == {HoldState.CONFIRMED}, "a reversed removal removes nothing"


def test_after_it_was_taken_back_two_people_may_still_let_it_go_and_it_is_not_known_any_more(room: Room) -> None:
    address = room.hold()
    room.screen(address)
    room.conclude(address, removes("ann"))
    room.at.carry()
    review = room.reviews.by_id["rev_1"]
    room.reviews.by_id["rev_1"] = replace(review, state=ReviewState.WAITING, outcome=None, effective_at=None)
    room.owe()
    room.at.carry()
    room.conclude(address, refuses("bob"), refuses("cleo"))
    room.pass_by()
    assert room.at.seen(address)
    assert room.banked() == {}


def test_another_review_does_not_undo_a_removal(room: Room) -> None:
    address = room.hold()
    room.screen(address)
    room.conclude(address, removes("ann"))
    room.at.carry()
    room.conclude(address, refuses("bob"), refuses("cleo"), name="rev_2", about=About.CONTEST)
    room.pass_by()
    assert not room.at.seen(address)
    assert [one.kind for one in room.decisions()] == [DecisionKind.REMOVE]
    assert "case_needs_a_look" in {item.alarm.kind for item in room.at.system.alarms.standing(limit=100)}


def test_what_was_kept_is_removed_by_one_who_finds_it_later(room: Room) -> None:
    address = room.hold()
    room.conclude(address, refuses("ann"), refuses("bob"))
    room.pass_by()
    assert room.at.seen(address)
    room.at.report(address, reporter=ReporterKind.DEPICTED_CHILD)
    room.at.carry()
    assert not room.at.seen(address)
    room.at.now += timedelta(minutes=1)
    room.conclude(address, removes("cleo"), name="rev_2")
    room.at.carry()
    kept, removed = room.decisions()
    assert (kept.state, removed.kind) == (DecisionState.REVERSED, DecisionKind.REMOVE)
    assert not room.at.seen(address)


def test_what_was_held_again_while_the_platform_let_it_go_is_not_left_visible(room: Room) -> None:
    from holdfast.store.models import DecisionRow

    address = room.hold()
    room.conclude(address, refuses("ann"), refuses("bob"))
    room.at.wait(AFTERTHOUGHT)
    room.at.carry(TAKE)
    desk, decision = room.at.desk, DecisionRow.objects.get().id
    to_do = desk.decisions.to_do(decision)
    assert to_do is not None
    room.at.report(address, category=Category.CSAM)
    room.at.carry("report.resolve", "hold.ask")
    assert room.holds(address) == {HoldState.CONFIRMED}
    acts = room.at.platform.release("late", [one.spot for one in to_do.asked])
    assert room.at.seen(address)
    from holdfast.hold.enforce import Seen as SeenThere
    from holdfast.hold.platform import Sight

    seen = [SeenThere(one.hold, act, Sight.VISIBLE) for one, act in zip(to_do.asked, acts, strict=True)]
    desk.decisions.settle(decision, seen)
    room.at.carry("hold.ask")
    assert not room.at.seen(address)


# --- the case


def test_a_case_is_decided_once_all_that_was_named_is_and_opens_when_something_joins(room: Room) -> None:
    first = room.at.site.publish("mallory")
    second = room.at.site.publish("trent")
    room.at.report(first, second)
    room.at.carry()
    room.conclude(first, removes("ann"))
    room.at.carry(TAKE)
    assert room.case_state(first) == CaseState.OPEN
    room.conclude(second, removes("ann"), name="rev_2")
    room.at.carry(TAKE)
    assert room.case_state(first) == CaseState.DECIDED
    room.at.report(first)
    room.at.carry()
    assert room.case_state(first) == CaseState.OPEN


def _holds_of(address: str, room: Room) -> list[str]:
    from holdfast.store.models import HoldRow

    return list(HoldRow.objects.filter(content_id=room.content(address)).values_list("id", flat=True))
