# SPDX-License-Identifier: Apache-2.0
"""RFC 3161: ask a timestamp authority to say that something existed not later than now, and check that it did.

What is sent is a SHA-256 and a random number. An answer counts only if it is granted, names that
very hash and number, and is signed by a certificate for timestamping that the given roots vouch for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from holdfast.errors import ProofInvalid, TimestampUnavailable

_SECONDS: Final = 10.0
_LARGEST: Final = 1_000_000
_HEADERS: Final = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """An authority's answer, as DER, and the time it names."""

    token: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """One authority: where it is asked, and the certificates (PEM) that its own must lead to."""

    url: str
    roots: bytes

    def stamp(self, message: bytes) -> Stamp:
        """A checked timestamp over `message`. Raises TimestampUnavailable."""
        request = TimestampRequestBuilder(message, HashAlgorithm.SHA256).build()
        try:
            answer = httpx.post(self.url, content=request.as_bytes(), headers=_HEADERS, timeout=_SECONDS)
            answer.raise_for_status()
        except httpx.HTTPError as cause:
            message_ = f"the authority did not answer: {type(cause).__name__}"
            raise TimestampUnavailable(message_) from cause
        try:
            stamped = check_token(answer.content[:_LARGEST], message, self.roots, nonce=request.nonce)
        except ProofInvalid as cause:
            raise TimestampUnavailable(str(cause)) from cause
        return Stamp(answer.content, stamped)


def check_token(untrusted_token: bytes, message: bytes, roots: bytes, *, nonce: int | None = None) -> datetime:
    """The time of a timestamp over `message` by an authority that `roots` (PEM) vouch for. Raises ProofInvalid."""
    try:
        response = decode_timestamp_response(untrusted_token)
        _verify(response, message, roots, nonce)
    except (VerificationError, ValueError) as cause:
        message_ = f"the timestamp does not hold: {cause}"
        raise ProofInvalid(message_) from cause
    return response.tst_info.gen_time


def _verify(response: TimeStampResponse, message: bytes, roots: bytes, nonce: int | None) -> None:
    certificates = [x509.load_der_x509_certificate(one) for one in response.signed_data.certificates]
    trusted = x509.load_pem_x509_certificates(roots)
    builder = VerifierBuilder(nonce=nonce, roots=trusted, intermediates=[one for one in certificates if _issues(one)])
    builder.build().verify_message(response, message)


def _issues(certificate: x509.Certificate) -> bool:
    """Whether it is an authority's, and not the one that signs timestamps."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
