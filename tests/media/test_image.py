# SPDX-License-Identifier: Apache-2.0
"""Every form of the same picture gives the same upright plane, and every bad file an outcome."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from holdfast.media.filetype import PICTURES, FileType
from holdfast.media.image import decode
from holdfast.media.pdq import Family, hash_plane
from holdfast.media.photo import JPEG_PIXEL_FACTOR
from holdfast.media.plane import LEAST_SIDE, MOST_PLANES, Decoded, Frame, Plane
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.samples import sample
from holdfast.media.shape import Limits
from tests.media.arithmetic import PROGRESSIVE, SEQUENTIAL
from tests.media.test_filetype import EVERY_MAGIC
from tests.pictures import LOSSLESS, Pixels, encoded, grey, losslessly, natural, photograph, plane_of

# The decoder process ignores the warnings of its libraries; so must this one while it stands in for it.
pytestmark = pytest.mark.filterwarnings("ignore")

LIMITS = Limits(1_000_000)
SMALL = Limits(10_000)
ORIENTATION = 0x0112
# How a camera that held the picture so stored it: what EXIF says, and what was done to the pixels.
STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: np.rot90(upright, 2),
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, 3),
}
HAVE_EXIF = [FileType.JPEG, FileType.PNG, FileType.WEBP, FileType.TIFF, FileType.AVIF]


RADIUS = 31


def decoded(untrusted: bytes, kind: FileType, limits: Limits = LIMITS) -> Decoded:
    outcome = decode(untrusted, kind, limits)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def frames(untrusted: bytes, kind: FileType, limits: Limits = LIMITS) -> tuple[Frame, ...]:
    """The pictures of a file of which every one was seen."""
    outcome = decoded(untrusted, kind, limits)
    assert outcome.missed is None
    return outcome.frames


def planes(untrusted: bytes, kind: FileType, limits: Limits = LIMITS) -> tuple[Plane, ...]:
    """The planes of the only picture of a file."""
    (frame,) = frames(untrusted, kind, limits)
    return frame.planes


def one(untrusted: bytes, kind: FileType, limits: Limits = LIMITS) -> Plane:
    (plane,) = planes(untrusted, kind, limits)
    return plane


def refusal(untrusted: bytes, kind: FileType, limits: Limits = LIMITS) -> NotDecoded:
    outcome = decode(untrusted, kind, limits)
    assert isinstance(outcome, NotDecoded), outcome
    return outcome


def off(plane: Plane, expected: Pixels) -> float:
    """How far a plane is from what it should show, in steps of brightness, on the mean."""
    assert plane.luma.shape == expected.shape
    assert (plane.full_height, plane.full_width) == expected.shape
    return float(np.abs(plane.luma.astype(int) - expected).mean())


def apart(one: str, other: str) -> int:
    """How many bits of two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def sound(outcome: Decoded | NotDecoded, most_pixels: int) -> bool:
    """Whether an outcome keeps every promise that does not depend on the file."""
    if isinstance(outcome, NotDecoded):
        return outcome.reason in {Reason.UNDECODABLE, Reason.TRUNCATED, Reason.UNSUPPORTED, Reason.TOO_LARGE}
    return all(1 <= len(frame.planes) <= MOST_PLANES for frame in outcome.frames) and all(
        plane.luma.dtype == np.uint8
        and plane.luma.flags.c_contiguous
        and 1 <= plane.luma.shape[0] <= plane.full_height
        and 1 <= plane.luma.shape[1] <= plane.full_width
        and plane.full_height * plane.full_width <= most_pixels
        for frame in outcome.frames
        for plane in frame.planes
    )


# --- the same picture in every form


@pytest.mark.parametrize("kind", PICTURES)
def test_the_sample_of_every_type_decodes_to_one_plane(kind: FileType) -> None:
    plane = one(sample(kind), kind)
    assert plane.luma.shape == (8, 8)


