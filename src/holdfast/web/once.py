# SPDX-License-Identifier: Apache-2.0
"""Idempotency-Key on every address that changes something: the same request again gets its first answer.

The key is claimed in the transaction of the change (`holdfast.store.once`). What was refused changed nothing
and is not kept: the same key may be used once the cause is gone. Screening has the same promise and keeps it
by itself, within the one statement that records an answer.

What is kept lies in a table, so nothing may be in it that only whoever asked may know: of a new report the
reference is kept and not the words that open it, and to open one changes nothing and keeps nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from django.db import Error as DjangoDatabaseError
from django.http import HttpRequest, HttpResponse

from holdfast.errors import HoldfastError, InvalidRequest, ShownOnce
from holdfast.intake.upload import CHUNK
from holdfast.store.once import Claim, carrying, first_answer, is_taken, keep_answer
from holdfast.web.problems import response_to
from holdfast.web.system import system

LONGEST_KEY: Final = 255
CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SCREENING: Final = "/v1/screen"
_REPORTS: Final = "/v1/reports"
_OPENING: Final = "/v1/reports/open"
_GOOD: Final = range(200, 300)
_REFUSED: Final = range(400, 500)


class _Digested:
    """A request's body that is digested on its way, however it is read."""

    def __init__(self, stream: Any, whole: hashlib._Hash) -> None:  # noqa: ANN401  # Django's stream
        self._stream = stream
        self._whole = whole

    def read(self, *size: int) -> bytes:
        """Some of it."""
        return self._seen(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        """A line of it."""
        return self._seen(self._stream.readline(*size))

    def close(self) -> None:
        """Done with it."""
        self._stream.close()

    def _seen(self, part: bytes) -> bytes:
        self._whole.update(part)
        return part


class OnceMiddleware:
    """Gives the first answer again, or carries the request out under its key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the next handler."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        try:
            claim = _claim_of(request)
            if claim is None:
                return self._get_response(request)
            return _again(request, claim) if is_taken(claim) else self._first(request, claim)
        except (HoldfastError, DjangoDatabaseError) as fault:
            return response_to(fault)

    def _first(self, request: HttpRequest, claim: Claim) -> HttpResponse:
        with carrying(claim):
            response = self._get_response(request)
        # Whoever agrees to what has changed meanwhile is refused, and it is overtaken: that was the answer.
        final = response.status_code in _GOOD or (claim.made and response.status_code in _REFUSED)
        if final and not response.streaming:
            kept = _shown_once(response) if request.path == _REPORTS else response
            keep_answer(claim, kept.status_code, json.loads(kept.content or b"null"))
        return response


def _claim_of(request: HttpRequest) -> Claim | None:
    """The key of a request that may change something; None if it bears none, or nobody whose key is good sends it.

    Raises InvalidRequest for a key that cannot be one.
    """
    given = request.headers.get("Idempotency-Key")
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    ours = request.path.startswith("/v1/") and not request.path.startswith((_SCREENING, _OPENING))
    if given is None or not ours or request.method not in CHANGING or kind.lower() != "bearer":
        return None
    if not 0 < len(given) <= LONGEST_KEY or not given.isprintable():
        message = f"Idempotency-Key: between 1 and {LONGEST_KEY} printable characters"
        raise InvalidRequest(message)
    whole = hashlib.sha256(f"{request.method} {request.get_full_path()} {request.content_type}\n".encode())
    request._stream = _Digested(request._stream, whole)  # type: ignore[assignment]  # noqa: SLF001  # no public way to see a stream pass
    return Claim(system().keys.open(token.strip()).prefix, given, lambda: _keyed(whole.hexdigest()))


def _shown_once(response: HttpResponse) -> HttpResponse:
    """What is answered to the same report again: that it was received, and not the words of its receipt."""
    if response.status_code not in _GOOD:
        return response
    return response_to(ShownOnce(f"it was received; its reference is {json.loads(response.content)['reference']}"))


def _keyed(digest: str) -> str:
    """What is kept of a digest: a plain one would let guesses at what people typed be tried out."""
    return system().journal.sealer.finds("request", digest).hex()


def _again(request: HttpRequest, claim: Claim) -> HttpResponse:
    """The first answer, if this is the same request to its last byte."""
    while request.read(CHUNK):
        pass
    first = first_answer(claim)
    assert first is not None  # nothing is forgotten within a request's time
    status, body = first
    kind = "application/problem+json" if status in _REFUSED else "application/json; charset=utf-8"
    return HttpResponse(json.dumps(body), status=status, content_type=kind)
