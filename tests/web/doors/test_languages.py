# SPDX-License-Identifier: Apache-2.0
"""Every sentence of the pages can be translated, and the pages turn with the direction of writing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from html.parser import HTMLParser

import pytest

from tests.beside import Beside
from tests.web.doors.visiting import Visitor

_PAGES = """
import json, re
from holdfast import bootstrap
from holdfast.settings import Settings
from holdfast.web.doors.setup import PAGES
WEB = {"ROOT_URLCONF": "holdfast.web.urls", **PAGES}
with bootstrap.database(Settings.from_environment()) as ready:
    system = bootstrap.wire(ready, web=WEB)
    from django.utils import translation
    from holdfast.web import system as process
    process._process.system = system

    def mark(text, *_):
        return "\u27e6" + text + "\u27e7"

    def plural(one, many, count, *_):
        return mark(one if count == 1 else many)

    translation._trans.gettext = translation._trans.pgettext = mark
    translation._trans.ngettext = plural
    translation._trans.get_language = lambda: "xx"
    translation._trans.get_language_bidi = lambda: True
    from datetime import datetime, UTC
    from holdfast.intake.proof import ProofState
    from holdfast.intake.report import ReportState
    from holdfast.intake.reporter import Category, ItemKind
    from holdfast.intake.view import NamedView, ProofView, ReportView, Standing
    from holdfast.web.doors import case, report
    from holdfast.web.doors.case_forms import AddForm, CodeForm, ContestForm
    from holdfast.web.doors.edge import rendered
    from holdfast.web.doors.report_form import ReportForm, faults_of
    from holdfast.web.doors.told import item_told, copies_told, proof_told
    code = "acorn actor album alley almanac almond amber anchor"
    bad = ReportForm({"born_year": "x"})
    bad.is_valid()
    told = {"form": bad, "faults": faults_of(bad), "says": report._busy(2, without_file=True), "had_file": True}
    receipt = {"code": code, "words": code.split(), "reference": "R-AAAA-AAAA", "received_at": "17", "picture": "",
               "items": 1, "held_first": True, "proof": True, "look_hours": 12, "proof_hours": 24,
               "come_back_to": "https://help.example"}
    pages = {"report": ReportForm(), "case": CodeForm()}
    html = {name: rendered(name, {"form": form}) for name, form in pages.items()}
    html["report, wrong"] = rendered("report", told)
    for number, change in enumerate(({}, {"held_first": False}, {"items": 0})):
        html[f"receipt {number}"] = rendered("receipt", {**receipt, **change})
    for kind in ("too_large", "unreadable", "foreign", "later", "unknown"):
        html["fault " + kind] = rendered("fault", {"fault": kind})
    class Opened: is_held, state = True, "contested"
    html["contest"] = rendered("contest", {"code": code, "opened": Opened, "offered_at": "17", "form": ContestForm()})
    at = datetime(2026, 1, 1, tzinfo=UTC)
    named = [NamedView(number=1, kind=ItemKind.LINK, address="17", standing=standing, places=3, hidden=1, asked_at=at,
                       hidden_at=at) for standing in Standing]
    proofs = [ProofView(received_at=at, state=state) for state in ProofState]
    view = ReportView(reference="R-AAAA-AAAA", received_at=at, category=Category.CSAM, state=ReportState.WITHDRAWN,
                      items=tuple(named), proofs=tuple(proofs), copies_hidden=2, copies_waiting=1, code_kept=False,
                      contact_stopped=False)
    told = {"code": code, "view": view, "received_at": "17", "withdrawn": True, "form": AddForm(),
            "items": [{"item": one, "told": item_told(one)} for one in named],
            "proofs": [proof_told(one) for one in proofs], "copies": copies_told(view)}
    html["status"] = rendered("status", told)
    html["status, empty"] = rendered("status", {**told, "items": [], "withdrawn": False})
    print(json.dumps(html))
"""


class _Texts(HTMLParser):
    """What a person reads, piece by piece; what is theirs or ours alone (words, addresses, numbers) left out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("svg", "code") or ("class", "words") in attrs:
            self._skipped += 1
        self.texts += [value or "" for name, value in attrs if name in ("aria-label", "title", "alt", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("svg", "code", "ol") and self._skipped:
            self._skipped -= 1

    def handle_data(self, data: str) -> None:
        if not self._skipped and data.strip():
            self.texts.append(data.strip())


@pytest.fixture(scope="module")
def pages(beside: Beside) -> dict[str, str]:
    """Every page in a language in which each translated sentence stands in brackets."""
    command = [sys.executable, "-c", _PAGES]
    done = subprocess.run(command, env=beside.server.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def untranslated(html: str) -> Iterable[str]:
    reader = _Texts()
    reader.feed(html)
    depth = 0
    for text in reader.texts:
        outside = ""
        for character in text:
            depth += (character == "\u27e6") - (character == "\u27e7")
            outside += character if depth == 0 and character != "\u27e7" else ""
        plain = re.sub(r"https?://\S+|[0-9 ()+:,.-]+", "", outside)
        if re.search(r"[^\W\d_]{2}", plain):
            yield text


def test_every_sentence_of_every_page_goes_through_translation(pages: dict[str, str]) -> None:
    assert len(pages) == 14
    assert {name: list(untranslated(html)) for name, html in pages.items() if list(untranslated(html))} == {}


def test_the_page_says_in_which_language_and_direction_it_is_written(pages: dict[str, str], visitor: Visitor) -> None:
    assert all('<html lang="xx" dir="rtl">' in html for html in pages.values())
    assert '<html lang="en" dir="ltr">' in visitor.get("/report").html


def test_the_style_names_no_left_and_no_right(visitor: Visitor) -> None:
    style = re.sub(r"/\*.*?\*/", "", visitor.get("/style.css").html)
    assert re.findall(r"(?<![-\w])(?:left|right)\b|(?:margin|padding|border)-(?:left|right)|text-align", style) == []


def test_a_language_that_is_not_there_is_answered_in_english(beside: Beside) -> None:
    for wanted in ("ar", "tlh-Latn;q=1", "*", "en-GB", "x" * 1000):
        assert (
            "You need no account."
            in Visitor(beside.server.address, headers={"Accept-Language": wanted}).get("/report").html
        )
