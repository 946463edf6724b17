# SPDX-License-Identifier: Apache-2.0
"""Hashes that a platform sends: what it did not tell is not taken for granted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.match.given import GIVEN, Given, as_seen, seen_by_platform
from holdfast.match.signal import Signal
from holdfast.match.variant import frame_of
from holdfast.media import pdq as pdqs
from holdfast.media.reason import NotDecoded, Reason
from tests.store.making import md5, pdq

SIGNALS = st.builds(lambda seed, exact: md5(seed) if exact else pdq(seed), st.integers(0, 9), st.booleans())


def obstacle(*given: Given) -> Reason | None:
    found = seen_by_platform(given).obstacle
    return found.reason if isinstance(found, NotDecoded) else found


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((Given(pdq(1), 50),), None),
        ((Given(pdq(1), 100), Given(md5(1))), None),
        ((Given(pdq(1), 49),), Reason.LOW_QUALITY),
        ((Given(pdq(1), 0), Given(md5(1))), Reason.LOW_QUALITY),
        ((Given(pdq(1), 49), Given(pdq(2), 50)), Reason.LOW_QUALITY),
        ((Given(pdq(1), 100), Given(md5(1)), Given(pdq(2), 0)), Reason.LOW_QUALITY),
        ((Given(pdq(1), 50), Given(pdq(2), 100)), None),
        ((Given(md5(1)),), Reason.ONLY_DIGESTS),
        ((Given(md5(1), 100),), Reason.ONLY_DIGESTS),
    ],
)
def test_only_a_look_of_enough_quality_can_lead_to_publish(given: tuple[Given, ...], reason: Reason | None) -> None:
    assert obstacle(*given) == reason


def test_a_look_without_its_quality_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="quality"):
        seen_by_platform([Given(pdq(1), 80), Given(pdq(2))])


def test_what_has_too_little_detail_is_not_compared() -> None:
    assert len(seen_by_platform([Given(pdq(1), 49), Given(pdq(2), 50)]).hashes) == 1
    assert len(seen_by_platform([Given(pdq(1), 49)]).hashes) == 0


@given(st.lists(SIGNALS, max_size=12))
def test_every_signal_is_looked_up_once(signals: list[Signal]) -> None:
    seen = as_seen(signals)
    assert seen.hashes.dtype == np.uint64
    assert seen.hashes.shape == (len(seen.variants), 4)
    assert all(variant.endswith(GIVEN) for variant in seen.variants)
    assert [frame_of(variant) for variant in seen.variants] == [*range(len(seen.hashes))], "each a picture of its own"
    values = [pdqs.to_hex(words) for words in seen.hashes]
    assert sorted(values) == sorted({signal.value for signal in signals if not signal.type.is_exact})
    assert sorted(seen.exact) == sorted({signal for signal in signals if signal.type.is_exact})
    assert seen.obstacle is None
