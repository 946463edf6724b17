# SPDX-License-Identifier: Apache-2.0
"""A sheet gives back the items it was made of, in their order, and knows where a walk goes on."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.match.sheet import START, Archived, Place, Sheet, behind, place_of

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5)
PLACES = st.builds(Place, st.integers(1, 5), NAMES)


@st.composite
def rows(draw: st.DrawFn, least: int = 0) -> list[Archived]:
    places = sorted(draw(st.sets(PLACES, min_size=least, max_size=12)))
    return [(*place, draw(st.binary(min_size=32, max_size=32)) * draw(st.integers(0, 3))) for place in places]


@given(rows())
def test_a_sheet_has_every_item_with_its_place_and_its_hashes(given: list[Archived]) -> None:
    sheet = Sheet.of_arrays(Sheet.build(given).arrays)
    assert len(sheet) == len(given)
    assert sheet.hashes == sum(len(row[2]) // 32 for row in given)
    for number, row in enumerate(given):
        assert sheet.place(number) == place_of(row)
        first, last = sheet.first[number], sheet.first[number + 1]
        assert np.ascontiguousarray(sheet.words[:, first:last].T).tobytes() == row[2]
        assert (sheet.items_of(np.arange(first, last)) == number).all()


@given(rows(), PLACES)
def test_a_walk_goes_on_with_the_first_item_that_does_not_stand_before_its_place(
    given: list[Archived], place: Place
) -> None:
    assert Sheet.build(given).item_from(place) == sum(place_of(row) < place for row in given)


@given(rows(least=1))
def test_behind_an_item_comes_the_next_one(given: list[Archived]) -> None:
    sheet = Sheet.build(given)
    assert sheet.item_from(START) == 0
    for number, row in enumerate(given):
        assert place_of(row) < behind(place_of(row))
        assert sheet.item_from(place_of(row)) == number
        assert sheet.item_from(behind(place_of(row))) >= number + 1


def test_what_is_mapped_cannot_be_changed() -> None:
    sheet = Sheet.build([(1, "a", bytes(32))])
    assert not any(array.flags.writeable for array in sheet.arrays.values())
