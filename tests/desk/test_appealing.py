# SPDX-License-Identifier: Apache-2.0
"""Whoever a decision concerns reads it, and may appeal; others look again, and what they find undoes what was wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from holdfast.bootstrap import System
from holdfast.decision.decision import APPEALABLE, DecisionKind, DecisionState, Party
from holdfast.errors import InvalidRequest, Refused
from holdfast.review.review import About, ReviewState
from tests.desk.making import place
from tests.desk.test_deciding import Reviews, Room, refuses, removes

if TYPE_CHECKING:
    from holdfast.store.appeals import PostgresAppeals


@dataclass
class Opened:
    """The reviews that appeals opened: about what, and who is not asked."""

    asked: list[tuple[str, About, frozenset[str]]]

    def __call__(self, _case: str, content: str, _version: str, about: About, spoke: frozenset[str], /) -> str:
        self.asked.append((content, about, spoke))
        return f"rev_appeal_{len(self.asked)}"


@dataclass
class Appealed:
    """A room with a removal in it, and whoever it concerns."""

    room: Room
    opened: Opened
    appeals: PostgresAppeals
    address: str
    report: str
    contest: str

    @property
    def decision(self) -> str:
        return self.room.decisions()[0].id


@pytest.fixture
def removed(system: System) -> Appealed:
    from holdfast.desk import Deciding
    from holdfast.store.appeals import PostgresAppeals
    from holdfast.store.models import ContestRow, ReportRow

    reviews, opened = Reviews(), Opened([])
    room = Room(place(system, deciding=Deciding(settled=reviews)), reviews)
    address = room.hold()
    room.screen(address)
    room.conclude(address, removes("ann"))
    room.at.carry()
    appeals = PostgresAppeals(room.at.desk.means, settled=reviews, open_review=opened)
    return Appealed(room, opened, appeals, address, ReportRow.objects.get().id, ContestRow.objects.get().id)


def test_both_read_what_was_decided_and_neither_reads_who_reported_it(removed: Appealed) -> None:
    (to_reporter,) = removed.appeals.shown_to_reporter(removed.report)
    (to_uploader,) = removed.appeals.shown_to_uploader(removed.contest)
    assert to_reporter.text.title == "What you reported was removed"
    assert to_uploader.text.title == "Something you posted was removed"
    assert "report" not in to_uploader.text.text.lower()
    assert to_uploader.appeal_until == removed.room.at.now + APPEALABLE


def test_six_months_begin_when_each_first_reads_it(removed: Appealed) -> None:
    begun = removed.room.at.now
    removed.appeals.shown_to_reporter(removed.report)
    removed.room.at.now += timedelta(days=60)
    (again,) = removed.appeals.shown_to_reporter(removed.report)
    (first,) = removed.appeals.shown_to_uploader(removed.contest)
    assert again.appeal_until == begun + APPEALABLE
    assert first.appeal_until == begun + timedelta(days=60) + APPEALABLE


def test_an_appeal_asks_others_and_lets_nothing_be_seen_by_itself(removed: Appealed) -> None:
    removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words="It is a sunset.")
    assert removed.opened.asked == [(removed.room.content(removed.address), About.APPEAL, frozenset({"ann"}))]
    assert removed.room.decisions()[0].state == DecisionState.APPEALED
    assert not removed.room.at.seen(removed.address)


def test_what_two_others_find_on_appeal_undoes_all_of_it(removed: Appealed) -> None:
    review = removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words="A sunset.")
    assert removed.room.banked()
    removed.room.conclude(removed.address, refuses("bob"), refuses("cleo"), name=review, about=About.APPEAL)
    removed.room.pass_by()
    assert removed.room.at.seen(removed.address)
    assert removed.room.banked() == {}
    before, after = removed.room.decisions()
    assert (before.state, after.kind) == (DecisionState.REVERSED, DecisionKind.KEEP)


def test_one_other_does_not_undo_it(removed: Appealed) -> None:
    review = removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words="A sunset.")
    removed.room.conclude(removed.address, refuses("bob"), name=review, about=About.APPEAL)
    with pytest.raises(RuntimeError, match="does not stand for two people"):
        removed.room.pass_by()
    assert not removed.room.at.seen(removed.address)


def test_what_is_upheld_stays_and_is_then_what_two_people_found(removed: Appealed) -> None:
    review = removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words="A sunset.")
    removed.room.conclude(removed.address, removes("bob"), name=review, about=About.APPEAL)
    removed.room.at.carry()
    (one,) = removed.room.decisions()
    assert (one.state, one.upheld_by) == (DecisionState.UPHELD, [review])
    assert set(removed.room.banked()) == {"confirmed-here-once", "confirmed-here"}
    removed.room.owe(review)
    removed.room.at.carry()
    assert len(removed.room.decisions()) == 1


def test_what_was_kept_is_removed_on_appeal_of_whoever_reported_it(removed: Appealed) -> None:
    room = removed.room
    address = room.hold("trent")
    room.conclude(address, refuses("bob"), refuses("cleo"), name="rev_2")
    room.pass_by()
    kept = next(one for one in room.decisions() if one.kind == DecisionKind.KEEP)
    from holdfast.store.models import ReportedRow

    report = ReportedRow.objects.get(content_id=kept.content_id).report_id
    review = removed.appeals.appeal(kept.id, by=Party.REPORTER, who=report, words="It is her.")
    assert removed.opened.asked[-1][2] == frozenset({"bob", "cleo"})
    room.conclude(address, removes("dora"), name=review, about=About.APPEAL)
    room.at.carry()
    assert [one.state for one in room.decisions() if one.id == kept.id] == [DecisionState.REVERSED]
    assert not room.at.seen(address)


def test_nobody_appeals_what_does_not_concern_them_or_says_nothing(removed: Appealed) -> None:
    with pytest.raises(LookupError):
        removed.appeals.appeal(removed.decision, by=Party.REPORTER, who="rep_other", words="Mine.")
    with pytest.raises(InvalidRequest):
        removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words=" ")
    removed.appeals.shown_to_uploader(removed.contest)
    removed.room.at.now += APPEALABLE + timedelta(days=1)
    with pytest.raises(Refused):
        removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words="Late.")
    assert removed.room.decisions()[0].state == DecisionState.CARRIED_OUT


def test_what_is_shown_late_is_kept_as_long_as_it_can_be_appealed(removed: Appealed) -> None:
    removed.room.at.now += timedelta(days=100)
    removed.appeals.shown_to_uploader(removed.contest)
    removed.room.pass_by(APPEALABLE - timedelta(days=1))
    assert removed.room.at.site.named(removed.address), "it is still there, and held"


# --- whoever posted it is told


def notices(removed: Appealed, who: str = "mallory") -> list[str]:
    """What they are told, without what came when it was hidden."""
    return [one for one in removed.room.at.site.notices(who) if "not visible at the moment" not in one]


def test_whoever_posted_it_is_told_through_the_platform_once_nobody_takes_it_back(removed: Appealed) -> None:
    assert notices(removed) == []
    removed.room.pass_by()
    (told,) = notices(removed)
    assert told.startswith("Something you posted was removed\n")
    assert "article 17" in told
    codes = {one.answer_code for one in removed.room.at.site.told("mallory")}
    assert len(codes) == 1, "the same words open it"
    removed.room.pass_by()
    assert len(notices(removed)) == 1


def test_a_removal_that_was_taken_back_is_told_to_nobody(removed: Appealed) -> None:
    room = removed.room
    room.reviews.by_id["rev_1"] = replace(
        room.reviews.by_id["rev_1"], state=ReviewState.WAITING, outcome=None, effective_at=None
    )
    room.owe()
    room.pass_by()
    assert notices(removed) == []


def test_whoever_posted_a_copy_is_told_too_and_reads_it_and_may_say_that_it_is_wrong(system: System) -> None:
    from holdfast.desk import Deciding
    from holdfast.store.appeals import PostgresAppeals
    from holdfast.store.models import ContestRow

    reviews, opened = Reviews(), Opened([])
    room = Room(place(system, deciding=Deciding(settled=reviews)), reviews)
    address = room.at.site.publish("mallory")
    copy = room.at.site.reshare(address, "trent")
    room.at.report(address)
    room.at.carry()
    room.conclude(address, removes("ann"))
    room.at.carry()
    room.pass_by()
    assert [one for one in room.at.site.notices("trent") if one.startswith("Something you posted was removed")]
    contest = ContestRow.objects.get(content_id=room.content(copy)).id
    appeals = PostgresAppeals(room.at.desk.means, settled=reviews, open_review=opened)
    (told,) = appeals.shown_to_uploader(contest)
    appeals.appeal(told.decision, by=Party.UPLOADER, who=contest, words="This is mine, and harmless.")
    assert opened.asked[0][0] == room.content(address)


def test_what_takes_the_place_of_a_wrong_decision_says_so_once_it_is_seen_again(removed: Appealed) -> None:
    removed.room.pass_by()
    removed.appeals.shown_to_uploader(removed.contest)
    removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words="It is a hill.")
    removed.room.conclude(removed.address, refuses("cleo"), refuses("dan"), name="rev_appeal_1", about=About.APPEAL)
    removed.room.pass_by()
    removed.room.pass_by()
    assert removed.room.at.seen(removed.address)
    told = notices(removed)[-1]
    assert told.startswith("Something you posted is visible again\n")
    assert "What was decided before was wrong and no longer holds." in told


def test_an_appeal_that_comes_to_the_same_is_answered(removed: Appealed) -> None:
    removed.room.pass_by()
    removed.appeals.shown_to_uploader(removed.contest)
    removed.appeals.appeal(removed.decision, by=Party.UPLOADER, who=removed.contest, words="It is a hill.")
    removed.room.conclude(removed.address, removes("cleo"), name="rev_appeal_1", about=About.APPEAL)
    removed.room.pass_by()
    assert "People who had no part in it looked again, and came to the same." in notices(removed)[-1]
