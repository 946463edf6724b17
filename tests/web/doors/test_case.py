# SPDX-License-Identifier: Apache-2.0
"""`/case`: the words open one report and tell nothing else; whoever posted what is held has a side of it, too."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from holdfast.demo.pictures import encoded, hills
from holdfast.intake.words import WORDS
from holdfast.testing.simulators import How
from tests.beside import Beside
from tests.web.doors.visiting import Page, Visitor, until

PHOTO = encoded(hills(4712, (320, 240)))
NEUTRAL = "These words open nothing. Compare each one with what you wrote down."


def shown(visitor: Visitor, code: str) -> Page:
    page = visitor.post("/case", {"code": code})
    assert page.status == 200, page.main
    return page


# --- the words


def test_the_page_asks_for_the_words_and_for_nothing_else(visitor: Visitor) -> None:
    page = visitor.get("/case")
    assert [one.given["name"] for one in page.all("textarea")] == ["code"]
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Report again" in page.main
    assert not re.search(r"child|under 18|intimate", page.html.lower()), "a notice leads here too"


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.upper(),
        lambda code: code.replace(" ", ", "),
        lambda code: "\n".join(code.split()),
        lambda code: f"  {code.replace(' ', '-')}. ",
    ],
)
def test_the_words_open_however_they_are_typed(visitor: Visitor, typed: object) -> None:
    code = visitor.report("https://a.example/1").words
    assert callable(typed)
    assert "Your report" in shown(visitor, typed(code)).main


def test_whatever_does_not_open_is_answered_alike_so_that_nothing_is_learnt(visitor: Visitor) -> None:
    code = visitor.report("https://a.example/1").words.split()
    other = next(word for word in WORDS if word != code[3])
    wrong = [
        " ".join([*code[:3], other, *code[4:]]),
        " ".join([*code[:3], "nothing-like-it", *code[4:]]),
        " ".join(code[:7]),
        " ".join(reversed(code)),
        "",
        "x" * 5000,
        "\x00",
    ]
    pages = [visitor.post("/case", {"code": typed}) for typed in wrong]
    assert {page.status for page in pages} == {422}
    assert {tuple(page.faults()) for page in pages} == {(NEUTRAL,)}
    mains = [page.main.replace(typed, "").split() for page, typed in zip(pages[:5], wrong[:5], strict=True)]
    assert all(main == mains[4] for main in mains)


def test_thirty_wrong_tries_in_a_minute_and_the_network_is_asked_to_wait(beside: Beside, visitor: Visitor) -> None:
    code = visitor.report("https://a.example/1").words
    tries = [visitor.post("/case", {"code": "one two"}).status for _ in range(30)]
    assert set(tries) == {422}
    page = visitor.post("/case", {"code": code})
    assert page.status == 429
    (says,) = page.faults()
    assert re.fullmatch(r"Too many words that open nothing came from your network. Try again in \d+ seconds?.", says)
    assert 1 <= int(page.headers["Retry-After"]) <= 60
    neighbour = replace(visitor, network=visitor.network.replace("::7", "::8"))
    assert neighbour.post("/case", {"code": code}).status == 429, "of the same network"
    assert beside.visitor().post("/case", {"code": code}).status == 200, "of another one"


def test_right_words_are_not_counted(visitor: Visitor) -> None:
    code = visitor.report("https://a.example/1").words
    assert {visitor.post("/case", {"code": code}).status for _ in range(40)} == {200}


def test_an_act_without_the_words_is_no_act(visitor: Visitor) -> None:
    for act in ("kept", "add", "quiet", "withdraw", "contest", "small", "full"):
        page = visitor.post(f"/case/{act}", {"code": "", "words": "x"})
        assert (page.status, page.faults()) == (422, [NEUTRAL])
        assert visitor.get(f"/case/{act}").status == 200, "an act that is loaded anew asks for the words"


def test_a_page_of_another_site_cannot_act_but_anybody_may_report(visitor: Visitor) -> None:
    code = visitor.report("https://a.example/1").words
    for site in ("cross-site", "same-site", "anything"):
        foreign = replace(visitor, headers={"Sec-Fetch-Site": site})
        assert foreign.post("/case", {"code": code}).status == 403
        assert foreign.post("/case/withdraw", {"code": code}).status == 403
        assert foreign.post("/report", {"words": "x"}).status == 200
    assert "withdrawn" not in shown(replace(visitor, headers={"Sec-Fetch-Site": "same-origin"}), code).main


def test_other_methods_are_answered_and_an_act_that_is_none_is_not_there(visitor: Visitor) -> None:
    for path in ("/report", "/case", "/case/kept", "/style.css"):
        reply = visitor._ask("DELETE", path, None, {})
        assert reply.status == 405
        assert "GET" in reply.headers["Allow"]
    assert visitor.get("/case/nothing").status == 404
    assert visitor._ask("HEAD", "/report", None, {}).content == b""


# --- what can be done


def test_having_written_them_down_is_kept(visitor: Visitor) -> None:
    code = visitor.report("https://a.example/1").words
    button = "I have written them down"
    assert button in shown(visitor, code).main
    assert button not in visitor.post("/case/kept", {"code": code}).main
    assert button not in shown(visitor, code).main


def test_words_addresses_and_a_proof_are_added(beside: Beside, visitor: Visitor) -> None:
    code = visitor.report(words="I cannot find it", category="csam").words
    assert "Nothing yet: a person reads what you wrote." in shown(visitor, code).main
    address = beside.site.publish("poster")
    page = visitor.send("/case/add", {"code": code, "addresses": address, "words": "found it"}, PHOTO)
    assert page.faults() == ["It was added to your report."]
    assert "Nobody has looked at it yet." in page.main
    until(lambda: "hidden by" in shown(visitor, code).named[0][1])


def test_adding_nothing_is_said_and_keeps_what_was_typed(visitor: Visitor) -> None:
    code = visitor.report("https://a.example/1").words
    page = visitor.post("/case/add", {"code": code, "addresses": " ", "words": ""})
    assert page.status == 422
    assert page.all("a", href="#id_addresses")
    page = visitor.send("/case/add", {"code": code, "words": "kept", "addresses": ""}, b"no proof")
    assert page.status == 422
    assert dict(page.form("/case/add").fields)["words"] == "kept"
    assert dict(page.form("/case/add").fields)["code"] == code


def test_withdrawing_makes_nothing_visible_and_adding_takes_it_up_again(beside: Beside, visitor: Visitor) -> None:
    address = beside.site.publish("poster")
    code = visitor.report(address, category="csam").words
    until(lambda: "hidden by" in shown(visitor, code).named[0][1])
    assert "Withdrawing makes nothing visible again." in shown(visitor, code).main
    page = visitor.post("/case/withdraw", {"code": code})
    assert page.faults() == ["Your report is withdrawn."]
    assert "What was hidden stays hidden." in page.main
    assert "hidden by" in page.named[0][1]
    assert visitor.post("/case/withdraw", {"code": code}).faults() == ["It was withdrawn before."]
    assert "You have withdrawn it" not in visitor.post("/case/add", {"code": code, "words": "again"}).main


def test_no_more_messages_are_asked_for_once(visitor: Visitor) -> None:
    code = visitor.report("https://a.example/1", contact="a@b.example").words
    assert visitor.post("/case/quiet", {"code": code}).faults() == ["We will not write to you."]
    page = shown(visitor, code)
    assert "You asked us not to write to you." in page.main
    assert "/case/quiet" not in [form.action for form in page.forms]


# --- what is told


def test_one_report_tells_nothing_of_another_on_the_same_item(beside: Beside, visitor: Visitor) -> None:
    address = beside.site.publish("poster")
    child = visitor.report(address, who="depicted_child", words="do not tell my parents").words
    mother = beside.visitor().report(address, "and another thing", who="parent", category="csam").words
    until(lambda: "hidden by" in shown(visitor, child).named[0][1])
    page = shown(visitor, child)
    assert len(page.named) == 1
    for secret in ("do not tell", "another thing", "parent", mother):
        assert secret not in page.main
    assert "do not tell" not in shown(visitor, mother).main


def test_what_is_not_confirmed_is_not_called_hidden(beside: Beside, visitor: Visitor) -> None:
    address = beside.site.publish("poster", places=2)
    beside.platform.fail("hold", How.AWAY)
    try:
        code = visitor.report(address, category="csam").words
        until(lambda: "have not confirmed yet" in shown(visitor, code).named[0][1])
        told = shown(visitor, code).named[0][1]
    finally:
        beside.platform.recover()
    assert re.fullmatch(r"We asked on .* UTC. 2 places have not confirmed yet; we go on asking.", told)
    until(lambda: "hidden by" in shown(visitor, code).named[0][1])


def test_somebody_who_may_not_know_learns_nothing_of_copies(beside: Beside, visitor: Visitor) -> None:
    address = beside.site.publish("poster")
    beside.site.reshare(address, "another")
    code = visitor.report(address, category="csam").words
    until(lambda: "hidden by" in shown(visitor, code).named[0][1])
    assert "other place" not in shown(visitor, code).main


# --- the other side


def test_whoever_posted_it_sees_since_when_and_that_nothing_was_found_and_can_answer(
    beside: Beside, visitor: Visitor
) -> None:
    address = beside.site.publish("accused")
    visitor.report(address, category="csam", words="what was said of them")
    until(lambda: bool(beside.site.told("accused")))
    notice = beside.site.told("accused")[0]
    assert notice.answer_url == "https://help.example/case"
    code = str(notice.answer_code)
    other = beside.visitor()
    page = shown(other, code)
    assert "No finding has been made." in page.main
    assert re.search(r"On \d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC we began to hide", page.main)
    assert "It is hidden now." in page.main
    assert "report" not in page.main.lower().replace("reported to any authority", "")
    assert not re.search(r"report(?!ed to any)|child|under 18|intimate", page.html.lower()), "neutral for every reason"
    assert [form.action for form in page.forms] == ["/case/contest"]
    assert visitor.post("/case/contest", {"code": code, "words": " "}).status == 422
    page = other.post("/case/contest", {"code": code, "words": "it is a picture of a tree"})
    assert page.faults() == ["Thank you. A person reads what you wrote."]
    assert "You have said why it should be visible again." in shown(other, code).main
    assert not any(beside.site.view(place.location) for place in beside.site.upload(address).places.values())


def test_the_words_of_one_side_do_nothing_on_the_other(beside: Beside, visitor: Visitor) -> None:
    address = beside.site.publish("accused-again")
    theirs = visitor.report(address, category="csam").words
    until(lambda: bool(beside.site.told("accused-again")))
    code = str(beside.site.told("accused-again")[0].answer_code)
    for act in ("kept", "add", "quiet", "withdraw", "small", "full"):
        page = visitor.post(f"/case/{act}", {"code": code, "words": "x"})
        assert "No finding has been made." in page.main, act
    assert "Your report" in visitor.post("/case/contest", {"code": theirs, "words": "x"}).main
