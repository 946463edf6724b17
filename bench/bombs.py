# SPDX-License-Identifier: Apache-2.0
"""Small videos that ask for far more than their bytes: what each claims, and how it is made.

Benign in what they show (grey). Each is made by code from a video of two frames, or from nothing.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np

MANY: Final = 2**32 - 1
_MIB: Final = 1024 * 1024


def _encoded(container: str, codec: str, width: int, height: int, *, copies: int = 0, options: Any = None) -> bytes:  # noqa: ANN401  # as PyAV takes them
    """Three grey frames, the last of them `copies` times more: small packets that each are a whole frame."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as film:
        stream: Any = film.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 2
        stream.options = options or {}
        packets: list[Any] = []
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode()
        for packet in packets:
            film.mux(packet)
        last = bytes(packets[-1])
        for number in range(copies):
            again = av.Packet(last)
            again.stream, again.time_base = stream, Fraction(1, 25)
            again.pts = again.dts = 3 + number
            again.duration = 1
            film.mux(again)
    return file.getvalue()


def _small_mp4() -> bytearray:
    return bytearray(_encoded("mp4", "libx264", 64, 64, options={"preset": "ultrafast"}))


def _mp4_of_many_samples() -> bytes:
    """Its tables say that there are 2^32 - 1 samples, all of one size, in one chunk."""
    film = _small_mp4()
    for name, at, values in (("stsz", 8, (1, MANY)), ("stts", 8, (MANY, 1)), ("stsc", 12, (MANY, 1))):
        struct.pack_into(f">{len(values)}I", film, film.index(name.encode()) + at, *values)
    return bytes(film)


def _mp4_of_long_tables() -> bytes:
    """Each of its tables says that it has 2^32 - 1 entries."""
    film = _small_mp4()
    for name, at in (("stsz", 12), ("stts", 8), ("stsc", 8), ("stco", 8), ("stss", 8), ("elst", 8)):
        found = film.find(name.encode())
        if found >= 0:
            struct.pack_into(">I", film, found + at, MANY)
    return bytes(film)


def _mp4_of_many_edits() -> bytes:
    """An edit list of 100,000 entries, each of which shows the whole film again."""
    film = _small_mp4()
    at = film.index(b"elst")
    entries = struct.pack(">IiI", 1000, 0, 0x10000) * 100_000
    listed = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, 100_000) + entries
    old = struct.unpack_from(">I", film, at - 4)[0]
    grown = len(listed) - old
    film[at - 4 : at - 4 + old] = listed
    for name in (b"moov", b"trak", b"edts"):
        place = film.index(name) - 4
        struct.pack_into(">I", film, place, struct.unpack_from(">I", film, place)[0] + grown)
    return bytes(film)


def _mp4_of_depth() -> bytes:
    """Two hundred thousand boxes, each in the one before."""
    inner = b""
    depth = 200_000
    heads = [struct.pack(">I4s", min(8 * (depth - at), 2**31), b"udta" if at else b"moov") for at in range(depth)]
    return struct.pack(">I4s8s", 16, b"ftyp", b"isom\0\0\0\0") + b"".join(heads) + inner


