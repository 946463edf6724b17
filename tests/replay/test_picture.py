# SPDX-License-Identifier: Apache-2.0
"""The picture is well-formed, says its numbers in words, and leaves nobody's curve out."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from xml.etree import ElementTree as ET

from holdfast.replay.figures import Figures, Run
from holdfast.replay.picture import picture

FIGURES = Figures(
    as_it_happened=Run(name="as it <happened>", views_after_notice=167_000, seen=((0, 0), (9, 167_000))),
    with_holdfast=Run(name="with Holdfast", views_after_notice=3, seen=((0, 0), (0.1, 3), (9, 3))),
)
_IN = "{http://www.w3.org/2000/svg}"


def test_a_reader_who_sees_no_picture_is_told_both_numbers() -> None:
    drawn = ET.fromstring(picture(FIGURES, 9))  # noqa: S314  # drawn here
    assert drawn.get("role") == "img"
    assert (
        drawn.findtext(f"{_IN}desc")
        == "as it <happened>: 167,000 views after notice; with Holdfast: 3 views after notice."
    )


def test_both_curves_lie_inside_the_picture_and_the_larger_one_ends_higher() -> None:
    drawn = ET.fromstring(picture(FIGURES, 9))  # noqa: S314  # drawn here
    lines = islice(drawn.iter(f"{_IN}polyline"), 2)
    happened, ours = ([tuple(map(float, p.split(","))) for p in line.get("points", "").split()] for line in lines)
    assert all(0 <= x <= 800 and 0 <= y <= 420 for x, y in [*happened, *ours])
    assert happened[-1][0] == ours[-1][0]
    assert happened[-1][1] < ours[-1][1]


def test_it_is_drawn_for_light_and_for_dark_ground() -> None:
    assert "prefers-color-scheme:dark" in picture(FIGURES, 9)


def test_one_view_is_a_view() -> None:
    one = replace(FIGURES, with_holdfast=replace(FIGURES.with_holdfast, views_after_notice=1))
    assert "with Holdfast: 1 view after notice" in picture(one, 9)
