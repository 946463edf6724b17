# SPDX-License-Identifier: Apache-2.0
"""What every alarm channel promises: its test inherits this class and says how to reach its other side."""

from __future__ import annotations

import pytest

from holdfast.alarm.message import Message, Occasion
from holdfast.alarm.telling import AlarmChannel
from holdfast.effect.handler import Done, Failed
from tests.alarm.making import message, standing


class AlarmChannelContract:
    """Inherit, and give `channel`, `taken`, `refuse`, `close`; the other side is a real one."""

    @pytest.fixture
    def channel(self) -> AlarmChannel:
        """The channel, wired to its other side."""
        raise NotImplementedError

    def taken(self, message_id: str) -> list[str]:
        """Every message of that id that the other side took, as one text."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Let the other side take nothing."""
        raise NotImplementedError

    def close(self) -> None:
        """Let the other side be out of reach."""
        raise NotImplementedError

    def test_what_it_calls_done_was_taken_and_it_says_what_was_answered(self, channel: AlarmChannel) -> None:
        told = channel.tell(message(), "eff_a")
        assert told.outcome == Done()
        assert told.untrusted_said
        assert len(self.taken("eff_a")) == 1

    def test_a_message_says_which_alarm_whose_since_when_and_what_to_do(self, channel: AlarmChannel) -> None:
        one = standing(7)
        channel.tell(message(one), "eff_a")
        (text,) = self.taken("eff_a")
        for words in (
            one.id,
            one.alarm.kind,
            one.alarm.about,
            one.alarm.owner,
            "2026-07-01",
            "tried again",
            "/v1/effects",
        ):
            assert words in text

    @pytest.mark.parametrize("occasion", Occasion)
    def test_whatever_the_occasion_it_is_taken(self, channel: AlarmChannel, occasion: Occasion) -> None:
        alarms = () if occasion is Occasion.TEST else (standing(),)
        whole = Message(occasion=occasion, alarms=alarms, at=standing().since)
        assert channel.tell(whole, "eff_a").outcome == Done()
        assert len(self.taken("eff_a")) == 1

    def test_the_same_message_twice_bears_the_same_id(self, channel: AlarmChannel) -> None:
        for _ in range(2):
            assert channel.tell(message(), "eff_a").outcome == Done()
        assert len(self.taken("eff_a")) == 2

    def test_what_was_not_taken_is_failed_and_never_done(self, channel: AlarmChannel) -> None:
        self.refuse()
        outcome = channel.tell(message(), "eff_a").outcome
        assert isinstance(outcome, Failed)
        assert 0 < len(outcome.fault) <= 100
        assert self.taken("eff_a") == []

    def test_what_nobody_can_tell_is_failed_and_never_done(self, channel: AlarmChannel) -> None:
        self.close()
        assert isinstance(channel.tell(message(), "eff_a").outcome, Failed)
        assert isinstance(channel.reach().outcome, Failed)

    def test_reaching_tells_nothing(self, channel: AlarmChannel) -> None:
        assert channel.reach().outcome == Done()
        assert self.taken("") == []

    def test_where_it_goes_is_said_without_secrets(self, channel: AlarmChannel) -> None:
        assert "127.0.0.1" in channel.where
        assert "s3cret" not in channel.where
        assert "on-call@" not in channel.where
