# SPDX-License-Identifier: Apache-2.0
"""The hash is PDQ: it agrees with the reference implementation, whatever the size of the picture."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pdqhash
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.pdq import MINIMUM_QUALITY, NEAREST_SIDE, Family, Form, from_hex, hash_plane, to_hex
from holdfast.media.plane import LEAST_SIDE, Plane
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.shape import Limits
from tests.pictures import Pixels, grey, losslessly, natural, photograph, plane_of

SMALLEST_HASHED = 5
"""The reference refuses to hash a picture with a shorter side: it gives quality 0."""

# The reference's order of its eight forms, in our words. Its "flip X" is upside down.
DIHEDRAL = (
    Form.AS_IS,
    Form.TURNED_90,
    Form.TURNED_180,
    Form.TURNED_270,
    Form.FLIPPED,
    Form.MIRRORED,
    Form.TRANSPOSED,
    Form.ANTITRANSPOSED,
)
TURNS: dict[Form, Callable[[Pixels], Pixels]] = {
    Form.AS_IS: lambda picture: picture,
    Form.TURNED_90: np.rot90,
    Form.TURNED_180: lambda picture: np.rot90(picture, 2),
    Form.TURNED_270: lambda picture: np.rot90(picture, 3),
    Form.MIRRORED: lambda picture: picture[:, ::-1],
    Form.FLIPPED: lambda picture: picture[::-1],
    Form.TRANSPOSED: lambda picture: picture.swapaxes(0, 1),
    Form.ANTITRANSPOSED: lambda picture: np.rot90(picture, 2).swapaxes(0, 1),
}
SIZES = [
    (512, 512),
    (511, 513),
    (64, 64),
    (63, 65),
    (127, 129),
    (33, 1000),
    (1000, 33),
    (300, 401),
    (768, 1024),
    (1025, 999),
    (1999, 3001),
    (40, 5000),
    (5000, 40),
]
side = st.integers(32, 700)
seeds = st.integers(0, 2**32 - 1)


def apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def in_hex(bits: Any) -> str:
    return f"{int(''.join(map(str, bits)), 2):064x}"


def reference(picture: Pixels) -> tuple[str, int]:
    bits, quality = pdqhash.compute(np.ascontiguousarray(picture))
    return in_hex(bits), quality


def nearest512(picture: Pixels) -> Pixels:
    """What the C++ reference hashes: 512 x 512, each pixel taken from floor(i * N / 512)."""
    height, width = picture.shape[:2]
    if max(height, width) <= NEAREST_SIDE:
        return picture
    steps = np.arange(NEAREST_SIDE)
    return np.asarray(picture[steps * height // NEAREST_SIDE][:, steps * width // NEAREST_SIDE], np.uint8)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_full_family_agrees_with_the_reference_at_every_size(height: int, width: int) -> None:
    picture = natural(height, width, seed=height)
    ours, (theirs, quality) = hash_plane(plane_of(picture)), reference(picture)
    assert apart(ours.of(Family.FULL), theirs) <= 6
    assert abs(ours.quality[Family.FULL] - quality) <= 4


@given(side, side, seeds)
def test_the_full_family_agrees_with_the_reference_on_any_picture(height: int, width: int, seed: int) -> None:
    picture = natural(height, width, seed)
    ours, (theirs, quality) = hash_plane(plane_of(picture)), reference(picture)
    assert apart(ours.of(Family.FULL), theirs) <= 10
    assert abs(ours.quality[Family.FULL] - quality) <= 4


def test_the_nearest512_family_agrees_with_the_reference_on_its_own_resizing() -> None:
    distances = []
    for height, width in SIZES:
        for seed in range(3):
            picture = natural(height, width, seed)
            ours, (theirs, quality) = hash_plane(plane_of(picture)), reference(nearest512(picture))
            distances.append(apart(ours.of(Family.NEAREST_512), theirs))
            assert abs(ours.quality[Family.NEAREST_512] - quality) <= 4
    assert max(distances) <= 12
    assert sum(distances) / len(distances) <= 2


@given(st.integers(32, NEAREST_SIDE), st.integers(32, NEAREST_SIDE), seeds)
def test_up_to_512_pixels_both_families_are_one(height: int, width: int, seed: int) -> None:
    ours = hash_plane(Plane(grey(height, width, seed), height, width))
    for form in Form:
        assert ours.of(Family.FULL, form) == ours.of(Family.NEAREST_512, form)
    assert ours.quality[Family.FULL] == ours.quality[Family.NEAREST_512]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_eight_forms_are_the_references(height: int, width: int) -> None:
    picture = natural(height, width, seed=width)
    ours = hash_plane(plane_of(picture))
    theirs, _ = pdqhash.compute_dihedral(picture)
    for form, bits in zip(DIHEDRAL, theirs, strict=True):
        assert apart(ours.of(Family.FULL, form), in_hex(bits)) <= 4, form


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize(("height", "width"), [(64, 90), (700, 1003), (1500, 999)])
def test_a_turned_or_mirrored_picture_is_found_by_the_form_of_that_name(
    family: Family, form: Form, height: int, width: int
) -> None:
    for seed in range(4):
        picture = natural(height, width, seed)
        original, turned = hash_plane(plane_of(picture)), hash_plane(plane_of(TURNS[form](picture)))
        distances = {name: apart(turned.of(family), original.of(family, name)) for name in Form}
        nearest, *others = sorted(distances, key=distances.__getitem__)
        assert nearest is form
        assert distances[form] <= 16
        assert min(distances[name] for name in others) >= 64


@pytest.mark.parametrize("form", Form)
def test_turning_back_leads_to_the_hash_of_the_original(form: Form) -> None:
    """Every form has a form that undoes it: a bank may hold either and the other is found."""
    back = {Form.TURNED_90: Form.TURNED_270, Form.TURNED_270: Form.TURNED_90}.get(form, form)
    picture = natural(701, 1003, seed=5)
    turned = hash_plane(plane_of(TURNS[form](picture)))
    assert apart(turned.of(Family.FULL, back), hash_plane(plane_of(picture)).of(Family.FULL)) <= 16


@pytest.mark.parametrize(
    ("height", "width"), [(1024, 1024), (2048, 1536), (1500, 3000), (3001, 1999), (600, 4000), (4000, 5000)]
)
def test_a_jpeg_decoded_at_a_fraction_keeps_its_hash(height: int, width: int) -> None:
    jpeg = photograph(height, width, seed=height)
    whole = simplejpeg.decode_jpeg(jpeg, "GRAY")[:, :, 0]
    part = simplejpeg.decode_jpeg(jpeg, "GRAY", min_height=LEAST_SIDE, min_width=LEAST_SIDE)[:, :, 0]
    assert part.size < whole.size
    from_whole, from_part = hash_plane(Plane(whole, height, width)), hash_plane(Plane(part, height, width))
    for family in Family:
        assert apart(from_whole.of(family), from_part.of(family)) <= 6
        assert abs(from_whole.quality[family] - from_part.quality[family]) <= 2


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 255))
def test_a_flat_picture_has_quality_0(height: int, width: int, brightness: int) -> None:
    flat = np.full((height, width), brightness, np.uint8)
    assert set(hash_plane(Plane(flat, height, width)).quality.values()) == {0}


@given(st.integers(1, 3000), st.integers(1, 40), st.booleans(), seeds)
def test_any_shape_has_sixteen_hashes_of_256_bits_and_a_quality_from_0_to_100(
    long: int, short: int, lying: bool, seed: int
) -> None:
    height, width = (short, long) if lying else (long, short)
    luma = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    ours = hash_plane(Plane(luma, height, width))
    assert ours.hashes.shape == (16, 4)
    assert set(ours.variants) == {(family, form) for family in Family for form in Form}
    assert all(0 <= quality <= 100 for quality in ours.quality.values())


@given(st.integers(1, SMALLEST_HASHED - 1), st.integers(1, 1000), st.booleans(), seeds)
def test_a_picture_thinner_than_the_reference_hashes_has_no_quality(
    short: int, long: int, lying: bool, seed: int
) -> None:
    height, width = (short, long) if lying else (long, short)
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert reference(picture)[1] == 0
    assert hash_plane(plane_of(picture)).quality[Family.FULL] == 0


@given(seeds, st.integers(200, 600), st.integers(200, 600))
def test_half_the_bits_are_set(seed: int, height: int, width: int) -> None:
    ours = hash_plane(Plane(grey(height, width, seed), height, width))
    assert {int(to_hex(row), 16).bit_count() for row in ours.hashes} <= {127, 128}


@pytest.mark.parametrize("seed", range(8))
def test_the_pictures_of_these_tests_are_good_enough_to_be_matched(seed: int) -> None:
    for height, width in [(64, 64), (300, 400), (700, 900)]:
        assert min(hash_plane(plane_of(natural(height, width, seed))).quality.values()) >= MINIMUM_QUALITY


def test_different_pictures_are_far_apart() -> None:
    values = [hash_plane(plane_of(natural(400, 400, seed))).of(Family.FULL) for seed in range(12)]
    assert min(apart(one, other) for at, one in enumerate(values) for other in values[:at]) > 64


@given(st.binary(min_size=32, max_size=32))
def test_a_hash_written_in_hexadecimal_and_read_again_is_the_same(raw: bytes) -> None:
    assert to_hex(from_hex(raw.hex())) == raw.hex()
    assert from_hex(raw.hex()).shape == (4,)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_the_distance_of_words_is_the_distance_of_their_hexadecimal(one: bytes, other: bytes) -> None:
    counted = int(np.bitwise_count(from_hex(one.hex()) ^ from_hex(other.hex())).sum())
    assert counted == apart(one.hex(), other.hex())


def test_a_plane_with_a_very_long_side_is_hashed_like_the_reference_hashes_it() -> None:
    """A side longer than the matrices that are kept."""
    picture = natural(5003, 61, seed=1)
    assert apart(hash_plane(plane_of(picture)).of(Family.FULL), reference(picture)[0]) <= 6


@pytest.mark.parametrize(("height", "width"), [(5, 1_000_000), (1_000_000, 5), (60, 1_000_000)])
def test_a_very_long_and_thin_picture_costs_the_trusted_side_no_more_than_a_large_one(height: int, width: int) -> None:
    """A file of a few kilobytes must not take a gigabyte of the process that answers everyone."""
    file = losslessly(Image.new("L", (width, height)))
    outcome = decode(file, FileType.PNG, Limits(64_000_000))
    if isinstance(outcome, NotDecoded):
        assert outcome.reason is Reason.TOO_LARGE
        return
    tracemalloc.start()
    try:
        hash_plane(outcome.frames[0].planes[0])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 256 * 1024 * 1024


def test_hashing_the_same_plane_again_gives_the_same() -> None:
    plane = plane_of(natural(321, 654, seed=2))
    first = hash_plane(plane)
    for seed in range(5):
        hash_plane(plane_of(natural(40 + seed, 50, seed)))
    again = hash_plane(plane)
    assert (again.hashes == first.hashes).all()
    assert again.quality == first.quality
