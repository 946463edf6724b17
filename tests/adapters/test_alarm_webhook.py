# SPDX-License-Identifier: Apache-2.0
"""Alarms to a program: signed, to one address, believed only when they are confirmed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from holdfast.adapters.webhook import AlarmWebhook
from holdfast.alarm.kinds import AlarmKind
from holdfast.alarm.message import Occasion
from holdfast.alarm.telling import AlarmChannel
from holdfast.effect.handler import Done, Failed
from holdfast.effect.webhook import sign
from tests.adapters.test_webhook import KEY, Platform, platform
from tests.alarm.contract import AlarmChannelContract
from tests.alarm.making import NOW, message, standing


class TestAlarmWebhook(AlarmChannelContract):
    other: Platform

    @pytest.fixture
    def pager(self) -> Iterator[Platform]:
        with platform(204) as running:
            yield running

    @pytest.fixture
    def channel(self, pager: Platform) -> AlarmChannel:
        self.other = pager
        return AlarmWebhook(f"{pager.url}/s3cret?token=s3cret", KEY, lambda: NOW, seconds=5)

    def taken(self, message_id: str) -> list[str]:
        if self.other.status != 204:
            return []
        return [body.decode() for headers, body in self.other.got if message_id in headers["webhook-id"]]

    def refuse(self) -> None:
        self.other.status = 503

    def close(self) -> None:
        self.other.shutdown()
        self.other.server_close()


def test_a_message_is_signed_json_with_every_alarm_it_is_about() -> None:
    with platform() as pager:
        told = AlarmWebhook(pager.url, KEY, lambda: NOW).tell(
            message(standing(1, AlarmKind.CLOCK_MISSED), standing(2), occasion=Occasion.AGAIN, more=3), "eff_1"
        )
    assert (told.outcome, told.untrusted_said) == (Done(), "status 204 No Content")
    ((headers, body),) = pager.got
    assert headers["webhook-id"] == "eff_1"
    assert headers["webhook-signature"] == sign(KEY, "eff_1", int(NOW.timestamp()), body)
    said = json.loads(body)
    assert (said["type"], said["timestamp"]) == ("alarm.again", NOW.isoformat())
    assert (said["data"]["urgent"], said["data"]["more"]) == (True, 3)
    assert [(one["alarm"], one["urgent"]) for one in said["data"]["alarms"]] == [("alm_1", True), ("alm_2", False)]
    assert set(said["data"]["alarms"][0]) == {
        *("alarm", "kind", "urgent", "about", "owner", "since", "state"),
        *("says", "what_to_do", "where_to_look"),
    }


@pytest.mark.parametrize("status", [301, 307, 400, 410, 500])
def test_whatever_is_no_confirmation_is_tried_again(status: int) -> None:
    with platform(status) as pager:
        told = AlarmWebhook(pager.url, KEY, lambda: NOW).tell(message(), "eff_1")
    assert told.outcome == Failed(f"status_{status}")
    assert told.untrusted_said.startswith(f"status {status}")


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://pager.example/hook", True),
        ("http://127.0.0.1:9000/hook", True),
        ("http://[::1]:9000/hook", True),
        ("http://pager.example/hook", False),
    ],
)
def test_it_is_private_over_tls_or_on_this_machine(url: str, private: bool) -> None:
    assert AlarmWebhook(url, KEY, lambda: NOW).is_private is private
