# SPDX-License-Identifier: Apache-2.0
"""Only a value that could be the hash of one thing becomes a signal."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidSignal
from holdfast.match.signal import PDQ_FEWEST_ONES, PDQ_MOST_ONES, Signal, SignalType, parse

ALONE = [kind for kind in SignalType if kind is not SignalType.VPDQ]
EXACT = [kind for kind in SignalType if kind.is_exact]
HEX = "0123456789abcdef"


def with_ones(ones: int, seed: int = 0) -> str:
    """256 bits of which exactly this many are set, as hexadecimal."""
    positions = random.Random(seed).sample(range(256), ones)
    return f"{sum(1 << at for at in positions):064x}"


def hex_of(length: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=length, max_size=length)


@st.composite
def good(draw: st.DrawFn) -> Signal:
    kind = draw(st.sampled_from(ALONE))
    if kind is SignalType.PDQ:
        ones = draw(st.integers(PDQ_FEWEST_ONES, PDQ_MOST_ONES))
        value = with_ones(ones, draw(st.integers(0, 2**32)))
    else:
        value = draw(hex_of(kind.hex_length))
    nothing = hashlib.new(kind.value, b"").hexdigest() if kind.is_exact else ""
    if len(set(value)) == 1 or value == nothing:
        value = hashlib.new("sha256", b"something").hexdigest()[: kind.hex_length]
    return Signal(kind, value)


@given(good(), st.sampled_from([str.lower, str.upper, str.title]), st.text(" \t\r\n", max_size=3))
def test_a_good_value_in_any_case_and_with_space_around_it_becomes_its_lower_case_signal(
    wanted: Signal, case: Callable[[str], str], space: str
) -> None:
    found = parse(space + case(wanted.type.value) + space, space + case(wanted.value) + space)
    assert found == wanted
    assert found.value == found.value.lower()


@given(good())
def test_a_signal_written_out_and_read_again_is_the_same(wanted: Signal) -> None:
    assert parse(wanted.type, wanted.value) == wanted


@given(st.text().filter(lambda text: text.strip().lower() not in set(SignalType)), good())
def test_an_unknown_type_is_refused(kind: str, wanted: Signal) -> None:
    with pytest.raises(InvalidSignal, match="md5, sha1, sha256, pdq"):
        parse(kind, wanted.value)


@pytest.mark.parametrize("kind", ALONE)
@given(data=st.data())
def test_a_value_of_the_wrong_length_is_refused(kind: SignalType, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, 200).filter(lambda length: length != kind.hex_length))
    with pytest.raises(InvalidSignal, match=f"has {kind.hex_length} hexadecimal digits, this has {length}"):
        parse(kind, data.draw(hex_of(length)))


@pytest.mark.parametrize("kind", ALONE)
@given(data=st.data())
def test_a_value_with_anything_but_hexadecimal_digits_is_refused(kind: SignalType, data: st.DataObject) -> None:
    other = st.characters().filter(lambda one: one.lower() not in HEX and len(one.lower()) == 1)
    wrong = data.draw(other)
    digits = list(data.draw(hex_of(kind.hex_length)))
    # Not at an end, where a character that counts as space would only make it too short.
    digits[data.draw(st.integers(1, kind.hex_length - 2))] = wrong
    with pytest.raises(InvalidSignal, match="hexadecimal digits only"):
        parse(kind, "".join(digits))


@pytest.mark.parametrize("digit", ["٣", "３", "𝟑", "ａ", "²", "\N{KELVIN SIGN}"])
def test_digits_of_other_scripts_are_not_hexadecimal(digit: str) -> None:
    with pytest.raises(InvalidSignal, match="hexadecimal digits only"):
        parse("md5", digit * 32)


@pytest.mark.parametrize("kind", EXACT)
def test_the_digest_of_nothing_is_refused_because_it_matches_every_empty_upload(kind: SignalType) -> None:
    with pytest.raises(InvalidSignal, match="empty file"):
        parse(kind, hashlib.new(kind.value, b"").hexdigest().upper())


@pytest.mark.parametrize("kind", ALONE)
@pytest.mark.parametrize("digit", HEX)
def test_a_value_of_one_repeated_digit_is_refused(kind: SignalType, digit: str) -> None:
    with pytest.raises(InvalidSignal, match="placeholder"):
        parse(kind, digit * kind.hex_length)


@given(st.one_of(st.integers(1, PDQ_FEWEST_ONES - 1), st.integers(PDQ_MOST_ONES + 1, 255)), st.integers(0, 2**32))
def test_a_pdq_hash_with_far_from_half_its_bits_set_is_refused(ones: int, seed: int) -> None:
    with pytest.raises(InvalidSignal, match=f"has about 128 of 256 bits set, this has {ones}$"):
        parse("pdq", with_ones(ones, seed))


@given(st.integers(PDQ_FEWEST_ONES, PDQ_MOST_ONES), st.integers(0, 2**32))
def test_every_pdq_hash_with_64_to_192_bits_set_parses(ones: int, seed: int) -> None:
    value = with_ones(ones, seed)
    assert parse("pdq", value.upper()) == Signal(SignalType.PDQ, value)


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("ones", [1, 255])
def test_how_many_bits_are_set_matters_to_pdq_alone(kind: SignalType, ones: int) -> None:
    bits = 4 * kind.hex_length
    value = f"{(1 << 5) if ones == 1 else (1 << bits) - 1 - (1 << 5):0{kind.hex_length}x}"
    assert parse(kind, value).value == value


EITHER_KIND = st.sampled_from([(kind.value, kind.hex_length) for kind in SignalType])
REFUSED = st.one_of(
    st.tuples(st.sampled_from(["sha512", "", "PDQ2"]), hex_of(64)),
    st.tuples(st.sampled_from(["md5", "pdq"]), st.text(HEX, min_size=33, max_size=63)),
    EITHER_KIND.flatmap(lambda kind: st.tuples(st.just(kind[0]), hex_of(kind[1] - 1).map(lambda text: "x" + text))),
    EITHER_KIND.flatmap(lambda kind: st.tuples(st.just(kind[0]), st.sampled_from(HEX).map(lambda d: d * kind[1]))),
    st.tuples(st.just("pdq"), st.integers(0, PDQ_FEWEST_ONES - 1).map(with_ones)),
    st.sampled_from([(kind.value, hashlib.new(kind.value, b"").hexdigest()) for kind in EXACT]),
)
"""A type and a value of which at least one cannot be used; the value is long enough to be recognised."""


@given(REFUSED)
def test_a_refusal_never_repeats_the_value(pair: tuple[str, str]) -> None:
    kind, value = pair
    with pytest.raises(InvalidSignal) as refusal:
        parse(kind, value)
    for said in (str(refusal.value), repr(refusal.value), refusal.value.detail):
        assert value[:12].lower() not in said.lower()


@given(REFUSED)
def test_a_value_in_the_place_of_the_type_is_not_repeated_either(pair: tuple[str, str]) -> None:
    kind, value = pair
    with pytest.raises(InvalidSignal) as refusal:
        parse(value, kind)
    assert value[:12].lower() not in str(refusal.value).lower()


def test_one_frame_of_a_video_is_no_signal_by_itself() -> None:
    with pytest.raises(InvalidSignal, match="list of frames"):
        parse("vpdq", with_ones(128))
