# SPDX-License-Identifier: Apache-2.0
"""The log for outsiders: checkpoint and tiles as C2SP tlog-tiles lays them out, and the proof of one screening.

Checkpoint, keys and tiles of hashes are for everyone: they say how much was recorded, and nothing
of what. Bundles of entries name kinds and times of events, from which someone who uploads could
learn how it was judged, so they take a key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja import Router

from holdfast.access.key import Scope
from holdfast.errors import AddressUnknown, HoldfastError, NotLoggedYet, ScreeningUnknown, SubjectUnknown
from holdfast.prove import prove
from holdfast.start import clock
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey
from holdfast.web.problems import response_to
from holdfast.web.system import system

router = Router(tags=["log"])
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SHORTLY: Final = "public, max-age=2"


@router.get(
    "/screenings/{screening_id}/proof",
    response={200: dict[str, Any], (401, 403, 404, 422, 503): shapes.Problem},
    auth=NeedsKey(Scope.EXPLAIN),
)
def proof(request: HttpRequest, screening_id: str) -> dict[str, Any]:  # noqa: ARG001
    """What proves this answer to an outsider: check it with `holdfast verify` or the single-file verifier.

    At first a receipt: a signed promise that it is in the log within ten minutes. As soon as a signed
    checkpoint covers it, within seconds, the bundle: every event, its place and its inclusion proof.
    """
    with connection.cursor() as cursor:
        try:
            return prove(cursor, system().log_folder, f"screening:{screening_id}", now=clock())
        except SubjectUnknown:
            raise ScreeningUnknown from None


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The newest signed checkpoint."""
    return _answer(lambda: _published().encode(), _TEXT, _SHORTLY)


@require_safe
def keys(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The history of the log's public keys."""
    return _answer(lambda: json.dumps(system().log_folder.history()).encode(), "application/json", _SHORTLY)


@require_safe
def tile(request: HttpRequest, path: str) -> HttpResponse:  # noqa: ARG001
    """One tile of hashes, which never changes."""
    return _answer(lambda: _file(path), _BYTES, _FOR_EVER)


@require_safe
def entries(request: HttpRequest, path: str) -> HttpResponse:
    """One bundle of entries, for keys with the scope explain."""

    def read() -> bytes:
        NeedsKey(Scope.EXPLAIN)(request)
        return _file(path)

    return _answer(read, _BYTES, "private, max-age=31536000, immutable")


def _answer(read: Callable[[], bytes], kind: str, cached: str) -> HttpResponse:
    try:
        response = HttpResponse(read(), content_type=kind)
    except HoldfastError as fault:
        return response_to(fault)
    response["Cache-Control"] = cached
    return response


def _published() -> str:
    note = system().log_folder.published()
    if note is None:
        raise NotLoggedYet
    return note


def _file(path: str) -> bytes:
    try:
        return system().log_folder.read(path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise AddressUnknown from None
