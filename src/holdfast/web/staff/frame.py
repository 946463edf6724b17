# SPDX-License-Identifier: Apache-2.0
"""What every page for staff shares: who is signed in and may see it, its headers, and plain words for what went wrong.

A page is shown only to somebody who is signed in and has one of its roles; a form is taken only from a page of that
session. One cookie says who is signed in, and nothing else is kept in the browser. There is no script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import Error as DjangoDatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from holdfast.access.role import Role
from holdfast.access.session import LONGEST, Signed
from holdfast.errors import HoldfastError, InputError, NotFound, Refused
from holdfast.web.doors.edge import HEADERS as OF_DOORS
from holdfast.web.doors.edge import fault_of
from holdfast.web.system import system

View = Callable[..., HttpResponse]
HEADERS: Final = {
    **OF_DOORS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex, nofollow",
}
EVERYBODY: Final = frozenset(Role)
FORM: Final = "form"
"""The name of the field that says whose form it is."""
_COOKIE: Final = "holdfast-staff"


def staff_door(needs: frozenset[Role], **by_method: View) -> View:
    """A view for whoever has one of these roles: each handler is given the request and who is signed in."""

    def view(request: HttpRequest, **names: Any) -> HttpResponse:  # noqa: ANN401  # names in the address
        handler = by_method.get(request.method or "")
        try:
            signed = signed_in(request)
        except (HoldfastError, DjangoDatabaseError) as fault:
            return _with_headers(_later(fault))
        if signed is None:
            return _with_headers(HttpResponseRedirect(reverse("staff-sign-in")))
        if handler is None:
            return _with_headers(HttpResponseNotAllowed([*by_method]))
        if not signed.roles & needs:
            return _with_headers(says("This page is not for your roles.", signed, status=403))
        if request.method == "POST" and not signed.sent(request.POST.get(FORM, "")):
            return _with_headers(
                says("This form is not of this session. Go back, and load its page again.", signed, 403)
            )
        return _with_headers(answered(request, handler, signed, names))

    return view


def open_door(**by_method: View) -> View:
    """A view for whoever is not signed in yet. Foreign pages may not send its forms."""

    def view(request: HttpRequest) -> HttpResponse:
        handler = by_method.get(request.method or "")
        if handler is None:
            return _with_headers(HttpResponseNotAllowed([*by_method]))
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") not in (
            "none",
            "same-origin",
        ):
            return _with_headers(says("This form came from another site.", None, status=403))
        return _with_headers(answered(request, handler, None, {}))

    return view


def answered(request: HttpRequest, handler: View, signed: Signed | None, names: Mapping[str, Any]) -> HttpResponse:
    """What a handler answers, or plain words for what it could not do."""
    try:
        return handler(request, **names) if signed is None else handler(request, signed, **names)
    except Refused as refused:
        return says(f"{refused.refusal.because[:1].upper()}{refused.refusal.because[1:]}.", signed, status=409)
    except NotFound:
        return says("There is nothing at this address.", signed, status=404)
    except InputError as wrong:
        return says(str(wrong), signed, status=422)
    except (HoldfastError, DjangoDatabaseError) as fault:
        return _later(fault)
    except Exception as fault:  # noqa: BLE001  # every fault has an answer
        fault_of(fault)
        return says("This failed, and it is our fault. What you did may not have been kept.", None, status=500)


def _later(fault: Exception) -> HttpResponse:
    """What is said where another part is away. Nothing is asked of it for that: not even who is signed in."""
    _, status = fault_of(fault)
    return says("This could not be done just now. Nothing is lost: go back, and try again.", None, status=status)


def signed_in(request: HttpRequest) -> Signed | None:
    """Whoever sends this; None if nobody is signed in."""
    token = request.COOKIES.get(cookie_name(), "")
    return system().sessions.signed(token) if token else None


def page(
    name: str, signed: Signed | None, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """One page, in the frame of all."""
    shared = {"signed": signed, "hidden": hidden_of(signed), "asks": _asks(signed)}
    assert not shared.keys() & (context or {}).keys()  # a page that took one over would have forms without a token
    return HttpResponse(render_to_string(f"staff/{name}.html", {**(context or {}), **shared}), status=status)


def says(text: str, signed: Signed | None, status: int = 200) -> HttpResponse:
    """A page that says one thing."""
    return page("says", signed, {"says": text}, status=status)


def hidden_of(signed: Signed | None) -> SafeString:
    """The field that each form of somebody holds."""
    return (
        format_html('<input type="hidden" name="{}" value="{}">', FORM, signed.form_token) if signed else SafeString("")
    )


def let_in(response: HttpResponse, signed: Signed) -> HttpResponse:
    """Give a browser what says who is signed in."""
    response.set_cookie(
        cookie_name(),
        signed.session,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=_is_secure(),
        httponly=True,
        samesite="Strict",
    )
    return response


def let_out(response: HttpResponse) -> HttpResponse:
    """Take it back."""
    response.delete_cookie(cookie_name(), path="/", samesite="Strict")
    return response


def cookie_name() -> str:
    """Under a name that only this very host can set, where pages come over TLS."""
    return f"__Host-{_COOKIE}" if _is_secure() else _COOKIE


def _is_secure() -> bool:
    return (system().settings.public_url or "").startswith("https://")


def _asks(signed: Signed | None) -> int:
    return len(system().desk.reviews.asked_of(signed.person)) if signed else 0


def _with_headers(response: HttpResponse) -> HttpResponse:
    """With the headers of all pages; a picture has its own, which forbid more."""
    for name, value in HEADERS.items():
        if not response.has_header(name):
            response[name] = value
    return response
