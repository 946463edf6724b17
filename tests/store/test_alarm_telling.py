# SPDX-License-Identifier: Apache-2.0
"""Every alarm is owed to every channel with what it is about, told again until somebody answers, and ends somewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from holdfast import health
from holdfast.adapters.mail import Addresses, Mail, MailServer
from holdfast.alarm.alarm import AlarmRaised, AlarmRenewed, AlarmState
from holdfast.alarm.kinds import AlarmKind
from holdfast.alarm.message import MOST_LISTED, Message, Occasion
from holdfast.alarm.telling import AGAIN, TELL, TELL_AGAIN, TELL_CLEARED, URGENT_AGAIN, Teller
from holdfast.bootstrap import System
from holdfast.effect.backoff import pause
from holdfast.effect.effect import EffectState, Weight
from holdfast.effect.handler import Done, Failed, Leased, Outcome, Refused
from tests.alarm.calling import call, calling, clear, deliver, owed
from tests.alarm.post_office import Conduct, post_office
from tests.effect.contract import a_lease
from tests.effect.making import ACTOR, NOW
from tests.store.making import rows, together

MOMENT = timedelta(microseconds=1)


def what(leased: list[Leased]) -> list[tuple[str, str]]:
    return [(one.kind, one.location) for one in leased]


def settle(system: System, outcome: Outcome, now: Any = NOW) -> list[Leased]:
    """Let everything whose turn it is end like this."""
    taken = owed(system, now)
    system.effects.settle([(one, outcome) for one in taken], now=now)
    return taken


def renew(system: System, about: str = "clock:1") -> None:
    with transaction.atomic(durable=True):
        system.alarms.renew(AlarmKind.CLOCK_NEAR, about, "on-call", actor=ACTOR, at=NOW)


def message(system: System, leased: Leased) -> Message:
    found = system.telling.message(leased)
    assert found is not None
    return found


# --- owing


def test_a_raised_alarm_owes_one_message_to_each_channel_and_says_so_in_the_journal(system: System) -> None:
    here = calling(system, "email", "webhook")
    alarm_id = call(here)
    taken = owed(here)
    assert what(taken) == [(TELL, "email"), (TELL, "webhook")]
    for one in taken:
        assert (one.item, one.payload, one.owner) == (f"alarm:{alarm_id}", {"alarm": alarm_id}, "on-call")
        assert one.weight is Weight.PROTECTIVE
    assert call(here) is None
    assert rows(system.settings.data, "effect") == {"effect": 2}
    told = message(here, taken[0])
    assert (told.occasion, [one.id for one in told.alarms]) == (Occasion.RAISED, [alarm_id])


def test_what_was_rolled_back_is_told_to_nobody(system: System) -> None:
    here = calling(system, "email")

    def fail_after_calling() -> None:
        with transaction.atomic(durable=True):
            here.alarms.call(AlarmKind.EFFECT_LATE, "effect:1", "on-call", actor=ACTOR, at=NOW)
            raise LookupError

    with pytest.raises(LookupError):
        fail_after_calling()
    assert rows(system.settings.data, "effect", "alarm") == {"effect": 0, "alarm": 0}


def test_of_many_that_raise_the_same_alarm_at_once_one_owes_a_message(system: System) -> None:
    here = calling(system, "email")
    together([lambda: call(here)] * 6)
    assert len(owed(here)) == 1


def test_without_a_channel_nothing_is_owed_and_once_there_is_one_what_stands_is_told(system: System) -> None:
    bare = calling(system)
    call(bare)
    assert bare.telling.tell_again(NOW + AGAIN) == 0
    assert rows(system.settings.data, "effect") == {"effect": 0}
    here = calling(system, "email")
    assert here.telling.tell_again(NOW + AGAIN) == 1
    assert what(owed(here)) == [(TELL_AGAIN, "email")]


def test_that_it_is_in_order_again_is_told_after_the_alarm(system: System) -> None:
    here = calling(system, "email")
    call(here)
    clear(here)
    assert what(settle(here, Done())) == [(TELL, "email")]
    (after,) = owed(here)
    assert after.kind == TELL_CLEARED
    told = message(here, after)
    assert (told.occasion, told.is_urgent) == (Occasion.CLEARED, False)
    assert "nothing to do" in told.as_text()
    assert "acknowledge" not in told.as_text()


def test_what_was_renewed_is_told_again_at_once_even_if_somebody_had_seen_it(system: System) -> None:
    here = calling(system, "email")
    renew(here)
    (item,) = here.alarms.standing(limit=9)
    assert here.alarms.acknowledge(item.id, actor=ACTOR).alarm.state is AlarmState.ACKNOWLEDGED
    renew(here)
    (item,) = here.alarms.standing(limit=9)
    assert (item.alarm.state, item.alarm.acknowledged_by) == (AlarmState.RAISED, None)
    told = [type(row.happened) for row in here.journal.read(f"alarm:{item.id}")]
    assert (told[0], told[-1]) == (AlarmRaised, AlarmRenewed)
    assert what(settle(here, Done())) == what(settle(here, Done())) == [(TELL, "email")]
    assert owed(here) == []


# --- again


def test_what_nobody_has_acknowledged_is_told_again_and_then_every_hour_for_ever(system: System) -> None:
    here = calling(system, "email", patience=timedelta(minutes=20))
    alarm_id = call(here)
    settle(here, Done())
    now = NOW + timedelta(minutes=20)
    assert here.telling.tell_again(now - MOMENT) == 0
    for _ in range(30):
        assert here.telling.tell_again(now) == 1
        (again,) = settle(here, Done(), now)
        assert again.kind == TELL_AGAIN
        told = message(here, again)
        assert (told.occasion, told.goes_to_deputy, [one.id for one in told.alarms]) == (
            Occasion.AGAIN,
            True,
            [alarm_id],
        )
        assert here.telling.tell_again(now + AGAIN - MOMENT) == 0
        now += AGAIN
    assert alarm_id
    here.alarms.acknowledge(alarm_id, actor=ACTOR)
    assert here.telling.tell_again(now + timedelta(days=365)) == 0


def test_what_is_in_order_again_is_not_told_again(system: System) -> None:
    here = calling(system, "email")
    call(here)
    clear(here)
    assert here.telling.tell_again(NOW + timedelta(days=365)) == 0


@pytest.mark.parametrize("kind", [AlarmKind.CLOCK_MISSED, AlarmKind.CLOCK_SHORT])
def test_what_is_urgent_is_told_again_every_five_minutes_until_somebody_answers(
    system: System, kind: AlarmKind
) -> None:
    here = calling(system, "email")
    urgent, other = call(here, "clock:1", kind), call(here)
    settle(here, Done())
    for number in range(1, 12):
        now = NOW + number * URGENT_AGAIN
        assert here.telling.tell_again(now - MOMENT) == 0
        assert here.telling.tell_again(now) == 1
        (again,) = settle(here, Done(), now)
        told = message(here, again)
        assert ([one.id for one in told.alarms], told.is_urgent) == ([urgent], True)
    assert here.telling.tell_again(NOW + AGAIN) == 2
    assert urgent
    here.alarms.acknowledge(urgent, actor=ACTOR)
    assert here.telling.tell_again(NOW + AGAIN + URGENT_AGAIN) == 0
    assert [one.id for one in here.alarms.standing(limit=9) if one.alarm.state is AlarmState.RAISED] == [other]


def test_however_many_alarms_stand_one_message_tells_them_what_is_urgent_first(system: System) -> None:
    here = calling(system, "email")
    for number in range(MOST_LISTED + 7):
        call(here, f"effect:{number}")
    urgent = call(here, "clock:1", AlarmKind.CLOCK_MISSED, at=NOW + MOMENT)
    settle(here, Done())
    assert here.telling.tell_again(NOW + AGAIN) == MOST_LISTED + 8
    (again,) = owed(here, NOW + AGAIN)
    told = message(here, again)
    assert told.alarms[0].id == urgent
    assert (len(told.alarms), told.more) == (MOST_LISTED, 8)
    assert told.title == "[Holdfast] URGENT: 58 alarms that nobody has acknowledged"
    assert "8 more stand" in told.as_text()


def test_of_many_workers_one_tells_again(system: System) -> None:
    here = calling(system, "email")
    call(here)
    settle(here, Done())
    assert sum(together([lambda: here.telling.tell_again(NOW + AGAIN)] * 6)) == 1
    assert len(owed(here, NOW + AGAIN)) == 1


def test_while_a_channel_takes_nothing_no_heap_of_messages_grows(system: System) -> None:
    here = calling(system, "email")
    call(here, "clock:1", AlarmKind.CLOCK_MISSED)
    settle(here, Done())
    for number in range(1, 30):
        here.telling.tell_again(NOW + number * URGENT_AGAIN)
    waiting = [one for one in here.effect_desk.open(limit=99) if one.effect.order.kind == TELL_AGAIN]
    assert sorted(one.effect.order.item for one in waiting) == ["alarms:urgent"]


def test_a_message_about_what_nobody_has_to_acknowledge_any_more_is_not_sent(system: System) -> None:
    here = calling(system, "email")
    alarm_id = call(here)
    settle(here, Done())
    here.telling.tell_again(NOW + AGAIN)
    (again,) = owed(here, NOW + AGAIN)
    assert alarm_id
    here.alarms.acknowledge(alarm_id, actor=ACTOR)
    assert here.telling.message(again) is None


# --- channels that take nothing


def test_what_cannot_be_told_is_quarantined_with_one_alarm_for_its_channel_which_is_not_told(system: System) -> None:
    here = calling(system, "email")
    for number in range(3):
        call(here, f"effect:{number}")
    now = NOW
    for tries in range(1, 21):
        assert len(settle(here, Failed("refused"), now)) == 3
        now += pause(tries, "") * 2 + timedelta(minutes=5)
    assert owed(here, now) == []
    silent = [one for one in here.alarms.standing(limit=9) if one.alarm.kind == AlarmKind.CHANNEL_SILENT]
    assert [(one.alarm.about, one.alarm.owner) for one in silent] == [("channel:email", "on-call")]
    assert rows(system.settings.data, "effect", "alarm") == {"effect": 3, "alarm": 4}
    for day in range(1, 4):  # it is not told, nor told again: what stands besides is
        assert here.telling.tell_again(now + timedelta(days=day)) == 3
    assert {one.effect.state for one in here.effect_desk.open(limit=9, quarantined_only=True)} == {
        EffectState.QUARANTINED
    }


def test_a_message_that_is_late_alarms_about_its_channel_at_once_and_one_that_is_taken_ends_that(
    system: System,
) -> None:
    here = calling(system, "email", "webhook")
    call(here)
    assert len(here.effects.mark_late(NOW + timedelta(minutes=5))) == 2
    standing = {one.alarm.about for one in here.alarms.standing(limit=9)}
    assert standing == {"effect:1", "channel:email", "channel:webhook"}
    taken = {one.location: one for one in owed(here)}
    here.effects.settle([(taken["email"], Done()), (taken["webhook"], Failed("status_500"))], now=NOW)
    assert [one.alarm.about for one in here.alarms.standing(limit=9)] == ["effect:1", "channel:webhook"]
    assert rows(system.settings.data, "effect") == {"effect": 2}, "nobody is told of the channel's own alarm"


def test_a_message_that_could_not_be_sent_does_not_keep_later_ones_from_being_sent(system: System) -> None:
    here = calling(system, "email")
    renew(here)
    assert len(settle(here, Refused("mailbox_refused"))) == 1
    renew(here)
    assert what(settle(here, Done())) == [(TELL, "email")]


def test_a_person_may_let_it_be_tried_again_and_the_channel_s_alarm_ends(system: System) -> None:
    here = calling(system, "email")
    call(here)
    (one,) = settle(here, Refused("mailbox_refused"))
    here.effect_desk.retry(one.id, because="the mailbox is back", actor=ACTOR)
    assert [item.alarm.kind for item in here.alarms.standing(limit=9)] == [AlarmKind.EFFECT_LATE]


def test_who_tells_calls_nothing_done_that_nobody_took() -> None:
    teller = Teller({}, lambda _: None)
    assert teller(a_lease("eff_1", kind=TELL, alarm="alm_1")) == Failed("channel_not_set")


def test_an_alarm_that_is_not_there_needs_no_telling(system: System) -> None:
    assert calling(system, "email").telling.message(a_lease("eff_1", kind=TELL, alarm="alm_none")) is None


def test_the_doctor_says_that_a_channel_that_answers_does_not_take_messages(system: System) -> None:
    here = calling(system, "email")
    call(here)
    settle(here, Refused("mailbox_refused"))
    with post_office() as office:
        server = MailServer(host="127.0.0.1", port=office.port, tls=False, starttls=False)
        mail = Mail(server, Addresses(sender="a@platform.example", owner=("b@platform.example",)), lambda: NOW)
        (finding,) = health._channels(replace(here, channels={"email": mail}))
    assert (finding.what, finding.grade) == ("alarm channel: email", health.Grade.WRONG)
    assert "did not take messages" in finding.says


# --- the whole way


def test_an_alarm_reaches_a_mailbox_once_and_then_the_deputy_s(system: System) -> None:
    here = calling(system, "email")
    with post_office(Conduct()) as office:
        server = MailServer(host="127.0.0.1", port=office.port, tls=False, starttls=False)
        people = Addresses(sender="a@platform.example", owner=("b@platform.example",), deputy=("c@platform.example",))
        mail = {"email": Mail(server, people, lambda: NOW)}
        alarm_id = call(here)
        deliver(here, mail)
        deliver(here, mail)
        here.telling.tell_again(NOW + AGAIN)
        deliver(here, mail)
    assert [one.people for one in office.letters] == [
        ["b@platform.example"],
        ["b@platform.example", "c@platform.example"],
    ]
    for letter in office.letters:
        assert f"holdfast alarms acknowledge {alarm_id}" in letter.mail.get_content()
