# SPDX-License-Identifier: Apache-2.0
"""What a picture's colours mean: as a viewer that obeys its profile shows it, and as one that does not."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from bench.profiles import ADOBE_RGB, DISPLAY_P3, SRGB, SWAPPED, Primaries, grey_profile, profile
from holdfast.demo.pictures import hills
from holdfast.media.colour import HARDLY, MOST_PROFILE_BYTES, managed_by
from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.pdq import Family, from_hex, hash_plane
from holdfast.media.plane import Decoded, Plane
from holdfast.media.reason import Reason
from holdfast.media.shape import Limits
from tests.pictures import Pixels, encoded, grey, natural, plane_of

pytestmark = pytest.mark.filterwarnings("ignore")

HAVE_PROFILES = [FileType.JPEG, FileType.PNG, FileType.WEBP, FileType.TIFF, FileType.AVIF, FileType.HEIC]
PRESS = ("RGB", "L", "CMYK")


def decoded(file: bytes, kind: FileType) -> Decoded:
    outcome = decode(file, kind, Limits(4_000_000))
    assert isinstance(outcome, Decoded), outcome
    return outcome


def planes(file: bytes, kind: FileType) -> tuple[Plane, ...]:
    return decoded(file, kind).frames[0].planes


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
    found = managed_by(profile(ADOBE_RGB), "RGB")
    assert found.transform
    assert not found.missed


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


@given(st.binary(min_size=1, max_size=300))
def test_a_picture_with_a_broken_profile_is_seen_and_said_not_to_be_wholly(icc: bytes) -> None:
    """Viewers ignore it, or do not: a match counts, and none means nothing."""
    outcome = decoded(encoded(natural(20, 20), FileType.PNG, icc_profile=icc), FileType.PNG)
    assert len(outcome.frames[0].planes) == 1
    assert outcome.missed is Reason.UNSUPPORTED


def test_a_profile_larger_than_any_is_not_taken_for_none() -> None:
    icc = profile(SRGB).ljust(MOST_PROFILE_BYTES + 1, b"\0")
    assert managed_by(icc, "RGB").missed


@given(st.data())
def test_a_profile_with_bytes_changed_is_used_or_ignored(data: st.DataObject) -> None:
    changed = bytearray(profile(SWAPPED))
    for at in data.draw(st.lists(st.integers(0, len(changed) - 1), min_size=1, max_size=6)):
        changed[at] = data.draw(st.integers(0, 255))
    for mode in PRESS:
        managed_by(bytes(changed), mode)
    for kind in (FileType.JPEG, FileType.PNG):
        assert 1 <= len(planes(encoded(natural(20, 20), kind, icc_profile=bytes(changed)), kind)) <= 2


@pytest.mark.parametrize(("mode", "icc"), [("CMYK", profile(SWAPPED)), ("RGB", grey_profile(2.2))])
def test_a_profile_of_other_colours_than_the_picture_has_leaves_it_open_what_it_shows(mode: str, icc: bytes) -> None:
    found = managed_by(icc, mode)
    assert found.transform is None
    assert found.missed


def test_a_grey_picture_with_the_profile_of_a_colour_picture_is_seen_as_grey_colours() -> None:
    """Many tools leave it there when they take the colours away."""
    assert managed_by(profile(SRGB), "L").missed is None
    plain, obeyed = planes(encoded(grey(90, 120), FileType.PNG, icc_profile=profile(SRGB, 1.8)), FileType.PNG)
    assert obeyed.luma.mean() > plain.luma.mean() + HARDLY


SECRETIVE = (0, 64, 128, 192, 255)
"""The levels at which a profile was once judged."""


def hiding_profile() -> bytes:
    """sRGB near those levels, and black or white by turns between."""
    shown = [
        level if min(abs(level - judged) for judged in SECRETIVE) <= 2 else 255 * (level // 2 % 2)
        for level in range(256)
    ]
    return with_curve(as_light(np.array(shown, np.uint8)))


def with_curve(light: Any) -> bytes:
    """sRGB's primaries, and a curve given by its 256 points."""
    points = struct.pack(f">{len(light)}H", *(round(float(point) * 65535) for point in light))
    return profile(SRGB, curve=b"curv\0\0\0\0" + struct.pack(">I", len(light)) + points)


