# SPDX-License-Identifier: Apache-2.0
"""Bearer keys on every address that is not public; each address names the scope it takes."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from ninja.security import HttpBearer

from holdfast.access.key import Key, Scope
from holdfast.access.person import Who
from holdfast.errors import KeyMissing, ScopeMissing
from holdfast.pipeline import FirstAnswer
from holdfast.web.system import system

_FIRST: Final = "holdfast.first_answer"


class NeedsKey(HttpBearer):
    """Lets a request through whose key is good for `scope`; leaves the key in `request.auth`."""

    def __init__(self, scope: Scope) -> None:
        """Insist on `scope`."""
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Key:
        """The key of this request. Raises KeyMissing, KeyRefused or ScopeMissing."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise KeyMissing
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Key:
        """The key that `token` opens. Whether the request was answered before is read with it."""
        key, first = system().keys.open_for(token, request.headers.get("Idempotency-Key"))
        request.META[_FIRST] = first
        if self.scope not in key.scopes:
            message = f"this needs a key with the scope {self.scope}"
            raise ScopeMissing(message)
        return key


def key_of(request: HttpRequest) -> Key:
    """The key that `NeedsKey` let through."""
    key = getattr(request, "auth", None)
    if not isinstance(key, Key):
        raise KeyMissing
    return key


def first_answer_of(request: HttpRequest) -> FirstAnswer | None:
    """What was answered before to the Idempotency-Key of this request, which `NeedsKey` let through."""
    first = request.META.get(_FIRST)
    return first if isinstance(first, FirstAnswer) else None


def actor_of(request: HttpRequest) -> str:
    """Who is asking, for the journal."""
    return f"key:{key_of(request).prefix}"


def who_of(request: HttpRequest) -> Who:
    """The same, and the person whose key it is."""
    return Who(actor_of(request), key_of(request).person)