@pytest.mark.parametrize("kind", PICTURES)
def test_every_type_gives_the_brightness_of_the_picture(kind: FileType) -> None:
    picture = natural(90, 120, seed=1)
    file = encoded(picture, kind, **LOSSLESS.get(kind, {}))
    if kind is FileType.GIF:
        picture = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))  # GIF has 256 colours
    plane = one(file, kind)
    assert off(plane, plane_of(picture).luma) <= (0 if kind in LOSSLESS else 3)


@pytest.mark.parametrize("kind", HAVE_EXIF)
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_stored_turned_comes_out_upright(kind: FileType, orientation: int) -> None:
    upright = natural(72, 104, seed=3)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options: dict[str, Any] = {"exif": exif}
    if kind is FileType.TIFF:
        options = {"tiffinfo": {ORIENTATION: orientation}}
    if kind is FileType.WEBP:
        options["lossless"] = True
    plane = one(encoded(STORED[orientation](upright), kind, **options), kind)
    assert off(plane, plane_of(upright).luma) < 4


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_leaves_the_picture_as_it_is(orientation: int) -> None:
    upright = natural(40, 60)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert off(one(encoded(upright, FileType.PNG, exif=exif), FileType.PNG), plane_of(upright).luma) == 0


@given(st.binary(max_size=64))
def test_broken_exif_does_not_make_a_picture_unreadable(broken: bytes) -> None:
    jpeg = encoded(natural(40, 60), FileType.JPEG, exif=b"Exif\x00\x00" + broken)
    assert one(jpeg, FileType.JPEG).luma.size == 40 * 60


@pytest.mark.parametrize(
    ("mode", "kind", "most"),
    [
        ("L", FileType.PNG, 0),
        ("L", FileType.JPEG, 3),
        ("P", FileType.PNG, 4),
        ("CMYK", FileType.JPEG, 3),
        ("CMYK", FileType.TIFF, 1),
        ("RGBA", FileType.PNG, 0),
        ("LA", FileType.PNG, 0),
        ("RGBA", FileType.WEBP, 2),
        ("YCbCr", FileType.TIFF, 2),
        ("L", FileType.HEIC, 3),
        ("RGBA", FileType.HEIC, 3),
        ("RGBA", FileType.AVIF, 3),
    ],
)
def test_every_pixel_form_gives_the_same_plane(mode: str, kind: FileType, most: float) -> None:
    colour = Image.fromarray(natural(90, 120, seed=4))
    image = colour.quantize(256) if mode == "P" else colour.convert(mode)
    plane = one(encoded(image, kind, **({"lossless": True} if kind is FileType.WEBP else {})), kind)
    assert off(plane, grey(90, 120, seed=4)) <= most


def test_a_picture_of_one_bit_is_black_and_white() -> None:
    image = Image.fromarray(grey(64, 80)).convert("1")
    plane, smoothed = planes(losslessly(image), FileType.PNG)
    assert (plane.luma == np.asarray(image.convert("L"))).all()
    assert set(np.unique(plane.luma)) == {0, 255}
    assert len(np.unique(smoothed.luma)) > len(np.unique(plane.luma))


@pytest.mark.parametrize("seed", range(8))
def test_a_small_picture_of_dots_is_hashed_as_the_grey_that_the_eye_makes_of_it(seed: int) -> None:
    """A banked copy of the original is found by it; by the dots alone it would not be."""
    original = grey(180, 240, seed)
    wanted = hash_plane(plane_of(original)).of(Family.FULL)
    both = planes(losslessly(Image.fromarray(original).convert("1")), FileType.PNG)
    dots, smoothed = (apart(hash_plane(plane).of(Family.FULL), wanted) for plane in both)
    assert smoothed <= RADIUS < dots


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_palette_of_few_colours_is_read(bits: int) -> None:
    image = Image.fromarray(natural(64, 80)).quantize(2**bits)
    plane, *smoothed = planes(encoded(image, FileType.PNG, bits=bits), FileType.PNG)
    assert off(plane, np.asarray(image.convert("RGB").convert("L"))) == 0
    assert len(smoothed) == (bits == 1), "two tones are seen as the grey they make too"