def _ebml(identity: int, content: bytes) -> bytes:
    return (
        identity.to_bytes((identity.bit_length() + 7) // 8, "big") + (2**56 | len(content)).to_bytes(8, "big") + content
    )


def _mkv_of_depth() -> bytes:
    """Tags within tags, twenty thousand deep."""
    inner = b""
    for _ in range(20_000):
        inner = _ebml(0x67C8, inner)
    header = _ebml(0x1A45DFA3, _ebml(0x4282, b"matroska"))
    return header + _ebml(0x18538067, _ebml(0x1254C367, _ebml(0x7373, inner)))


def _mkv_of_large_claims() -> bytes:
    """Every length in it says that it goes on for ever."""
    film = bytearray(_encoded("matroska", "libvpx-vp9", 64, 64))
    at = film.index(bytes.fromhex("1654ae6b"))  # the list of tracks
    width = film.index(b"\xb0", at)
    film[width + 1 : width + 3] = b"\x81\xff"
    return bytes(film) + _ebml(0xEC, b"")[:-1] + b"\xff" * 100_000


def _mkv_of_a_large_cover() -> bytes:
    """A cover of 30,000 x 30,000 pixels in a few kilobytes."""
    raw = zlib.compress(bytes(30_001 * 100), 9)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    cover = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    cover += chunk(b"IDAT", raw) + chunk(b"IEND", b"")
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as film:
        film.add_attachment("cover.png", "image/png", cover)
        stream: Any = film.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((96, 64), 128, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return file.getvalue()


def _ts_of_nothing() -> bytes:
    """Sixteen mebibytes of empty packets."""
    return (b"\x47\x1f\xff\x10" + b"\xff" * 184) * (16 * _MIB // 188)


def _ts_of_many_programmes() -> bytes:
    """A table of programmes that each begin another, over and over."""
    packets = []
    for number in range(500):
        entries = b"".join(struct.pack(">HH", 1 + at, 0xE000 | (0x20 + (number + at) % 8000)) for at in range(40))
        section = struct.pack(">BHHBBB", 0, 0xB000 | (9 + len(entries)), 1, 0xC1 | (number % 32) << 1, 0, 0) + entries
        section += struct.pack(">I", _mpeg_crc(section))
        packets.append((b"\x47\x40\x00\x10\x00" + section).ljust(188, b"\xff"))
    return b"".join(packets) * 40


def _mpeg_crc(section: bytes) -> int:
    value = MANY
    for byte in section:
        value ^= byte << 24
        for _ in range(8):
            value = ((value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & MANY
    return value


def _flv_of_many_tags() -> bytes:
    """A million tags of a byte each."""
    return b"FLV\x01\x01\0\0\0\x09\0\0\0\0" + (b"\x09\0\0\x01\0\0\0\0\0\0\0\x12" + struct.pack(">I", 12)) * 1_000_000


def _avi_of_many_streams() -> bytes:
    """A header that announces thousands of streams."""
    film = bytearray(_encoded("avi", "mpeg4", 64, 64))
    listed = film.index(b"strl") - 8
    length = struct.unpack_from("<I", film, listed + 4)[0] + 8
    stream = bytes(film[listed : listed + length])
    header = film.index(b"hdrl") - 8
    inner = bytes(film[header + 12 : listed]) + stream * 5000
    rest = struct.pack("<4sI4s", b"LIST", 4 + len(inner), b"hdrl") + inner
    return struct.pack("<4sI4s", b"RIFF", 4 + len(rest), b"AVI ") + rest


BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "mp4 of 2^32 samples": _mp4_of_many_samples,
    "mp4 of tables of 2^32 entries": _mp4_of_long_tables,
    "mp4 of 100,000 edits": _mp4_of_many_edits,
    "mp4 of 200,000 boxes in boxes": _mp4_of_depth,
    "mkv of 20,000 tags in tags": _mkv_of_depth,
    "mkv of endless lengths": _mkv_of_large_claims,
    "mkv with a cover of 30,000 x 30,000": _mkv_of_a_large_cover,
    "webm of 50,000 frames of 4096 x 4096": lambda: _encoded(
        "webm", "libvpx-vp9", 4096, 4096, copies=50_000, options={"cpu-used": "8", "deadline": "realtime"}
    ),
    "mp4 of hevc of 7680 x 4320": lambda: _encoded(
        "mp4", "libx265", 7680, 4320, options={"preset": "ultrafast", "x265-params": "log-level=none"}
    ),
    "ts of nothing": _ts_of_nothing,
    "ts of many programmes": _ts_of_many_programmes,
    "flv of a million tags": _flv_of_many_tags,
    "avi of 5,000 streams": _avi_of_many_streams,
}
