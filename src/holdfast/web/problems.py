# SPDX-License-Identifier: Apache-2.0
"""Errors as problem+json (RFC 9457): a stable `code`, a sentence, what to do; never a traceback.

A fault that has no name is logged with a reference, and the caller is told the reference alone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any, Final

import structlog
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError
from django.db import Error as DjangoDatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja.errors import HttpError, ValidationError

from holdfast import errors

_RETRY_AFTER_SECONDS: Final = 2
_LENGTH_MISSING: Final = errors.InvalidRequest("Content-Length: a body in chunks is not taken; announce its length")
Statuses = Sequence[tuple[type[errors.HoldfastError], int]]
STATUS: Final[Statuses] = (
    (errors.KeyMissing, 401),
    (errors.KeyRefused, 401),
    (errors.AccessError, 403),
    (errors.MethodNotAllowed, 405),
    (errors.NotFound, 404),
    (errors.ConflictError, 409),
    (errors.InputError, 422),
    (errors.DependencyError, 503),
)
_log = structlog.get_logger("web")


def response_to(fault: Exception, statuses: Statuses = STATUS) -> HttpResponse:
    """The answer to any exception, with the status of the first kind in `statuses` that it is of."""
    known = _named(fault)
    status = next((status for kind, status in statuses if isinstance(known, kind)), 500)
    body = {
        "type": f"urn:holdfast:error:{known.stable_code}",
        "title": known.sentence,
        "status": status,
        "code": known.stable_code,
        "detail": str(known),
        "advice": known.advice,
        "retry": known.retry,
    }
    response = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    if known.retry:
        response["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    if status == 401:  # noqa: PLR2004
        response["WWW-Authenticate"] = "Bearer"
    return response


def _named(fault: Exception) -> errors.HoldfastError:  # noqa: PLR0911  # one line per kind of fault
    match fault:
        case errors.HoldfastError():
            return fault
        case ValidationError():
            return errors.InvalidRequest("; ".join(_in_words(one) for one in fault.errors))
        case Http404():
            return errors.AddressUnknown()
        case HttpError():
            return errors.InvalidRequest(str(fault))
        case RequestDataTooBig() | SuspiciousOperation() | MultiPartParserError():
            return errors.InvalidRequest(str(fault))
        case DataError():
            return errors.InvalidRequest("a text or number that cannot be stored")
        case DjangoDatabaseError():
            _log.error("database_failed", fault=type(fault).__name__)
            return errors.DatabaseUnavailable()
    return _unnamed(fault)


def _unnamed(fault: Exception) -> errors.InternalError:
    reference = secrets.token_hex(6)
    _log.error("internal_error", reference=reference, fault=type(fault).__name__, exc_info=fault)
    return errors.InternalError(f"reference {reference}")


def _in_words(one: dict[str, Any]) -> str:
    """Pydantic's complaint without the value it complains about: values may be hashes."""
    place = ".".join(str(part) for part in one.get("loc", ()) if part not in ("body", "query", "payload", "options"))
    return f"{place}: {one.get('msg', 'not valid')}" if place else str(one.get("msg", "not valid"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  # Django's form
    """Django's handler404."""
    return response_to(errors.AddressUnknown())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Django's handler400."""
    return response_to(errors.InvalidRequest("the request could not be read"))


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Django's handler500."""
    return response_to(errors.InternalError())


class ProblemMiddleware:
    """Turns Django's own 405 into a problem, and adds the headers every answer carries."""

    def __init__(self, get_response: Any) -> None:  # noqa: ANN401  # Django's form
        """Wrap the next handler."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        # Half a body in chunks cannot be told from a whole one, so the length must be announced.
        unannounced = "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH")
        response: HttpResponse = response_to(_LENGTH_MISSING) if unannounced else self._get_response(request)
        if response.status_code == 405 and "problem" not in response.get("Content-Type", ""):  # noqa: PLR2004
            allowed = response.get("Allow")
            response = response_to(errors.MethodNotAllowed())
            if allowed:
                response["Allow"] = allowed
        response.headers.setdefault("Cache-Control", "no-store")  # only what is the same for everyone says otherwise
        response["X-Content-Type-Options"] = "nosniff"
        response["Referrer-Policy"] = "no-referrer"
        return response
