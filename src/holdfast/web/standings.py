# SPDX-License-Identifier: Apache-2.0
"""How a screening stands: what is told to whoever was answered 202, and to whoever asks later.

A key with the scope screen learns the standing and the answer, one with the scope explain also why.
"""

from __future__ import annotations

import threading
import time
from functools import cache
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Router

from holdfast.access.key import Key, Scope
from holdfast.errors import ScopeMissing, ScreeningUnknown
from holdfast.match.long_screening import LongState
from holdfast.start import clock
from holdfast.store.long_screenings import LongStanding
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey, key_of
from holdfast.web.prefer import Preferences
from holdfast.web.system import system

router = Router(tags=["screening"])
LONGEST_WAIT_SECONDS: Final = 30
_LOOK_SECONDS: Final = 0.1
_RETRY_AFTER_SECONDS: Final = 2
_MOST_RETRY_AFTER_SECONDS: Final = 60


@cache
def _waiters() -> threading.Semaphore:
    """How many threads of this process may wait for an answer at once: one stays free."""
    return threading.Semaphore(system().settings.web_threads - 1)


class _NeedsEither(NeedsKey):
    """Lets a key through that may screen, or see why."""

    def authenticate(self, request: HttpRequest, token: str) -> Key:
        """The key that `token` opens."""
        try:
            return super().authenticate(request, token)
        except ScopeMissing:
            return NeedsKey(Scope.EXPLAIN).authenticate(request, token)  # its refusal names the scope that shows all


@router.get(
    "/screenings/{screening_id}",
    response={200: shapes.ScreeningRecord, (401, 403, 404, 503): shapes.Problem},
    auth=_NeedsEither(Scope.SCREEN),
    exclude_unset=True,
)
def get_screening(request: HttpRequest, response: HttpResponse, screening_id: str) -> dict[str, Any]:
    """How a screening stands, and its answer as the journal has it once there is one.

    `hold` until then. The explanation is for keys with the scope explain.
    """
    long = system().long.standing(screening_id)
    if long is None or long.state in (LongState.ANSWERED, LongState.HELD_FOR_PERSON):
        return _answered(screening_id, long, request)
    response["Retry-After"] = str(_retry_after(long))
    return _pending(long)


def accepted(
    body: dict[str, Any], wishes: Preferences, request: HttpRequest, response: HttpResponse
) -> tuple[int, dict[str, Any]]:
    """The reply to an upload that is answered later: 202 and where to ask, or 200 if its answer is there by now."""
    if wishes.applied:
        response["Preference-Applied"] = wishes.applied
    long = _waited_for(body["screening"], min(wishes.wait or 0, LONGEST_WAIT_SECONDS))
    if long.state in (LongState.ANSWERED, LongState.HELD_FOR_PERSON):
        return 200, as_told(long.body, request, response)
    if system().settings.shadow:
        response["Holdfast-Shadow"] = "on"
    response["Location"] = body["status_url"]
    response["Retry-After"] = str(_retry_after(long))
    return 202, {**body, "status": long.state.value}


def as_told(body: dict[str, Any], request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """The answer as this key may have it: with the scope explain whole, else only the constant part.

    The constant part has the same shape whatever was found, so that it teaches an uploader nothing.
    """
    if system().settings.shadow:
        response["Holdfast-Shadow"] = "on"
    if Scope.EXPLAIN in key_of(request).scopes:
        return body
    return {"answer": body["answer"], "screening": body["screening"]}


def _waited_for(screening: str, seconds: float) -> LongStanding:
    """How it stands, at the latest after `seconds`. Only so many wait at once that somebody else is still answered."""
    ends = time.monotonic() + seconds
    allowed = seconds > 0 and _waiters().acquire(blocking=False)
    try:
        while True:
            long = system().long.standing(screening)
            if long is None:
                raise ScreeningUnknown
            open_still = long.state in (LongState.WAITING, LongState.RUNNING)
            if not (allowed and open_still and time.monotonic() < ends):
                return long
            time.sleep(_LOOK_SECONDS)
    finally:
        if allowed:
            _waiters().release()


def _answered(screening: str, long: LongStanding | None, request: HttpRequest) -> dict[str, Any]:
    """What the journal has, or the constant part of it. Raises ScreeningUnknown."""
    told = system().screenings.get(screening)
    status = long.state.value if long else LongState.ANSWERED.value
    if Scope.EXPLAIN in key_of(request).scopes:
        return {**told, "status": status, **({"explanation": long.body["explanation"]} if long else {})}
    return {"screening": screening, "status": status, "answer": told["answer"]}


def _pending(long: LongStanding) -> dict[str, Any]:
    total = long.seconds_total
    fraction = min(1.0, long.seconds_seen / total) if total else None
    return {
        "screening": long.id,
        "status": long.state.value,
        "answer": "publish" if system().settings.shadow else "hold",
        "received_at": long.received_at,
        "due": long.due,
        "progress": {"fraction": fraction, "seconds_seen": long.seconds_seen, "seconds_total": total},
    }


def _retry_after(long: LongStanding) -> int:
    """Seconds after which asking again is worth it: the longer the upload has been here, the rarer."""
    here = (clock() - long.received_at).total_seconds()
    return max(_RETRY_AFTER_SECONDS, min(_MOST_RETRY_AFTER_SECONDS, int(here / 10)))
