# SPDX-License-Identifier: Apache-2.0
"""HEIC is decoded in one thread, upright by its own means, and nothing that cannot be opened goes unsaid."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import _pi_heif
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from holdfast.media import heif
from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.plane import Decoded
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.shape import Limits
from tests.pictures import encoded, grey, heic, natural

LIMITS = Limits(4_000_000)

COUNTING = """
import os, sys
from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.plane import Decoded
from holdfast.media.shape import Limits
for kind in (FileType.HEIC, FileType.AVIF):
    with open(os.path.join(sys.argv[1], kind), "rb") as file:
        assert isinstance(decode(file.read(), kind, Limits(4_000_000)), Decoded)
with open("/proc/self/status") as status:
    print([line.split()[1] for line in status if line.startswith("Threads:")][0], len(os.listdir("/proc/self/task")))
"""


def decoded(file: bytes) -> Decoded:
    outcome = decode(file, FileType.HEIC, LIMITS)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def test_no_thread_is_left_after_decoding(tmp_path: Any) -> None:
    """A fork would lose it, and the next decoder hang."""
    for kind in (FileType.HEIC, FileType.AVIF):
        (tmp_path / kind).write_bytes(encoded(natural(1100, 1500), kind))
    said = subprocess.run([sys.executable, "-c", COUNTING, str(tmp_path)], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "1"]


def test_a_picture_that_its_container_turns_comes_out_upright() -> None:
    picture = pillow_heif.from_pillow(Image.fromarray(natural(72, 104, seed=3)))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture[0].info["exif"] = exif.tobytes()  # the encoder makes it the container's own property
    file = io.BytesIO()
    picture.save(file, quality=95)
    plane = decoded(file.getvalue()).frames[0].planes[0]
    expected = np.rot90(grey(72, 104, seed=3), 3)
    assert plane.luma.shape == expected.shape
    assert np.abs(plane.luma.astype(int) - expected).mean() < 5
    assert (plane.full_height, plane.full_width) == expected.shape


def test_ten_bits_are_read_as_eight() -> None:
    wide = (grey(80, 96).astype(np.uint16) << 8).tobytes()
    file = io.BytesIO()
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    pillow_heif.from_bytes("I;16", (96, 80), wide).save(file, quality=95)
    plane = decoded(file.getvalue()).frames[0].planes[0]
    assert np.abs(plane.luma.astype(int) - grey(80, 96)).mean() < 4


class _Broken:
    """An item that the library lists and cannot open."""

    @staticmethod
    def load_file(*_: object) -> list[object]:
        return [None]


def test_an_item_that_cannot_be_opened_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heif, "_pi_heif", _Broken)
    outcome = decode(heic([Image.fromarray(natural(40, 40))]), FileType.HEIC, LIMITS)
    assert outcome == NotDecoded(Reason.UNSUPPORTED, "an item of another kind")


def test_an_item_that_cannot_be_opened_beside_one_that_can_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Second:
        @staticmethod
        def load_file(*given: object) -> list[object]:
            return [None, *real(*given)]

    real = _pi_heif.load_file
    monkeypatch.setattr(heif, "_pi_heif", Second)
    assert decoded(heic([Image.fromarray(natural(40, 40))])).missed is Reason.UNSUPPORTED
