# SPDX-License-Identifier: Apache-2.0
"""POST /v1/screen and what belongs to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import ValidationError as PydanticError

from holdfast.access.key import Scope
from holdfast.bootstrap import new_id
from holdfast.errors import InvalidRequest
from holdfast.intake.content import Content
from holdfast.intake.upload import TooLong, Upload
from holdfast.pipeline import Once, screen
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey, actor_of, first_answer_of, key_of
from holdfast.web.system import require_fresh, system
from holdfast.web.uploads import refuse_unknown, take_upload

router = Router(tags=["screening"])
_LONGEST_IDEMPOTENCY_KEY: Final = 255
_MOST_UNSCREENED: Final = 1000
_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "The upload itself, or a form with one file and the options as fields.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        **{name: {"type": "string"} for name in shapes.ScreenOptions.model_fields},
                    },
                }
            },
        },
    },
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST_IDEMPOTENCY_KEY},
            "description": "Repeat a request with the same key to get its first answer again, for 24 hours.",
        }
    ],
}


@router.post(
    "/screen",
    response={200: shapes.ScreenAnswer, (401, 403, 409, 422, 503): shapes.Problem},
    auth=NeedsKey(Scope.SCREEN),
    exclude_unset=True,
    openapi_extra=_BODY,
)
def screen_upload(request: HttpRequest, response: HttpResponse, options: Query[shapes.ScreenOptions]) -> dict[str, Any]:
    """Screen one upload before it is published.

    `hold`: do not publish. Any other outcome than a 200 means the same: hold, and ask again.
    """
    require_fresh()
    refuse_unknown(request, shapes.ScreenOptions)
    received, fields = take_upload(request, system().settings)
    try:
        chosen = _with_fields(options, fields)
        once = once_of(request, lambda: [_what(received), chosen.model_dump()])
        body = screen(received, content_of(chosen), asked_by=actor_of(request), once=once, parts=system().parts())
    finally:
        if isinstance(received, Upload):
            received.close()
    return as_told(body, request, response)


@router.get(
    "/screenings/{screening_id}",
    response={200: shapes.ScreeningRecord, (401, 403, 404, 503): shapes.Problem},
    auth=NeedsKey(Scope.EXPLAIN),
)
def get_screening(request: HttpRequest, screening_id: str) -> dict[str, Any]:  # noqa: ARG001
    """One answer that was given, as the journal has it."""
    return system().screenings.get(screening_id)


@router.get(
    "/unscreened",
    response={200: list[shapes.UnscreenedShape], (401, 403, 503): shapes.Problem},
    auth=NeedsKey(Scope.SCREEN),
)
def list_unscreened(request: HttpRequest) -> list[dict[str, Any]]:
    """Items held only because they could not be screened, the one due first at the top (at most 1000).

    Send those marked `send_again` again; ask the uploader for another format of the others. Reasons are
    for keys with the scope explain.
    """
    explained = Scope.EXPLAIN in key_of(request).scopes
    return [
        {
            "id": item.id,
            "content_id": item.held.content,
            "content_version": item.held.content_version,
            "reason": item.held.reason.value if explained else None,
            "reason_says": item.held.reason.says if explained else None,
            "send_again": item.held.reason.passes,
            "state": item.held.state.value,
            "owner": item.held.owner,
            "since": item.since,
            "due": item.held.due,
        }
        for item in system().screenings.unscreened(limit=_MOST_UNSCREENED)
    ]


def as_told(body: dict[str, Any], request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """The answer as this key may have it: with the scope explain whole, else only the constant part.

    The constant part has the same shape whatever was found, so that it teaches an uploader nothing.
    """
    if system().settings.shadow:
        response["Holdfast-Shadow"] = "on"
    if Scope.EXPLAIN in key_of(request).scopes:
        return body
    return {"answer": body["answer"], "screening": body["screening"]}


def _with_fields(options: shapes.ScreenOptions, fields: dict[str, str]) -> shapes.ScreenOptions:
    """The options, with those that came as form fields. Raises InvalidRequest for one given twice or unknown."""
    given = options.model_dump(exclude_unset=True)
    twice = sorted(set(given) & set(fields))
    if twice:
        message = f"{', '.join(twice)}: given both in the address and in the form"
        raise InvalidRequest(message)
    try:
        return shapes.ScreenOptions(**given, **fields)
    except PydanticError as fault:
        words = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in fault.errors())
        raise InvalidRequest(words) from None


def content_of(options: shapes.ScreenOptions) -> Content:
    """The item that a request names, or one that is made up."""
    return Content(
        id=options.content_id or new_id("con"),
        named=options.content_id is not None,
        version=options.content_version,
        surface=options.surface,
        uploader=options.uploader,
    )


def once_of(request: HttpRequest, what: Callable[[], list[Any]]) -> Once | None:
    """The Idempotency-Key of a request, bound to `what`: everything that makes it the same request."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    if not 0 < len(given) <= _LONGEST_IDEMPOTENCY_KEY or not given.isprintable():
        message = f"Idempotency-Key: between 1 and {_LONGEST_IDEMPOTENCY_KEY} printable characters"
        raise InvalidRequest(message)

    def digest() -> str:
        # Shadow mode is part of it: what it answered must not be repeated once it is off.
        whole = json.dumps([*what(), system().settings.shadow], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()

    return Once(key_of(request).prefix, given, digest, first_answer_of(request))


def _what(received: Upload | TooLong) -> str:
    return received.digests.sha256 if isinstance(received, Upload) else "too long"
