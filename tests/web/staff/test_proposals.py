# SPDX-License-Identifier: Apache-2.0
"""Two people with accounts and no keys make a third: one asks, the other agrees, and neither can become them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beside import Beside, standing
from tests.conftest import holdfast
from tests.two_people import key_for, this_account
from tests.web.http import Asker
from tests.web.staff.signing import Page, Person, hired


@pytest.fixture(scope="module")
def work(folder: Path) -> Iterator[Beside]:
    with standing(folder / "proposed") as made:
        yield made


@pytest.fixture(scope="module")
def two(work: Beside) -> tuple[Person, Person]:
    return hired(work.server, "ann", "reviewer", team="day"), hired(work.server, "bob", "reviewer", team="night")


def code_on(page: Page) -> str:
    assert page.status == 200, page.text
    return str(re.findall(r"<code>([a-z2-7-]{19})</code>", page.html)[0])


def asked_for(ann: Person, bob: Person, name: str) -> tuple[str, str]:
    """Ann asks for an account; her half of its code, and where Bob finds what waits."""
    page = ann.post("/staff/colleagues/new", person=name, role="senior", because="we are too few")
    assert "It waits for somebody else to agree." in page.text
    waiting = bob.get("/staff/proposals")
    assert f"staff:{name}" in waiting.text
    (address,) = re.findall(rf'href="(/staff/proposals/\w+)">add staff: staff:{name}<', waiting.html)
    return code_on(page), address


def test_one_asks_another_agrees_and_the_third_begins_with_what_both_give(
    work: Beside, two: tuple[Person, Person]
) -> None:
    ann, bob = two
    half, address = asked_for(ann, bob, "cleo")
    page = bob.get(address)
    assert "Asked by ann: we are too few" in page.text
    assert "roles: senior" in page.text
    assert "Write why" in bob.post(address, answer="agree", digest=page.hidden("digest")).text
    done = bob.post(address, answer="agree", because="we are", digest=page.hidden("digest"))
    other = code_on(done)
    cleo = Person(work.server.address, "cleo")
    assert cleo.begin(half).status == 422
    assert cleo.begin(other).status == 422
    assert "Your account is ready" in cleo.begin(f"{half} {other}").text
    assert cleo.sign_in().status == 302


def test_whoever_asked_cannot_agree_and_may_take_it_back(two: tuple[Person, Person]) -> None:
    ann, bob = two
    _, address = asked_for(ann, bob, "dora")
    page = ann.get(address)
    assert "Agree" not in page.html
    assert ann.post(address, answer="agree", because="me", digest=page.hidden("digest")).status == 409
    assert "You took it back." in ann.post(address, answer="withdraw", because="no need").text
    assert "Nothing any more" in bob.get(address).text
    assert "staff:dora" not in bob.get("/staff/proposals").text


def test_what_was_not_shown_is_not_agreed_to_and_anybody_refuses(two: tuple[Person, Person]) -> None:
    ann, bob = two
    _, address = asked_for(ann, bob, "eve")
    assert bob.post(address, answer="agree", because="yes", digest="0" * 64).status == 409
    assert "You refused it." in bob.post(address, answer="refuse", because="who is that?").text


def test_what_is_missing_or_wrong_is_said_and_nothing_typed_is_lost(two: tuple[Person, Person]) -> None:
    ann, _ = two
    page = ann.post("/staff/colleagues/new", person="not a name", role="senior", because="so")
    assert page.status == 422
    assert 'value="not a name"' in page.html
    assert "at least one role" in ann.post("/staff/colleagues/new", person="finn", because="so").text
    assert ann.get("/staff/proposals/pro_none").status == 404
    assert Person(ann.address, "nobody").get("/staff/proposals").status == 302


def test_whoever_agrees_to_a_key_at_the_page_is_shown_their_half_once(work: Beside, two: tuple[Person, Person]) -> None:
    key_for(work.server.environment, this_account())
    made = holdfast(work.server.environment, "key", "create", "k", "--for", "dora", "--scope", "proposals", "--json")
    first, proposal = (json.loads(made.stdout)[name] for name in ("key", "proposal"))
    address = f"/staff/proposals/{proposal}"
    page = two[0].get(address)
    assert "makes key" in page.text
    done = two[0].post(address, answer="agree", because="she needs it", digest=page.hidden("digest"))
    assert "Your half of the key, shown once" in done.text
    (half,) = re.findall(r"<code>([a-z2-7]{26})</code>", done.html)
    assert Asker(work.server.address, first).ask("GET", "/proposals").status == 401
    assert Asker(work.server.address, f"{first}_{half}").ask("GET", "/proposals").status == 200
    assert half not in two[0].get(address).html
