# SPDX-License-Identifier: Apache-2.0
"""The curve is the complaint's, and a promise that was not played is not called kept."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from holdfast.replay.figures import NOT_AS_PROMISED, NOT_PLAYED, PROMISED, Figures, Run
from holdfast.replay.story import the_story
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
    curve = the_story().curve
    assert (curve.days, curve.total) == (9.0, 167_000)
    assert all(a < b and x < y for (a, x), (b, y) in pairwise(curve.points))


def test_between_two_points_views_come_evenly_and_outside_none_come() -> None:
    curve = the_story().curve
    assert curve.views(1.5) == pytest.approx((curve.views(1) + curve.views(2)) / 2)
    assert curve.views(-1) == 0
    assert curve.views(20) == curve.total


def test_each_viewer_comes_when_as_many_have_looked() -> None:
    curve = the_story().curve
    assert curve.day_of(0) == 0
    assert all(curve.views(curve.day_of(viewer)) == pytest.approx(viewer) for viewer in (0, 1, 900, 901, 8200, 166_999))
    assert curve.day_of(curve.total) == float("inf")


def test_viewers_go_where_the_story_says_as_many_as_it_says() -> None:
    story = the_story()
    seen = Counter(story.place_of(viewer) for viewer in range(100_000))
    assert seen[0] == pytest.approx(50_000, rel=0.01)
    assert seen[1] == pytest.approx(15_000, rel=0.01)
    assert seen[2] == pytest.approx(15_000, rel=0.01)
    assert len(seen) == story.places, "every page has viewers"
    assert max(seen) == story.places - 1


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
