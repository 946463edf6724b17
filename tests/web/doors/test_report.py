# SPDX-License-Identifier: Apache-2.0
"""`/report`: one thing is needed, nothing that was typed is lost, what is named is hidden before anybody looks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from urllib.parse import quote

import psycopg
import pytest

from holdfast.demo.pictures import encoded, hills
from tests.beside import Beside
from tests.conftest import superuser
from tests.web.doors.visiting import Page, Visitor, until

PHOTO = encoded(hills(4711, (320, 240)))
TYPED = {
    "addresses": "https://elsewhere.example/p/1\nthe account of somebody",
    "words": "It began in spring.\nThen it went on. <b>&amp;",
    "category": "sextortion",
    "who": "depicted_child",
    "authority": "",
    "youngest": "13",
    "oldest": "14",
    "born_month": "5",
    "born_year": "2008",
    "posted": "depicted",
    "contact": "somebody@mail.example",
    "name": "A Name",
    "without_consent": "on",
    "more": "on",
}


def opened(visitor: Visitor, receipt: Page) -> Page:
    page = visitor.post("/case", {"code": receipt.words})
    assert page.status == 200
    return page


def standing(visitor: Visitor, receipt: Page) -> list[str]:
    return [told for _, told in opened(visitor, receipt).named]


# --- what is read before anything is filled in


def test_danger_comes_first_then_what_is_not_needed_then_what_not_to_do(visitor: Visitor) -> None:
    page = visitor.get("/report")
    order = [
        "If somebody is in danger now, call:",
        "You need no account. You do not have to say who you are or prove anything.",
        "Do not download, save or send the pictures or videos to anybody, not to us either.",
        "The person who posted it will see that it is gone. If that could put you in danger, call first.",
        "Where is it?",
    ]
    places = [page.html.index(sentence) for sentence in order]
    assert places == sorted(places)
    assert page.title == "Get help"
    assert "last checked on 22 November 2026" in page.html


def test_the_categories_name_what_happens_in_plain_words(visitor: Visitor) -> None:
    labels = [one.text for one in visitor.get("/report").all("label")]
    for words in ("Sexual abuse of a child", "Intimate pictures", "threatens to show", "for sex", "in danger now"):
        assert any(words in label for label in labels), words


def test_the_page_leads_away_quickly_and_the_setting_says_where_to(visitor: Visitor) -> None:
    (link,) = [one for one in visitor.get("/report").all("a") if one.text == "Leave this page quickly"]
    assert link.given["href"] == "about:blank"


def test_no_field_is_mandatory_and_none_asks_for_the_pictures(visitor: Visitor) -> None:
    page = visitor.get("/report")
    assert not [one for one in page.elements if "required" in one.given]
    assert [one.given["name"] for one in page.all("input", type="file")] == ["proof"]


def test_an_address_in_the_link_is_filled_in_and_nothing_else_of_it(visitor: Visitor) -> None:
    page = visitor.get(f"/report?address={quote('https://a.example/x?y=<z>&w')}&address=b%0D%0Ac&words=no&who=parent")
    fields = dict(page.form("/report").fields)
    assert fields["addresses"] == "https://a.example/x?y=<z>&w\nb\nc"
    assert fields["words"] == ""
    assert "who" not in fields


# --- what is needed, and what happens to mistakes


def test_an_address_alone_is_a_report_and_so_are_words_alone(visitor: Visitor) -> None:
    for fields in ({"addresses": "https://a.example/1"}, {"words": "I do not know where it is."}):
        assert visitor.report(**fields).words


@pytest.mark.parametrize("spaces", ["", "  \r\n\t ", "\x00\x0b"])
def test_without_either_the_page_comes_again_and_leads_to_what_is_missing(visitor: Visitor, spaces: str) -> None:
    page = visitor.post("/report", {"addresses": spaces, "words": spaces, "contact": "a@b.example"})
    assert page.status == 422
    assert page.title.startswith("Please look again")
    assert any("One of the two is enough" in fault for fault in page.faults())
    assert page.all("a", href="#id_addresses")
    (field,) = page.all("textarea", id="id_addresses")
    assert field.given["aria-invalid"] == "true"
    assert "id_addresses_error" in field.given["aria-describedby"].split()
    (summary,) = page.all("div", class_="summary")
    assert (summary.given["role"], "autofocus" in summary.given) == ("alert", True)


WRONG: dict[str, dict[str, str]] = {
    "a year that was never": {"born_year": "20x8"},
    "more than one report can hold": {"addresses": "\n".join(f"https://a.example/{n}" for n in range(100))},
    "an address without an end": {"addresses": "https://a.example/" + "x" * 2000},
    "words without an end": {"words": "x" * 10_000},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_whatever_is_wrong_everything_that_was_typed_comes_again(visitor: Visitor, wrong: dict[str, str]) -> None:
    typed = {**TYPED, **wrong}
    page = visitor.post("/report", typed)
    assert page.status == 422
    assert page.faults()
    assert dict(page.form("/report").fields) == typed
    mended = dict(page.form("/report").fields) | {name: TYPED[name] for name in wrong}
    assert visitor.post("/report", mended).words


def test_characters_that_no_text_can_hold_are_no_mistake(visitor: Visitor) -> None:
    receipt = visitor.report("https://a.example/1\x00\r\nb\x0bc\u0085", words="one\x00two\x1b[31m", name="\x07N")
    assert opened(visitor, receipt).named[0][0] == "https://a.example/1"


def test_one_field_that_holds_nothing_possible_is_said_and_nothing_is_lost(visitor: Visitor) -> None:
    page = visitor.post("/report", {**TYPED, "who": "nobody", "category": "x", "youngest": "-1", "posted": "\x00"})
    assert page.status == 422
    assert dict(page.form("/report").fields)["words"] == TYPED["words"]


# --- the receipt


def test_the_receipt_shows_eight_words_a_reference_and_what_comes_next(visitor: Visitor) -> None:
    page = visitor.report("https://a.example/1", who="depicted_child")
    assert len(page.words.split()) == 8
    assert "R-" in page.main
    assert "Write these words down, in this order. They are the only key to your report" in page.main
    assert "we cannot show them again" in page.main
    assert "A person looks at it: as a rule within an hour, within 12 hours at the latest." in page.main
    assert "https://help.example/case" in page.main
    assert {form.action for form in page.forms} == {"/case/kept", "/case/small", "/case/full"}
    assert page.title == "Get help"
    assert len(page.all("svg")) == 1


def test_the_words_stand_in_no_address_that_the_receipt_leads_to(visitor: Visitor) -> None:
    page = visitor.report("https://a.example/1")
    led = [value for one in page.elements for name, value in one.given.items() if name in ("href", "action", "src")]
    assert not [address for address in led for word in page.words.split() if word in address.split("/")]
    assert page.words not in page.html.replace(f'value="{page.words}"', "")


def test_what_follows_is_promised_only_where_it_follows(visitor: Visitor) -> None:
    held, looked = "before anybody has looked at it", "A person decides whether it is hidden."
    child = visitor.report("https://a.example/1", category="csam", who="bystander").main
    assert held in child
    assert looked not in child
    other = visitor.report("https://a.example/1", category="other").main
    assert held not in other
    assert looked in other
    words = visitor.report(words="no address").main
    assert "A person reads what you wrote." in words
    assert held not in words


def test_a_receipt_that_is_loaded_again_makes_a_second_report_and_both_open(beside: Beside, visitor: Visitor) -> None:
    fields = {"addresses": beside.site.publish("reloaded"), "category": "csam"}
    first, again = visitor.post("/report", fields), visitor.post("/report", fields)
    assert first.words != again.words
    for receipt in (first, again):
        until(lambda receipt=receipt: "hidden by" in standing(visitor, receipt)[0])  # type: ignore[misc]


# --- from the page to the hold


def test_what_a_child_names_is_hidden_in_seconds_and_the_page_says_when_and_where(
    beside: Beside, visitor: Visitor
) -> None:
    addresses = [beside.site.publish("poster", places=places) for places in (1, 3)]
    receipt = visitor.report(*addresses, "and there is one in the group", who="depicted_child", youngest="13")
    until(lambda: all("hidden by" in told for told in standing(visitor, receipt)[:2]))
    first, second, third = standing(visitor, receipt)
    assert first.endswith("UTC, at 1 of 1 place.")
    assert second.startswith("Asked on ")
    assert second.endswith("UTC, at 3 of 3 places.")
    assert third == "A person has to read this and look for it, and was told. Nothing is hidden yet."
    assert not any(
        beside.site.view(place.location) for one in addresses for place in beside.site.upload(one).places.values()
    )


def test_a_child_who_says_nothing_but_where_is_hidden_for_all_the_same(beside: Beside, visitor: Visitor) -> None:
    receipt = visitor.report(beside.site.publish("poster"), who="depicted_child")
    until(lambda: "hidden by" in standing(visitor, receipt)[0])


def test_what_is_not_found_is_said_with_what_helps(beside: Beside, visitor: Visitor) -> None:
    receipt = visitor.report(f"{beside.site.origin}/p/post-none", category="csam")
    until(lambda: "we need help" in standing(visitor, receipt)[0])
    assert "paste the whole address below" in standing(visitor, receipt)[0]


def test_fifty_addresses_in_one_report_are_all_hidden(beside: Beside, visitor: Visitor) -> None:
    addresses = [beside.site.publish(f"poster-{number}", places=1) for number in range(50)]
    receipt = visitor.report(" ".join(addresses[:25]), *addresses[25:], category="csam")
    until(lambda: all("hidden by" in told for told in standing(visitor, receipt)))
    assert [address for address, _ in opened(visitor, receipt).named] == addresses


# --- a file that shows something


def test_a_proof_is_taken_and_its_state_is_told(visitor: Visitor) -> None:
    receipt = visitor.send("/report", {**TYPED, "proof_shows": "birth_date"}, PHOTO)
    assert "Somebody whose task it is looks at it within 24 hours." in receipt.main
    assert "Nobody has looked at it yet." in opened(visitor, receipt).main


NO_PROOFS: dict[str, Callable[[], bytes]] = {
    "too long": lambda: PHOTO + bytes(10 * 1024 * 1024),
    "a film": lambda: b"\x00\x00\x00\x18ftypmp42" + bytes(100),
    "a program": lambda: b"MZ" + bytes(100),
    "a page": lambda: b"<html><script>alert(1)</script>",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("made", NO_PROOFS.values(), ids=NO_PROOFS)
def test_a_file_that_is_no_proof_is_said_to_be_none_and_all_else_is_kept(
    visitor: Visitor, made: Callable[[], bytes]
) -> None:
    page = visitor.send("/report", TYPED, made())
    assert page.status == 422
    assert page.all("a", href="#id_proof")
    assert any("please choose it again" in fault for fault in page.faults())
    assert dict(page.form("/report").fields) == TYPED


def test_a_file_in_another_field_is_let_go(visitor: Visitor) -> None:
    receipt = visitor.send("/report", TYPED, PHOTO, name="picture")
    assert "What you showed" not in opened(visitor, receipt).main


def test_a_body_without_an_end_is_not_read_and_the_page_says_whom_to_call(visitor: Visitor) -> None:
    page = visitor.send("/report", {"words": "x"}, bytes(41 * 1024 * 1024))
    assert page.status == 413
    assert "Go back and send it without the file" in page.main


def test_what_is_no_form_at_all_is_answered_with_the_page(visitor: Visitor) -> None:
    for kind, body in (("application/json", b"{}"), ("text/plain", b"words=x"), ("multipart/form-data", b"x")):
        page = visitor._ask("POST", "/report", body, {"Content-Type": kind})
        assert page.status == 422


# --- when nothing can be kept


def test_while_the_database_fails_nothing_that_was_typed_is_lost(beside: Beside, visitor: Visitor) -> None:
    with psycopg.connect(superuser(beside.server_data), autocommit=True) as connection:
        connection.execute("alter table report rename to report_away")
        try:
            page = visitor.post("/report", TYPED)
        finally:
            connection.execute("alter table report_away rename to report")
    assert page.status == 503
    assert page.headers["Retry-After"] == "10"
    assert any("Nothing is lost: press Send again" in fault for fault in page.faults())
    assert visitor.post("/report", page.form("/report").fields).words


# --- who says it, and about what, in every combination that the page offers


def test_every_choice_of_the_page_makes_a_report(visitor: Visitor) -> None:
    page = visitor.get("/report")
    offered = {
        name: [one.given["value"] for one in page.all("input", type="radio", name=name)]
        for name in ("who", "category", "posted")
    }
    assert len(offered["category"]) == 9
    assert len(offered["who"]) == 6
    for who, category in product(offered["who"], offered["category"]):
        assert visitor.report(words="x", who=who, category=category)
    for posted in offered["posted"]:
        assert visitor.report("https://a.example/1", posted=posted)
    (authority,) = page.all("select", name="authority")
    assert "The police" in authority.text
    for which in ("hotline", "police", "regulator", "flagger"):
        assert visitor.report(words="x", who="authority", authority=which)
