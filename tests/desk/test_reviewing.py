# SPDX-License-Identifier: Apache-2.0
"""From a hold to a decision by the people whom chance asks: one may remove, two let go, and nobody's silence counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from holdfast.access.role import Colleague, Role
from holdfast.alarm.kinds import AlarmKind
from holdfast.bootstrap import System
from holdfast.case.clock import ClockState
from holdfast.decision.decision import DecisionState, Party
from holdfast.decision.take import CARRY, TAKE
from holdfast.demo.pictures import encoded, hills
from holdfast.errors import Refused, ReviewUnknown
from holdfast.intake.desk import ShownProof
from holdfast.intake.proof import Claim, NotUpheld
from holdfast.intake.reporter import ReporterKind
from holdfast.media.preview import Preview, Previews
from holdfast.review.finding import PROOF_PATIENCE, Ground, Verdict
from holdfast.review.review import AFTERTHOUGHT, About, ReviewState
from holdfast.review.showing import Viewer, Wanted
from holdfast.review.viewing import Step
from tests.desk.making import Place, place

if TYPE_CHECKING:
    from holdfast.store.models import DecisionRow, ReviewRow

SECOND: Final = timedelta(seconds=1)
ANN: Final = Colleague(person="ann", roles=frozenset({Role.REVIEWER}), team="day", account="ann-here")
BEN: Final = Colleague(person="ben", roles=frozenset({Role.REVIEWER}), team="day")
CLEO: Final = Colleague(person="cleo", roles=frozenset({Role.REVIEWER}), team="night")
DORA: Final = Colleague(person="dora", roles=frozenset({Role.SENIOR}), team="night")
EVE: Final = Colleague(person="eve", roles=frozenset({Role.SENIOR}), team="", outside=True)


@dataclass
class Lots:
    """What chance draws: a second look for everything or for nothing, and of the people always this one."""

    sampled: bool = False
    draw: int = 0

    def __call__(self, below: int) -> int:
        from holdfast.store.review_people import SAMPLED_OF

        if below == SAMPLED_OF:
            return 0 if self.sampled else 1
        return self.draw


@dataclass
class Room:
    """A desk, its platform, and the people who work there."""

    at: Place
    people: list[Colleague]
    lots: Lots = field(default_factory=Lots)

    def hold(self, who: str = "mallory", **more: Any) -> str:
        """Something that was reported and is out of reach, and about which somebody is asked if anybody can be."""
        address = self.at.site.publish(who)
        self.at.report(address, **more)
        self.at.carry()
        assert not self.at.seen(address)
        self.at.wait(SECOND)
        return address

    def review(self, address: str) -> ReviewRow:
        """The newest review of it."""
        from holdfast.store.models import ReviewRow

        rows = ReviewRow.objects.filter(content_id=address.rpartition("/")[2])
        found = rows.order_by("-opened_at", "-id").first()
        assert found is not None
        return found

    def say(self, address: str, verdict: Verdict, **more: Any) -> str:
        """Let whoever is asked find this; who it was. Then the system asks on."""
        row = self.review(address)
        assert row.asked is not None
        given: Mapping[str, Any] = {
            "ground": Ground.SEEN if verdict is Verdict.REMOVE else None,
            "reason": NotUpheld.NOT_INTIMATE if verdict is Verdict.NOT_UPHELD else None,
            **more,
        }
        self.find(row.id, row.asked, verdict, **given)
        self.at.wait(SECOND)
        return row.asked

    def find(self, review: str, person: str, verdict: Verdict, *, looks: bool = True, **more: Any) -> None:
        """Let somebody look at all of it, and say what they find."""
        from holdfast.store.reviews import Said

        if looks:
            self.show(review, person)
        said = Said(by=person, verdict=verdict, words="as I see it", **more)
        self.at.desk.reviews.find(review, said, actor=f"staff:{person}")

    def show(self, review: str, person: str) -> None:
        """Show somebody the one picture of an item, blurred and then in grey, unless they saw it."""
        found = self.at.desk.reviews.of(review)
        if found is None or self.at.desk.viewings.seen(person, found.content, found.version).pictures:
            return
        viewer, one = Viewer(person=person, session="s"), Preview(number=0, content=b"made by a test")
        about = {"case": found.case, "review": review, "content": found.content, "version": found.version}
        for step in (Step.BLURRED, Step.GREY):
            wanted = Wanted(**about, step=step, numbers=frozenset({0}))
            (given,) = self.at.desk.viewings.give(viewer, wanted, Previews(pictures=(one,), counted=1, complete=True))
            assert self.at.desk.viewings.show(viewer, given.token) == one.content

    def decided(self) -> list[DecisionRow]:
        from holdfast.store.models import DecisionRow

        return list(DecisionRow.objects.order_by("made_at", "id"))

    def clocks(self, address: str, code: str) -> list[str]:
        from holdfast.store.models import ClockRow

        rows = ClockRow.objects.filter(subject=f"case:{self.review(address).case_id}", code=code)
        return [row.state for row in rows]

    def alarms(self, kind: AlarmKind) -> int:
        """How many alarms of a kind are not cleared."""
        from holdfast.store.models import AlarmRow

        return AlarmRow.objects.filter(kind=kind).exclude(state="cleared").count()


@pytest.fixture
def room(system: System) -> Room:
    from holdfast.store.review_people import Asking

    people, lots = [ANN, BEN, CLEO, DORA], Lots()
    return Room(place(system, asking=Asking(colleagues=lambda: tuple(people), chance=lots)), people, lots)


# --- who is asked


def test_whatever_is_held_is_asked_about_within_a_second(room: Room) -> None:
    row = room.review(room.hold())
    assert (row.state, row.about, row.turn) == (ReviewState.ASKED, About.HELD, "first")
    assert row.asked == "ann"


def test_whom_chance_picks_is_asked_and_no_other_may_say_anything(room: Room) -> None:
    room.lots.draw = 2
    row = room.review(room.hold())
    assert row.asked == "cleo"
    with pytest.raises(Refused, match="somebody else is asked"):
        room.find(row.id, "ann", Verdict.UNSURE)


def test_an_exact_copy_that_nobody_named_is_not_looked_at_by_itself(room: Room) -> None:
    from holdfast.store.models import ReviewRow

    address = room.at.site.publish("mallory")
    room.at.site.reshare(address, "trent")
    room.at.report(address)
    room.at.carry()
    assert ReviewRow.objects.count() == 1


def test_where_nobody_works_yet_it_stays_held_and_waits(room: Room) -> None:
    room.people.clear()
    address = room.hold()
    assert room.review(address).state == ReviewState.WAITING
    assert room.alarms(AlarmKind.REVIEW_NEEDS_OUTSIDE) == 0
    room.people.append(ANN)
    room.at.wait(SECOND)
    assert room.review(address).asked == "ann"


def test_nobody_is_asked_about_what_they_posted_themselves(room: Room) -> None:
    assert room.review(room.hold(str(ANN.account))).asked == "ben"


def test_who_steps_back_is_not_asked_again_and_another_is(room: Room) -> None:
    address = room.hold()
    row = room.review(address)
    room.at.desk.reviews.step_back(row.id, "ann", actor="staff:ann")
    room.at.wait(SECOND)
    assert room.review(address).asked == "ben"


def test_a_turn_that_is_over_is_anothers_and_ends_nothing(room: Room) -> None:
    from holdfast.store.reviews import TURN

    address = room.hold()
    room.lots.draw = 1
    room.at.wait(TURN)
    assert room.review(address).asked == "ben"
    assert not room.at.seen(address)


def test_who_lost_their_powers_since_they_were_asked_may_find_nothing(room: Room) -> None:
    address = room.hold()
    room.people.remove(ANN)
    with pytest.raises(Refused, match="nobody of this name works here now"):
        room.say(address, Verdict.REMOVE)
    assert room.decided() == []


# --- what follows


def test_one_person_removes_and_it_is_decided(room: Room) -> None:
    address = room.hold()
    assert room.clocks(address, "first-look") == ["running"]
    assert room.say(address, Verdict.REMOVE) == "ann"
    room.at.carry(TAKE)
    (one,) = room.decided()
    assert (one.kind, one.by) == ("remove", ["ann"])
    assert room.clocks(address, "first-look") == ["stopped"]
    assert not room.at.seen(address)


def test_one_person_lets_nothing_go_and_the_second_is_of_another_team(room: Room) -> None:
    address = room.hold()
    room.say(address, Verdict.NOT_UPHELD)
    row = room.review(address)
    assert (row.turn, row.asked) == ("second", "cleo")
    room.at.wait(timedelta(days=3))
    room.at.carry()
    assert not room.at.seen(address)
    assert room.decided() == []


def test_what_two_find_for_the_same_reason_is_seen_again_after_ten_minutes(room: Room) -> None:
    address = room.hold()
    room.say(address, Verdict.NOT_UPHELD)
    room.say(address, Verdict.NOT_UPHELD)
    room.at.carry()
    assert not room.at.seen(address)
    room.at.wait(AFTERTHOUGHT)
    room.at.carry(TAKE)
    room.at.carry(CARRY)
    assert room.at.seen(address)
    (one,) = room.decided()
    assert (one.kind, sorted(one.by)) == ("keep", ["ann", "cleo"])


def test_where_two_do_not_say_the_same_a_senior_colleague_is_asked(room: Room) -> None:
    address = room.hold()
    room.say(address, Verdict.NOT_UPHELD)
    room.say(address, Verdict.REMOVE)
    row = room.review(address)
    assert (row.turn, row.asked) == ("third", "dora")
    room.say(address, Verdict.REMOVE)
    room.at.carry(TAKE)
    assert [one.kind for one in room.decided()] == ["remove"]


def test_where_nobody_is_left_it_stays_held_and_alarms_until_somebody_from_outside_looks(room: Room) -> None:
    room.people[:] = [ANN]
    address = room.hold()
    room.say(address, Verdict.NOT_UPHELD)
    assert room.review(address).state == ReviewState.NEEDS_OUTSIDE
    assert room.alarms(AlarmKind.REVIEW_NEEDS_OUTSIDE) == 1
    room.at.wait(timedelta(days=30))
    assert not room.at.seen(address)
    room.people.append(EVE)
    room.at.wait(SECOND)
    assert room.review(address).asked == "eve"
    assert room.alarms(AlarmKind.REVIEW_NEEDS_OUTSIDE) == 0


def test_of_what_the_lot_picked_a_second_look_is_asked_even_for_a_removal(room: Room) -> None:
    room.lots.sampled = True
    address = room.hold()
    room.say(address, Verdict.REMOVE)
    row = room.review(address)
    assert (row.turn, row.asked) == ("second", "cleo")
    assert not room.at.seen(address)
    room.say(address, Verdict.REMOVE)
    room.at.carry(TAKE)
    assert [one.kind for one in room.decided()] == ["remove"]


# --- what nobody says of themselves


def test_what_somebody_saw_is_read_and_not_said(room: Room) -> None:
    address = room.hold()
    row = room.review(address)
    with pytest.raises(Refused, match="has seen all of the item"):
        room.find(row.id, "ann", Verdict.NOT_UPHELD, looks=False, reason=NotUpheld.NOT_INTIMATE)
    with pytest.raises(Refused, match="nothing of the item was looked at"):
        room.find(row.id, "ann", Verdict.REMOVE, looks=False, ground=Ground.SEEN)
    assert room.review(address).findings == []


def test_nobody_looks_adult_while_nothing_verified_shows_it(room: Room) -> None:
    address = room.hold()
    with pytest.raises(Refused, match="nothing verified shows that everybody in it was an adult"):
        room.say(address, Verdict.NOT_UPHELD, reason=NotUpheld.SHOWN_ADULT)


def test_a_refusal_waits_a_day_for_a_proof_that_nobody_has_looked_at(room: Room) -> None:
    says = frozenset({Claim.BIRTH_DATE})
    shown = ShownProof(says=says, media_type="image/png", content=encoded(hills(77_002, (64, 64))))
    address = room.hold(proof=shown)
    with pytest.raises(Refused, match="a proof waits for somebody to look at it"):
        room.say(address, Verdict.NOT_UPHELD)
    room.at.wait(PROOF_PATIENCE)
    room.at.wait(SECOND)
    room.say(address, Verdict.NOT_UPHELD)
    assert room.review(address).turn == "second"


def test_who_is_in_it_is_looked_at_before_what_a_stranger_reports(room: Room) -> None:
    from holdfast.store.models import ReviewRow

    room.people.clear()
    stranger = room.hold(reporter=ReporterKind.BYSTANDER)
    child = room.hold("trent", reporter=ReporterKind.DEPICTED_CHILD)
    assert room.review(child).urgency < room.review(stranger).urgency
    assert ReviewRow.objects.order_by("urgency").first() == room.review(child)


# --- taking back


def test_a_word_toward_release_that_is_taken_back_in_time_releases_nothing(room: Room) -> None:
    address = room.hold()
    room.say(address, Verdict.NOT_UPHELD)
    second = room.say(address, Verdict.NOT_UPHELD)
    room.at.desk.reviews.take_back(room.review(address).id, second, actor=f"staff:{second}")
    room.at.wait(AFTERTHOUGHT)
    room.at.carry()
    assert not room.at.seen(address)
    assert room.decided() == []
    assert room.review(address).asked not in ("ann", second)


def test_a_removal_that_is_taken_back_in_time_stays_held_and_is_looked_at_again(room: Room) -> None:
    address = room.hold()
    room.say(address, Verdict.REMOVE)
    room.at.carry(TAKE)
    room.at.desk.reviews.take_back(room.review(address).id, "ann", actor="staff:ann")
    room.at.carry(TAKE)
    (one,) = room.decided()
    assert one.state == DecisionState.REVERSED
    assert not room.at.seen(address)
    room.at.wait(SECOND)
    assert room.review(address).asked == "cleo", "of another team"


# --- watching


def test_whoever_lets_go_faster_than_anybody_can_look_is_noticed_and_nothing_is_undone(room: Room) -> None:
    from holdfast.review.watching import HASTY_IN_A_DAY
    from holdfast.store.dismissals import EACH, unusual_now

    addresses = [room.hold(f"account-{number}") for number in range(HASTY_IN_A_DAY)]
    for address in addresses:
        room.say(address, Verdict.NOT_UPHELD)
    room.at.wait(EACH)
    assert [one.about for one in unusual_now(room.at.now)] == ["hasty:ann"]
    assert room.alarms(AlarmKind.DISMISSALS_UNUSUAL) == 1
    room.at.wait(timedelta(days=2))
    assert room.alarms(AlarmKind.DISMISSALS_UNUSUAL) == 0
    assert not any(room.at.seen(address) for address in addresses)


def test_of_a_review_that_is_none_nothing_can_be_said(room: Room) -> None:
    with pytest.raises(ReviewUnknown, match="rev_none"):
        room.find("rev_none", "ann", Verdict.UNSURE)
    assert room.at.desk.reviews.of("rev_none") is None


# --- contests and appeals


def test_a_copy_that_nobody_looks_at_by_itself_is_looked_at_once_its_owner_contests_it(room: Room) -> None:
    from holdfast.store.models import ReviewRow

    address = room.at.site.publish("mallory")
    copy = room.at.site.reshare(address, "trent")
    room.at.report(address)
    room.at.carry()
    assert not ReviewRow.objects.filter(content_id=copy.rpartition("/")[2]).exists()
    (words,) = room.at.told("trent")
    room.at.desk.contests.contest(words, "It is my own picture of a sunset.")
    room.at.wait(SECOND)
    row = room.review(copy)
    assert (row.about, row.state) == (About.CONTEST, ReviewState.ASKED)
    room.at.wait(SECOND)
    assert ReviewRow.objects.filter(content_id=copy.rpartition("/")[2]).count() == 1


def test_an_appeal_is_looked_at_by_others_and_two_of_them_undo_it(room: Room) -> None:
    from holdfast.store.models import ContestRow

    room.people.append(EVE)
    address = room.hold()
    room.say(address, Verdict.REMOVE)
    room.at.carry(TAKE)
    (one,) = room.decided()
    contest = ContestRow.objects.get().id
    room.at.desk.appeals.shown_to_uploader(contest)
    room.at.desk.appeals.appeal(one.id, by=Party.UPLOADER, who=contest, words="It is a sunset.")
    assert room.at.system.clocks.of(f"decision:{one.id}")[0].clock.state is ClockState.RUNNING
    room.at.wait(SECOND)
    assert room.review(address).about == About.APPEAL
    others = [room.say(address, Verdict.NOT_UPHELD) for _ in range(2)]
    assert "ann" not in others
    room.at.wait(AFTERTHOUGHT)
    room.at.carry(TAKE)
    room.at.carry(CARRY)
    assert room.at.seen(address)
    assert [found.state for found in room.decided()] == [DecisionState.REVERSED, DecisionState.CARRIED_OUT]
    assert room.at.system.clocks.of(f"decision:{one.id}")[0].clock.state is ClockState.STOPPED
