# SPDX-License-Identifier: Apache-2.0
"""/v1/searches: how far the archive was looked through for what banks began to match, and what was found."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from holdfast.access.key import Scope
from holdfast.match.found_copies import SearchItem
from holdfast.web import search_shapes, shapes
from holdfast.web.auth import NeedsKey, actor_of
from holdfast.web.system import system
from holdfast.web.uploads import refuse_unknown

router = Router(tags=["banks"])
ARCHIVE = NeedsKey(Scope.ARCHIVE)


@router.get("", response={200: list[search_shapes.SearchShape], (401, 403, 422, 503): shapes.Problem}, auth=ARCHIVE)
def list_searches(request: HttpRequest, options: Query[search_shapes.SearchOptions]) -> list[dict[str, Any]]:
    """Backwards searches, the newest first (at most 1000). Each was owed by the bank change that it follows from."""
    refuse_unknown(request, search_shapes.SearchOptions)
    return [body_of(item) for item in system().search_desk.recent(bank=options.bank, entry=options.entry)]


@router.get(
    "/{search_id}",
    response={200: search_shapes.SearchShape, (401, 403, 404, 503): shapes.Problem},
    auth=ARCHIVE,
)
def get_search(request: HttpRequest, search_id: str) -> dict[str, Any]:  # noqa: ARG001
    """How far a search has come: `blocked` once all is searched and its entries are found by whoever screens."""
    return body_of(system().search_desk.get(search_id))


@router.post(
    "/{search_id}/copies",
    response={200: list[search_shapes.CopyShape], (401, 403, 404, 409, 422, 503): shapes.Problem},
    auth=ARCHIVE,
)
def show_copies(request: HttpRequest, search_id: str) -> list[dict[str, Any]]:
    """Which items it found, the newest first (at most 1000). Who asks is recorded."""
    return [asdict(copy) for copy in system().search_desk.copies(search_id, actor=actor_of(request))]


def body_of(item: SearchItem) -> dict[str, Any]:
    """A search as JSON types."""
    search, target = item.search, item.search.target
    return {
        "id": item.id,
        "bank": target.bank,
        "entries": list(target.entries),
        "bank_import": target.bank_import,
        "count": target.count,
        "state": search.state.value,
        "progress": {"items": search.items, "looked_at": item.looked_at},
        "copies": search.copies,
        "owner": search.owner,
        "owed_at": item.owed_at,
        "due": search.due,
        "late": search.late,
        "ended_at": item.ended_at,
        "blocked_at": item.blocked_at,
        "fault": item.fault,
        "proof": asdict(item.proof) if item.proof else None,
    }