@pytest.mark.parametrize("kind", [FileType.PNG, FileType.TIFF])
def test_grey_of_sixteen_bits_gives_its_upper_byte(kind: FileType) -> None:
    wide = np.random.default_rng(0).integers(0, 2**16, (600, 70)).astype(np.uint16)
    assert off(one(encoded(Image.fromarray(wide), kind), kind), (wide >> 8).astype(np.uint8)) == 0


def test_grey_of_sixteen_bits_in_the_other_byte_order_is_the_same() -> None:
    wide = np.random.default_rng(1).integers(0, 2**16, (33, 44)).astype(np.uint16)
    file = encoded(Image.fromarray(wide.astype(">u2")), FileType.TIFF)
    assert off(one(file, FileType.TIFF), (wide >> 8).astype(np.uint8)) == 0


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"keep_rgb": True}, {"optimize": True}])
def test_every_form_of_jpeg_gives_the_same_plane(options: dict[str, object]) -> None:
    picture = natural(90, 120, seed=5)
    assert off(one(encoded(picture, FileType.JPEG, quality=95, **options), FileType.JPEG), plane_of(picture).luma) < 3


@pytest.mark.parametrize("file", [SEQUENTIAL, PROGRESSIVE], ids=["sequential", "progressive"])
def test_a_photograph_with_arithmetic_coding_is_read(file: bytes) -> None:
    assert off(one(file, FileType.JPEG), grey(48, 64, seed=11)) < 3


def test_one_that_lacks_its_last_scans_is_not() -> None:
    assert refusal(PROGRESSIVE[: len(PROGRESSIVE) // 2] + b"\xff\xd9", FileType.JPEG).reason is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.full((4, 4), -0.5, np.float32), Reason.UNSUPPORTED),
        (np.full((4, 4), np.nan, np.float32), Reason.UNSUPPORTED),
        (np.full((4, 4), 1e9, np.float32), Reason.UNSUPPORTED),
        (np.full((4, 4), 70_000, np.int32), Reason.UNSUPPORTED),
    ],
)
def test_grey_of_which_nobody_knows_what_is_white_is_held_as_unsupported(pixels: np.ndarray, reason: Reason) -> None:
    assert refusal(encoded(Image.fromarray(pixels), FileType.TIFF), FileType.TIFF).reason is reason


# --- transparency


def laid(picture: Pixels, alpha: Pixels, ground: int) -> Pixels:
    """What a viewer shows, of colours over a ground."""
    share = alpha[:, :, None] / 255
    return np.asarray(np.rint(picture * share + ground * (1 - share)), np.uint8)


@pytest.mark.parametrize("kind", [FileType.PNG, FileType.WEBP, FileType.TIFF])
def test_a_transparent_picture_is_seen_over_white_over_black_and_without_its_transparency(kind: FileType) -> None:
    picture, alpha = natural(60, 80, seed=6), grey(60, 80, seed=7)
    image = Image.fromarray(picture)
    image.putalpha(Image.fromarray(alpha))
    white, black, bare = planes(losslessly(image, kind), kind)
    assert off(white, plane_of(laid(picture, alpha, 255)).luma) < 1
    assert off(black, plane_of(laid(picture, alpha, 0)).luma) < 1
    assert off(bare, plane_of(picture).luma) < 1


def test_a_picture_hidden_in_transparency_is_on_one_of_the_planes() -> None:
    """White of varying transparency: nothing on white, everything on black."""
    hidden = grey(80, 100, seed=8)
    image = Image.fromarray(np.full((80, 100, 3), 255, np.uint8))
    image.putalpha(Image.fromarray(hidden))
    white, black, bare = planes(losslessly(image), FileType.PNG)
    assert (white.luma == 255).all()
    assert off(black, hidden) < 1
    assert (bare.luma == 255).all()


