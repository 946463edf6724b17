# SPDX-License-Identifier: Apache-2.0
"""Sends alarms as e-mail, by SMTP, to the addresses that the operator has set.

To another machine it speaks TLS or not at all: from the beginning (smtps), or by STARTTLS, which the other side
must offer; its certificate is checked. Only to this machine itself may it be in clear. A mail may arrive
more than once, always with the same Message-ID, which is the effect's.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from threading import Timer
from typing import Any, Final

from holdfast.alarm.message import Message
from holdfast.alarm.telling import Told
from holdfast.effect.handler import Done, Failed, Outcome, Refused

_STEP_SECONDS: Final = 10.0
_WHOLE_SECONDS: Final = 40.0
_SAID: Final = 300
_OK, _WILL_FORWARD, _FOR_GOOD = 250, 251, 500
_PLAIN: Final = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The server that takes our mail. `tls`: from the beginning; `starttls`: before anything is said."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = None
    """Whom to believe; unset: whom this machine believes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """From whom, to whom, and to whom besides when nobody answers."""

    sender: str
    owner: tuple[str, ...]
    deputy: tuple[str, ...] = ()


class Mail:
    """An `AlarmChannel` to people's mailboxes."""

    def __init__(
        self,
        server: MailServer,
        addresses: Addresses,
        clock: Callable[[], datetime],
        *,
        step_seconds: float = _STEP_SECONDS,
        whole_seconds: float = _WHOLE_SECONDS,
    ) -> None:
        """Send by `server`; each step may take `step_seconds`, all after the greeting `whole_seconds`."""
        self._server = server
        self._addresses = addresses
        self._clock = clock
        self._step_seconds = step_seconds
        self._whole_seconds = whole_seconds

    @property
    def where(self) -> str:
        """How many mailboxes, by which server."""
        count = len(self._addresses.owner) + len(self._addresses.deputy)
        return f"e-mail to {count} address{'es' * (count != 1)} by {self._server.host}:{self._server.port}"

    @property
    def is_private(self) -> bool:
        """Always, up to the server: what is not, is not sent to another machine."""
        return True

    def tell(self, message: Message, message_id: str) -> Told:
        """Send it: see `AlarmChannel`. What some mailboxes took and others never will is not sent again."""
        people = [*self._addresses.owner, *(self._addresses.deputy if message.goes_to_deputy else ())]
        mail = self._mail(message, message_id, people).as_bytes()
        return self._in_session(lambda session: _hand_over(session, self._addresses.sender, people, mail))

    def reach(self) -> Told:
        """Connect, log in, and ask whether it is there."""
        return self._in_session(lambda session: _judged(*session.noop()))

    def _in_session(self, work: Callable[[smtplib.SMTP], Told]) -> Told:
        try:
            with self._session() as session:
                return work(session)
        except (smtplib.SMTPException, OSError) as fault:
            return _failed(fault)

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """A session that is encrypted and logged in as it has to be."""
        server = self._server
        encrypted = server.tls or server.starttls
        context = server.context or (ssl.create_default_context() if encrypted else None)
        about: dict[str, Any] = {"timeout": self._step_seconds, "seconds": self._whole_seconds}
        # The sender's domain is a name that other mail servers know; this machine's may be none.
        about["local_hostname"] = self._addresses.sender.rpartition("@")[2]
        if server.tls:
            about["context"] = context
        with (_BoundedTls if server.tls else _Bounded)(server.host, server.port, **about) as session:
            session.ehlo_or_helo_if_needed()
            if server.starttls:
                session.starttls(context=context)
            if server.user and server.password:
                session.login(server.user, server.password)
            yield session

    def _mail(self, message: Message, message_id: str, people: Sequence[str]) -> EmailMessage:
        sender = self._addresses.sender
        mail = EmailMessage(policy=_PLAIN)
        mail["From"] = sender
        mail["To"] = ", ".join(people)
        mail["Subject"] = message.title
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.as_text())
        return mail


class _Bounded(smtplib.SMTP):
    """A session that ends after so many seconds, however slowly and endlessly the other side speaks."""

    def __init__(self, *about: Any, seconds: float, **more: Any) -> None:  # noqa: ANN401  # smtplib's own
        self._watchdog = Timer(seconds, self._hang_up)
        self._watchdog.daemon = True
        self._watchdog.start()
        try:
            super().__init__(*about, **more)
        except BaseException:
            self._watchdog.cancel()
            raise

    def close(self) -> None:
        """End it, and the watch over it."""
        self._watchdog.cancel()
        super().close()

    def __exit__(self, *fault: object) -> None:
        """Say goodbye; whether the other side answers that does not matter."""
        with suppress(smtplib.SMTPException, OSError):
            self.docmd("QUIT")
        self.close()

    def _hang_up(self) -> None:
        sock = getattr(self, "sock", None)
        if sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    """The same, encrypted from the beginning."""


def _hand_over(session: smtplib.SMTP, sender: str, people: Sequence[str], mail: bytes) -> Told:
    """Mail, recipients, data: RFC 5321 3.3."""
    code, said = session.mail(sender)
    if code != _OK:
        return _judged(code, said)
    answers = [session.rcpt(person) for person in people]
    refused = [answer for answer in answers if answer[0] not in (_OK, _WILL_FORWARD)]
    if len(refused) == len(people):
        return _judged(*refused[0])
    code, said = session.data(mail)
    if code != _OK or not refused:
        return _judged(code, said)
    for_good = all(code >= _FOR_GOOD for code, _ in refused)
    outcome: Outcome = Refused("mailbox_refused") if for_good else Failed("mailbox_refused")
    return Told(outcome, "; ".join(_reply(*answer) for answer in [(code, said), *refused]))


def _judged(code: int, said: bytes) -> Told:
    """250 is a confirmation, and anything else none."""
    return Told(Done() if code == _OK else Failed(f"smtp_{code}"), _reply(code, said))


def _failed(fault: Exception) -> Told:
    if isinstance(fault, smtplib.SMTPResponseException):
        said = fault.smtp_error if isinstance(fault.smtp_error, bytes) else str(fault.smtp_error).encode()
        return Told(Failed(f"smtp_{fault.smtp_code}"), _reply(fault.smtp_code, said))
    return Told(Failed(type(fault).__name__), str(fault)[:_SAID])


def _reply(code: int, said: bytes) -> str:
    return f"{code} {said.decode(errors='replace')}"[:_SAID]
