# SPDX-License-Identifier: Apache-2.0
"""The film of the story and its disguises: benign hills, made by code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from PIL import Image

from holdfast.demo.videos import encoded, shot

_SEED: Final = 4_801
_SECONDS: Final = 4
_SIZE: Final = (320, 240)
_SMALL: Final = (208, 156)
_CUT: Final = 0.04


def film() -> Iterator[Image.Image]:
    """Its frames."""
    return shot(_SEED, _SECONDS, _SIZE)


def _cropped(image: Image.Image) -> Image.Image:
    across, down = round(image.width * _CUT), round(image.height * _CUT)
    return image.crop((across, down, image.width - across, image.height - down)).resize(image.size)


@cache
def form(name: str) -> bytes:
    """The file of one of these; the same bytes each time."""
    return FORMS[name]()


FORMS: Final[Mapping[str, Callable[[], bytes]]] = {
    "as it was": lambda: encoded(film()),
    "encoded again": lambda: encoded(film(), "matroska", crf="34"),
    "cropped": lambda: encoded(map(_cropped, film())),
    "cropped, encoded again": lambda: encoded(map(_cropped, film()), "matroska", crf="34"),
    "smaller": lambda: encoded(shot(_SEED, _SECONDS, _SMALL), crf="28"),
    "mirrored": lambda: encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in film()),
}
"""Each is the same film."""


def other(number: int) -> bytes:
    """A film that nobody ever objected to."""
    return encoded(shot(_SEED + 1 + number, _SECONDS, _SIZE))
