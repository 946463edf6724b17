# SPDX-License-Identifier: Apache-2.0
"""A server that says what a test wants, byte by byte: too little, too much, too slowly, or nothing."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DRIP_SECONDS = 0.01


@dataclass(slots=True)
class Asked:
    """One request: its first line, headers with names in lower case, and body."""

    line: str
    headers: dict[str, str]
    body: bytes


Script = Callable[["Talk", Asked], bool | None]
"""Answers one request. True: the connection stays for another one."""


@dataclass(slots=True)
class Talk:
    """One connection."""

    socket: socket.socket
    over: threading.Event

    def say(self, *words: bytes) -> None:
        self.socket.sendall(b"".join(words))

    def answer(self, status: int, body: bytes = b"{}", *more: str) -> bool:
        """A plain answer, after which the connection stays."""
        head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *more]
        self.say("\r\n".join(head).encode(), b"\r\n\r\n", body)
        return True

    def drip(self, byte: bytes) -> None:
        """The same byte for ever, slowly."""
        while not self.over.wait(_DRIP_SECONDS):
            self.say(byte)

    def wait(self) -> None:
        """Say nothing more."""
        self.over.wait()


@dataclass(slots=True)
class Raw:
    """A running server, what it was asked, and how many connections were made and have ended."""

    origin: str
    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def end(self) -> None:
        """One connection has ended."""
        with self._changed:
            self.ended += 1
            self._changed.notify_all()

    def all_end(self) -> bool:
        """Wait until every connection has ended, for ten seconds at most."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended == self.connections, 10)


@contextmanager
def raw_server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Raw]:
    """Serve on 127.0.0.1 while the context lasts."""
    over = threading.Event()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            raw.connections += 1
            try:
                self.talk()
            finally:
                raw.end()

        def talk(self) -> None:
            while (asked := _request(self)) is not None:
                raw.asked.append(asked)
                try:
                    if not script(Talk(self.request, over), asked):
                        return
                except OSError:
                    return  # whoever asked has gone

    with _Server(("127.0.0.1", 0), Handler) as server:
        port = server.server_address[1]
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        raw = Raw(f"http{'s' if tls else ''}://127.0.0.1:{port}", port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield raw
        finally:
            over.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


def _request(handler: StreamRequestHandler) -> Asked | None:
    try:
        line = handler.rfile.readline()
        headers: dict[str, str] = {}
        while (head := handler.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = head.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        body = handler.rfile.read(int(headers.get("content-length", "0")))
    except OSError:
        return None
    return Asked(line.decode("latin-1").strip(), headers, body) if line else None
