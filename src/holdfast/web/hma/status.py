# SPDX-License-Identifier: Apache-2.0
"""Whether this process lives and can answer, and what the interface knows: kinds of hashes, content, exchanges."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from holdfast.access.key import Scope
from holdfast.errors import DependencyError, InvalidRequest
from holdfast.web.hma import kinds
from holdfast.web.hma.edge import admit, answer, json_body
from holdfast.web.system import loaded, require_fresh


def status(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """GET /status: HMA's words for alive and able, and for either way of not being able."""
    return _able("I-AM-ALIVE")


def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """GET /readyz: the same question in another word."""
    return _able("READY")


def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """GET /livez: this process answers."""
    return _word("OK")


def live_as_status(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """GET /status/live: the same, in the word of /status."""
    return _word("I-AM-ALIVE")


def signal_types(request: HttpRequest) -> HttpResponse:
    """GET /c/signal_type."""
    admit(request, Scope.BANKS_READ)
    return answer([{"name": name, "enabled_ratio": 1.0} for name in map(kinds.NAMES.__getitem__, kinds.ASKED_FOR)])


def update_signal_type(request: HttpRequest, name: str) -> HttpResponse:
    """PUT /c/signal_type/NAME: every kind is always looked up. Raises InvalidRequest for any other wish."""
    admit(request, Scope.BANKS_WRITE)
    kinds.kind_named(name)
    if json_body(request).get("enabled_ratio") not in (1, "1", "1.0"):
        message = "enabled_ratio: every kind of hash is always looked up; disable banks or entries instead"
        raise InvalidRequest(message)
    return HttpResponse(status=204)


def content_types(request: HttpRequest) -> HttpResponse:
    """GET /c/content_type."""
    admit(request, Scope.BANKS_READ)
    return answer([{"name": name, "enabled": True} for name in kinds.CONTENT_TYPES])


def no_exchanges(request: HttpRequest) -> HttpResponse:
    """GET /c/exchanges and /c/exchanges/apis: none is set up over this interface."""
    admit(request, Scope.BANKS_READ)
    return answer([])


def _able(word: str) -> HttpResponse:
    try:
        require_fresh()
    except DependencyError:
        return _word("INDEX-STALE" if loaded() else "INDEX-NOT-LOADED", 503)
    return _word(word)


def _word(word: str, status: int = 200) -> HttpResponse:
    return HttpResponse(word, status=status, content_type="text/plain; charset=utf-8")
