# SPDX-License-Identifier: Apache-2.0
"""What the pages promise about traces: no cookie, nothing stored, no secret in an address or a log, no other site."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.beside import Beside
from tests.web.doors.visiting import Page, Visitor

WORDS = "something that must not be found"


def every_page(visitor: Visitor) -> list[Page]:
    """One of each kind of answer. That each keeps its promises, `visiting.checked` insists."""
    receipt = visitor.report("https://a.example/1", words=WORDS, contact="quiet@mail.example")
    code = {"code": receipt.words}
    acts = [visitor.post(f"/case/{act}", {**code, "words": WORDS}) for act in ("kept", "add", "quiet", "withdraw")]
    files = [visitor.post(f"/case/{act}", code) for act in ("small", "full")]
    wrong = [visitor.post("/report", {}), visitor.post("/case", {"code": "x"}), visitor.get("/case/nothing")]
    plain = [visitor.get("/report"), visitor.get("/case"), visitor.get("/style.css")]
    foreign = replace(visitor, headers={"Sec-Fetch-Site": "cross-site"}).post("/case", code)
    return [receipt, visitor.post("/case", code), *acts, *files, *wrong, *plain, foreign]


def test_no_answer_sets_a_cookie_may_be_stored_or_loads_anything_from_elsewhere(visitor: Visitor) -> None:
    pages = every_page(visitor)
    assert {page.status for page in pages} == {200, 403, 404, 422}
    for page in pages:
        assert "Set-Cookie" not in page.headers
        assert page.headers["Cache-Control"] == "no-store"
        assert "ETag" not in page.headers
        assert "Last-Modified" not in page.headers


def test_a_cookie_that_is_sent_is_not_read_and_not_answered(visitor: Visitor) -> None:
    given = {"Cookie": "sessionid=abc; csrftoken=def; django_language=en"}
    page = replace(visitor, headers=given).get("/report")
    assert page.content == visitor.get("/report").content


def test_nothing_that_was_typed_or_shown_stands_in_the_output_of_the_server(beside: Beside, visitor: Visitor) -> None:
    receipt = next(iter(every_page(visitor)))
    said = beside.said.read_text()
    assert "Traceback" not in said
    secrets = [receipt.words, receipt.words.replace(" ", "+"), *re.findall(r"R-[A-Z2-7]{4}-[A-Z2-7]{4}", receipt.main)]
    for secret in [*secrets, WORDS, "quiet@mail.example", "a.example", visitor.network, "203.0.113"]:
        assert secret not in said


def test_a_fault_is_logged_by_its_place_and_never_by_its_words(beside: Beside) -> None:
    """A fault that has no name, raised by what the pages are made of, with a message that quotes what was typed."""
    program = f"""
import sys
from holdfast.observe import configure_logging
configure_logging()
from holdfast.web.doors.edge import fault_of
try:
    int({WORDS!r})
except ValueError as fault:
    print(fault_of(fault))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=beside.server.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "('unknown', 500)"
    assert "door_failed" in done.stderr
    assert "ValueError" in done.stderr
    assert WORDS not in done.stderr


@pytest.mark.parametrize("path", ["/report", "/case"])
def test_the_style_and_the_links_are_all_that_a_page_names(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    outside = [one.given["href"] for one in page.all("a") if one.given["href"].startswith("http")]
    assert all("noreferrer" in one.given["rel"] for one in page.all("a") if one.given["href"] in outside)
    assert re.findall(r"url\(|@import|https?:", visitor.get("/style.css").html) == []


def test_search_engines_may_find_where_to_report_and_nothing_behind_it(visitor: Visitor) -> None:
    assert "X-Robots-Tag" not in visitor.get("/report").headers
    for page in (visitor.get("/case"), visitor.post("/case", {"code": "x"}), visitor.get("/case/kept")):
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
