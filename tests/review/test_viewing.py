# SPDX-License-Identifier: Apache-2.0
"""Tests of how much of an item somebody has seen."""

from __future__ import annotations

import itertools

from holdfast.review.viewing import Seen, Step


def test_steps_show_more_and_more() -> None:
    assert list(Step) == [Step.NOTHING, Step.BLURRED, Step.GREY, Step.CLEAR]
    for less, more in itertools.combinations(Step, 2):
        assert more.reaches(less)
        assert not less.reaches(more)


def test_a_step_reaches_itself() -> None:
    assert all(step.reaches(step) for step in Step)


def test_who_opened_nothing_has_seen_nothing() -> None:
    assert Seen() == Seen(step=Step.NOTHING, pictures=0, of=0, seconds=0.0)
