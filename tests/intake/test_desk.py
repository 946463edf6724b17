# SPDX-License-Identifier: Apache-2.0
"""What a door takes in: refused only if nothing could be done with it, and nothing of it lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.intake.age import BirthDate
from holdfast.intake.desk import MOST_ITEMS, Incoming, KnownAges, NamedItem, ShownProof, elements_of, pasted
from holdfast.intake.proof import Claim
from holdfast.intake.report import Element
from holdfast.intake.reporter import Category, ItemKind, ReporterKind

ADDRESS = NamedItem(kind=ItemKind.LINK, address="https://example.org/p/1")


def incoming(*items: NamedItem, words: str = "", proof: ShownProof | None = None) -> Incoming:
    return Incoming(
        reporter=ReporterKind.PARENT, verified=False, category=Category.CSAM, items=items, words=words, proof=proof
    )


def test_one_address_or_some_words_are_enough() -> None:
    assert incoming(ADDRESS).words == ""
    assert incoming(words="help").items == ()


def test_nothing_at_all_is_refused_in_words() -> None:
    with pytest.raises(InvalidRequest, match="name what you report"):
        incoming(words=" \n ")


def test_more_than_a_hundred_items_belong_into_a_second_report_and_that_is_said() -> None:
    with pytest.raises(InvalidRequest, match="second one"):
        incoming(*[ADDRESS] * (MOST_ITEMS + 1))


@pytest.mark.parametrize(
    ("media_type", "size", "says"),
    [("video/mp4", 3, "photo"), ("image/png", 0, "MB"), ("image/png", 10 * 1024 * 1024 + 1, "MB")],
)
def test_a_file_that_cannot_be_kept_is_refused_in_words(media_type: str, size: int, says: str) -> None:
    proof = ShownProof(says=frozenset({Claim.IDENTITY}), media_type=media_type, content=bytes(size))
    with pytest.raises(InvalidRequest, match=says):
        incoming(ADDRESS, proof=proof)


def test_fifty_pasted_addresses_are_fifty_items_and_the_same_one_twice_is_one() -> None:
    addresses = [f"https://example.org/p/{number}" for number in range(50)]
    items = pasted("\n".join([*addresses, addresses[0], "", f"  {addresses[1]} {addresses[2]}  "]))
    assert [item.address for item in items] == addresses
    assert {item.kind for item in items} == {ItemKind.LINK}


def test_hashes_and_descriptions_are_told_apart() -> None:
    items = pasted("ABCDEF0123456789" * 4 + "\nthe one with the blue wall")
    assert [item.kind for item in items] == [ItemKind.HASH, ItemKind.DESCRIPTION]
    assert items[0].address == ("abcdef0123456789" * 4)


@given(st.text())
def test_whatever_is_pasted_is_kept_line_by_line(text: str) -> None:
    kept = " ".join(item.address for item in pasted(text)).lower()
    assert all(word.lower() in kept for line in text.splitlines() for word in line.split())


@given(
    st.none() | st.integers(0, 130),
    st.none() | st.integers(0, 130),
    st.none() | st.builds(BirthDate, year=st.integers(1900, 2026), month=st.none() | st.integers(1, 12)),
)
def test_what_is_said_of_ages_is_read_back_as_it_was_said(
    lower: int | None, upper: int | None, born: BirthDate | None
) -> None:
    ages = KnownAges(lower=lower, upper=upper, born=born)
    assert KnownAges.read(ages.as_text()) == ages


def test_the_elements_of_a_request_are_recorded_and_none_is_needed() -> None:
    assert elements_of(name=" ", where=False, without_consent=False, contact="") == frozenset()
    everything = elements_of(name="A. B.", where=True, without_consent=True, contact="a@example.org")
    assert everything == frozenset(Element)
