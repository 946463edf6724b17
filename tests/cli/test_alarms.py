# SPDX-License-Identifier: Apache-2.0
"""`holdfast alarms test`, `holdfast clocks`, what the doctor says of channels, and what `serve` refuses."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.adapters.test_webhook import platform
from tests.alarm.post_office import Conduct, post_office
from tests.cli.forking import Shell
from tests.conftest import environment_for, free_port, holdfast, said_by
from tests.web.http import Asker

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OWNER, DEPUTY = "on-call@platform.example", "deputy@platform.example"


def mail(port: int) -> dict[str, str]:
    return {
        "HOLDFAST_ALARM_SMTP": f"smtp://127.0.0.1:{port}",
        "HOLDFAST_ALARM_EMAIL": OWNER,
        "HOLDFAST_ALARM_DEPUTY_EMAIL": DEPUTY,
    }


def findings(shell: Shell, **more: str) -> dict[str, tuple[str, str]]:
    return {one["what"]: (one["grade"], one["says"]) for one in shell.run("doctor", "--json", **more).json}


# --- trying the channels


def test_a_test_message_goes_through_every_channel_and_what_was_answered_is_said(shell: Shell) -> None:
    with post_office() as office, platform(202) as pager:
        webhook = {"HOLDFAST_ALARM_URL": pager.url, "HOLDFAST_ALARM_SECRET": SECRET}
        done = shell.run("alarms", "test", "--json", **mail(office.port), **webhook)
    assert done.code == 0
    assert [(one["channel"], one["taken"], one["answered"]) for one in done.json] == [
        ("email", True, "250 queued as 7"),
        ("webhook", True, "status 202 Accepted"),
    ]
    (letter,) = office.letters
    assert letter.people == [OWNER, DEPUTY]
    assert "Nothing is wrong" in letter.mail.get_content()
    assert b'"alarm.test"' in pager.got[0][1]


def test_a_channel_that_does_not_take_it_is_said_with_exit_code_1(shell: Shell) -> None:
    with post_office(Conduct(answers={"MAIL": "550 \x1b[31mnot you"})) as office:
        done = shell.run("alarms", "test", **mail(office.port))
    assert done.code == 1
    assert "550" in done.words
    assert "not you" in done.words
    assert "\x1b" not in done.out


def test_without_a_channel_it_says_how_to_set_one(shell: Shell) -> None:
    done = shell.run("alarms", "test", "--json")
    assert (done.code, done.json["error"]["code"]) == (4, "config.no_alarm_channel")
    assert "HOLDFAST_ALARM_EMAIL" in done.json["error"]["advice"]


# --- the doctor


def test_the_doctor_says_whether_a_channel_can_be_reached_and_tells_nobody(shell: Shell) -> None:
    with post_office() as office, platform() as pager:
        webhook = {"HOLDFAST_ALARM_URL": pager.url, "HOLDFAST_ALARM_SECRET": SECRET}
        found = findings(shell, **mail(office.port), **webhook)
    assert found["alarm channel: email"][0] == "good"
    assert found["alarm channel: webhook"][0] == "good"
    assert office.letters == []
    assert pager.got == []


def test_the_doctor_says_that_a_channel_is_away(shell: Shell) -> None:
    grade, says = findings(shell, **mail(free_port()))["alarm channel: email"]
    assert grade == "wrong"
    assert "alarms test" in says
    assert OWNER not in says


def test_the_doctor_says_that_there_is_no_channel(shell: Shell) -> None:
    grade, says = findings(shell)["alarm channel"]
    assert grade == "weaker"
    assert "HOLDFAST_ALARM_EMAIL" in says


@pytest.mark.parametrize(
    ("more", "grade"),
    [
        ({}, "good"),
        ({"HOLDFAST_LISTEN": "0.0.0.0:8711"}, "weaker"),
        ({"HOLDFAST_LISTEN": "0.0.0.0:8711", "HOLDFAST_PRODUCTION": "yes"}, "good"),
    ],
)
def test_the_doctor_warns_of_what_others_reach_and_is_not_for_production(
    shell: Shell, more: dict[str, str], grade: str
) -> None:
    assert findings(shell, **more)["production"][0] == grade


def test_the_doctor_says_what_production_goes_without(shell: Shell) -> None:
    found = findings(shell, HOLDFAST_PRODUCTION="yes", HOLDFAST_PRODUCTION_WITHOUT_ALARMS="yes")
    assert found["production: HOLDFAST_PRODUCTION_WITHOUT_ALARMS"][0] == "weaker"


# --- production


@pytest.mark.parametrize(
    ("more", "code", "way_out"),
    [
        ({}, "config.no_alarm_channel", "HOLDFAST_PRODUCTION_WITHOUT_ALARMS=yes"),
        (
            {"HOLDFAST_PRODUCTION_WITHOUT_ALARMS": "yes", "HOLDFAST_SHADOW": "1"},
            "config.screening_off",
            "HOLDFAST_PRODUCTION_SHADOW=yes",
        ),
    ],
)
def test_in_production_serve_refuses_to_start_and_says_what_to_do(
    tmp_path: Path, more: dict[str, str], code: str, way_out: str
) -> None:
    done = holdfast(environment_for(tmp_path / "data", HOLDFAST_PRODUCTION="yes", **more), "serve")
    assert done.returncode == 4
    assert code in done.stderr
    assert way_out in " ".join(done.stderr.split())
    assert not (tmp_path / "data").exists(), "nothing was started"


# --- clocks


RUN_CLOCK = """
import sys
from holdfast.bootstrap import running
from holdfast.start import clock
from holdfast.case.clock import Moment, every_clock
from holdfast.settings import Settings
with running(Settings.from_environment()) as system:
    from django.db import transaction
    with transaction.atomic(durable=True):
        if sys.argv[1] == "start":
            chosen = [one for one in every_clock() if one.code == "tida"]
            system.clocks.start(sys.argv[2], chosen, at=clock(), actor="cli:test")
        else:
            system.clocks.stop(sys.argv[2], Moment.OUT_OF_REACH, at=clock(), actor="cli:test")
"""


def test_a_clock_that_runs_is_listed_with_who_answers_for_it_until_it_is_stopped(shell: Shell, name: str) -> None:
    def run(what: str) -> None:
        said_by(shell.environment, RUN_CLOCK, what, f"case:{name}")

    key = shell.run("key", "create", "test", "--scope", "operate", "--json").json["key"]
    asker = Asker(shell.environment["HOLDFAST_LISTEN"], key)
    run("start")
    (shown,) = [one for one in asker.ask("GET", "/clocks").json if one["subject"] == f"case:{name}"]
    (listed,) = shell.run("clocks", "list", "--subject", f"case:{name}", "--json").json
    for one in (shown, listed):
        assert (one["code"], one["state"], one["owner"], one["deputy"]) == ("tida", "running", "lead", "legal")
    assert "tida" in shell.run("clocks", "list").words
    run("stop")
    assert [one for one in asker.ask("GET", "/clocks").json if one["subject"] == f"case:{name}"] == []
    assert [one for one in shell.run("clocks", "list", "--json").json if one["subject"] == f"case:{name}"] == []
    (listed,) = shell.run("clocks", "list", "--subject", f"case:{name}", "--json").json
    assert (listed["state"], listed["stopped_at"] is not None) == ("stopped", True)
