# SPDX-License-Identifier: Apache-2.0
"""Timestamps from a real authority, made with openssl behind a small HTTP server; and published answers."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

import pytest

from holdfast.adapters.timestamp import TimestampAuthority, check_token
from holdfast.errors import ProofInvalid, TimestampUnavailable
from tests.log.vectors import VECTORS

FOLDER = VECTORS / "rfc3161-client"
CONFIG: Final = """
[ req ]
distinguished_name = name
[ name ]
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[ stamps ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[ tsa ]
default_tsa = here
[ here ]
serial = {place}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """A local timestamp authority: `openssl ts` behind 127.0.0.1."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.answers: list[bytes] = []
        self.instead: bytes | None = None
        (place / "config").write_text(CONFIG.format(place=place))
        (place / "serial").write_text("01\n")
        self._certificate("root", None)
        self._certificate("stamps", "root")
        handler = type("Handler", (_Handler,), {"authority": self})
        self.server = HTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    @property
    def roots(self) -> bytes:
        return (self.place / "root.pem").read_bytes()

    def reply(self, query: bytes) -> bytes:
        (self.place / "query").write_bytes(query)
        self._openssl(
            *("ts", "-reply", "-queryfile", "query", "-signer", "stamps.pem", "-inkey", "stamps.key"),
            *("-config", "config", "-out", "reply"),
        )
        self.answers.append((self.place / "reply").read_bytes())
        return self.instead or self.answers[-1]

    def _certificate(self, name: str, by: str | None) -> None:
        signed = ["-CA", f"{by}.pem", "-CAkey", f"{by}.key"] if by else []
        self._openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem"),
            *("-subj", f"/CN={name}", "-days", "30", "-config", "config", "-extensions", name, *signed),
        )

    def _openssl(self, *words: str) -> None:
        program = shutil.which("openssl")
        assert program
        subprocess.run([program, *words], cwd=self.place, check=True, capture_output=True)


class _Handler(BaseHTTPRequestHandler):
    authority: Authority

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/timestamp-query"
        answer = self.authority.reply(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    made = Authority(tmp_path)
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_real_authority_stamps_what_it_was_sent_and_the_token_holds_later(authority: Authority) -> None:
    stamp = TimestampAuthority(authority.url, authority.roots).stamp(b"a checkpoint")

    assert abs(stamp.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert check_token(stamp.token, b"a checkpoint", authority.roots) == stamp.at


def test_a_token_is_refused_for_another_message_and_under_other_roots(authority: Authority, tmp_path: Path) -> None:
    stamp = TimestampAuthority(authority.url, authority.roots).stamp(b"a checkpoint")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    other.server.server_close()
    with pytest.raises(ProofInvalid):
        check_token(stamp.token, b"another checkpoint", authority.roots)
    with pytest.raises(ProofInvalid):
        check_token(stamp.token, b"a checkpoint", other.roots)
    with pytest.raises(ProofInvalid):
        check_token(stamp.token[:-10], b"a checkpoint", authority.roots)


def test_an_answer_to_another_question_is_no_timestamp(authority: Authority) -> None:
    asked = TimestampAuthority(authority.url, authority.roots)
    asked.stamp(b"a checkpoint")
    for instead in (authority.answers[0], b"", b"<html>"):
        authority.instead = instead or b"\x30\x00"
        with pytest.raises(TimestampUnavailable):
            asked.stamp(b"a checkpoint")


def test_an_authority_that_does_not_answer_is_said_to_be_away() -> None:
    with pytest.raises(TimestampUnavailable):
        TimestampAuthority("http://127.0.0.1:9/", b"").stamp(b"a checkpoint")


PUBLISHED = (
    ("test_tsa/response.tsr", b"hello", True),
    ("test_tsa/response.tsr", b"other", False),
    ("test_tsa/response-injected-certs.tsr", b"hello", True),
    ("sigstage/response-sha256.tsr", b"hello", True),
    ("sigstage/response-sha384.tsr", b"hello", True),
    ("sigstage/response-sha512.tsr", b"hello", True),
    ("sigstage/response-sha512.tsr", b"other", False),
    ("sigstage/response-invalid-signature.tsr", b"hello", False),
    ("sigstage/response-no-embedded-cert.tsr", b"hello", False),
    ("sigstore.mock/response-expired.tsr", b"hello", False),
)


@pytest.mark.skipif(not FOLDER.exists(), reason="the public vectors are not on this machine")
def test_published_answers_are_judged_as_published() -> None:
    assert [case for case in PUBLISHED if _holds(case[0], case[1]) is not case[2]] == []


def _holds(name: str, message: bytes) -> bool:
    roots = (FOLDER / name).with_name("ts_chain.pem").read_bytes()
    try:
        check_token((FOLDER / name).read_bytes(), message, roots)
    except ProofInvalid:
        return False
    return True
