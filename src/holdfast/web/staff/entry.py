# SPDX-License-Identifier: Apache-2.0
"""Signing in, beginning with a code, signing out; and the first page."""

from __future__ import annotations

import secrets
import time
from typing import Final

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import mark_safe

from holdfast.access.factor import SECRET_BYTES, address_of, secret_of
from holdfast.access.session import Signed
from holdfast.errors import CodeRefused, InvalidRequest, SignInRefused
from holdfast.web.doors.limit import Limit
from holdfast.web.doors.source import source_of
from holdfast.web.staff.casing import ANSWER_FOR_CASES
from holdfast.web.staff.frame import EVERYBODY, let_in, let_out, open_door, page, signed_in, staff_door
from holdfast.web.system import system

_TRIES: Final = Limit(20)
_TOO_MANY: Final = "Too many tries came from your network. Wait a minute."


def ask(request: HttpRequest) -> HttpResponse:
    """Ask for name, password and digits; or lead on whoever is signed in."""
    return HttpResponseRedirect(reverse("staff")) if signed_in(request) else page("sign_in", None)


def enter(request: HttpRequest) -> HttpResponse:
    """Sign in."""
    person = request.POST.get("person", "")
    if _is_flood(request):
        return page("sign_in", None, {"says": _TOO_MANY, "person": person}, status=429)
    try:
        signed = system().sessions.sign_in(
            person, request.POST.get("password", ""), request.POST.get("digits", ""), network=source_of(request)
        )
    except SignInRefused:
        told = "Name, password and digits do not open an account together. After ten tries wait a quarter of an hour."
        return page("sign_in", None, {"says": told, "person": person}, status=422)
    return let_in(HttpResponseRedirect(reverse("staff")), signed)


def leave(request: HttpRequest, signed: Signed) -> HttpResponse:  # noqa: ARG001  # the form of all views
    """Sign out."""
    system().sessions.sign_out(signed)
    return let_out(HttpResponseRedirect(reverse("staff-sign-in")))


def code(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # the form of all views
    """Ask for name and code."""
    return page("begin", None)


def begin(request: HttpRequest) -> HttpResponse:
    """First show a second factor to whoever has a code; then let them choose a password, and show that they have it."""
    person, given = request.POST.get("person", "").strip().lower(), request.POST.get("code", "")
    if _is_flood(request):
        return page("begin", None, {"says": _TOO_MANY, "person": person}, status=429)
    try:
        person = system().staff.invites(person, given)
        secret = request.POST.get("secret", "")
        if not secret:
            return _chosen(person, given, secret_of(secrets.token_bytes(SECRET_BYTES)))
        return _enrolled(request, person, given, secret)
    except CodeRefused:
        told = "Name and code do not begin an account together: they are wrong, were used, or are older than a day."
        return page("begin", None, {"says": told, "person": person}, status=422)


def _enrolled(request: HttpRequest, person: str, given: str, secret: str) -> HttpResponse:
    password, again = request.POST.get("password", ""), request.POST.get("again", "")
    if password != again:
        return _chosen(person, given, secret, "The two passwords are not the same.", status=422)
    try:
        system().staff.enrol(person, given, password, secret=secret, digits=request.POST.get("digits", ""))
    except InvalidRequest as wrong:
        return _chosen(person, given, secret, str(wrong), status=422)
    told = "Your account is ready. Sign in with it, with the next digits that your telephone shows."
    return page("sign_in", None, {"good": told, "person": person})


def _chosen(person: str, given: str, secret: str, says: str = "", status: int = 200) -> HttpResponse:
    drawn = segno.make(address_of(secret, person), error="m", micro=False)
    picture = mark_safe(drawn.svg_inline(scale=4, border=4, dark="#000", light="#fff"))  # noqa: S308  # drawn by us
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    told = {"person": person, "code": given, "secret": secret, "groups": groups, "picture": picture, "says": says}
    return page("choose", None, told, status=status)


def home(request: HttpRequest, signed: Signed) -> HttpResponse:  # noqa: ARG001  # the form of all views
    """The first page: what somebody is asked, and what their roles are."""
    told = {"roles": sorted(role.value for role in signed.roles)}
    return page("home", signed, {**told, "answers_for_cases": bool(signed.roles & ANSWER_FOR_CASES)})


def _is_flood(request: HttpRequest) -> bool:
    source, now = source_of(request), time.monotonic()
    if _TRIES.wait(source, now):
        return True
    _TRIES.count(source, now)
    return False


sign_in_view = open_door(GET=ask, POST=enter)
begin_view = open_door(GET=code, POST=begin)
sign_out_view = staff_door(EVERYBODY, POST=leave)
home_view = staff_door(EVERYBODY, GET=home)
