# SPDX-License-Identifier: Apache-2.0
"""Every address takes the keys it is declared to take, and no others."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.key import Scope
from tests.web.http import Asker, Reply, refused

PUBLIC: Final = {("GET", "/v1/health/live"), ("GET", "/v1/health/ready")}
NEEDED: Final = {
    ("POST", "/v1/screen"): Scope.SCREEN,
    ("POST", "/v1/screen/hashes"): Scope.SCREEN,
    ("GET", "/v1/screenings/{screening_id}"): Scope.SCREEN,
    ("GET", "/v1/screenings/{screening_id}/proof"): Scope.EXPLAIN,
    ("GET", "/v1/unscreened"): Scope.SCREEN,
    ("GET", "/v1/processes"): Scope.SCREEN,
    ("POST", "/v1/banks/{name}/entries/{entry_id}/look-back"): Scope.ARCHIVE,
    ("GET", "/v1/searches"): Scope.ARCHIVE,
    ("GET", "/v1/searches/{search_id}"): Scope.ARCHIVE,
    ("POST", "/v1/searches/{search_id}/copies"): Scope.ARCHIVE,
    ("GET", "/v1/effects"): Scope.OPERATE,
    ("GET", "/v1/alarms"): Scope.OPERATE,
    ("GET", "/v1/clocks"): Scope.OPERATE,
    ("POST", "/v1/alarms/{alarm_id}/acknowledge"): Scope.OPERATE,
    ("GET", "/v1/banks"): Scope.BANKS_READ,
    ("POST", "/v1/banks"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/disable"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/enable"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/threshold"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/action"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/video"): Scope.BANKS_WRITE,
    ("GET", "/v1/banks/{name}/imports"): Scope.BANKS_READ,
    ("POST", "/v1/banks/{name}/imports/{import_id}/roll-back"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/entries/{entry_id}/opinion"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/entries"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/entries/picture"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/import"): Scope.BANKS_WRITE,
    ("GET", "/v1/banks/{name}/export"): Scope.BANKS_READ,
    ("POST", "/v1/banks/{name}/entries/{entry_id}/disable"): Scope.BANKS_WRITE,
    ("POST", "/v1/banks/{name}/entries/{entry_id}/enable"): Scope.BANKS_WRITE,
    ("DELETE", "/v1/banks/{name}/entries/{entry_id}"): Scope.BANKS_WRITE,
    ("GET", "/v1/proposals"): Scope.PROPOSALS,
    ("GET", "/v1/proposals/{proposal_id}"): Scope.PROPOSALS,
    ("POST", "/v1/proposals/{proposal_id}/agree"): Scope.PROPOSALS,
    ("POST", "/v1/proposals/{proposal_id}/half"): Scope.PROPOSALS,
    ("POST", "/v1/proposals/{proposal_id}/refuse"): Scope.PROPOSALS,
    ("POST", "/v1/proposals/{proposal_id}/withdraw"): Scope.PROPOSALS,
    ("POST", "/v1/reports"): Scope.REPORT,
    ("POST", "/v1/reports/open"): Scope.REPORT,
    ("POST", "/v1/reports/add"): Scope.REPORT,
    ("POST", "/v1/reports/stop-contact"): Scope.REPORT,
    ("POST", "/v1/reports/withdraw"): Scope.REPORT,
}
ALSO: Final = {
    ("GET", "/v1/screenings/{screening_id}"): Scope.EXPLAIN,
    **{operation: Scope.REPORT_VERIFIED for operation in NEEDED if operation[1].startswith("/v1/reports")},
}
"""Addresses that a second scope opens too, and shows more."""


def ask(asker: Asker, method: str, path: str) -> Reply:
    """One request to an address with names filled in that do not exist."""
    filled = path.removeprefix("/v1").format(
        name="nothing-here",
        entry_id="ent_x",
        screening_id="scr_x",
        import_id="imp_x",
        alarm_id="alm_x",
        proposal_id="pro_x",
        search_id="bws_x",
    )
    return asker.ask(method, filled)


def test_the_document_lists_exactly_the_addresses_of_this_test(nobody: Asker) -> None:
    paths = nobody.ask("GET", "/openapi.json").json["paths"]
    listed = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert listed == PUBLIC | set(NEEDED)


def test_the_document_says_for_every_address_whether_it_takes_a_key(nobody: Asker) -> None:
    paths = nobody.ask("GET", "/openapi.json").json["paths"]
    secured = {(method.upper(), path) for path in paths for method, how in paths[path].items() if how.get("security")}
    assert secured == set(NEEDED)


@pytest.mark.parametrize(("operation", "scope"), [*product(NEEDED, Scope)], ids=str)
def test_a_key_is_good_for_exactly_the_addresses_of_its_scope(
    nobody: Asker, keys: dict[str, str], operation: tuple[str, str], scope: Scope
) -> None:
    reply = ask(Asker(nobody.address, keys[scope]), *operation)
    if scope in (NEEDED[operation], ALSO.get(operation)):
        assert reply.status not in (401, 403)
    else:
        assert ALSO.get(operation, NEEDED[operation]) in refused(reply, 403, "access.scope_missing")


@pytest.mark.parametrize("operation", NEEDED, ids=str)
def test_without_a_good_key_every_address_but_health_refuses(
    nobody: Asker, keys: dict[str, str], operation: tuple[str, str]
) -> None:
    refused(ask(nobody, *operation), 401, "access.key_missing")
    for bad in ("revoked", "expired"):
        refused(ask(Asker(nobody.address, keys[bad]), *operation), 401, "access.key_refused")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json"])
def test_health_and_the_document_need_no_key(nobody: Asker, path: str) -> None:
    assert nobody.ask("GET", path).status == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic aGY6aGY=", "hf_x", "Token hf_aaaaaaaa_x"])
def test_a_header_without_a_key_is_a_missing_key(nobody: Asker, header: str) -> None:
    refused(nobody.ask("GET", "/banks", headers={"Authorization": header}), 401, "access.key_missing")


def test_the_word_bearer_may_be_written_in_any_case(nobody: Asker, keys: dict[str, str]) -> None:
    for word in ("Bearer", "bearer", "BEARER"):
        assert nobody.ask("GET", "/banks", headers={"Authorization": f"{word} {keys['all']}"}).status == 200


def test_a_key_in_the_address_or_in_a_cookie_is_no_key(nobody: Asker, keys: dict[str, str]) -> None:
    refused(nobody.ask("GET", "/banks", key=keys["all"], token=keys["all"]), 401, "access.key_missing")
    refused(nobody.ask("GET", "/banks", headers={"Cookie": f"key={keys['all']}"}), 401, "access.key_missing")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=60))
def test_no_made_up_key_opens_anything(nobody: Asker, text: str) -> None:
    reply = nobody.ask("GET", "/banks", headers={"Authorization": f"Bearer {text}"})
    assert reply.status == 401
    if text.isascii():  # others may not even reach us
        assert reply.json["code"] == ("access.key_refused" if text.strip() else "access.key_missing")


def test_one_wrong_character_in_a_key_refuses_it_with_the_same_words_as_an_unknown_key(
    nobody: Asker, keys: dict[str, str]
) -> None:
    whole = keys["all"]
    said = set()
    for at in (3, 7, 12, 20, len(whole) - 1):
        wrong = whole[:at] + ("a" if whole[at] != "a" else "b") + whole[at + 1 :]
        reply = Asker(nobody.address, wrong).ask("GET", "/banks")
        assert reply.status == 401
        said.add(reply.content)
    assert len(said) == 1


def test_a_refusal_never_repeats_the_key(nobody: Asker, keys: dict[str, str]) -> None:
    for bad in ("revoked", "expired", Scope.SCREEN):
        reply = Asker(nobody.address, keys[bad]).ask("GET", "/banks")
        assert reply.status in (401, 403)
        assert keys[bad].split("_")[2].encode() not in reply.content
