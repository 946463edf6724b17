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
from holdfast.later import is_video, receive
from holdfast.media.filetype import HEAD_LENGTH
from holdfast.pipeline import Once, screen
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey, actor_of, first_answer_of, key_of
from holdfast.web.prefer import Preferences, preferences
from holdfast.web.standings import accepted, as_told
from holdfast.web.system import require_fresh, system
from holdfast.web.uploads import refuse_unknown, room_for, take_upload

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
        },
        {
            "in": "header",
            "name": "Prefer",
            "schema": {"type": "string"},
            "description": "`respond-async` (RFC 7240): be answered 202 at once. `wait=N`: let what is answered later, "
            "as videos are, be waited for up to N seconds first.",
        },
    ],
}


@router.post(
    "/screen",
    response={200: shapes.ScreenAnswer, 202: shapes.Accepted, (401, 403, 409, 422, 503): shapes.Problem},
    auth=NeedsKey(Scope.SCREEN),
    exclude_unset=True,
    openapi_extra=_BODY,
)
def screen_upload(
    request: HttpRequest, response: HttpResponse, options: Query[shapes.ScreenOptions]
) -> tuple[int, dict[str, Any]]:
    """Screen one upload before it is published.

    `hold`: do not publish. Any other outcome than a 200 means the same: hold, and ask again. A video, and what
    asks for it with `Prefer: respond-async`, is answered 202: it is held until `status_url` tells its answer.
    """
    require_fresh()
    refuse_unknown(request, shapes.ScreenOptions)
    wishes = preferences(request.headers.get("Prefer", ""))
    room = room_for(request, system().settings, system().spool, later=wishes.respond_async)
    received, fields = take_upload(request, system().settings, room)
    try:
        chosen = _with_fields(options, fields)
        once = once_of(request, lambda: [_what(received), chosen.model_dump()])
        body = _answer(received, content_of(chosen), actor_of(request), once, wishes)
    finally:
        if isinstance(received, Upload):
            received.close()
    if "status_url" in body:
        return accepted(body, wishes, request, response)
    return 200, as_told(body, request, response)


def _answer(
    received: Upload | TooLong, content: Content, asked_by: str, once: Once | None, wishes: Preferences
) -> dict[str, Any]:
    """The answer, or that there will be one."""
    parts = system().parts()
    if isinstance(received, Upload) and (wishes.respond_async or is_video(received.head(HEAD_LENGTH))):
        later = system().later()
        return receive(received, content, asked_by=asked_by, once=once, shadow=parts.shadow, later=later)
    return screen(received, content, asked_by=asked_by, once=once, parts=parts)


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
