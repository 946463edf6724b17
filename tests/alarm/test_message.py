# SPDX-License-Identifier: Apache-2.0
"""A message says what is wrong and whose it is, in plain words, and is made of nothing else."""

from __future__ import annotations

import json
from datetime import datetime
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.alarm.alarm import Alarm, AlarmItem, AlarmState
from holdfast.alarm.kinds import AlarmKind, meaning_of
from holdfast.alarm.message import Message, Occasion
from tests.alarm.making import NOW, message, standing

words = st.text(ascii_lowercase, min_size=1, max_size=20)
items = st.builds(
    AlarmItem,
    id=words.map("alm_{}".format),
    since=st.just(NOW),
    alarm=st.builds(
        Alarm,
        kind=st.sampled_from(AlarmKind),
        about=words.map("case:{}".format),
        owner=words,
        state=st.sampled_from([AlarmState.RAISED, AlarmState.ACKNOWLEDGED]),
    ),
)


@given(st.lists(items, min_size=1, max_size=5), st.sampled_from([Occasion.RAISED, Occasion.AGAIN]))
def test_every_alarm_of_it_is_told_with_all_that_its_owner_needs(alarms: list[AlarmItem], occasion: Occasion) -> None:
    text = message(*alarms, occasion=occasion).as_text()
    for item in alarms:
        meaning = meaning_of(item.alarm.kind)
        for told in (item.id, item.alarm.kind, item.alarm.about, item.alarm.owner, "2026-07-01 12:30:15 UTC"):
            assert told in text
        for told in (meaning.says, meaning.what_to_do, meaning.where_to_look):
            assert told in text


@given(st.lists(items, min_size=1, max_size=5), st.sampled_from(Occasion), st.integers(0, 9))
def test_the_same_is_told_to_people_and_to_programs(alarms: list[AlarmItem], occasion: Occasion, more: int) -> None:
    whole = message(*alarms, occasion=occasion, more=more)
    said = json.loads(whole.as_payload())
    assert said["type"] == occasion
    assert datetime.fromisoformat(said["timestamp"]) == NOW
    assert said["data"]["more"] == more
    for item, told in zip(alarms, said["data"]["alarms"], strict=True):
        assert (told["alarm"], told["about"], told["owner"]) == (item.id, item.alarm.about, item.alarm.owner)
        assert told["says"] in whole.as_text()


@pytest.mark.parametrize(
    ("whole", "title"),
    [
        (message(), "[Holdfast] alarm: effect_quarantined"),
        (message(standing(1, AlarmKind.CLOCK_MISSED)), "[Holdfast] URGENT: alarm: clock_missed"),
        (
            message(standing(1, AlarmKind.CLOCK_MISSED, AlarmState.CLEARED), occasion=Occasion.CLEARED),
            "[Holdfast] in order again: clock_missed",
        ),
        (message(occasion=Occasion.AGAIN), "[Holdfast] 1 alarm that nobody has acknowledged"),
        (message(occasion=Occasion.AGAIN, more=2), "[Holdfast] 3 alarms that nobody has acknowledged"),
        (Message(occasion=Occasion.TEST, alarms=(), at=NOW), "[Holdfast] a test of the alarm channel"),
    ],
)
def test_the_title_says_how_pressing_it_is_and_names_no_id(whole: Message, title: str) -> None:
    assert whole.title == title
    assert "_1" not in whole.title


def test_a_test_says_that_nothing_is_wrong() -> None:
    text = Message(occasion=Occasion.TEST, alarms=(), at=NOW).as_text()
    assert text == ("Somebody tried the alarm channel. It works: you get alarms of Holdfast here. Nothing is wrong.\n")
