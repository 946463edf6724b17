# SPDX-License-Identifier: Apache-2.0
"""From a report to a hold: what is named is out of reach, wherever it is, and nobody is told more than is so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from holdfast.bootstrap import System
from holdfast.case.clock import ClockState
from holdfast.effect.handler import Done, Failed, Refused
from holdfast.errors import InvalidRequest, ReceiptUnknown
from holdfast.hold.platform import Act, Acted, Notice
from holdfast.hold.reach import Valve
from holdfast.intake.desk import NamedItem
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs
from holdfast.intake.view import NamedView, Standing
from holdfast.testing.simulators import How
from tests.desk.making import Place, place

SOON = timedelta(seconds=2)


@pytest.fixture
def at(system: System) -> Place:
    return place(system)


def only(view: tuple[NamedView, ...]) -> NamedView:
    (one,) = view
    return one


def alarms(at: Place) -> list[str]:
    return sorted(item.alarm.kind for item in at.system.alarms.standing(limit=100))


def clock_states(at: Place, code: str) -> set[ClockState]:
    """How the clocks of that kind stand, of every case."""
    from holdfast.store.models import CaseRow

    clocks = [one for case in CaseRow.objects.all() for one in at.system.clocks.of(f"case:{case.id}")]
    return {one.clock.state for one in clocks if one.clock.terms.code == code}


def test_what_a_parent_names_is_out_of_reach_at_every_place(at: Place) -> None:
    address = at.site.publish("mallory", places=3)
    receipt = at.report(address)
    assert at.seen(address)
    assert at.carry("report.resolve", "hold.ask") == [Done(), Done()]
    assert not at.seen(address)
    shown = only(at.desk.reports.view(receipt.code).items)
    assert (shown.standing, shown.places, shown.hidden) == (Standing.HIDDEN, 3, 3)
    assert shown.hidden_at == at.now


def test_nothing_is_said_to_be_hidden_before_a_stranger_finds_nothing(at: Place) -> None:
    address = at.site.publish("mallory")
    at.platform.fail("hold", How.LIES, 1)
    receipt = at.report(address)
    at.carry()
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.ASKED
    assert at.seen(address)
    at.wait(SOON)
    at.carry()
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.HIDDEN
    assert not at.seen(address)


@pytest.mark.parametrize("how", [How.AWAY, How.LOST])
@pytest.mark.parametrize("call", ["resolve", "hold"])
def test_a_platform_that_does_not_answer_is_asked_until_it_does(at: Place, call: str, how: How) -> None:
    address = at.site.publish("mallory")
    at.platform.fail(call, how, 3)
    receipt = at.report(address)
    for _ in range(3):
        at.carry()
        assert only(at.desk.reports.view(receipt.code).items).standing in (Standing.LOOKING, Standing.ASKED)
        at.wait(SOON)
    at.carry()
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.HIDDEN


def test_what_is_not_confirmed_in_a_minute_is_an_alarm_until_it_is(at: Place) -> None:
    address = at.site.publish("mallory")
    at.platform.fail("hold", How.AWAY)
    at.report(address)
    at.carry()
    at.wait(timedelta(seconds=61))
    assert "hold_unconfirmed" in alarms(at)
    at.platform.recover()
    at.carry()
    assert not at.seen(address)
    assert "hold_unconfirmed" not in alarms(at)


def test_what_can_be_seen_again_is_held_again_and_is_an_alarm(at: Place) -> None:
    address = at.site.publish("mallory")
    receipt = at.report(address)
    at.carry()
    at.leak(address)
    assert at.seen(address)
    at.wait(timedelta(minutes=1, seconds=1))
    at.carry("hold.look")
    assert "hold_breached" in alarms(at)
    at.carry()
    assert not at.seen(address)
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.HIDDEN


def test_it_is_looked_at_after_a_minute_an_hour_and_each_day(at: Place) -> None:
    at.report(at.site.publish("mallory", places=1))
    at.carry()
    begun, looks = at.now, []
    for minute in (0.9, 1.1, 2.2, 59, 60.1, 61.2, 1499, 1500.1, 1502, 2939, 2940.1, 2942):
        at.wait(begun + timedelta(minutes=minute) - at.now)
        if at.carry("hold.look"):
            looks.append(minute)
    assert looks == [1.1, 60.1, 1500.1, 2940.1]


def test_a_stranger_who_cannot_tell_is_no_breach_and_is_asked_again(at: Place) -> None:
    at.report(at.site.publish("mallory"))
    at.carry()
    at.stranger.blind = True
    at.wait(timedelta(minutes=1, seconds=1))
    at.carry("hold.look")
    assert "hold_breached" not in alarms(at)
    at.stranger.blind = False
    at.wait(timedelta(minutes=1, seconds=1))
    assert at.carry("hold.look") == [Done()]


def test_an_address_that_names_nothing_stays_as_work(at: Place) -> None:
    receipt = at.report("https://simulated.example/p/none")
    at.carry()
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.NEEDS_HELP
    assert "item_needs_a_person" in alarms(at)


def test_an_address_that_may_name_several_stays_as_work_and_hides_none_of_them(at: Place) -> None:
    both = [at.site.publish("mallory"), at.site.publish("trent")]
    receipt = at.report(at.site.ambiguous(both))
    at.carry()
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.NEEDS_HELP
    assert all(at.seen(address) for address in both)


def test_a_description_and_another_platform_are_kept_and_asked_of_nobody(at: Place) -> None:
    items = (
        NamedItem(kind=ItemKind.DESCRIPTION, address="there are more, I cannot find them"),
        NamedItem(kind=ItemKind.ELSEWHERE, address="https://elsewhere.example/v/1"),
        NamedItem(kind=ItemKind.HASH, address="0" * 64),
    )
    receipt = at.report(items=items)
    assert at.carry("report.resolve") == []
    standings = [one.standing for one in at.desk.reports.view(receipt.code).items]
    assert standings == [Standing.FOR_PERSON, Standing.ELSEWHERE, Standing.FOR_PERSON]


def test_exact_copies_join_the_case_and_the_uploaders_are_told_once_each(at: Place) -> None:
    address = at.site.publish("mallory")
    copies = [at.site.reshare(address, f"other-{number}") for number in range(5)]
    at.report(address)
    at.carry()
    assert not any(at.seen(copy) for copy in copies)
    assert all(len(at.site.notices(f"other-{number}")) == 1 for number in range(5))
    (told,) = at.site.notices("mallory")
    assert "No finding has been made" in told
    assert "parent" not in told


def test_nobody_is_told_of_what_is_not_held(at: Place) -> None:
    at.report(at.site.publish("mallory"), category=Category.OTHER_ILLEGAL)
    at.carry()
    assert at.site.notices("mallory") == []
    assert not at.desk_owes("account.notify")


def test_all_uploaders_of_a_case_are_told_by_one_call_however_many(at: Place) -> None:
    address = at.site.publish("mallory")
    for number in range(12):
        at.site.reshare(address, f"other-{number}")
    at.report(address)
    while at.carry("report.resolve", "hold.ask", "case.copies"):
        pass
    ended = at.carry("account.notify")
    assert ended in ([Done()], [Done(), Done()]), "one for what was named and one for its copies, or one for both"
    assert all(len(at.site.notices(f"other-{number}")) == 1 for number in range(12))


def test_whoever_closed_the_account_cannot_be_told_and_keeps_nobody_else_from_it(at: Place) -> None:
    address = at.site.publish("mallory")
    at.site.reshare(address, "trent")
    at.report(address)
    while at.carry("report.resolve", "hold.ask", "case.copies"):
        pass
    at.site.close_account("mallory")
    at.carry()
    assert len(at.site.notices("trent")) == 1
    assert not at.desk_owes("account.notify")
    assert clock_states(at, "dsa-reasons") == {ClockState.STOPPED}


def test_a_notice_that_the_platform_refuses_calls_a_person_and_the_others_are_told(at: Place) -> None:
    address = at.site.publish("mallory")
    at.site.reshare(address, "trent")
    at.report(address)
    while at.carry("report.resolve", "hold.ask", "case.copies"):
        pass
    tell = at.platform.notify

    def choosy(key: str, notices: Sequence[Notice]) -> list[Act]:
        taken = [one for one in notices if one.account != "mallory"]
        told = iter(tell(key, taken))
        return [Act(Acted.REFUSED, "no") if one.account == "mallory" else next(told) for one in notices]

    at.platform.notify = choosy  # type: ignore[method-assign]
    assert Refused("notice_refused") in at.carry()
    assert "effect_quarantined" in alarms(at)
    assert len(at.site.notices("trent")) == 1


def test_an_account_that_may_be_the_depicted_persons_is_not_told_of_a_report(at: Place) -> None:
    address = at.site.publish("sixteen")
    mine = NamedItem(kind=ItemKind.LINK, address=address, uploader_is=UploaderIs.DEPICTED)
    at.report(items=(mine,), reporter=ReporterKind.DEPICTED_CHILD)
    at.carry()
    (told,) = at.site.notices("sixteen")
    assert "report about" not in told
    assert "you did nothing wrong" in told


def test_whoever_posted_it_can_say_why_it_should_be_seen_and_a_person_is_called(at: Place) -> None:
    at.report(at.site.publish("mallory"))
    at.carry()
    (code,) = at.told("mallory")
    assert at.desk.contests.open(code).is_held
    at.desk.contests.contest(code, "It is my own work")
    assert "hold_contested" in alarms(at)
    with pytest.raises(ReceiptUnknown):
        at.desk.reports.open(code)


def test_an_unproven_word_reaches_only_what_is_nearly_the_same_and_a_person_looks_at_the_rest(at: Place) -> None:
    address = at.site.publish("mallory")
    near, alike = at.site.reshare(address, "a", distance=8), at.site.reshare(address, "b", distance=24)
    at.report(address)
    at.carry()
    assert not at.seen(near)
    assert at.seen(alike)
    assert "copies_need_a_look" in alarms(at)


def test_the_platforms_own_picture_is_never_hidden_by_itself(at: Place) -> None:
    logo = at.site.publish("platform", is_asset=True)
    receipt = at.report(logo)
    at.carry()
    assert at.seen(logo)
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.FOR_REVIEW
    assert "case_needs_a_look" in alarms(at)


@pytest.mark.parametrize(
    ("category", "reporter", "held"),
    [
        (Category.CSAM, ReporterKind.BYSTANDER, True),
        (Category.ASKED_BY_CHILD, ReporterKind.DEPICTED_CHILD, True),
        (Category.INTIMATE, ReporterKind.DEPICTED_ADULT, True),
        (Category.INTIMATE, ReporterKind.AGENT, True),
        (Category.INTIMATE, ReporterKind.BYSTANDER, False),
        (Category.INTIMATE, ReporterKind.POLICE, False),
        (Category.OTHER_ILLEGAL, ReporterKind.POLICE, False),
    ],
)
def test_what_is_held_before_a_person_looks(at: Place, category: Category, reporter: ReporterKind, held: bool) -> None:
    address = at.site.publish("mallory")
    at.report(address, category=category, reporter=reporter)
    at.carry()
    assert at.seen(address) is not held


def test_a_second_report_joins_the_case_and_neither_sees_the_other(at: Place) -> None:
    address = at.site.publish("mallory")
    first = at.report(address, words="the first one's words")
    at.carry()
    second = at.report(address, words="the second one's words")
    at.carry()
    one, two = (at.desk.reports.open(receipt.code) for receipt in (first, second))
    assert one.report.cases == two.report.cases
    assert one.id != two.id
    assert "first" not in repr(at.desk.reports.view(second.code))
    assert at.desk.reports.view(second.code).copies_hidden is None


def test_what_is_edited_while_it_is_held_stays_out_of_reach(at: Place) -> None:
    address = at.site.publish("mallory")
    at.report(address)
    at.carry()
    at.site.edit(address)
    assert not at.seen(address)
    at.report(address)
    at.carry()
    assert not at.seen(address)


def test_withdrawing_lifts_no_hold(at: Place) -> None:
    address = at.site.publish("mallory")
    receipt = at.report(address)
    at.carry()
    at.desk.reports.withdraw(receipt.code)
    at.wait(timedelta(days=400))
    at.carry()
    assert not at.seen(address)


def test_the_words_open_the_report_however_they_are_typed_and_nothing_else_does(at: Place) -> None:
    receipt = at.report(at.site.publish("mallory"))
    assert at.desk.reports.open(receipt.code.upper().replace(" ", ", ")).reference == receipt.reference
    words = receipt.code.split()
    with pytest.raises(ReceiptUnknown):
        at.desk.reports.open(" ".join([*words[1:], words[0]]))
    with pytest.raises(InvalidRequest):
        at.desk.reports.open(" ".join(words[:7]))


def test_in_a_flood_holds_from_unproven_words_wait_their_turn_and_the_receipt_says_so(system: System) -> None:
    at = place(system, valve=Valve(least=2, percent_of_visible=0.0001))
    addresses = [at.site.publish(f"u{number}", places=2) for number in range(4)]
    receipts = [at.report(address, source="brigade") for address in addresses]
    at.carry()
    standings = [only(at.desk.reports.view(receipt.code).items).standing for receipt in receipts]
    assert sorted(standings) == [*[Standing.HIDDEN] * 2, *[Standing.WAITING_LINE] * 2]
    assert "holds_staged" in alarms(at)
    at.wait(timedelta(hours=1, seconds=1))
    at.carry()
    assert not any(at.seen(address) for address in addresses)


def test_danger_calls_a_person_at_once(at: Place) -> None:
    at.report(category=Category.DANGER, words="he is on his way")
    assert at.system.clocks.mark_due(at.now)
    assert "clock_short" in alarms(at)


def test_a_hold_that_the_platform_refuses_is_an_alarm_and_is_not_shown_as_held(at: Place) -> None:
    address = at.site.publish("mallory")
    at.platform.fail("hold", How.REFUSED)
    receipt = at.report(address)
    assert any(isinstance(outcome, Failed) for outcome in at.carry())
    at.wait(timedelta(seconds=61))
    assert "hold_unconfirmed" in alarms(at)
    assert only(at.desk.reports.view(receipt.code).items).standing is Standing.ASKED
