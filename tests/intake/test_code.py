# SPDX-License-Identifier: Apache-2.0
"""Codes: 80 bits in words that a frightened person can write down and type again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.intake.code import CODE_BITS, CODE_BYTES, CODE_WORDS, LONGEST_TYPED, code_of, read_code, reference_of
from holdfast.intake.words import WORDS

drawn = st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES)


def test_the_words_are_1024_different_plain_ones_in_order() -> None:
    assert len(WORDS) == len(set(WORDS)) == 1024
    assert list(WORDS) == sorted(WORDS)
    assert all(re.fullmatch("[a-z]{2,11}", word) for word in WORDS)
    assert CODE_WORDS * 10 == CODE_BITS >= 80


@given(drawn, drawn)
def test_different_draws_give_different_codes(one: bytes, other: bytes) -> None:
    assert (code_of(one) == code_of(other)) == (one == other)


@given(drawn, st.lists(st.sampled_from([" ", "  ", "\n", ", ", "-", "\t"]), min_size=7, max_size=7), st.booleans())
def test_a_code_is_read_however_it_is_spaced_and_in_capitals(one: bytes, between: list[str], shout: bool) -> None:
    code = code_of(one)
    words = code.split()
    typed = words[0] + "".join(gap + word for gap, word in zip(between, words[1:], strict=True))
    assert read_code(f" {typed.upper() if shout else typed}.\n") == code


@given(drawn)
def test_as_many_letters_as_are_one_words_alone_are_enough(one: bytes) -> None:
    def shortest(word: str) -> str:
        lengths = range(1, len(word) + 1)
        alone = (word[:length] for length in lengths if sum(other.startswith(word[:length]) for other in WORDS) == 1)
        return next(alone, word)

    code = code_of(one)
    assert read_code(" ".join(map(shortest, code.split()))) == code


@given(st.text(max_size=LONGEST_TYPED * 2))
def test_whatever_is_typed_is_a_code_or_refused_in_words(typed: str) -> None:
    try:
        assert len(read_code(typed).split()) == CODE_WORDS
    except InvalidRequest as refused:
        said = str(refused)
    else:
        return
    assert said.startswith("code: ")


def test_a_wrong_word_is_told_by_its_place_alone() -> None:
    words = ["apple"] * CODE_WORDS
    words[2] = "xylophonist"
    with pytest.raises(InvalidRequest, match="word 3") as refused:
        read_code(" ".join(words))
    assert "xylophonist" not in str(refused.value)


def test_too_long_a_text_is_refused_by_its_length() -> None:
    with pytest.raises(InvalidRequest, match="characters"):
        read_code("apple " * 100_000)


@given(st.binary(min_size=5, max_size=5))
def test_a_reference_can_be_told_on_the_telephone(one: bytes) -> None:
    assert re.fullmatch("R-[A-Z2-7]{4}-[A-Z2-7]{4}", reference_of(one))
