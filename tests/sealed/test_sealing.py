# SPDX-License-Identifier: Apache-2.0
"""A box opens where it was put and nowhere else, and its commitment proves what was in it to whoever has the salt."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest, SealedDamaged
from holdfast.sealed.sealing import MOST_BYTES, Place, commitment_of, new_key, seal, unseal, unwrap, wrap

PLACE = Place("sub_1", "rec_1", "bank.entry.added.provenance", 1)
KEY = new_key()
LARGEST = 2**53 - 1
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_was_sealed_is_opened_and_proven(value: Any) -> None:
    box = seal(value, PLACE, KEY)
    opened = unseal(box.sealed, PLACE, KEY)
    assert opened.value == value
    assert commitment_of(opened, PLACE) == box.commitment


@given(VALUES)
def test_an_outsider_computes_the_commitment_from_salt_and_value_alone(value: Any) -> None:
    box = seal(value, PLACE, KEY)
    salt = unseal(box.sealed, PLACE, KEY).salt
    whole = rfc8785.dumps({"field": PLACE.field, "schema": PLACE.schema, "value": value})
    assert len(salt) * 8 >= 128
    assert hashlib.sha256(salt + whole).hexdigest() == box.commitment


ELSEWHERE = [
    dataclasses.replace(PLACE, subject="sub_2"),
    dataclasses.replace(PLACE, record="rec_2"),
    dataclasses.replace(PLACE, field="bank.entry.removed.because"),
    dataclasses.replace(PLACE, schema=2),
]


@pytest.mark.parametrize("place", ELSEWHERE, ids=str)
def test_a_box_that_was_moved_does_not_open(place: Place) -> None:
    with pytest.raises(SealedDamaged):
        unseal(seal("text", PLACE, KEY).sealed, place, KEY)


@given(st.data())
def test_a_box_with_one_bit_changed_or_bytes_missing_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(seal("text", PLACE, KEY).sealed)
    if data.draw(st.booleans()):
        bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
        sealed[bit // 8] ^= 1 << bit % 8
    else:
        sealed = sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    with pytest.raises(SealedDamaged):
        unseal(bytes(sealed), PLACE, KEY)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(SealedDamaged):
        unseal(seal("text", PLACE, KEY).sealed, PLACE, new_key())


def test_the_same_value_sealed_twice_shares_nothing() -> None:
    first, second = seal("text", PLACE, KEY), seal("text", PLACE, KEY)
    assert first.commitment != second.commitment
    assert first.sealed[:12] != second.sealed[:12], "a nonce is never used twice"


def test_the_length_of_a_box_tells_the_length_of_a_text_only_roughly() -> None:
    assert len({len(seal("x" * length, PLACE, KEY).sealed) for length in range(40)}) == 1


def test_a_value_that_is_too_long_is_refused_by_name_and_not_quoted() -> None:
    with pytest.raises(InvalidRequest) as refused:
        seal("secret" * MOST_BYTES, PLACE, KEY)
    assert PLACE.field in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_wrapped_key_is_of_its_subject_and_its_key_alone() -> None:
    kek, data_key = new_key(), new_key()
    wrapped = wrap(data_key, "sub_1", "kek_1", kek)
    assert unwrap(wrapped, "sub_1", "kek_1", kek) == data_key
    for subject, name, key in (("sub_2", "kek_1", kek), ("sub_1", "kek_2", kek), ("sub_1", "kek_1", new_key())):
        with pytest.raises(SealedDamaged):
            unwrap(wrapped, subject, name, key)
