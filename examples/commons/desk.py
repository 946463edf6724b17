# SPDX-License-Identifier: Apache-2.0
"""Where Holdfast calls: a signature first, then the call. Whoever has none does not even learn which calls exist."""

from __future__ import annotations

import json
import time
from typing import Final

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from pydantic import ValidationError

from commons.asked import Version
from commons.assets import ASSETS
from commons.calls import CALLS, WrongCall, answer
from commons.signature import NotSigned, check
from commons.site import Site
from commons.told import version_row
from commons.web import nothing, site_of

_BYTES: Final = "application/octet-stream"
_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")


def call(request: HttpRequest, name: str) -> HttpResponseBase:
    """One signed call. 401 if it is not Holdfast's, 4xx if it is wrong; what fails otherwise is 503, asked again."""
    if request.method != "POST":
        return nothing(request)
    site, now, headers = site_of(request), time.time(), {each: request.headers.get(each, "") for each in _HEADERS}
    try:
        message = check(site.settings.secret, headers, request.body, now)
        return _answered(site, name, message, request.body, now)
    except NotSigned as fault:
        return _problem(401, str(fault))
    except WrongCall as fault:
        return _problem(fault.status, str(fault))
    except Exception as fault:  # noqa: BLE001  # whatever it is, it is not "done"
        return _problem(503, f"could not tell: {type(fault).__name__}")


def _answered(site: Site, name: str, message: str, body: bytes, now: float) -> HttpResponseBase:
    if name == "open":
        return _open(site, body)
    if name not in CALLS:
        raise WrongCall(404, "no such call")
    return HttpResponse(answer(site, name, message, body, now), content_type="application/json")


def _open(site: Site, untrusted_body: bytes) -> HttpResponseBase:
    """The bytes, held or not."""
    try:
        asked = Version.model_validate_json(untrusted_body)
    except ValidationError as fault:
        raise WrongCall(400, "content and version are needed") from fault
    if own := next((asset for asset in ASSETS if asset.content == asked.content), None):
        return HttpResponse(own.png, content_type=_BYTES)
    row = version_row(site.database.reading, asked.content, asked.version)
    if row is None or row["token"] is None:
        raise WrongCall(404, "there are no bytes")
    try:
        return FileResponse(site.files.media(row["token"]).open("rb"), content_type=_BYTES)
    except FileNotFoundError as fault:
        raise WrongCall(404, "there are no bytes any more") from fault


def _problem(status: int, detail: str) -> HttpResponse:
    return HttpResponse(json.dumps({"error": detail}), status=status, content_type="application/json")
