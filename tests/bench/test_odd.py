# SPDX-License-Identifier: Apache-2.0
"""The odd files show the pixels they claim to show, and distances to them are counted rightly."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bench.odd import OddFile, cmyk_files, palette_files
from bench.peer import PeerHash, distance
from bench.tally import Tally


@pytest.fixture(scope="module")
def odd_files() -> dict[str, OddFile]:
    coarse = np.random.default_rng(7).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)
    return {odd.form: odd for odd in [*cmyk_files(picture), *palette_files(picture)]}


@pytest.mark.parametrize(("form", "mode", "off"), [("cmyk", "CMYK", 3), ("ycck", "CMYK", 3), ("palette", "P", 0)])
def test_an_odd_file_shows_its_pixels(odd_files: dict[str, OddFile], form: str, mode: str, off: float) -> None:
    odd = odd_files[form]
    with Image.open(io.BytesIO(odd.file), formats=[odd.kind.value]) as image:
        assert image.mode == mode
        shown = np.asarray(image.convert("RGB"), dtype=np.float32)
    assert np.abs(shown - odd.pixels).mean() <= off


def test_the_adobe_marker_tells_ycck_from_cmyk(odd_files: dict[str, OddFile]) -> None:
    transforms = []
    for form in ("cmyk", "ycck"):
        with Image.open(io.BytesIO(odd_files[form].file)) as image:
            transforms.append(image.info["adobe_transform"])
    assert transforms == [0, 2]


def test_a_plain_picture_is_counted_and_not_measured() -> None:
    tally = Tally()
    tally.add("2 MP", "00" * 32, PeerHash("03" + "00" * 31, quality=50))
    tally.add("2 MP", "00" * 32, PeerHash("ff" * 32, quality=49))
    assert tally.every == [2]
    assert tally.summary() == {"2 MP": {"pictures": 1, "left_out": 1, "mean": 2.0, "p95": 2, "max": 2}}
    assert distance("00" * 32, "ff" * 32) == 256
