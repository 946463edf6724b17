# SPDX-License-Identifier: Apache-2.0
"""Before the banks are loaded, and when they are no longer heard of, no lookup is answered: HMA says "no match"."""

from __future__ import annotations

import json
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from holdfast.access.key import Scope
from holdfast.bootstrap import System
from holdfast.errors import DecoderUnavailable, UploadNotCompared
from holdfast.media.reason import NotDecoded, Reason
from holdfast.web import system as process
from tests.store.making import ACTOR, add, create, pdq
from tests.web.http import form

STATES = {"not loaded": (None, b"INDEX-NOT-LOADED"), "stale": (1e6, b"INDEX-STALE")}
SIGNAL = pdq(71_001)


def asked(system: System, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> HttpRequest:
    key = system.keys.create(label="t", scopes=frozenset(Scope), expires_at=None, actor=ACTOR)
    make = RequestFactory(headers={"Authorization": f"Bearer {key}"})
    request: HttpRequest = make.generic(method, path, body, content_type=kind)
    return request


@pytest.fixture(params=STATES)
def state(system: System, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """This process, with one known hash, as it is before it has read the banks or long after."""
    silent, _ = STATES[request.param]
    follower: Any = SimpleNamespace(silent_seconds=silent)
    monkeypatch.setattr(process, "_process", process._Process(system=system, follower=follower))
    create(system)
    add(system, SIGNAL)
    return str(request.param)


def answered(view: str, request: HttpRequest) -> HttpResponse:
    """What a view of the interface answers. Views can only be imported once Django is configured."""
    from holdfast.web.hma.edge import TextErrorsOnLookups, served

    module, _, name = view.partition(".")
    handler = getattr(import_module(f"holdfast.web.hma.{module}"), name)
    return TextErrorsOnLookups(served(GET=handler, POST=handler))(request)


# shows difference 4
def test_no_lookup_is_answered(system: System, state: str) -> None:
    body, kind = form(("photo", "x", b"x"))
    query = f"?signal_type=pdq&signal={SIGNAL.value}"
    for response in (
        answered("matching.lookup_signal", asked(system, "GET", f"/m/lookup{query}")),
        answered("matching.raw_lookup", asked(system, "GET", f"/m/raw_lookup{query}")),
        answered("matching.lookup_file", asked(system, "POST", "/m/lookup", body, kind)),
    ):
        assert (response.status_code, response["Content-Type"]) == (503, "text/plain; charset=utf-8"), state
        assert response["Retry-After"]
        assert response.content.startswith(b"screening.not_ready: ")


def test_status_tells_which_it_is(system: System, state: str) -> None:
    for view, path in (("status.status", "/status"), ("status.ready", "/readyz")):
        response = answered(view, asked(system, "GET", path))
        assert (response.status_code, response.content) == (503, STATES[state][1])
    for view, path in (("status.live", "/livez"), ("status.live_as_status", "/status/live")):
        assert answered(view, asked(system, "GET", path)).status_code == 200


def test_the_index_is_not_called_present(system: System, state: str) -> None:
    response = answered("matching.index_status", asked(system, "GET", "/m/index/status"))
    assert json.loads(response.content)["pdq"] == {"built_to": -1, "present": False, "size": 0}, state
    behind = answered("matching.signal_type_index", asked(system, "GET", "/c/signal_type/index"))
    told = json.loads(behind.content)["pdq"]
    assert told == {
        "db_size": 1,
        "index_size": 0,
        "index_out_of_date": True,
        "newest_db_item": 2,
        "index_built_to": -1,
    }


def test_a_process_that_is_starting_answers_nothing(monkeypatch: pytest.MonkeyPatch, system: System) -> None:
    monkeypatch.setattr(process, "_process", process._Process())
    response = answered("status.status", asked(system, "GET", "/status"))
    assert (response.status_code, response.content) == (503, b"INDEX-NOT-LOADED")
    response = answered("matching.lookup_signal", asked(system, "GET", "/m/lookup"))
    assert response.status_code == 503


# shows difference 3
@pytest.mark.parametrize("reason", Reason)
def test_a_fault_of_ours_is_an_error_of_ours(wired: System, reason: Reason) -> None:
    from holdfast.web.hma.hashing import refuse_unseen

    assert wired
    with pytest.raises(DecoderUnavailable if reason.passes else UploadNotCompared) as refused:
        refuse_unseen(NotDecoded(reason))
    assert reason.says in str(refused.value)