def test_a_picture_hidden_below_transparency_is_on_one_of_the_planes() -> None:
    """Colours that no ground shows: a platform that drops transparency would."""
    hidden = natural(80, 100, seed=8)
    image = Image.fromarray(hidden)
    image.putalpha(0)
    white, black, bare = planes(losslessly(image), FileType.PNG)
    assert (white.luma == 255).all()
    assert (black.luma == 0).all()
    assert off(bare, plane_of(hidden).luma) < 1


def test_grey_with_transparency_is_seen_all_three_ways() -> None:
    image = Image.merge("LA", [Image.fromarray(grey(40, 50)), Image.fromarray(grey(40, 50, seed=1))])
    *_, bare = planes(losslessly(image), FileType.PNG)
    assert off(bare, grey(40, 50)) == 0


@pytest.mark.parametrize("kind", [FileType.PNG, FileType.GIF])
def test_a_palette_with_a_transparent_colour_is_seen_all_three_ways(kind: FileType) -> None:
    image = Image.fromarray(natural(40, 50)).quantize(16)
    shown = np.asarray(image.convert("RGB").convert("L"))
    white, black, bare = planes(encoded(image, kind, transparency=int(np.asarray(image)[0, 0])), kind)
    assert (white.luma[0, 0], black.luma[0, 0]) == (255, 0)
    assert off(bare, shown) == 0


@pytest.mark.parametrize(
    ("mode", "transparent"), [("RGB", (10, 20, 30)), ("L", 77), ("1", 0)], ids=["colour", "grey", "one bit"]
)
def test_a_single_transparent_colour_is_seen_all_three_ways(mode: str, transparent: int | tuple[int, ...]) -> None:
    image = Image.new(mode, (30, 20), transparent)
    white, black, bare = planes(encoded(image, FileType.PNG, transparency=transparent), FileType.PNG)
    assert (white.luma == 255).all()
    assert (black.luma == 0).all()
    assert (bare.luma == np.asarray(image.convert("L"))).all()


def test_a_single_transparent_grey_of_sixteen_bits_is_seen_all_three_ways() -> None:
    file = encoded(Image.fromarray(np.full((20, 30), 0x4D4D, np.uint16)), FileType.PNG)
    body = b"tRNS" + struct.pack(">H", 0x4D4D)
    at = file.index(b"IDAT") - 4
    marked = file[:at] + struct.pack(">I", 2) + body + struct.pack(">I", zlib.crc32(body)) + file[at:]
    white, black, bare = planes(marked, FileType.PNG)
    assert (white.luma == 255).all()
    assert (black.luma == 0).all()
    assert (bare.luma == 0x4D).all()


# --- size


def patched(file: bytes, at: int, raw: bytes) -> bytes:
    return file[:at] + raw + file[at + len(raw) :]


def png_claiming(side: int) -> bytes:
    file = losslessly(natural(8, 8))
    head = b"IHDR" + struct.pack(">II", side, side) + file[24:29]
    return file[:12] + head + struct.pack(">I", zlib.crc32(head)) + file[33:]


def ico_of(png: bytes, *more: bytes, side: int = 16) -> bytes:
    """An icon of these PNG pictures, each said to be of this side."""
    pictures = (png, *more)
    at = 6 + 16 * len(pictures)
    entries = b""
    for picture in pictures:
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    return struct.pack("<HHH", 0, 1, len(pictures)) + entries + b"".join(pictures)


def tiff_claiming(side: int) -> bytes:
    file = encoded(natural(8, 8), FileType.TIFF)
    for tag in (256, 257):
        file = patched(file, file.index(struct.pack("<HHI", tag, 4, 1)), struct.pack("<HHII", tag, 4, 1, side))
    return file


def at_its_place(kind: FileType, find: bytes, after: int, form: str) -> Callable[[int], bytes]:
    """A file of this type in which both sides are overwritten, so many bytes after `find`."""
    file = encoded(natural(8, 8), kind)
    return lambda side: patched(file, file.index(find) + after, struct.pack(form, side, side))


