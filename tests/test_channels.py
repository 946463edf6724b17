# SPDX-License-Identifier: Apache-2.0
"""Which channels the settings name, how far each is encrypted, and what production refuses to start with."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from holdfast.adapters.mail import Mail, MailServer
from holdfast.channels import channels_of, mail_server, require_fit_for_production
from holdfast.errors import HoldfastError, InvalidSetting, NoAlarmChannel, ScreeningOff
from holdfast.settings import Settings
from holdfast.start import clock

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
MAIL = {"alarm_smtp": "smtp://mail.example", "alarm_email": "ann@platform.example,bob@platform.example"}
WEBHOOK = {"alarm_url": "https://pager.example/hook", "alarm_secret": SECRET}


def settings(**more: object) -> Settings:
    return Settings.model_validate(more)


def test_no_channel_one_or_both() -> None:
    assert channels_of(settings(), clock) == {}
    assert list(channels_of(settings(**MAIL), clock)) == ["email"]
    assert list(channels_of(settings(**WEBHOOK), clock)) == ["webhook"]
    assert list(channels_of(settings(**MAIL, **WEBHOOK), clock)) == ["email", "webhook"]


@pytest.mark.parametrize(
    ("address", "port", "tls", "starttls"),
    [
        ("smtp://mail.example", 587, False, True),
        ("smtp://10.0.0.1:25", 25, False, True),
        ("smtp://localhost.example", 587, False, True),
        ("smtps://mail.example", 465, True, False),
        ("smtps://localhost:4650", 4650, True, False),
        ("smtp://localhost", 25, False, False),
        ("smtp://127.0.0.1:2525", 2525, False, False),
        ("smtp://[::1]", 25, False, False),
    ],
)
def test_only_to_this_machine_itself_is_mail_sent_in_clear(address: str, port: int, tls: bool, starttls: bool) -> None:
    found = mail_server(settings(alarm_smtp=address))
    assert (found.port, found.tls, found.starttls, found.user) == (port, tls, starttls, None)


def test_a_user_has_a_password_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    found = mail_server(
        settings(alarm_smtp="smtp://ann%40platform.example@mail.example", alarm_smtp_password_file=file)
    )
    assert (found.user, found.password) == ("ann@platform.example", "s3cret")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff\xfe", "p\u00e4ss".encode(), b"x" * 1025])
def test_a_user_without_a_usable_password_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    for given in (file, None):
        with pytest.raises(InvalidSetting, match="HOLDFAST_ALARM_SMTP_PASSWORD_FILE"):
            mail_server(settings(alarm_smtp="smtp://ann@mail.example", alarm_smtp_password_file=given))


def sender(**more: object) -> str:
    found = channels_of(settings(**MAIL, **more), clock)["email"]
    assert isinstance(found, Mail)
    return found._addresses.sender


def test_mail_is_from_who_was_named_or_who_logs_in_or_whom_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    login = {
        "alarm_smtp": "smtp://robot%40platform.example@mail.example",
        "alarm_smtp_password_file": tmp_path / "password",
    }
    assert sender() == "ann@platform.example"
    assert sender(alarm_from="holdfast@platform.example") == "holdfast@platform.example"
    found = channels_of(settings(**{**MAIL, **login}), clock)["email"]
    assert isinstance(found, Mail)
    assert found._addresses.sender == "robot@platform.example"


def test_a_deputy_who_is_the_owner_gets_it_once() -> None:
    found = channels_of(settings(**MAIL, alarm_deputy_email="bob@platform.example,carol@platform.example"), clock)[
        "email"
    ]
    assert isinstance(found, Mail)
    assert found._addresses.deputy == ("carol@platform.example",)


@pytest.mark.parametrize("secret", [None, "whsec_c2hvcnQ=", "no secret"])
def test_a_webhook_without_a_good_secret_is_refused_and_the_secret_is_not_told(secret: str | None) -> None:
    with pytest.raises(InvalidSetting, match="HOLDFAST_ALARM_SECRET") as refused:
        channels_of(settings(**{**WEBHOOK, "alarm_secret": secret}), clock)
    assert "c2hvcnQ" not in str(refused.value)


def test_a_secret_in_a_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    given = settings(alarm_url="https://pager.example/hook", alarm_secret_file=tmp_path / "secret")
    assert list(channels_of(given, clock)) == ["webhook"]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({}, None),
        ({"shadow": True}, None),
        ({"production": True}, NoAlarmChannel),
        ({"production": True, **MAIL}, None),
        ({"production": True, **WEBHOOK}, None),
        ({"production": True, "production_without_alarms": True}, None),
        ({"production": True, "production_shadow": True}, NoAlarmChannel),
        ({"production": True, "shadow": True}, NoAlarmChannel),
        ({"production": True, "shadow": True, **MAIL}, ScreeningOff),
        ({"production": True, "shadow": True, "production_without_alarms": True}, ScreeningOff),
        ({"production": True, "shadow": True, "production_shadow": True, **MAIL}, None),
        (
            {"production": True, "shadow": True, "production_shadow": True, "production_without_alarms": True},
            None,
        ),
        ({"alarm_url": "https://pager.example/hook"}, InvalidSetting),
    ],
    ids=str,
)
def test_production_does_not_start_without_alarms_or_with_screening_off_unless_told_so(
    given: dict[str, object], refusal: type[HoldfastError] | None
) -> None:
    if refusal is None:
        require_fit_for_production(settings(**given), clock)
        return
    with pytest.raises(refusal) as refused:
        require_fit_for_production(settings(**given), clock)
    assert refused.value.advice


def test_a_mail_server_keeps_its_password_to_itself() -> None:
    found = MailServer(host="h", port=1, tls=False, starttls=False, user="u", password="s3cret")
    assert "s3cret" not in repr(found)