def hidden_in(shown: Pixels, hidden: Pixels) -> Pixels:
    """Shows the one to whoever ignores `hiding_profile`, and the other, in grains, to whoever obeys it."""
    levels = np.array([level for level in range(256) if min(abs(level - judged) for judged in SECRETIVE) > 2])
    white = np.random.default_rng(0).random(hidden.shape) * 255 < hidden
    of_ground = [levels[levels // 2 % 2 == ground] for ground in (0, 1)]
    near = [some[np.abs(some[None, :] - np.arange(256)[:, None]).argmin(1)][shown] for some in of_ground]
    return np.asarray(np.where(white, near[1], near[0]), np.uint8)


def apart(plane: Plane, picture: Pixels) -> int:
    values = [from_hex(hash_plane(one).of(Family.FULL)) for one in (plane, plane_of(picture))]
    return int(np.bitwise_count(values[0] ^ values[1]).sum())


def test_a_picture_hidden_in_a_curve_between_the_levels_once_judged_is_found() -> None:
    ignored, hidden = grey(1200, 1600, seed=1), grey(1200, 1600, seed=2)
    grains = np.repeat(hidden_in(ignored, hidden)[:, :, None], 3, axis=2)
    outcome = decoded(encoded(grains, FileType.PNG, icc_profile=hiding_profile()), FileType.PNG)
    plain, obeyed = outcome.frames[0].planes
    assert apart(plain, ignored) <= 31
    assert apart(obeyed, hidden) <= 31
    assert outcome.missed is Reason.UNSUPPORTED  # no sender of good faith has such a profile


def test_colours_are_managed_before_they_are_averaged() -> None:
    """Grain of one mean and of two strengths: a steep curve makes of it two brightnesses."""
    hidden = grey(1100, 1400, seed=5)
    grain = np.where(np.indices(hidden.shape).sum(0) % 2, 1, -1) * (hidden / 255) * 110
    stored = np.asarray(np.rint(128 + grain), np.uint8)
    colours = np.repeat(stored[:, :, None], 3, axis=2)
    plain, obeyed = planes(encoded(colours, FileType.PNG, icc_profile=profile(SRGB, 1.2)), FileType.PNG)
    assert plain.luma.std() < 2
    assert np.corrcoef(obeyed.luma.ravel(), plane_at(hidden, obeyed).ravel())[0, 1] ** 2 > 0.9


def plane_at(picture: Pixels, plane: Plane) -> Pixels:
    return np.asarray(Image.fromarray(picture).resize(plane.luma.shape[::-1], Image.Resampling.BOX))


@pytest.mark.parametrize("gamma", [1.8, 2.0, 2.2, 2.4, 2.6])
@pytest.mark.parametrize("space", [SRGB, DISPLAY_P3, ADOBE_RGB, SWAPPED])
def test_the_curves_of_screens_are_obeyed_without_doubt(gamma: float, space: Primaries) -> None:
    assert managed_by(profile(space, gamma), "RGB").missed is None
    assert managed_by(grey_profile(gamma), "L").missed is None


@pytest.mark.parametrize("space", [SRGB, DISPLAY_P3])
def test_the_curve_of_srgb_itself_is_as_usual_as_the_plain_one(space: Primaries) -> None:
    light = struct.pack(">256H", *(round(float(point) * 65535) for point in as_light(np.arange(256, dtype=np.uint8))))
    icc = profile(space, curve=b"curv\0\0\0\0" + struct.pack(">I", 256) + light)
    assert managed_by(icc, "RGB").transform is None
    assert managed_by(icc, "RGB").missed is None


def test_a_fine_grey_picture_with_a_profile_is_not_wholly_seen() -> None:
    wide = Image.fromarray(grey(60, 80).astype(np.uint16) * 257)
    assert decoded(encoded(wide, FileType.PNG), FileType.PNG).missed is None
    file = encoded(wide, FileType.PNG, icc_profile=grey_profile(1.2))
    assert decoded(file, FileType.PNG).missed is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    ("gamma", "missed"), [(45455, None), (2000, Reason.UNSUPPORTED), (100_000, Reason.UNSUPPORTED)]
)
def test_a_png_with_an_unusual_brightness_is_not_wholly_seen(gamma: int, missed: Reason | None) -> None:
    """Viewers that obey it show something else, without any profile."""
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", struct.pack(">I", gamma))
    assert decoded(encoded(natural(20, 20), FileType.PNG, pnginfo=info), FileType.PNG).missed is missed


def lab_tiff(picture: Pixels) -> bytes:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.fromarray(picture), transform)
    assert lab is not None
    return encoded(lab, FileType.TIFF)


def test_lightness_and_two_colours_are_made_plain() -> None:
    picture = natural(90, 120, seed=8)
    outcome = decoded(lab_tiff(picture), FileType.TIFF)
    (plane,) = outcome.frames[0].planes
    assert off(plane, plane_of(picture).luma) < 2
    assert outcome.missed is None


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
