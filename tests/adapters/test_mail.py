# SPDX-License-Identifier: Apache-2.0
"""E-mail is encrypted to the server or not sent, believed only once it was taken, and never waits for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.adapters.mail import Addresses, Mail, MailServer
from holdfast.alarm.message import Occasion
from holdfast.alarm.telling import AlarmChannel
from holdfast.effect.handler import Done, Failed, Refused
from tests.alarm.contract import AlarmChannelContract
from tests.alarm.making import NOW, message
from tests.alarm.post_office import Conduct, PostOffice, certificate, post_office

OWNER, OTHER, DEPUTY = "on-call@platform.example", "second@platform.example", "deputy@platform.example"
ADDRESSES = Addresses(sender="holdfast@platform.example", owner=(OWNER,), deputy=(DEPUTY,))
STEP, WHOLE = 5.0, 5.0


def mail(
    port: int, addresses: Addresses = ADDRESSES, *, step: float = STEP, whole: float = WHOLE, **more: object
) -> Mail:
    about: dict[str, object] = {"host": "127.0.0.1", "port": port, "tls": False, "starttls": False, **more}
    server = MailServer(**about)  # type: ignore[arg-type]  # each test says what differs
    return Mail(server, addresses, lambda: NOW, step_seconds=step, whole_seconds=whole)


class TestMail(AlarmChannelContract):
    other: PostOffice

    @pytest.fixture
    def office(self) -> Iterator[PostOffice]:
        with post_office() as running:
            yield running

    @pytest.fixture
    def channel(self, office: PostOffice) -> AlarmChannel:
        self.other = office
        return mail(office.port)

    def taken(self, message_id: str) -> list[str]:
        return [f"{one.mail['Subject']}\n{one.mail.get_content()}" for one in self.other.letters_with(message_id)]

    def refuse(self) -> None:
        self.other.conduct.refused[OWNER] = "550 nobody here"

    def close(self) -> None:
        self.other.shutdown()
        self.other.server_close()


def test_a_mail_is_from_us_to_its_owner_with_a_time_and_as_a_machine_s() -> None:
    with post_office() as office:
        assert mail(office.port).tell(message(), "eff_1").outcome == Done()
    (letter,) = office.letters
    assert (letter.sender, letter.people, letter.helo) == ("holdfast@platform.example", [OWNER], "platform.example")
    assert letter.mail["From"] == "holdfast@platform.example"
    assert letter.mail["To"] == OWNER
    assert letter.mail["Message-ID"] == "<eff_1@platform.example>"
    assert letter.mail["Date"].datetime == NOW.replace(microsecond=0)
    assert letter.mail["Auto-Submitted"] == "auto-generated"
    assert letter.mail["Subject"] == "[Holdfast] alarm: effect_quarantined"
    assert letter.content.isascii()


@pytest.mark.parametrize(
    ("occasion", "people"),
    [
        (Occasion.RAISED, [OWNER]),
        (Occasion.CLEARED, [OWNER]),
        (Occasion.AGAIN, [OWNER, DEPUTY]),
        (Occasion.TEST, [OWNER, DEPUTY]),
    ],
)
def test_the_deputy_hears_what_the_owner_did_not_answer(occasion: Occasion, people: list[str]) -> None:
    with post_office() as office:
        mail(office.port).tell(message(occasion=occasion), "eff_1")
    assert [one.people for one in office.letters] == [people]


# --- encryption


def test_a_server_that_offers_no_encryption_hears_nothing() -> None:
    with post_office(Conduct(offers=("AUTH PLAIN",), users={"u": "s3cret"})) as office:
        told = mail(office.port, starttls=True, user="u", password="s3cret").tell(message(), "eff_1")
    assert told.outcome == Failed("SMTPNotSupportedError")
    assert office.letters == []
    assert [line.split()[0] for line in office.said] == ["ehlo", "QUIT"]


def test_after_starttls_the_password_and_the_mail_are_encrypted(tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    conduct = Conduct(offers=("STARTTLS", "AUTH PLAIN"), users={"u": "s3cret"}, tls=server)
    with post_office(conduct) as office:
        told = mail(office.port, starttls=True, user="u", password="s3cret", context=client).tell(message(), "eff_1")
    assert told.outcome == Done()
    assert told.untrusted_said == "250 queued as 7"
    assert [(one.user, one.encrypted) for one in office.letters] == [("u", True)]


def test_it_may_be_encrypted_from_the_beginning(tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    with post_office(Conduct(tls=server, wrapped=True)) as office:
        assert mail(office.port, tls=True, context=client).tell(message(), "eff_1").outcome == Done()
    assert [one.encrypted for one in office.letters] == [True]


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.2"])
def test_a_server_whose_certificate_is_not_its_own_or_not_trusted_hears_nothing(
    tmp_path: Path, name: str, wrapped: bool
) -> None:
    server, client = certificate(tmp_path, name)
    trusted = client if name == "127.0.0.2" else None
    with post_office(Conduct(offers=("STARTTLS",), tls=server, wrapped=wrapped)) as office:
        told = mail(office.port, tls=wrapped, starttls=not wrapped, context=trusted).tell(message(), "eff_1")
    assert told.outcome == Failed("SSLCertVerificationError")
    assert office.letters == []


# --- what servers do


def test_a_wrong_password_is_failed_and_not_told() -> None:
    with post_office(Conduct(offers=("AUTH PLAIN",), users={"u": "right"})) as office:
        told = mail(office.port, user="u", password="s3cret").tell(message(), "eff_1")
    assert told.outcome == Failed("smtp_535")
    assert told.untrusted_said == "535 no"
    assert "s3cret" not in repr(mail(1, user="u", password="s3cret")._server)


@pytest.mark.parametrize(
    ("verb", "said", "fault"),
    [
        ("greeting", "554 no service", "smtp_554"),
        ("EHLO", "421 later", "smtp_421"),
        ("MAIL", "451 later", "smtp_451"),
        ("MAIL", "not SMTP at all", "smtp_-1"),
        ("RCPT", "450 greylisted", "smtp_450"),
        ("DATA", "451 later", "smtp_451"),
        ("end of data", "452 disk full", "smtp_452"),
        ("end of data", "250-and\r\n450 no", "smtp_450"),
    ],
)
def test_whatever_is_no_confirmation_is_tried_again(verb: str, said: str, fault: str) -> None:
    conduct = Conduct(answers={verb: said, **({"HELO": said} if verb == "EHLO" else {})})
    with post_office(conduct) as office:
        told = mail(office.port).tell(message(), "eff_1")
    assert told.outcome == Failed(fault)
    assert office.letters == []


@pytest.mark.parametrize(("said", "kind"), [("550 nobody here", Refused), ("450 later", Failed)])
def test_what_one_took_and_another_refused_is_not_done_and_sent_again_only_if_that_may_help(
    said: str, kind: type
) -> None:
    addresses = Addresses(sender="holdfast@platform.example", owner=(OWNER, OTHER))
    with post_office(Conduct(refused={OTHER: said})) as office:
        told = mail(office.port, addresses).tell(message(), "eff_1")
    assert told.outcome == kind("mailbox_refused")
    assert told.untrusted_said == f"250 queued as 7; {said}"
    assert [one.people for one in office.letters] == [[OWNER]]


def test_a_goodbye_that_fails_takes_nothing_back() -> None:
    with post_office(Conduct(answers={"QUIT": "500 what?"})) as office:
        assert mail(office.port).tell(message(), "eff_1").outcome == Done()


def test_a_server_that_says_nothing_is_left_after_a_while() -> None:
    with post_office(Conduct(answers={"MAIL": ""})) as office:
        told = mail(office.port, step=0.2).tell(message(), "eff_1")
    assert isinstance(told.outcome, Failed)


def test_a_server_that_never_stops_speaking_is_left_too() -> None:
    with post_office(Conduct(endless=True)) as office:
        told = mail(office.port, whole=0.2).tell(message(), "eff_1")
    assert isinstance(told.outcome, Failed)


def test_what_a_server_says_is_cut_short() -> None:
    with post_office(Conduct(answers={"end of data": "250 " + "x" * 4000})) as office:
        told = mail(office.port).tell(message(), "eff_1")
    assert len(told.untrusted_said) <= 300
