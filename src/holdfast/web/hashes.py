# SPDX-License-Identifier: Apache-2.0
"""POST /v1/screen/hashes: for platforms that hash uploads themselves and send no picture."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from holdfast.access.key import Scope
from holdfast.match.given import Given, seen_by_platform
from holdfast.match.signal import parse
from holdfast.pipeline import screen_hashes
from holdfast.web import bank_shapes, shapes
from holdfast.web.auth import NeedsKey, actor_of
from holdfast.web.screening import content_of, once_of
from holdfast.web.standings import as_told
from holdfast.web.system import require_fresh, system

router = Router(tags=["screening"])


class GivenSignal(bank_shapes.SignalShape):
    """One hash of the upload; a pdq hash with the quality that its computation told."""

    quality: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="Of a pdq hash: needed. Below 50 the hash is not compared, and the item held."
    )


class GivenHashes(shapes.ScreenOptions):
    """An item by its hashes: the same options as an upload, and the signals."""

    signals: list[GivenSignal] = Field(min_length=1, max_length=bank_shapes.MOST_SIGNALS)


_HEADER = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "Repeat a request with the same key to get its first answer again, for 24 hours.",
        }
    ]
}


@router.post(
    "/screen/hashes",
    response={200: shapes.ScreenAnswer, (401, 403, 409, 422, 503): shapes.Problem},
    auth=NeedsKey(Scope.SCREEN),
    exclude_unset=True,
    openapi_extra=_HEADER,
)
def screen_given_hashes(request: HttpRequest, response: HttpResponse, item: GivenHashes) -> dict[str, Any]:
    """Screen one upload by hashes that the platform computed.

    Only these hashes are looked up: send the pdq hashes of the turned and mirrored picture too, or turned
    copies are not found. Unless every pdq hash, and at least one, is of enough quality, the answer is `hold`.
    """
    require_fresh()
    given = [Given(parse(one.signal_type, one.value), one.quality) for one in item.signals]
    body = screen_hashes(
        seen_by_platform(given),
        content_of(item),
        given=tuple(sorted({one.signal.type for one in given})),
        asked_by=actor_of(request),
        once=once_of(request, lambda: ["hashes", item.model_dump()]),
        parts=system().parts(),
    )
    return as_told(body, request, response)
