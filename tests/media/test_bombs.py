# SPDX-License-Identifier: Apache-2.0
"""A small file that asks for much costs at most 512 MiB and 10 seconds, and other uploads go on meanwhile."""

from __future__ import annotations

import io
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PIL import Image

from holdfast.intake.upload import Upload, from_bytes
from holdfast.media import sandbox
from holdfast.media.decoder import SandboxedDecoder, start_server
from holdfast.media.filetype import FileType
from holdfast.media.plane import Decoded
from holdfast.media.reason import NotDecoded
from holdfast.settings import Settings
from tests.media.processes import children_of, facts_of
from tests.media.test_decoder import options_in
from tests.pictures import encoded, heic, losslessly, natural

pytestmark = pytest.mark.skipif(
    not all(layer.present for layer in sandbox.layers() if layer.name == "seccomp"),
    reason="libseccomp is not installed",
)

MOST_KIB: Final = 512 * 1024
MOST_SECONDS: Final = 10.0
SLACK: Final = 1.0
"""What a busy machine may take to notice."""
LIMITS: Final = Settings()
SIDE: Final = 7900
"""As much as a picture may have: just under 64 million pixels."""


def blank(mode: str, kind: FileType, side: int = SIDE, **options: object) -> bytes:
    return encoded(Image.new(mode, (side, side)), kind, **options)


def gif_of_many(side: int, frames: int) -> bytes:
    """A large empty canvas, and on it so many pictures of one pixel, each to be cleared away."""
    file = io.BytesIO()
    Image.new("P", (side, side)).save(file, "GIF")
    first = file.getvalue()[:-1]
    control = b"\x21\xf9\x04\x08\x01\0\0\0"
    dot = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0x80) + b"\0\0\0\xff\xff\xff\x02\x02\x44\x01\0"
    return first + (control + dot) * frames + b";"


def icon_of_many() -> bytes:
    """Ten thousand entries that share one picture of 4096 x 4096."""
    picture = blank("RGBA", FileType.PNG, 4096)
    count = 10_000
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(picture), 6 + 16 * count)
    return struct.pack("<HHH", 0, 1, count) + entry * count + picture


def tiff_of_many() -> bytes:
    pages = [Image.new("L", (3000, 3000)) for _ in range(40)]
    return encoded(pages[0], FileType.TIFF, save_all=True, append_images=pages[1:], compression="tiff_deflate")


def claiming_avif() -> bytes:
    file = bytearray(encoded(natural(16, 16), FileType.AVIF))
    at = file.index(b"ispe") + 8
    file[at : at + 8] = struct.pack(">II", 30_000, 30_000)
    return bytes(file)


BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "png of 30,000 x 30,000": lambda: blank("1", FileType.PNG, 30_000),
    "png of all its pixels in colour": lambda: blank("RGBA", FileType.PNG),
    "png of 16 bits": lambda: encoded(Image.fromarray(np.zeros((SIDE, SIDE), np.uint16)), FileType.PNG),
    "gif of a large canvas": lambda: gif_of_many(SIDE, 5000),
    "gif of a smaller canvas": lambda: gif_of_many(2000, 20_000),
    "gif of 100,000 pictures": lambda: gif_of_many(64, 100_000),
    "tiff in colour": lambda: blank("RGB", FileType.TIFF, compression="tiff_deflate"),
    "tiff in ink": lambda: blank("CMYK", FileType.TIFF, compression="tiff_deflate"),
    "tiff of many pages": tiff_of_many,
    "webp": lambda: blank("RGB", FileType.WEBP),
    "avif": lambda: blank("RGB", FileType.AVIF, speed=10),
    "avif of 30,000 x 30,000": claiming_avif,
    "heic": lambda: heic([Image.new("RGB", (5000, 4000))]),
    "icon of many": icon_of_many,
    "jpeg": lambda: blank("RGB", FileType.JPEG, 15_900),
    "jpeg in scans": lambda: blank("RGB", FileType.JPEG, 9000, progressive=True),
    "jpeg in ink": lambda: blank("CMYK", FileType.JPEG, 15_900),
}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[int, SandboxedDecoder]]:
    with tempfile.TemporaryDirectory() as folder:
        options = options_in(Path(folder), seconds=LIMITS.decode_seconds, memory_bytes=LIMITS.decode_memory_bytes)
        process = start_server(options)
        try:
            yield process.pid, SandboxedDecoder(options.path, LIMITS.decode_seconds, LIMITS.max_pixels)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def most_memory_of_children(server: int) -> Iterator[list[int]]:
    """The most KiB that any decoder ever held, asked again and again."""
    seen, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for pid in children_of(server):
                try:
                    seen.append(int(facts_of(pid).get("VmHWM", "0 kB").split()[0]))
                except (FileNotFoundError, ProcessLookupError):
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def ask(decoder: SandboxedDecoder, content: bytes) -> Decoded | NotDecoded:
    upload = from_bytes(content, 2**30)
    assert isinstance(upload, Upload)
    with upload:
        return decoder.decode(upload)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_a_bounded_amount_of_memory_and_time(name: str, served: tuple[int, SandboxedDecoder]) -> None:
    server, decoder = served
    bomb = BOMBS[name]()
    with most_memory_of_children(server) as seen:
        began = time.monotonic()
        outcome = ask(decoder, bomb)
        took = time.monotonic() - began
    assert isinstance(outcome, Decoded | NotDecoded)
    assert took <= MOST_SECONDS + SLACK
    assert max(seen) <= MOST_KIB


def test_other_uploads_are_decoded_while_bombs_are(served: tuple[int, SandboxedDecoder]) -> None:
    _, decoder = served
    bomb, picture = gif_of_many(2000, 20_000), losslessly(natural(300, 400))
    with ThreadPoolExecutor(2) as pool:
        bombs = [pool.submit(ask, decoder, bomb) for _ in range(2)]
        others = 0
        while not all(one.done() for one in bombs):
            assert isinstance(ask(decoder, picture), Decoded)
            others += 1
    assert others >= 5
