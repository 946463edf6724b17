# SPDX-License-Identifier: Apache-2.0
"""Who may use the HMA interface: keys in two forms, scopes as in /v1, and listed addresses if the operator says so."""

from __future__ import annotations

import base64
import json
from typing import Final

import pytest

from holdfast.access.key import Scope
from tests.conftest import Server, holdfast
from tests.store.making import pdq
from tests.two_people import Second, key_for, this_account
from tests.web.hma import Client
from tests.web.http import Asker

LOOKUP = f"/m/lookup?signal_type=pdq&signal={pdq(1).value}"
NEEDED: Final = {
    "GET /h/hash?url=x": {Scope.SCREEN},
    "POST /h/hash": {Scope.SCREEN},
    f"GET {LOOKUP}": {Scope.SCREEN, Scope.EXPLAIN},
    f"GET {LOOKUP.replace('lookup', 'raw_lookup')}": {Scope.SCREEN, Scope.EXPLAIN},
    "POST /m/lookup": {Scope.SCREEN, Scope.EXPLAIN},
    "POST /m/compare": {Scope.SCREEN},
    "GET /m/index/status": {Scope.SCREEN},
    "GET /c/banks": {Scope.BANKS_READ},
    "POST /c/banks": {Scope.BANKS_WRITE},
    "GET /c/bank/NO_SUCH": {Scope.BANKS_READ},
    "PUT /c/bank/NO_SUCH": {Scope.BANKS_WRITE},
    "DELETE /c/bank/NO_SUCH": {Scope.BANKS_WRITE},
    "POST /c/bank/NO_SUCH/content": {Scope.BANKS_WRITE},
    "POST /c/bank/NO_SUCH/signal": {Scope.BANKS_WRITE},
    "GET /c/bank/NO_SUCH/content/1": {Scope.BANKS_READ},
    "PUT /c/bank/NO_SUCH/content/1": {Scope.BANKS_WRITE},
    "DELETE /c/bank/NO_SUCH/content/1": {Scope.BANKS_WRITE},
    "GET /c/signal_type": {Scope.BANKS_READ},
    "GET /c/signal_type/index": {Scope.BANKS_READ},
    "PUT /c/signal_type/pdq": {Scope.BANKS_WRITE},
    "GET /c/content_type": {Scope.BANKS_READ},
    "GET /c/exchanges": {Scope.BANKS_READ},
    "GET /c/exchanges/apis": {Scope.BANKS_READ},
}


# shows difference 2
@pytest.mark.parametrize("operation", NEEDED)
def test_an_address_takes_a_key_of_its_scopes_and_no_other(
    server: Server, keys: dict[str, str], operation: str
) -> None:
    method, path = operation.split(" ", 1)
    assert Client(server.address).ask(method, path).status == 401
    assert Client(server.address, keys["expired"]).ask(method, path).status == 401
    assert Client(server.address, keys["all"]).ask(method, path).status not in (401, 403)
    for scope in Scope:
        allowed = NEEDED[operation] == {scope}
        assert (Client(server.address, keys[scope]).ask(method, path).status == 403) != allowed, scope


def test_screen_and_explain_are_enough_to_look_up(server: Server, keys: dict[str, str]) -> None:
    assert Client(server.address, keys["explained"]).ask("GET", LOOKUP).status == 200


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_the_key_may_be_the_password_in_an_address(server: Server, keys: dict[str, str]) -> None:
    """As clients send it for http://anyone:KEY@host."""
    client = Client(server.address)
    for user in ("hma", "", "whoever"):
        assert client.ask("GET", LOOKUP, Authorization=basic(f"{user}:{keys['all']}")).status == 200
    for header in (basic(keys["all"]), basic("hma:"), basic("hma:hf_x"), "Basic !", "Basic", "Basic /w==", "Bearer "):
        assert client.ask("GET", LOOKUP, Authorization=header).status == 401, header


def test_without_the_setting_no_address_is_open(server: Server) -> None:
    assert Client(server.address).ask("GET", LOOKUP).status == 401


def test_a_listed_address_needs_no_key_but_on_the_hma_interface_alone(opened: Server) -> None:
    client = Client(opened.address)
    assert client.ask("GET", LOOKUP).status == 200
    assert client.send("POST", "/c/banks", {"name": "FROM_HERE"}).status == 201
    assert client.ask("GET", "/v1/banks").status == 401
    assert client.ask("POST", "/v1/screen", b"x").status == 401


def test_a_wrong_key_is_refused_even_from_a_listed_address(opened: Server) -> None:
    assert Client(opened.address, "hf_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaa").ask("GET", LOOKUP).status == 401


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via", "Origin", "Sec-Fetch-Site", "x-forwarded-for"]
)
def test_what_comes_through_a_proxy_or_a_browser_is_not_from_the_listed_address(opened: Server, header: str) -> None:
    assert Client(opened.address).ask("GET", LOOKUP, None, **{header: "127.0.0.1"}).status == 401


def test_what_a_keyless_client_did_stands_in_the_journal_as_such(opened: Server) -> None:
    client = Client(opened.address)
    assert client.send("POST", "/c/banks", {"name": "WHO_MADE_IT"}).status == 201
    banks = opened.client.call("GET", "/banks").body
    assert [one["source"] for one in banks if one["name"] == "WHO_MADE_IT"] == ["HMA client system:hma"]


# shows difference 25
def test_a_keyless_client_protects_and_can_never_weaken(opened: Server) -> None:
    client, value = Client(opened.address), pdq(25).value
    assert client.send("POST", "/c/banks", {"name": "STAYS_ON"}).status == 201
    number = client.send("POST", "/c/bank/STAYS_ON/signal", {"pdq": value}).json["id"]
    for reply in (
        client.send("PUT", "/c/bank/STAYS_ON", {"enabled": False}),
        client.ask("DELETE", "/c/bank/STAYS_ON"),
        client.send("PUT", f"/c/bank/STAYS_ON/content/{number}", {"disable_until_ts": 0}),
        client.ask("DELETE", f"/c/bank/STAYS_ON/content/{number}"),
    ):
        assert (reply.status, reply.json["code"]) == (403, "access.person_missing")
    assert "STAYS_ON" in client.lookup(value).json
    assert opened.client.call("GET", "/proposals", state="all").body == []


def test_a_server_that_starts_with_weaker_settings_says_so_until_two_people_accept_them(opened: Server) -> None:
    shown = json.loads(holdfast(opened.environment, "settings", "show", "--json").stdout)
    assert (shown["weakened"], shown["accepted"]["hma_open_to"]) == (["hma_open_to"], "")
    first, second = (key_for(opened.environment, person) for person in (this_account(), "somebody-else"))
    assert first
    asked = holdfast(opened.environment, "settings", "accept", "--because", "old clients", "--json")
    assert asked.returncode == 6
    found = json.loads(holdfast(opened.environment, "doctor", "--json").stdout)
    says = {one["what"]: (one["grade"], one["says"]) for one in found}
    assert says["settings: two people"][0] == "wrong"
    assert "HOLDFAST_HMA_OPEN_TO" in says["settings: two people"][1]
    Second(Asker(opened.address, second)).agrees_to(json.loads(asked.stdout)["proposal"])
    shown = json.loads(holdfast(opened.environment, "settings", "show", "--json").stdout)
    assert (shown["weakened"], shown["accepted"]["hma_open_to"]) == ([], "127.0.0.1/32")


def test_doctor_says_that_it_is_open(opened: Server) -> None:
    done = holdfast(opened.environment, "doctor", "--json")
    assert '"HMA interface"' in done.stdout
    assert "127.0.0.1/32" in done.stdout
