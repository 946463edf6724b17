# SPDX-License-Identifier: Apache-2.0
"""Our own walk over a JPEG's markers never misses what a general reader would find."""

from __future__ import annotations

import io
import struct
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.jpeg import Segments, segments
from holdfast.media.plane import Decoded
from holdfast.media.shape import Limits
from tests.pictures import encoded, grey, natural, plane_of

pytestmark = pytest.mark.filterwarnings("ignore")

UPRIGHT = natural(40, 64, seed=2)
PLAIN = encoded(UPRIGHT, FileType.JPEG)
TURNED = 6


def exif() -> bytes:
    block = Image.Exif()
    block[0x0112] = TURNED
    return block.tobytes()


def mpf() -> bytes:
    """The list of pictures that a file of two carries."""
    first, second = (Image.fromarray(natural(16, 16, seed)) for seed in (0, 1))
    file = io.BytesIO()
    first.save(file, "MPO", save_all=True, append_images=[second])
    whole = file.getvalue()
    at = whole.index(b"MPF\0")
    return whole[at : at - 2 + int.from_bytes(whole[at - 2 : at], "big")]


EXIF, MPF = exif(), mpf()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(*raw: bytes) -> bytes:
    """A JPEG with this between its first marker and its own segments."""
    return PLAIN[:2] + b"".join(raw) + PLAIN[2:]


pieces = st.one_of(
    st.just(segment(0xE1, EXIF)),
    st.just(segment(0xE2, MPF)),
    st.builds(segment, st.integers(0xE0, 0xEF), st.binary(max_size=20)),
    st.builds(segment, st.just(0xFE), st.binary(max_size=20)),
    st.just(b"\xff"),
    st.just(b"\xff\x01"),
    st.builds(lambda marker: bytes([0xFF, marker]), st.integers(0, 255)),
    st.builds(
        lambda marker, length: struct.pack(">BBH", 0xFF, marker, length), st.integers(0, 255), st.integers(0, 200)
    ),
    st.binary(max_size=6),
)


def as_pillow_sees(file: bytes) -> tuple[int, int]:
    """The orientation, and how many pictures there are; 1 and 1 for a file that Pillow cannot open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(file), formats=["JPEG", "MPO"]) as image:
                return image.getexif().get(0x0112, 1), getattr(image, "n_frames", 1)
        except Exception:  # noqa: BLE001  # it has a dozen kinds
            return 1, 1


def test_a_plain_photograph_carries_neither() -> None:
    assert segments(PLAIN) == Segments(exif=False, several=False)


@pytest.mark.parametrize("before", [b"", b"\xff\xff\xff", segment(0xE0, b"JFIF\0"), segment(0xFE, b"\xff\xe1")])
def test_exif_and_further_pictures_are_seen_behind_other_segments(before: bytes) -> None:
    assert segments(with_segments(before, segment(0xE1, EXIF))) == Segments(exif=True, several=False)
    assert segments(with_segments(before, segment(0xE2, MPF))) == Segments(exif=False, several=True)


@pytest.mark.parametrize("hidden", [segment(0xE2, MPF), segment(0xE1, EXIF)], ids=["pictures", "exif"])
@pytest.mark.parametrize(
    "cover",
    [b"\xff\x00", b"\xff\x02", b"\xff\xbf", b"junk", b"\x00"],
    ids=["stuffed", "reserved", "odd", "junk", "nul"],
)
def test_a_segment_hidden_behind_something_that_is_none_is_not_overlooked(cover: bytes, hidden: bytes) -> None:
    """Readers skip such bytes one by one; who takes them for a segment skips what comes next as well."""
    length = struct.pack(">H", 2 + len(hidden)) if cover.startswith(b"\xff") else b""
    file = with_segments(cover + length + hidden)
    turned, pictures = as_pillow_sees(file)
    outcome = decode(file, FileType.JPEG, Limits(100_000))
    if isinstance(outcome, Decoded):
        assert outcome.missed or len(outcome.frames) >= min(pictures, 2)
        if turned == TURNED:
            assert outcome.frames[0].planes[0].luma.shape == (64, 40)


@given(st.lists(pieces, max_size=5))
def test_no_header_hides_a_second_picture_or_a_turn_that_a_general_reader_finds(raw: list[bytes]) -> None:
    file = with_segments(*raw)
    turned, pictures = as_pillow_sees(file)
    outcome = decode(file, FileType.JPEG, Limits(100_000))
    if isinstance(outcome, Decoded):
        assert outcome.missed or len(outcome.frames) >= min(pictures, 2)
        if turned == TURNED:
            assert outcome.frames[0].planes[0].luma.shape == (64, 40)


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer_and_never_a_fault(raw: bytes) -> None:
    assert isinstance(segments(raw), Segments | None)
    assert isinstance(segments(b"\xff\xd8" + raw), Segments | None)


@given(st.integers(0, len(PLAIN) - 1))
def test_a_file_that_ends_before_its_first_scan_says_nothing(length: int) -> None:
    before_the_scan = length < PLAIN.index(b"\xff\xda") + 4
    assert (segments(PLAIN[:length]) is None) == before_the_scan


def test_both_ways_of_decoding_give_the_same_plane() -> None:
    """A comment changes nothing; EXIF that turns nothing leads the general way."""
    upright = Image.Exif()
    upright[0x0112] = 1
    direct = decode(with_segments(segment(0xFE, b"a comment")), FileType.JPEG, Limits(100_000))
    general = decode(with_segments(segment(0xE1, upright.tobytes())), FileType.JPEG, Limits(100_000))
    assert isinstance(direct, Decoded)
    assert isinstance(general, Decoded)
    ((one,), (other,)) = (outcome.frames[0].planes for outcome in (direct, general))
    assert (one.luma == other.luma).all()
    assert abs(one.luma.astype(int) - plane_of(UPRIGHT).luma).mean() < 4
    assert one.luma.shape == grey(40, 64).shape
