# SPDX-License-Identifier: Apache-2.0
"""A file is what its first bytes say, and what they do not say is not guessed."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.media.filetype import HEAD_LENGTH, PICTURES, VIDEOS, FileType, recognise
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.samples import sample
from holdfast.media.video_samples import video_sample
from tests.pictures import encoded, natural

MAGIC = {
    FileType.JPEG: [b"\xff\xd8\xff"],
    FileType.PNG: [b"\x89PNG\r\n\x1a\n"],
    FileType.WEBP: [b"RIFF????WEBP"],
    FileType.GIF: [b"GIF87a", b"GIF89a"],
    FileType.BMP: [b"BM"],
    FileType.TIFF: [b"II*\x00", b"MM\x00*"],
    FileType.ICO: [b"\x00\x00\x01\x00"],
    FileType.AVIF: [b"\x00\x00\x00\x14ftypavif", b"\x00\x00\x00\x14ftypavis"],
    FileType.HEIC: [b"\x00\x00\x00\x14ftypheic", b"\x00\x00\x00\x14ftypmif1"],
    FileType.MP4: [
        b"\x00\x00\x00\x14ftypisom",
        b"\x00\x00\x00\x14ftypqt  ",
        b"\x00\x00\x00\x08wide",
        b"\x00\x01\x00\x00moov",
    ],
    FileType.MATROSKA: [b"\x1aE\xdf\xa3"],
    FileType.AVI: [b"RIFF????AVI "],
    FileType.MPEG_TS: [
        (b"\x47" + bytes(187)) * 2 + b"\x47",
        (bytes(4) + b"\x47" + bytes(187)) * 2 + bytes(4) + b"\x47",
    ],
    FileType.FLV: [b"FLV\x01"],
}
EVERY_MAGIC = [(kind, magic) for kind, magics in MAGIC.items() for magic in magics]


def reason_of(head: bytes) -> Reason | FileType:
    found = recognise(head)
    return found.reason if isinstance(found, NotDecoded) else found


def ftyp(major: bytes, *compatible: bytes, length: int | None = None) -> bytes:
    names = major + b"\x00\x00\x00\x00" + b"".join(compatible)
    return (length if length is not None else 8 + len(names)).to_bytes(4, "big") + b"ftyp" + names


def test_the_table_below_names_every_type() -> None:
    assert set(MAGIC) == set(FileType)


@pytest.mark.parametrize(("kind", "magic"), EVERY_MAGIC)
@given(rest=st.binary(max_size=64))
def test_whatever_follows_the_first_bytes_does_not_change_the_type(kind: FileType, magic: bytes, rest: bytes) -> None:
    head = magic + rest
    assume(len(magic) >= 8 or head[4:8] not in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
    assert recognise(head) is kind


@pytest.mark.parametrize("head", [b"\xff\xd8\xff\xe0ftypisom", b"II*\x00ftypisom", b"BM__ftypisom", b"BM__moov"])
def test_a_head_that_could_be_of_two_types_is_of_none(head: bytes) -> None:
    assert reason_of(head) is Reason.UNKNOWN_TYPE


@pytest.mark.parametrize(("_kind", "magic"), EVERY_MAGIC)
def test_half_a_signature_is_of_no_type(_kind: FileType, magic: bytes) -> None:
    assert reason_of(magic[:-1]) is Reason.UNKNOWN_TYPE


@pytest.mark.parametrize("kind", PICTURES)
def test_real_files_are_recognised(kind: FileType) -> None:
    assert recognise(sample(kind)[:HEAD_LENGTH]) is kind
    assert recognise(encoded(natural(40, 60), kind)[:HEAD_LENGTH]) is kind


def test_nothing_is_called_empty() -> None:
    assert reason_of(b"") is Reason.EMPTY


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"])
def test_a_heic_is_told_by_any_of_its_brands(brand: bytes) -> None:
    assert recognise(ftyp(brand)) is FileType.HEIC
    assert recognise(ftyp(b"xxxx", b"abcd", brand)) is FileType.HEIC


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"M4A ", b"3gp4", b"iso6", b"NDSC"])
def test_films_and_sounds_are_films(brand: bytes) -> None:
    assert recognise(ftyp(brand)) is FileType.MP4
    assert recognise(ftyp(b"xxxx", brand)) is FileType.MP4


def test_an_unknown_brand_is_of_no_type() -> None:
    assert reason_of(ftyp(b"crx ", b"\x00\x00\x00\x00")) is Reason.UNKNOWN_TYPE


def test_a_picture_that_says_it_is_also_a_film_is_a_picture() -> None:
    assert recognise(ftyp(b"isom", b"heic")) is FileType.HEIC
    assert recognise(ftyp(b"mp42", b"avif")) is FileType.AVIF


def test_videos_are_told_from_pictures() -> None:
    assert {kind for kind in FileType if kind.is_video} == set(VIDEOS)
    assert not set(PICTURES) & set(VIDEOS)


@pytest.mark.parametrize("kind", VIDEOS)
def test_real_videos_are_recognised(kind: FileType) -> None:
    assert recognise(video_sample(kind)[:HEAD_LENGTH]) is kind


def test_two_marks_in_their_places_are_no_transport_stream() -> None:
    assert reason_of((b"\x47" + bytes(187)) * 2) is Reason.UNKNOWN_TYPE


def test_an_avif_is_told_by_any_of_its_brands() -> None:
    assert recognise(ftyp(b"mif1", b"miaf", b"avif")) is FileType.AVIF


def test_a_version_number_is_not_a_brand() -> None:
    assert recognise(b"\x00\x00\x00\x10ftypisomavif") is FileType.MP4


@pytest.mark.parametrize("length", [0, 1, 8, 11])
def test_brands_beyond_the_box_that_lists_them_do_not_count(length: int) -> None:
    assert reason_of(ftyp(b"avif", b"avif", length=length)) is Reason.UNKNOWN_TYPE


@pytest.mark.parametrize(
    "head",
    [
        b"age-encryption.org/v1\n-> X25519",
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        b"-----BEGIN PGP MESSAGE-----\n\n",
        b"Salted__12345678",
        b"PK\x03\x04\x14\x00\x01\x00",
        b"PK\x03\x04\x14\x00\x09\x08",
        b"%PDF-1.7\n<< /Encrypt 5 0 R >>",
    ],
)
def test_encrypted_files_are_called_encrypted(head: bytes) -> None:
    assert reason_of(head) is Reason.ENCRYPTED


@pytest.mark.parametrize(
    "head",
    [
        b"PK\x03\x04\x14\x00\x00\x08",
        b"PK\x03\x04",
        b"%PDF-1.7\n",
        b"<svg/>",
        b"/Encrypt",
        b"\x00",
        b"GIF88a",
        b"RIFF????WAVE",
    ],
)
def test_other_files_are_of_no_type(head: bytes) -> None:
    assert reason_of(head) is Reason.UNKNOWN_TYPE


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer_and_never_a_fault(head: bytes) -> None:
    assert isinstance(recognise(head), FileType | NotDecoded)


@given(st.binary(max_size=300))
def test_any_bytes_in_an_ftyp_box_get_an_answer_and_never_a_fault(rest: bytes) -> None:
    assert isinstance(recognise(rest[:4].ljust(4, b"\0") + b"ftyp" + rest[4:]), FileType | NotDecoded)
