# SPDX-License-Identifier: Apache-2.0
"""Variants: which picture of a file something is of, and in which form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.match.given import GIVEN
from holdfast.match.variant import frame_of, in_frame

FORMS = ["full.as_is", "core.mirrored", GIVEN, "bytes"]


@given(st.integers(0, 10_000), st.sampled_from(FORMS))
def test_a_variant_says_which_picture_it_is_of(frame: int, form: str) -> None:
    assert frame_of(in_frame(frame, form)) == frame


@pytest.mark.parametrize("form", FORMS)
def test_the_first_picture_goes_without_saying(form: str) -> None:
    assert in_frame(0, form) == form


def test_what_screenings_have_been_journaled_with_is_read() -> None:
    assert frame_of("frame 12 full.as_is") == 12
    assert frame_of("full.as_is") == frame_of("bytes") == 0