CLAIMING: dict[FileType, Callable[[int], bytes]] = {
    FileType.JPEG: at_its_place(FileType.JPEG, b"\xff\xc0", 5, ">HH"),
    FileType.PNG: png_claiming,
    FileType.WEBP: lambda side: at_its_place(FileType.WEBP, b"VP8 ", 14, "<HH")(side & 0x3FFF),
    FileType.GIF: at_its_place(FileType.GIF, b"GIF8", 6, "<HH"),
    FileType.BMP: at_its_place(FileType.BMP, b"BM", 18, "<ii"),
    FileType.TIFF: tiff_claiming,
    FileType.ICO: lambda side: ico_of(png_claiming(side)),
    FileType.AVIF: at_its_place(FileType.AVIF, b"ispe", 8, ">II"),
    FileType.HEIC: at_its_place(FileType.HEIC, b"ispe", 8, ">II"),
}
"""Small files whose header says that the picture is so many pixels high and wide."""


@pytest.mark.parametrize("kind", [kind for kind in FileType if kind not in {FileType.AVIF, FileType.HEIC}])
def test_a_header_that_claims_60000_by_60000_is_too_large_before_a_pixel_is_decoded(kind: FileType) -> None:
    assert refusal(CLAIMING[kind](60_000), kind, Limits(64_000_000)).reason is Reason.TOO_LARGE


@pytest.mark.parametrize("kind", [FileType.AVIF, FileType.HEIC])
def test_one_that_claims_60000_by_60000_is_refused_by_its_own_decoder(kind: FileType) -> None:
    assert refusal(CLAIMING[kind](60_000), kind).reason in {Reason.TOO_LARGE, Reason.UNDECODABLE}


@pytest.mark.parametrize("kind", PICTURES)
def test_the_limit_is_a_number_of_pixels_and_four_times_that_for_jpeg(kind: FileType) -> None:
    file = encoded(natural(40, 60), kind)
    fits = 40 * 60 // (JPEG_PIXEL_FACTOR if kind is FileType.JPEG else 1)
    assert planes(file, kind, Limits(fits))
    said = refusal(file, kind, Limits(fits - 1))
    assert said.reason is Reason.TOO_LARGE
    assert "60 x 40 pixels" in said.detail


def test_an_icon_cannot_hide_its_size_behind_its_directory() -> None:
    file = ico_of(losslessly(natural(300, 200)))
    assert refusal(file, FileType.ICO, Limits(16 * 16)).reason is Reason.TOO_LARGE
    assert one(file, FileType.ICO).luma.shape == (300, 200)


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize(("height", "width"), [(1023, 1024), (1024, 1024), (1535, 1025), (2047, 1100), (700, 2999)])
def test_a_large_picture_comes_at_a_fraction_and_keeps_its_hash(kind: FileType, height: int, width: int) -> None:
    picture = natural(height, width, seed=9)
    plane = one(losslessly(picture, kind), kind, Limits(5_000_000))
    assert (plane.full_height, plane.full_width) == (height, width)
    assert all(LEAST_SIDE <= now <= before for now, before in zip(plane.luma.shape, (height, width), strict=True))
    if min(height, width) >= 2 * LEAST_SIDE:
        assert plane.luma.size < height * width
    whole, part = hash_plane(plane_of(picture)), hash_plane(plane)
    for family in Family:
        assert (int(whole.of(family), 16) ^ int(part.of(family), 16)).bit_count() <= 8


def test_a_large_photograph_is_decoded_straight_at_a_fraction() -> None:
    plane = one(photograph(1600, 2400), FileType.JPEG, Limits(5_000_000))
    assert (plane.full_height, plane.full_width) == (1600, 2400)
    assert LEAST_SIDE <= min(plane.luma.shape) < 700


