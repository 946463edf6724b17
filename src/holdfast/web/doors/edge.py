# SPDX-License-Identifier: Apache-2.0
"""What every page for people shares: its headers, its language, plain words for whatever went wrong.

There is no cookie and no session, so there is nothing that a foreign page could borrow: whoever wants to act on
a report must send its secret words, in the body. Therefore no CSRF token is needed; a page elsewhere that
posts to `/case` is refused all the same. `/report` takes a report from wherever it is sent.
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import Error as DjangoDatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils import translation

from holdfast.errors import DependencyError, InputError
from holdfast.web.system import system

View = Callable[..., HttpResponse]
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_LISTED: Final = {"X-Robots-Tag": "noindex, nofollow"}
_STYLE: Final = Path(__file__).with_name("style.css")
_RETRY_AFTER_SECONDS: Final = 10
_log = structlog.get_logger("doors")


def door(*, listed: bool = False, **by_method: View) -> View:
    """A view that takes these methods, with all that a page for people has.

    `listed`: search engines may name it; foreign pages may then lead and post to it, too.
    """

    def view(request: HttpRequest, **names: Any) -> HttpResponse:  # noqa: ANN401  # names in the address
        handler = by_method.get("GET" if request.method == "HEAD" else request.method or "")
        with translation.override(translation.get_language_from_request(request)):
            if handler is None:
                response: HttpResponse = HttpResponseNotAllowed([*by_method])
            elif request.method == "POST" and not listed and _is_foreign(request):
                response = page("fault", {"fault": "foreign"}, status=403)
            else:
                response = _answered(request, handler, names)
        for name, value in {**HEADERS, **({} if listed else _NOT_LISTED)}.items():
            response[name] = value
        return response

    return view


def page(name: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    """One page in the language in force."""
    return HttpResponse(rendered(name, context), status=status)


def rendered(name: str, context: Mapping[str, Any] | None = None) -> str:
    """The HTML of a page, with what all of them show."""
    shared = {
        "helplines": system().helplines,
        "leave_for": system().settings.quick_exit_url,
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }
    return render_to_string(f"doors/{name}.html", {**shared, **(context or {})})


def style(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django's form
    """The one stylesheet."""
    return HttpResponse(_STYLE.read_bytes(), content_type="text/css; charset=utf-8")


def fault_of(fault: Exception) -> tuple[str, int]:
    """What a page says of a fault, and its status. Of what has no name the place is logged, never the words.

    A message may quote what somebody typed; the places in a traceback do not.
    """
    match fault:
        case RequestDataTooBig():
            return "too_large", 413
        case InputError() | SuspiciousOperation() | MultiPartParserError():
            return "unreadable", 422
        case DependencyError() | DjangoDatabaseError():
            _log.error("door_waits", fault=type(fault).__name__)
            return "later", 503
    reference, places = secrets.token_hex(6), traceback.extract_tb(fault.__traceback__)
    where = [f"{Path(place.filename).name}:{place.lineno} {place.name}" for place in places]
    _log.error("door_failed", reference=reference, fault=type(fault).__name__, where=where)
    return "unknown", 500


def _answered(request: HttpRequest, handler: View, names: Mapping[str, Any]) -> HttpResponse:
    try:
        return handler(request, **names)
    except Exception as fault:  # noqa: BLE001  # every fault has an answer
        says, status = fault_of(fault)
    response = page("fault", {"fault": says}, status=status)
    if status == 503:  # noqa: PLR2004
        response["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response


def _is_foreign(request: HttpRequest) -> bool:
    """Whether a browser says that a page of another site sends this."""
    return request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
