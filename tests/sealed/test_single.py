# SPDX-License-Identifier: Apache-2.0
"""What one token opens, nothing else does: neither another token nor all that is kept of it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import SealedDamaged
from holdfast.sealed.single import LONGEST_TOKEN, digest_of, lock, unlock


@given(st.binary(max_size=2000))
def test_what_was_locked_opens_with_its_token_and_is_found_by_it(content: bytes) -> None:
    token, locked = lock(content)
    assert unlock(locked, token) == content
    assert digest_of(token) == locked.digest
    assert len(token) <= LONGEST_TOKEN


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_other_token_opens_it(content: bytes, other: str) -> None:
    _, locked = lock(content)
    with pytest.raises(SealedDamaged):
        unlock(locked, other)


def test_what_is_kept_says_nothing_of_the_content_nor_of_the_token() -> None:
    content = b"twenty-four plain bytes."
    token, locked = lock(content)
    kept = locked.digest + locked.sealed
    assert content not in kept
    assert token.encode() not in kept
    with pytest.raises(SealedDamaged):
        unlock(locked, locked.digest.hex())


def test_the_same_content_is_locked_differently_each_time() -> None:
    assert lock(b"x")[1] != lock(b"x")[1]


def test_what_was_altered_does_not_open() -> None:
    token, locked = lock(b"some content")
    for at in range(len(locked.sealed)):
        other = bytearray(locked.sealed)
        other[at] ^= 1
        with pytest.raises(SealedDamaged):
            unlock(dataclasses.replace(locked, sealed=bytes(other)), token)
