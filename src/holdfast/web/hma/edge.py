# SPDX-License-Identifier: Apache-2.0
"""The edge of the HMA interface: who may ask, what a request carries, how an error reads.

An error on a lookup is plain text, not JSON: there are clients that never look at the status and
take every name in a JSON object for a bank. Text cannot be mistaken for "in none of your banks".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from holdfast import errors
from holdfast.access.key import Scope
from holdfast.access.person import Who
from holdfast.web.problems import STATUS, Statuses, response_to
from holdfast.web.proposals import ask
from holdfast.web.system import system

Handler = Callable[..., HttpResponse]
KEYLESS: Final = "system:hma"
"""The actor of a request that needed no key."""
_UNSAID: Final = "asked for over the HMA interface"
_LOOKUPS: Final = ("m/lookup", "m/raw_lookup")
_SEPARATE: Final[Statuses] = ((errors.UploadNotCompared, 422), (errors.AddressNotFetched, 422))
# HMA calls a request that it cannot read 400.
_STATUSES: Final[Statuses] = (*_SEPARATE, (errors.InputError, 400), *STATUS)
# Whoever sends one of these was not at the listed address: a proxy was, or a page in a browser there.
_SECOND_HAND: Final = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via", "Origin", "Sec-Fetch-Site")


def served(**by_method: Handler) -> Handler:
    """A view that takes these methods; whatever its handlers raise is answered in words."""

    def view(request: HttpRequest, **names: Any) -> HttpResponse:  # noqa: ANN401  # names in the address
        try:
            # A load balancer may ask for the head alone; the server then sends no body.
            handler = by_method.get("GET" if request.method == "HEAD" else request.method or "")
            if handler is None:
                raise errors.MethodNotAllowed  # noqa: TRY301  # answered like every other fault
            return handler(request, **names)
        except errors.SecondPersonNeeded as needed:
            response = response_to(_asked(request, needed), _STATUSES)
        except Exception as fault:  # noqa: BLE001  # every fault has an answer
            response = response_to(fault, _STATUSES)
        if response.status_code == 405:  # noqa: PLR2004
            response["Allow"] = ", ".join(by_method)
        return response

    return view


class TextErrorsOnLookups:
    """Makes every error on a lookup text, wherever it arose: in a view, before any, or in Django itself."""

    def __init__(self, get_response: Handler) -> None:
        """Wrap the next handler."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        response = self._get_response(request)
        if response.status_code < 400 or request.path.lstrip("/") not in _LOOKUPS:  # noqa: PLR2004  # errors begin there
            return response
        problem = json.loads(response.content)
        response.content = f"{problem['code']}: {problem['detail']} {problem['advice']}\n".encode()
        response["Content-Type"] = "text/plain; charset=utf-8"
        return response


def answer(body: Any, status: int = 200) -> HttpResponse:  # noqa: ANN401  # JSON
    """A JSON answer."""
    return JsonResponse(body, safe=False, status=status)


def admit(request: HttpRequest, *scopes: Scope) -> str:
    """Who asks, for the journal. Raises KeyMissing, KeyRefused or ScopeMissing unless they may do all of `scopes`."""
    return _who(request, *scopes).actor


def _who(request: HttpRequest, *scopes: Scope) -> Who:
    token = _token(request.headers.get("Authorization", ""))
    if token is None:
        if _is_listed(request):
            return Who(KEYLESS, None)
        raise errors.KeyMissing
    key = system().keys.open(token)
    for scope in scopes:
        if scope not in key.scopes:
            message = f"this needs a key with the scope {scope}"
            raise errors.ScopeMissing(message)
    return Who(f"key:{key.prefix}", key.person)


def _asked(request: HttpRequest, needed: errors.SecondPersonNeeded) -> errors.HoldfastError:
    """What weakens is asked for, if a person is behind the request, and answered as an error: it was not done."""
    try:
        asked = ask(needed, _who(request), _UNSAID)
    except errors.HoldfastError as fault:
        return fault
    return errors.SecondPersonNeeded(f"nothing was changed: the proposal {asked.id} waits for a second person")


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that a request carries. Raises InvalidRequest if there is none."""
    # Pages in a browser can post other types to this machine without asking it first.
    if request.content_type != "application/json":
        message = "Content-Type: application/json is needed"
        raise errors.InvalidRequest(message)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        message = "body: a JSON object is needed"
        raise errors.InvalidRequest(message)
    return body


def asked(request: HttpRequest, name: str) -> str:
    """An option that must be in the address. Raises InvalidRequest if it is not, or stands there twice."""
    values = request.GET.getlist(name)
    if len(values) != 1 or not values[0]:
        message = f"{name}: needed, once"
        raise errors.InvalidRequest(message)
    return values[0]


def refuse_address(request: HttpRequest) -> None:
    """Raise AddressNotFetched if a request asks to have something fetched."""
    if "url" in request.GET:
        raise errors.AddressNotFetched


def _token(header: str) -> str | None:
    """The key in an Authorization header: a bearer token, or the password of http://anyone:KEY@host."""
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip() or None
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _is_listed(request: HttpRequest) -> bool:
    """Whether a request without a key comes straight from an address that needs none."""
    listed = system().settings.hma_open_to
    if not listed or any(name in request.headers for name in _SECOND_HAND):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ip_network(network) for network in listed.split(","))
