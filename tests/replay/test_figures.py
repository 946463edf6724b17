# SPDX-License-Identifier: Apache-2.0
"""The curve is the complaint's, and a promise that was not played is not called kept."""

from __future__ import annotations

from itertools import pairwise

import pytest

from holdfast.replay.curve import DAY, the_curve
from holdfast.replay.figures import NOT_AS_PROMISED, NOT_PLAYED, PROMISED, Figures, Run
from holdfast.replay.table import table

HAPPENED = Run(name="as it happened", views_after_notice=167_000)
KEPT = Run(
    name="with Holdfast",
    views_after_notice=16,
    places_held=2_226,
    places=2_226,
    reuploads_stopped=5,
    reuploads=5,
)


def test_the_curve_rises_to_the_views_of_the_complaint_in_nine_days() -> None:
    curve = the_curve()
    assert (curve.days, curve.total) == (9.0, 167_000)
    assert all(a < b and x < y for (a, x), (b, y) in pairwise(curve.points))


def test_between_two_points_views_come_evenly_and_outside_none_come() -> None:
    curve = the_curve()
    assert curve.views(1.5) == pytest.approx((curve.views(1) + curve.views(2)) / 2)
    assert curve.between(-1, 0) == curve.between(9, 20) == 0
    assert curve.per_second(1) * DAY == pytest.approx(curve.between(1, 2))


def test_a_run_that_kept_every_promise_says_so() -> None:
    figures = Figures(as_it_happened=HAPPENED, with_holdfast=KEPT)
    assert figures.as_promised
    assert set(figures.judged.values()) == {PROMISED}


def test_one_view_too_many_is_not_as_promised() -> None:
    over = Run(name="with Holdfast", views_after_notice=17, places_held=1, places=1, reuploads_stopped=1, reuploads=1)
    figures = Figures(as_it_happened=HAPPENED, with_holdfast=over)
    assert figures.judged["views after notice"] == NOT_AS_PROMISED
    assert not figures.as_promised


def test_what_was_not_played_is_said_to_be_so_and_is_not_promised() -> None:
    figures = Figures(as_it_happened=HAPPENED, with_holdfast=Run(name="with Holdfast"))
    assert set(figures.judged.values()) == {NOT_PLAYED}
    assert not figures.as_promised
    assert "seconds to hold               not played" in table(figures)
    assert "PROMISED" not in table(figures)