@pytest.mark.parametrize("kind", [kind for kind in FileType if kind is not FileType.ICO])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (300, 1), (2, 3)])
def test_the_smallest_and_thinnest_pictures_decode(kind: FileType, height: int, width: int) -> None:
    assert one(encoded(natural(height, width), kind), kind).luma.shape == (height, width)


# --- files that end early, or are nothing


@pytest.mark.parametrize("kind", PICTURES)
def test_half_a_file_is_never_a_picture(kind: FileType) -> None:
    file = encoded(natural(90, 120), kind)
    assert refusal(file[: len(file) // 2], kind).reason in {Reason.TRUNCATED, Reason.UNDECODABLE}


@pytest.mark.parametrize("kind", [FileType.JPEG, FileType.PNG, FileType.GIF, FileType.BMP])
def test_a_file_that_ends_within_its_pixels_is_called_truncated(kind: FileType) -> None:
    file = encoded(natural(90, 120), kind)
    assert refusal(file[: len(file) * 3 // 4], kind).reason is Reason.TRUNCATED


@pytest.mark.parametrize("form", [{}, {"progressive": True}, {"subsampling": 0}], ids=["plain", "progressive", "full"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_photograph_that_breaks_off_is_not_made_whole_by_an_end_mark(mode: str, form: dict[str, object]) -> None:
    """A lenient reader would paint what is missing grey and call it a picture."""
    file = encoded(Image.fromarray(natural(200, 300)).convert(mode), FileType.JPEG, **form)
    for part in (0.5, 0.7, 0.9):
        assert refusal(file[: int(len(file) * part)] + b"\xff\xd9", FileType.JPEG).reason is Reason.TRUNCATED


@pytest.mark.parametrize("kind", PICTURES)
@given(data=st.data())
def test_a_file_cut_anywhere_gives_an_outcome(kind: FileType, data: st.DataObject) -> None:
    file = encoded(natural(24, 32), kind)
    assert sound(decode(file[: data.draw(st.integers(0, len(file) - 1))], kind, SMALL), 10_000 * JPEG_PIXEL_FACTOR)


@pytest.mark.parametrize(("kind", "magic"), EVERY_MAGIC)
@given(rest=st.binary(max_size=400))
def test_random_bytes_after_a_signature_never_raise(kind: FileType, magic: bytes, rest: bytes) -> None:
    assert sound(decode(magic + rest, kind, SMALL), 10_000 * JPEG_PIXEL_FACTOR)


@pytest.mark.parametrize("kind", PICTURES)
@given(data=st.data())
def test_a_file_with_bytes_changed_never_raises(kind: FileType, data: st.DataObject) -> None:
    file = bytearray(encoded(natural(24, 32), kind))
    for at in data.draw(st.lists(st.integers(0, len(file) - 1), min_size=1, max_size=6)):
        file[at] = data.draw(st.integers(0, 255))
    assert sound(decode(bytes(file), kind, SMALL), 10_000 * JPEG_PIXEL_FACTOR)


@pytest.mark.parametrize("said", PICTURES)
@pytest.mark.parametrize("kind", PICTURES)
def test_a_file_is_only_opened_by_the_decoder_of_its_type(said: FileType, kind: FileType) -> None:
    outcome = decode(sample(kind), said, LIMITS)
    assert isinstance(outcome, Decoded) == (said is kind)


@pytest.mark.parametrize("kind", PICTURES)
def test_nothing_is_not_a_picture(kind: FileType) -> None:
    assert refusal(b"", kind).reason in {Reason.UNDECODABLE, Reason.TRUNCATED}


@given(st.binary(max_size=100))
def test_a_refusal_never_repeats_text_from_the_file(rest: bytes) -> None:
    comment = b"PERSON@EXAMPLE.ORG"
    for kind, magic in EVERY_MAGIC:
        outcome = decode(magic + comment + rest, kind, SMALL)
        assert isinstance(outcome, NotDecoded)
        assert "PERSON" not in outcome.detail


# --- several pictures in one file
