# SPDX-License-Identifier: Apache-2.0
"""A preview shows no more than its form allows: few pixels, no colour, nothing written beside them."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from holdfast.media.plane import Decoded, Frame, Plane
from holdfast.media.preview import BLURRED, GREY, Form, Previews, pictures_of, render, shrunk
from holdfast.media.reason import Reason
from tests.pictures import Pixels, grey, plane_of

FORMS = {"blurred": BLURRED, "grey": GREY}
EVERYTHING = range(1000)


def chart() -> Pixels:
    """A test chart: lines of text and stripes, as fine as a picture of its size can carry."""
    image = Image.new("L", (512, 512), 255)
    draw = ImageDraw.Draw(image)
    for line in range(32):
        draw.text((4, line * 16), f"line {line}: what is written here must not be read", fill=0)
    pixels = np.array(image)
    pixels[:, 400:] = np.where(np.arange(112) // 2 % 2, 255, 0)
    return pixels


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def chunks_of(png: bytes) -> list[bytes]:
    """The names of the chunks of a PNG."""
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append(png[at + 4 : at + 8])
        at += 12 + length
    return found


def restlessness(pixels: Pixels) -> float:
    """How much neighbours differ, in grey levels: what is written lives of it."""
    return float(np.abs(np.diff(pixels.astype(float), axis=1)).mean())


def planes(*pictures: Pixels, missed: Reason | None = None) -> Decoded:
    return Decoded(tuple(Frame(at, (plane_of(picture),)) for at, picture in enumerate(pictures)), missed)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@given(height=st.integers(1, 1023), width=st.integers(1, 1023), taller=st.integers(1, 2000), wider=st.integers(1, 2000))
def test_a_preview_has_at_most_its_pixels_whatever_a_decoder_says(
    form: Form, height: int, width: int, taller: int, wider: int
) -> None:
    plane = Plane(np.full((height, width), 77, np.uint8), height * taller, width * wider)
    with opened(render(plane, form)) as image:
        assert image.mode == "L"
        assert max(image.size) <= form.side
        assert min(image.size) >= 1


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_preview_holds_pixels_and_nothing_else(form: Form) -> None:
    assert set(chunks_of(render(plane_of(grey(300, 500)), form))) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_small_picture_is_not_enlarged(form: Form) -> None:
    with opened(render(plane_of(grey(20, 30)), form)) as image:
        assert image.size == (30, 20)


def test_a_preview_has_the_proportions_of_the_picture_and_not_of_its_plane() -> None:
    long = Plane(np.full((512, 1000), 77, np.uint8), 1000, 8000)
    with opened(render(long, GREY)) as image:
        assert image.size == (256, 32)


def test_what_is_written_can_be_read_in_grey_and_not_blurred() -> None:
    pixels = chart()
    assert restlessness(shrunk(plane_of(pixels), GREY)) > 30
    assert restlessness(shrunk(plane_of(pixels), BLURRED)) < 3


@given(st.integers(0, 2**32 - 1))
def test_blurred_all_that_is_left_is_how_bright_each_cell_is(seed: int) -> None:
    # Two pictures with the same few cells, one of which has all detail and the other none, look the same.
    cells = np.random.default_rng(seed).integers(32, 224, (16, 16))
    plain = np.kron(cells, np.ones((32, 32), int))
    stripes = np.where(np.arange(512) % 2, 31, -31)
    detailed = plain + stripes
    one, other = (render(plane_of(pixels.astype(np.uint8)), BLURRED) for pixels in (plain, detailed))
    assert one == other
    assert render(plane_of(plain.astype(np.uint8)), GREY) != b""


def test_only_the_pictures_asked_for_are_made() -> None:
    found = pictures_of(planes(*(grey(64, 64, seed) for seed in range(5))), GREY, {1, 3, 9})
    assert [one.number for one in found.pictures] == [1, 3]
    assert found.of == found.counted == 5


def test_how_many_there_are_nobody_knows_where_something_was_not_read() -> None:
    found = pictures_of(planes(grey(64, 64), missed=Reason.SEVERAL_PICTURES), GREY, EVERYTHING)
    assert (found.counted, found.of, len(found.pictures)) == (1, 0, 1)


def test_a_picture_that_shows_in_two_ways_is_two_pictures() -> None:
    over_white, over_black = np.full((64, 64), 255, np.uint8), grey(64, 64)
    frame = Frame(0, (plane_of(over_white), plane_of(over_black), plane_of(over_white)))
    found: Previews = pictures_of(Decoded((frame,)), GREY, EVERYTHING)
    assert [one.content for one in found.pictures] == [
        render(plane_of(over_white), GREY),
        render(plane_of(over_black), GREY),
    ]


@pytest.mark.parametrize(("apart", "pictures"), [(12, 1), (40, 2)])
def test_ways_of_showing_that_hardly_differ_are_one_picture_and_what_shows_in_a_corner_is_another(
    apart: int, pictures: int
) -> None:
    plain = np.full((200, 200), 100, np.uint8)
    other = plain.copy()
    other[:20, :20] += np.uint8(apart)
    assert pictures_of(Decoded((Frame(0, (plane_of(plain), plane_of(other))),)), GREY, EVERYTHING).of == pictures
