# SPDX-License-Identifier: Apache-2.0
"""A small real mail server on 127.0.0.1: RFC 5321 with STARTTLS and AUTH PLAIN, which can be told to misbehave."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Letter:
    """A mail that was taken, and how it came."""

    sender: str
    people: list[str]
    user: str | None
    encrypted: bool
    helo: str
    content: bytes = b""

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)


@dataclass
class Conduct:
    """How the server behaves."""

    answers: dict[str, str] = field(default_factory=dict)
    """What it says to a command instead of carrying it out; 'greeting' and 'end of data' are commands here."""
    refused: dict[str, str] = field(default_factory=dict)
    """What it says to a recipient."""
    users: dict[str, str] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = None
    """What it speaks TLS with: after STARTTLS, or from the beginning if `wrapped`."""
    wrapped: bool = False
    endless: bool = False
    """Its greeting has no end."""


class PostOffice(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, conduct: Conduct) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.conduct = conduct
        self.letters: list[Letter] = []
        self.said: list[str] = []
        """Every line that reached it outside a mail."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def letters_with(self, message_id: str) -> list[Letter]:
        """Those whose Message-ID holds an effect's id."""
        return [one for one in self.letters if f"<{message_id}@" in str(one.mail["Message-ID"])]


class _Clerk(StreamRequestHandler):
    server: PostOffice

    def handle(self) -> None:
        with suppress(OSError):
            self.serve()

    def serve(self) -> None:
        conduct = self.server.conduct
        self.encrypted, self.letter = False, Letter("", [], None, False, "")
        self.user: str | None = None
        if conduct.wrapped:
            self.encrypt()
        while conduct.endless:
            self.say("220-and so on")
        self.say(conduct.answers.get("greeting", "220 test"))
        while line := self.rfile.readline().decode().strip():
            self.server.said.append(line)
            verb = line.split()[0].upper()
            if verb in conduct.answers:
                if conduct.answers[verb]:
                    self.say(conduct.answers[verb])
                continue
            if not getattr(self, f"do_{verb.lower()}")(line):
                return

    def say(self, text: str) -> bool:
        self.wfile.write(f"{text}\r\n".encode())
        return True

    def encrypt(self) -> None:
        assert self.server.conduct.tls
        self.request = self.server.conduct.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
        self.encrypted = True

    def do_ehlo(self, line: str) -> bool:
        self.letter.helo = line.split()[1]
        self.say("250-here is a test")
        for offer in self.server.conduct.offers:
            if not (offer == "STARTTLS" and self.encrypted):
                self.say(f"250-{offer}")
        return self.say("250 HELP")

    def do_starttls(self, _: str) -> bool:
        self.say("220 go on")
        self.encrypt()
        return True

    def do_auth(self, line: str) -> bool:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        if self.server.conduct.users.get(user) != password:
            return self.say("535 no")
        self.user = user
        return self.say("235 yes")

    def do_mail(self, line: str) -> bool:
        self.letter = Letter(_address(line), [], self.user, self.encrypted, self.letter.helo)
        return self.say("250 ok")

    def do_rcpt(self, line: str) -> bool:
        address = _address(line)
        if address in self.server.conduct.refused:
            return self.say(self.server.conduct.refused[address])
        self.letter.people.append(address)
        return self.say("250 ok")

    def do_data(self, _: str) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line.removeprefix(b"."))
        self.letter.content = b"".join(lines)
        answer = self.server.conduct.answers.get("end of data", "250 queued as 7")
        if answer.startswith("250 "):
            self.server.letters.append(self.letter)
        return self.say(answer)

    def do_noop(self, _: str) -> bool:
        return self.say("250 here")

    def do_quit(self, _: str) -> bool:
        self.say("221 bye")
        return False


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


@contextmanager
def post_office(conduct: Conduct | None = None) -> Iterator[PostOffice]:
    with PostOffice(conduct or Conduct()) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(the server's side, a client's side that trusts it) of a new certificate for an address."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    about = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(about)
        .issuer_name(about)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(file)
    client.load_verify_locations(file)
    return server, client
