# SPDX-License-Identifier: Apache-2.0
"""The same picture as `holdfast.replay.picture`, in pixels, for places that show no SVG."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw, ImageFont

from holdfast.replay.figures import Figures, Run
from holdfast.replay.picture import BOTTOM, HEIGHT, LEFT, RIGHT, TITLE, WIDTH, across, decades, down, said

_SCALE: Final = 2
_INK, _GRID, _COLOURS = "#1c1b1f", "#c4c4c9", ("#b3261e", "#0b57d0")
_THICK: Final = (7, 3)
"""Told apart without colours too."""


def raster(figures: Figures, days: float) -> Image.Image:
    """The picture, dark on light."""
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14 * _SCALE)
    draw.text(_at(LEFT, 10), TITLE, _INK, font)
    for views in decades():
        draw.line([_at(LEFT, down(views)), _at(RIGHT, down(views))], _GRID, _SCALE)
        draw.text(_at(LEFT - 8, down(views)), f"{views:,}", _INK, font, anchor="rm")
    for day in range(int(days) + 1):
        draw.text(_at(across(day, days), BOTTOM + 14), f"day {day}", _INK, font, anchor="mm")
    for number, run in enumerate((figures.as_it_happened, figures.with_holdfast)):
        _curve(draw, run, days, number)
        y = BOTTOM + 45 + 22 * number
        draw.line([_at(LEFT, y - 5), _at(LEFT + 40, y - 5)], _COLOURS[number], _THICK[number])
        draw.text(_at(LEFT + 50, y - 5), said(run), _INK, font, anchor="lm")
    return image


def _curve(draw: ImageDraw.ImageDraw, run: Run, days: float, number: int) -> None:
    points = [_at(across(day, days), down(views)) for day, views in run.seen]
    if len(points) > 1:
        draw.line(points, _COLOURS[number], _THICK[number], joint="curve")


def _at(x: float, y: float) -> tuple[float, float]:
    return x * _SCALE, y * _SCALE
