# SPDX-License-Identifier: Apache-2.0
"""The API as a whole: routers, errors, and the two addresses that need no key."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

import holdfast
from holdfast.errors import HoldfastError, SecondPersonNeeded
from holdfast.web import (
    bank_files,
    banks,
    hashes,
    log,
    operations,
    proposals,
    reports,
    screening,
    searches,
    shapes,
    standing,
    standings,
)
from holdfast.web.auth import who_of
from holdfast.web.problems import response_to
from holdfast.web.system import require_fresh, system


class _Api(NinjaAPI):
    """An API whose document tells the truth about errors: they are problem+json."""

    def get_openapi_schema(self, **how: Any) -> OpenAPISchema:  # noqa: ANN401  # ninja's form
        """The OpenAPI document."""
        document = super().get_openapi_schema(**how)
        for methods in document["paths"].values():
            for method, operation in methods.items():
                shapes.take_idempotency_key(method, operation)
                for status, response in operation["responses"].items():
                    content = response.get("content", {})
                    if int(status) >= 400 and "application/json" in content:  # noqa: PLR2004  # errors begin there
                        content["application/problem+json"] = content.pop("application/json")
        return document


api = _Api(
    title="Holdfast",
    version=holdfast.__version__,
    description="Screen uploads before they are published. Whatever is not a 200 with `publish` means: hold.",
    urls_namespace="v1",
    docs_url=None,  # the page would load scripts from elsewhere; the document itself is at openapi_url
    openapi_url="/openapi.json",
)
api.add_router("", screening.router)
api.add_router("", standings.router)
api.add_router("", hashes.router)
api.add_router("", standing.router)
api.add_router("", operations.router)
api.add_router("", log.router)
api.add_router("/banks", banks.router)
api.add_router("/banks", bank_files.router)
api.add_router("/proposals", proposals.router)
api.add_router("/searches", searches.router)
api.add_router("/reports", reports.router)


@api.exception_handler(Exception)
def _any_fault(request: HttpRequest, fault: Exception | type[Exception]) -> HttpResponse:  # noqa: ARG001  # ninja's form
    return response_to(fault if isinstance(fault, Exception) else fault())


@api.exception_handler(SecondPersonNeeded)
def _asked(request: HttpRequest, needed: SecondPersonNeeded | type[SecondPersonNeeded]) -> HttpResponse:
    """Whatever weakens is asked for instead of done, at whichever address it arose."""
    assert isinstance(needed, SecondPersonNeeded)
    try:
        asked = proposals.ask(needed, who_of(request), request.GET.get("because"))
    except HoldfastError as fault:
        return response_to(fault)
    return JsonResponse({"proposal": asked.id, "state": asked.state, "needs": "a second person"}, status=202)


for _kind in (ValidationError, HttpError, Http404):  # the framework has handlers of its own for these
    api.add_exception_handler(_kind, _any_fault)


@api.get("/health/live", response={200: dict[str, bool]}, tags=["health"])
def live(request: HttpRequest) -> dict[str, bool]:  # noqa: ARG001
    """This process answers."""
    return {"live": True}


@api.get("/health/ready", response={200: shapes.Ready, 503: shapes.Problem}, tags=["health"])
def ready(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """This process can screen: its banks are loaded and heard of."""
    require_fresh()
    known = system().known
    return {
        "ready": True,
        "shadow": system().settings.shadow,
        "list_version": known.ready_to or 0,
        "perceptual_signals": len(known),
        "version": holdfast.__version__,
    }
