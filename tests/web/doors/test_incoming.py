# SPDX-License-Identifier: Apache-2.0
"""From a filled page to a report: what was left open is read with the most care, and nothing that was said is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.bootstrap import System
from holdfast.intake.age import BirthDate
from holdfast.intake.desk import Incoming, KnownAges
from holdfast.intake.report import Element
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs, is_held_at_once

if TYPE_CHECKING:
    from holdfast.web.doors.report_form import ReportForm


@pytest.fixture(autouse=True, scope="module")
def _configured(wired: System) -> None:
    """Forms need Django's settings."""
    assert wired


def form(**fields: Any) -> ReportForm:
    from holdfast.web.doors.report_form import ReportForm

    return ReportForm({"addresses": "https://a.example/1", **fields})


def incoming(**fields: Any) -> Incoming:
    from holdfast.web.doors.incoming import incoming_of

    filled = form(**fields)
    assert filled.is_valid(), filled.errors
    return incoming_of(filled.cleaned_data, source="203.0.113.0/24", shown="digest")


def test_an_address_alone_is_somebodys_who_saw_it_and_a_person_decides() -> None:
    made = incoming()
    assert (made.reporter, made.category, made.verified) == (ReporterKind.BYSTANDER, Category.OTHER, False)
    assert made.ages == KnownAges()
    assert made.elements == {Element.WHERE}
    assert (made.source, made.shown, made.proof) == ("203.0.113.0/24", "digest", None)


@pytest.mark.parametrize("who", ["depicted_child", "parent", "depicted_adult", "agent"])
def test_whoever_is_concerned_and_does_not_say_what_it_is_is_handled_as_what_is_hidden_first(who: str) -> None:
    made = incoming(who=who)
    assert is_held_at_once(made.category, made.reporter)


@pytest.mark.parametrize("which", ["hotline", "police", "regulator", "flagger"])
def test_an_authority_is_written_down_as_it_says_and_never_as_verified(which: str) -> None:
    made = incoming(who="authority", authority=which)
    assert (made.reporter, made.verified) == (ReporterKind(which), False)
    assert incoming(who="authority").reporter is ReporterKind.BYSTANDER
    assert incoming(who="parent", authority=which).reporter is ReporterKind.PARENT


@pytest.mark.parametrize(
    ("youngest", "oldest", "ages"),
    [
        ("", "", KnownAges()),
        ("13", "14", KnownAges(lower=13, upper=14)),
        ("14", "13", KnownAges(lower=13, upper=14)),
        ("13", "", KnownAges(lower=13)),
        ("", "16", KnownAges(upper=16)),
        ("17", "18", KnownAges(lower=17, upper=130)),
        ("18", "", KnownAges(lower=18)),
        ("0", "0", KnownAges(lower=0, upper=0)),
    ],
)
def test_ages_are_a_range_or_unknown(youngest: str, oldest: str, ages: KnownAges) -> None:
    assert incoming(youngest=youngest, oldest=oldest).ages == ages


def test_a_birth_date_is_a_year_and_perhaps_a_month() -> None:
    assert incoming(born_year="2008").ages.born == BirthDate(year=2008)
    assert incoming(born_year="2008", born_month="5").ages.born == BirthDate(year=2008, month=5)
    assert incoming(born_month="5").ages.born is None


@pytest.mark.parametrize("year", ["208", "1899", "9999", "-200", "two", "²008", "20 8"])
def test_a_year_in_which_nobody_was_born_who_lives_is_no_year(year: str) -> None:
    assert "born_year" in form(born_year=year).errors


def test_a_name_is_kept_as_a_signature_with_the_words() -> None:
    made = incoming(words="It was me.", name="A Name", without_consent="on", contact="a@b.example")
    assert made.words == "It was me.\n\nName given as a signature: A Name"
    assert made.elements == set(Element)
    assert incoming(words="", addresses="https://a.example", name="").words == ""


@given(st.sets(st.sampled_from(["name", "without_consent", "contact"])))
def test_no_element_of_a_law_is_needed_and_each_is_seen(there: set[str]) -> None:
    made = incoming(who="depicted_adult", category="intimate", **dict.fromkeys(there, "x"))
    wanted = {
        "name": Element.SIGNATURE,
        "without_consent": Element.WITHOUT_CONSENT,
        "contact": Element.HOW_TO_REACH,
    }
    assert made.elements == {Element.WHERE, *(wanted[name] for name in there)}


def test_there_is_more_is_named_for_a_person_and_is_no_report_by_itself() -> None:
    made = incoming(more="on", posted="depicted")
    assert [item.kind for item in made.items] == [ItemKind.LINK, ItemKind.DESCRIPTION]
    assert {item.uploader_is for item in made.items} == {UploaderIs.DEPICTED}
    assert not form(addresses="", more="on").is_valid()


def test_whoever_fills_in_the_most_sends_what_can_be_kept() -> None:
    from holdfast.web.doors.report_form import LONGEST_NAME, LONGEST_WORDS

    made = incoming(words="x" * LONGEST_WORDS, name="y" * LONGEST_NAME)
    assert len(made.words) <= 10_000


@given(st.text(st.characters(), max_size=50), st.text(st.characters(codec="utf-8"), max_size=50))
def test_whatever_is_typed_can_be_kept_or_is_asked_for_again(words: str, addresses: str) -> None:
    from holdfast.log.text import check_story
    from holdfast.web.doors.incoming import incoming_of

    filled = form(words=words, addresses=addresses, name=words, contact=words)
    if filled.is_valid():
        made = incoming_of(filled.cleaned_data, source="x", shown="")
        for text in (made.words, made.contact, *(item.address for item in made.items)):
            check_story("field", text)
