# SPDX-License-Identifier: Apache-2.0
"""What a picture's colours mean: as a viewer that obeys its profile shows it, and as one that does not."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from bench.profiles import ADOBE_RGB, DISPLAY_P3, SRGB, SWAPPED, Primaries, grey_profile, profile
from holdfast.demo.pictures import hills
from holdfast.match.pdq import Family, from_hex, hash_plane
from holdfast.media.colour import HARDLY, transform_for
from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.plane import Decoded, Plane
from holdfast.media.shape import Limits
from tests.pictures import Pixels, encoded, grey, natural, plane_of

pytestmark = pytest.mark.filterwarnings("ignore")

HAVE_PROFILES = [FileType.JPEG, FileType.PNG, FileType.WEBP, FileType.TIFF, FileType.AVIF, FileType.HEIC]
PRESS = ("RGB", "L", "CMYK")


def planes(file: bytes, kind: FileType) -> tuple[Plane, ...]:
    outcome = decode(file, kind, Limits(1_000_000))
    assert isinstance(outcome, Decoded), outcome
    return outcome.frames[0].planes


def off(plane: Plane, expected: Pixels) -> float:
    return float(np.abs(plane.luma.astype(int) - expected).mean())


def as_obeyed(picture: Pixels, icc: bytes) -> Pixels:
    """What a viewer that obeys the profile shows."""
    read = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    shown = ImageCms.profileToProfile(Image.fromarray(picture), read, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert shown is not None
    return np.asarray(shown.convert("L"))


@pytest.mark.parametrize("kind", HAVE_PROFILES)
def test_a_profile_that_changes_the_picture_makes_a_second_plane(kind: FileType) -> None:
    picture, icc = natural(90, 120, seed=3), profile(SWAPPED)
    plain, obeyed = planes(encoded(picture, kind, icc_profile=icc), kind)
    assert off(plain, plane_of(picture).luma) < 4
    assert off(obeyed, as_obeyed(picture, icc)) < 4
    assert off(obeyed, plane_of(picture).luma) > 10


@pytest.mark.parametrize("kind", HAVE_PROFILES)
@pytest.mark.parametrize("primaries", [SRGB, DISPLAY_P3], ids=["sRGB", "Display P3"])
def test_a_profile_that_hardly_changes_it_does_not(kind: FileType, primaries: Primaries) -> None:
    assert len(planes(encoded(natural(40, 50), kind, icc_profile=profile(primaries)), kind)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_what_the_profile_of_most_telephones_changes_costs_few_bits_of_the_hash(seed: int) -> None:
    """Why it may be left aside: 31 bits make a match."""
    stored = np.asarray(hills(seed, (800, 600)))
    values = [
        from_hex(hash_plane(plane_of(shown)).of(Family.FULL))
        for shown in (stored, as_obeyed(stored, profile(DISPLAY_P3)))
    ]
    assert np.bitwise_count(values[0] ^ values[1]).sum() <= 12


def test_adobe_rgb_changes_more_and_is_obeyed() -> None:
    assert transform_for(profile(ADOBE_RGB), "RGB")


@pytest.mark.parametrize("kind", [FileType.JPEG, FileType.PNG, FileType.TIFF])
def test_a_curve_that_makes_a_grey_picture_another_makes_a_second_plane(kind: FileType) -> None:
    picture = grey(90, 120, seed=3)
    plain, obeyed = planes(encoded(picture, kind, icc_profile=grey_profile(0.8)), kind)
    assert off(plain, picture) < 4
    assert obeyed.luma.mean() > plain.luma.mean() + HARDLY


def test_transparency_and_a_profile_make_six_planes() -> None:
    image = Image.fromarray(natural(60, 80))
    image.putalpha(Image.fromarray(grey(60, 80, seed=1)))
    found = planes(encoded(image, FileType.PNG, icc_profile=profile(SWAPPED)), FileType.PNG)
    assert len(found) == 6
    assert off(found[5], as_obeyed(natural(60, 80), profile(SWAPPED))) < 2
    assert off(found[3], found[0].luma) > 2


@given(st.binary(max_size=300))
def test_a_broken_profile_is_ignored(icc: bytes) -> None:
    assert len(planes(encoded(natural(20, 20), FileType.PNG, icc_profile=icc), FileType.PNG)) == 1


@given(st.data())
def test_a_profile_with_bytes_changed_is_used_or_ignored(data: st.DataObject) -> None:
    changed = bytearray(profile(SWAPPED))
    for at in data.draw(st.lists(st.integers(0, len(changed) - 1), min_size=1, max_size=6)):
        changed[at] = data.draw(st.integers(0, 255))
    for mode in PRESS:
        transform_for(bytes(changed), mode)
    for kind in (FileType.JPEG, FileType.PNG):
        assert 1 <= len(planes(encoded(natural(20, 20), kind, icc_profile=bytes(changed)), kind)) <= 2


@pytest.mark.parametrize(("mode", "space"), [("L", SWAPPED), ("CMYK", SWAPPED)])
def test_a_profile_of_other_colours_than_the_picture_has_is_ignored(mode: str, space: Primaries) -> None:
    assert transform_for(profile(space), mode) is None


def lab_tiff(picture: Pixels) -> bytes:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.fromarray(picture), transform)
    assert lab is not None
    return encoded(lab, FileType.TIFF)


def test_lightness_and_two_colours_are_made_plain() -> None:
    picture = natural(90, 120, seed=8)
    (plane,) = planes(lab_tiff(picture), FileType.TIFF)
    assert off(plane, plane_of(picture).luma) < 2


def as_light(grey_values: Pixels) -> Any:
    """sRGB values as light, 0 to 1."""
    share = grey_values / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)


def test_floating_point_grey_is_seen_as_it_is_and_as_light() -> None:
    picture = grey(90, 120, seed=9)
    direct, light = planes(encoded(Image.fromarray(as_light(picture)), FileType.TIFF), FileType.TIFF)
    assert off(light, picture) < 1
    assert off(direct, np.rint(255 * as_light(picture)).astype(np.uint8)) < 1


@pytest.mark.parametrize("times", [1, 256])
def test_floating_point_grey_of_whole_numbers_is_seen(times: int) -> None:
    picture = grey(90, 120, seed=9)
    (plane,) = planes(encoded(Image.fromarray(picture * np.float32(times)), FileType.TIFF), FileType.TIFF)
    assert off(plane, picture) < 1
