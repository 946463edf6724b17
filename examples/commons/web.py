# SPDX-License-Identifier: Apache-2.0
"""What every page shares: the guard before it, the neutral page, who is logged in, and how a page is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from commons import accounts
from commons.cache import Public
from commons.front import PUBLIC, SITE
from commons.site import Site, Who

View = Callable[..., HttpResponseBase]
_HEADERS: Final = {
    # Nothing may be kept by a cache that we cannot empty.
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def guard(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Django's middleware: no other site may send forms in somebody's name, and every answer has the same headers."""

    def guarded(request: HttpRequest) -> HttpResponseBase:
        answer = page(request, "wrong.html", status=403) if _is_from_elsewhere(request) else get_response(request)
        for name, value in _HEADERS.items():
            answer.headers[name] = value
        return answer

    return guarded


def site_of(request: HttpRequest) -> Site:
    """The site that answers this request."""
    site = request.META[SITE]
    assert isinstance(site, Site)
    return site


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page. What is on it is escaped by the templates."""
    known = {"alone": site_of(request).settings.alone, **(context or {})}
    return HttpResponse(render_to_string(template, known, request), status=status)


def for_all(
    request: HttpRequest, answer: HttpResponseBase, seconds: float, location: str | None = None
) -> HttpResponseBase:
    """An answer that is the same for everybody: the cache keeps it so long, and it is a view of `location`."""
    request.META[PUBLIC] = Public(seconds, location)
    return answer


def nothing(request: HttpRequest, _fault: Exception | None = None) -> HttpResponse:
    """There is nothing here: the very same for what is held, deleted, not yet screened, or never was."""
    del request
    return HttpResponse(_nothing(), status=404)


@cache
def _nothing() -> str:
    return render_to_string("nothing.html")


def failed(request: HttpRequest, _fault: Exception | None = None) -> HttpResponse:
    """A request that cannot be read, or something of ours that broke."""
    return page(request, "wrong.html", status=500 if _fault is None else 400)


def reads(view: View) -> View:
    """A view for GET alone; for anything else there is nothing here."""

    @wraps(view)
    def only(request: HttpRequest, **named: str) -> HttpResponseBase:
        return view(request, **named) if request.method == "GET" else nothing(request)

    return only


def logged_in(view: View) -> View:
    """A view for somebody who is logged in, which is given `who` and `name`. Anybody else is asked to log in first."""

    @wraps(view)
    def only(request: HttpRequest, **named: str) -> HttpResponseBase:
        account = accounts.account_of(site_of(request), request.COOKIES.get(accounts.COOKIE, ""))
        if account is None:
            return see_other(f"/login?{urlencode({'next': request.path})}")
        return view(request, who=Who(account["id"], *came_from(request)), name=account["name"], **named)

    return only


def came_from(request: HttpRequest) -> tuple[str, int | None]:
    """The address and the port from which a request comes."""
    port = request.META.get("REMOTE_PORT", "")
    return request.META["REMOTE_ADDR"], int(port) if port.isdigit() else None


def see_other(path: str) -> HttpResponse:
    """Go on there."""
    return HttpResponse(status=303, headers={"Location": path})


def _is_from_elsewhere(request: HttpRequest) -> bool:
    """Whether a browser says that another site's page sends this. Programs say nothing of the kind."""
    if request.method == "GET":
        return False
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        return True
    return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
