# SPDX-License-Identifier: Apache-2.0
"""The platform's own pictures, drawn when it starts. Holdfast is told that they are its own, and never sweeps them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

_SIDE: Final = 192
_INK, _PAPER, _WARM, _COOL = "#1d3b34", "#f4f1ea", "#d9804a", "#5f8f86"


@dataclass(frozen=True, slots=True)
class Asset:
    """One of them: its reference, its address, its bytes."""

    content: str
    path: str
    png: bytes


def _logo() -> bytes:
    """Three discs that overlap: what is held in common."""
    picture = Image.new("RGB", (_SIDE, _SIDE), _PAPER)
    for colour, x, y in ((_WARM, 30, 70), (_COOL, 78, 70), (_INK, 54, 26)):
        disc = Image.new("L", (_SIDE, _SIDE))
        ImageDraw.Draw(disc).ellipse((x, y, x + 84, y + 84), fill=210)
        picture.paste(Image.new("RGB", picture.size, colour), mask=disc)
    return _png(picture)


def _face() -> bytes:
    """A head and shoulders, of nobody."""
    picture = Image.new("RGB", (_SIDE, _SIDE), "#dfe5e1")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((62, 36, 130, 104), fill=_COOL)
    draw.ellipse((28, 118, 164, 260), fill=_COOL)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


ASSETS: Final = (
    Asset("asset-logo", "/assets/logo.png", _logo()),
    Asset("asset-avatar", "/assets/avatar.png", _face()),
)
