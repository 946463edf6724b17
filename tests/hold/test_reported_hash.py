# SPDX-License-Identifier: Apache-2.0
"""What a reported hash may be, as people type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.hold.reach import REACH, Standing
from holdfast.hold.reported_hash import bank_of_reported_hashes, signals_of
from holdfast.match.bank import Action
from holdfast.match.signal import SignalType
from tests.store.making import md5, pdq

LOOK = pdq(1).value


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        (md5(1).value, {SignalType.MD5}),
        (f"  MD5: {md5(1).value.upper()} ", {SignalType.MD5}),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80708", {SignalType.SHA1}),
        (LOOK, {SignalType.SHA256, SignalType.PDQ}),
        (f"pdq:{LOOK}", {SignalType.PDQ}),
        (f"sha256:{LOOK}", {SignalType.SHA256}),
        (f"vpdq:{LOOK}", set()),
        (f"md5:{LOOK}", set()),
        ("0" * 64, set()),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", set()),
        ("I do not know what a hash is", set()),
        ("", set()),
    ],
)
def test_what_is_typed_is_read_as_every_hash_that_it_may_be_and_as_none_if_it_is_none(
    typed: str, kinds: set[SignalType]
) -> None:
    assert {one.type for one in signals_of(typed)} == kinds


@given(st.text(max_size=80))
def test_nothing_that_is_typed_breaks_it(typed: str) -> None:
    assert len(signals_of(typed)) <= len(SignalType)


def test_their_bank_stops_no_more_than_a_word_reaches_and_leads_to_a_person() -> None:
    bank = bank_of_reported_hashes()
    assert (bank.threshold, bank.action) == (REACH[Standing.WORD].distance, Action.REVIEW)
