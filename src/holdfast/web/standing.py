# SPDX-License-Identifier: Apache-2.0
"""How things stand: which processes screen, and which screened items an entry matches in hindsight."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from ninja import Router

from holdfast.access.key import Scope
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey, actor_of
from holdfast.web.system import system

router = Router()
_SHOWN: Final = timedelta(minutes=1)


@router.get(
    "/processes",
    response={200: shapes.Processes, (401, 403, 503): shapes.Problem},
    auth=NeedsKey(Scope.SCREEN),
    tags=["health"],
)
def processes(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """Every process heard of in the last minute, and which bank change each is level with.

    A bank change is in force everywhere once every process that is not stale has reached its number.
    """
    limit = system().settings.bank_stale_seconds
    every = [
        asdict(seen) | {"stale": seen.silent_seconds > limit} for seen in system().processes.heard_of(within=_SHOWN)
    ]
    return {"newest_change": system().banks.newest_change(), "processes": every}


@router.post(
    "/banks/{name}/entries/{entry_id}/look-back",
    response={200: list[shapes.PastShape], (401, 403, 404, 503): shapes.Problem},
    auth=NeedsKey(Scope.ARCHIVE),
    tags=["banks"],
)
def look_back(request: HttpRequest, name: str, entry_id: str) -> list[dict[str, Any]]:
    """Which items screened earlier does this entry match? The newest first.

    Only a banked entry can be looked for, and each search is recorded with who made it.
    """
    return [asdict(past) for past in system().archive.search(name, entry_id, actor=actor_of(request))]
