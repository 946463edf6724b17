# SPDX-License-Identifier: Apache-2.0
"""Every picture that a file holds is seen, or the file says that some were not."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from holdfast.media.filetype import PICTURES, FileType
from holdfast.media.image import decode
from holdfast.media.plane import Decoded, Frame, Plane
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.samples import sample
from holdfast.media.shape import Limits
from tests.pictures import Pixels, animation, encoded, grey, heic, losslessly, natural

pytestmark = pytest.mark.filterwarnings("ignore")

LIMITS = Limits(1_000_000)
SIDE = 64
ANIMATED = [FileType.GIF, FileType.WEBP, FileType.PNG, FileType.TIFF, FileType.AVIF]


def decoded(untrusted: bytes, kind: FileType, limits: Limits = LIMITS) -> Decoded:
    outcome = decode(untrusted, kind, limits)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def frames(untrusted: bytes, kind: FileType) -> tuple[Frame, ...]:
    outcome = decoded(untrusted, kind)
    assert outcome.missed is None
    return outcome.frames


def shows(frame: Frame, picture: Pixels, most: float = 8) -> bool:
    """Whether any way in which a frame shows is this picture."""
    return any(
        plane.luma.shape == picture.shape and np.abs(plane.luma.astype(int) - picture).mean() <= most
        for plane in frame.planes
    )


def any_shows(found: tuple[Frame, ...], picture: Pixels, most: float = 8) -> bool:
    return any(shows(frame, picture, most) for frame in found)


@pytest.mark.parametrize("kind", PICTURES)
def test_a_file_with_one_picture_is_wholly_seen(kind: FileType) -> None:
    assert len(frames(encoded(natural(40, 40), kind), kind)) == 1
    assert len(frames(sample(kind), kind)) == 1


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize("at", [1, 4, 6])
def test_a_picture_that_flashes_up_in_an_animation_is_seen(kind: FileType, at: int) -> None:
    ordinary, flash = Image.fromarray(natural(SIDE, SIDE)), Image.fromarray(natural(SIDE, SIDE, seed=1))
    film = [ordinary] * 7
    film[at] = flash
    durations = [100] * 7
    durations[at] = 10
    options: dict[str, Any] = {} if kind is FileType.TIFF else {"duration": durations}
    file = encoded(film[0], kind, save_all=True, append_images=film[1:], **options)
    found = frames(file, kind)
    assert found[0].number == 0
    assert shows(found[0], grey(SIDE, SIDE))
    assert any_shows(found, grey(SIDE, SIDE, seed=1))
    assert len(found) <= 3  # of an AVIF, the still picture beside the animation may be one more


def test_every_picture_of_a_heic_is_seen_the_primary_one_first() -> None:
    pictures = [Image.fromarray(natural(80, 96, seed)) for seed in range(3)]
    found = frames(heic(pictures, primary_index=2), FileType.HEIC)
    assert shows(found[0], grey(80, 96, seed=2))
    assert len(found) == 3
    assert all(any_shows(found, grey(80, 96, seed)) for seed in range(3))


def test_pages_of_different_sizes_and_forms_are_each_seen() -> None:
    pages = [
        Image.fromarray(natural(40, 60)),
        Image.fromarray(grey(80, 50, seed=1)),
        Image.fromarray(natural(70, 90, seed=2)).convert("CMYK"),
    ]
    found = frames(encoded(pages[0], FileType.TIFF, save_all=True, append_images=pages[1:]), FileType.TIFF)
    assert [frame.planes[0].luma.shape for frame in found] == [(40, 60), (80, 50), (70, 90)]
    assert shows(found[1], grey(80, 50, seed=1), most=0)


@pytest.mark.parametrize("size", [(32, 32), (64, 64)])
def test_every_size_of_an_icon_is_seen(size: tuple[int, int]) -> None:
    file = ico_of(*(losslessly(natural(*size, seed=seed)) for seed in range(3)))
    found = frames(file, FileType.ICO)
    assert all(any_shows(found, grey(*size, seed=seed), most=1) for seed in range(3))


def ico_of(*pictures: bytes) -> bytes:
    """An icon of these PNG pictures, all said to be of one size."""
    at = 6 + 16 * len(pictures)
    entries = b""
    for picture in pictures:
        entries += struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    return struct.pack("<HHH", 0, 1, len(pictures)) + entries + b"".join(pictures)


# --- photographs with others behind them


def mpo(*pictures: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    pictures[0].save(file, "MPO", save_all=True, append_images=list(pictures[1:]), **options)
    return file.getvalue()


def test_a_photograph_behind_another_is_seen_at_its_own_size() -> None:
    first, second, third = (Image.fromarray(natural(64 + 8 * seed, 80, seed)) for seed in range(3))
    found = frames(mpo(first, second, third), FileType.JPEG)
    assert all(shows(found[seed], grey(64 + 8 * seed, 80, seed), most=5) for seed in range(3))


def test_a_list_of_photographs_that_leads_nowhere_is_not_wholly_seen() -> None:
    file = mpo(*(Image.fromarray(natural(64, 80, seed)) for seed in (0, 1)))
    cut = file[: file.index(b"\xff\xd9") + 2]
    assert decoded(cut, FileType.JPEG).missed
    scrambled = file.replace(b"MPF\0II*\0", b"MPF\0XXXX", 1)
    assert decoded(scrambled, FileType.JPEG).missed is Reason.SEVERAL_PICTURES


def soft_blob() -> Image.Image:
    """What a map of brightness looks like: hardly anything."""
    return Image.fromarray(np.asarray(np.rint(grey(60, 80, seed=3) * 0.1 + 100), np.uint8))


def with_map(second: Image.Image, said: str = "") -> bytes:
    """A photograph with a map of its brightness behind it, as telephones make them."""
    first = Image.fromarray(natural(240, 320, 1))
    return mpo(first, second, **({"xmp": f'<x hdrgm:Version="1.0" {said}/>'.encode()} if said else {}))


@pytest.mark.parametrize("said", ["", "hdrgm:HDRCapacityMax"])
def test_a_photograph_with_a_map_of_its_brightness_is_wholly_seen(said: str) -> None:
    outcome = decoded(with_map(soft_blob(), said), FileType.JPEG)
    assert outcome.missed is None
    assert len(outcome.frames) == 1


@pytest.mark.parametrize("said", ["", "hdrgm:HDRCapacityMax"])
def test_what_calls_itself_a_map_and_is_a_clear_picture_is_seen(said: str) -> None:
    found = frames(with_map(Image.fromarray(natural(240, 320, 2)), said), FileType.JPEG)
    assert shows(found[1], grey(240, 320, 2), most=5)


@pytest.mark.parametrize("kind", [0x010001, 0x020002, 0x020003])
def test_a_picture_that_is_to_be_shown_is_seen_however_soft(kind: int) -> None:
    file = with_map(soft_blob())
    at = file.index(b"MPF\0") + 4
    order = "<" if file[at : at + 2] == b"II" else ">"
    length_of_the_map = len(file) - file.index(b"\xff\xd9") - 2
    entry = file.index(struct.pack(order + "LL", 0, length_of_the_map), at)
    shown = file[:entry] + struct.pack(order + "L", kind) + file[entry + 4 :]
    assert len(frames(shown, FileType.JPEG)) == 2


# --- animations that readers do not agree on


def test_a_still_picture_in_front_of_an_animation_is_seen_beside_it() -> None:
    first, second, third = (Image.fromarray(natural(64, 64, seed)) for seed in range(3))
    file = encoded(first, FileType.PNG, save_all=True, append_images=[second, third], default_image=True)
    found = frames(file, FileType.PNG)
    assert all(any_shows(found, grey(64, 64, seed), most=1) for seed in range(3))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(name: bytes, body: bytes, *, before: bytes) -> bytes:
    """A still PNG with this chunk put before another."""
    file = losslessly(natural(20, 20))
    at = file.index(before) - 4
    return file[:at] + chunk(name, body) + file[at:]


@pytest.mark.parametrize("name", [b"acTL", b"fcTL", b"fdAT"])
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_a_part_of_an_animation_out_of_its_place_is_not_wholly_seen(name: bytes, before: bytes) -> None:
    """Whatever one reader makes of a part that is out of place, a viewer may play it."""
    outcome = decode(png_with(name, bytes(8), before=before), FileType.PNG, LIMITS)
    assert isinstance(outcome, NotDecoded) or outcome.missed


def test_other_parts_of_a_png_change_nothing() -> None:
    assert len(frames(png_with(b"tEXt", b"fdAT\0acTL fcTL", before=b"IDAT"), FileType.PNG)) == 1


def test_an_animation_that_says_that_it_has_one_picture_and_has_three_is_not_wholly_seen() -> None:
    file = animation(FileType.PNG, frames=3)
    at = file.index(b"acTL") - 4
    lie = file[:at] + chunk(b"acTL", struct.pack(">II", 1, 0)) + file[at + 20 :]
    assert decoded(lie, FileType.PNG).missed is Reason.SEVERAL_PICTURES


@pytest.mark.parametrize("brand", [b"avis", b"msf1"])
def test_an_avif_that_calls_itself_a_sequence_and_is_none_is_seen_or_said_not_to_be(brand: bytes) -> None:
    file = encoded(natural(20, 20), FileType.AVIF)
    for at in range(16, int.from_bytes(file[:4], "big"), 4):
        outcome = decode(file[:at] + brand + file[at + 4 :], FileType.AVIF, LIMITS)
        assert isinstance(outcome, NotDecoded) or outcome.missed or any_shows(outcome.frames, grey(20, 20))


def test_the_still_picture_of_an_animated_avif_is_seen_whatever_its_first_brand_says() -> None:
    file = animation(FileType.AVIF, frames=3)
    for brand in (b"avis", b"avif", b"mif1"):
        found = frames(file[:8] + brand + file[12:], FileType.AVIF)
        assert all(any_shows(found, grey(SIDE, SIDE, seed)) for seed in range(3))


@pytest.mark.parametrize("brand", [b"hevc", b"msf1"])
def test_a_heic_that_calls_itself_a_sequence_is_not_wholly_seen(brand: bytes) -> None:
    file = encoded(natural(64, 64), FileType.HEIC)
    outcome = decoded(file[:8] + brand + file[12:], FileType.HEIC)
    assert outcome.missed is Reason.SEVERAL_PICTURES
    assert any_shows(outcome.frames, grey(64, 64))


def test_a_heic_with_a_film_in_it_is_not_wholly_seen() -> None:
    file = encoded(natural(64, 64), FileType.HEIC) + struct.pack(">I", 8) + b"moov"
    assert decoded(file, FileType.HEIC).missed is Reason.SEVERAL_PICTURES


# --- what cannot be seen


@pytest.mark.parametrize("kind", [FileType.GIF, FileType.WEBP, FileType.PNG])
def test_what_comes_before_a_fault_is_kept_and_the_rest_is_said_to_be_missed(kind: FileType) -> None:
    file = animation(kind, frames=4, side=120)
    outcome = decode(file[: len(file) * 5 // 6], kind, LIMITS)
    if kind is FileType.WEBP:  # its reader wants the whole file
        assert isinstance(outcome, NotDecoded)
        return
    assert isinstance(outcome, Decoded)
    assert len(outcome.frames) in {2, 3}
    assert outcome.missed in {Reason.TRUNCATED, Reason.UNDECODABLE}


def test_a_page_that_is_too_large_is_said_to_be_missed() -> None:
    small, large = Image.fromarray(natural(20, 20)), Image.new("L", (400, 400))
    file = encoded(small, FileType.TIFF, save_all=True, append_images=[large])
    outcome = decoded(file, FileType.TIFF, Limits(100_000))
    assert len(outcome.frames) == 1
    assert outcome.missed is Reason.TOO_LARGE


def test_an_animation_for_which_there_is_no_time_is_said_to_be_missed() -> None:
    outcome = decoded(animation(FileType.GIF, frames=5), FileType.GIF, Limits(1_000_000, seconds=0))
    assert outcome.missed is Reason.SEVERAL_PICTURES
    assert outcome.frames[0].number == 0


def test_a_picture_that_takes_long_is_seen_all_the_same_if_it_is_the_only_one() -> None:
    assert decoded(losslessly(natural(20, 20)), FileType.PNG, Limits(1_000_000, seconds=0)).missed is None


def test_planes_of_a_long_thin_picture_are_small_on_both_sides() -> None:
    plane: Plane = frames(losslessly(Image.new("L", (9000, 100))), FileType.PNG)[0].planes[0]
    assert plane.luma.shape[0] == 100
    assert 512 <= plane.luma.shape[1] < 1024
    assert (plane.full_height, plane.full_width) == (100, 9000)
