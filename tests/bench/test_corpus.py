# SPDX-License-Identifier: Apache-2.0
"""The corpus derives the same bytes every time, and chooses by its rule."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import corpus
from bench.derive import SIZES, Size, derive

SMALL = SIZES[2]


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    coarse = np.random.default_rng(7).integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((1600, 900), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_a_derived_picture_has_its_size_its_proportions_and_no_metadata(picture: Image.Image, size: Size) -> None:
    with Image.open(io.BytesIO(derive(picture, "one", size))) as derived:
        assert derived.format == "JPEG"
        assert derived.width * derived.height == pytest.approx(size.pixels, rel=0.01)
        assert derived.width / derived.height == pytest.approx(16 / 9, rel=0.01)
        assert not derived.getexif()


def test_the_same_picture_is_derived_to_the_same_bytes(picture: Image.Image) -> None:
    largest = SIZES[0]
    once = derive(picture, "one", largest)
    assert derive(picture.copy(), "one", largest) == once
    assert derive(picture, "another", largest) != once  # its noise comes from its name


def test_pictures_are_derived_once_and_then_read(
    picture: Image.Image, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unpacked = tmp_path / "packages" / "some-backgrounds_1.0" / "usr" / "share" / "backgrounds"
    unpacked.mkdir(parents=True)
    picture.resize((2500, 1600)).save(unpacked / "dune.png")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(corpus, "PACKAGES", (corpus.Package("some-backgrounds", "1.0"),))
    first = corpus.pictures(SMALL)
    (unpacked / "dune.png").unlink()
    assert corpus.pictures(SMALL) == first
    assert [found.name for found in first] == ["dune"]
    assert corpus.measures(first)["mean_bytes"] == len(first[0].jpeg)


def test_the_choice_is_large_opaque_files_each_artwork_once(picture: Image.Image, tmp_path: Path) -> None:
    folder = tmp_path / "usr" / "share" / "wallpapers" / "Dune" / "contents" / "images"
    folder.mkdir(parents=True)
    large = picture.resize((2560, 1600))
    large.save(folder / "2560x1600.png", compress_level=1)
    picture.resize((3200, 2000)).save(folder / "3200x2000.jpg")
    picture.save(folder / "1600x900.jpg")
    large.convert("RGBA").save(folder / "glass.png", compress_level=1)
    (folder / "linked.png").symlink_to(folder / "2560x1600.png")
    (folder / "readme.txt").write_text("no picture")
    assert corpus.chosen_from(tmp_path) == {"Dune": folder / "3200x2000.jpg"}
