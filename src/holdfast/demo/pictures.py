# SPDX-License-Identifier: Apache-2.0
"""Benign pictures made by code: painted hills under a sky, a different one for every seed.

Nothing is fetched and nothing is shipped: numpy draws ridges of summed waves, Pillow saves them.
Also every disguise that the demonstration puts on a known picture, and files that cannot be screened.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE: Final = (1600, 1200)
_LAYERS: Final = 7
_WAVES: Final = 12
Canvas = NDArray[np.float32]  # shape (height, width, 3)
_BOMB_SIDE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One file to upload: a title, what it shows of the product, its bytes, and a picture to draw on the sheet."""

    title: str
    kind: str
    content: bytes
    shown: Image.Image | None


def hills(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A landscape of `size` (width, height); the same seed gives the same picture."""
    chance = np.random.default_rng(seed)
    width, height = size
    canvas = _sky(chance, width, height)
    _put_sun(canvas, chance)
    for layer in range(_LAYERS):
        _put_ridge(canvas, chance, layer)
    canvas += 3 * chance.standard_normal((height, width, 1), np.float32)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def _sky(chance: np.random.Generator, width: int, height: int) -> Canvas:
    top, bottom = chance.uniform(20, 160, 3), chance.uniform(130, 255, 3)
    share = np.linspace(0, 1, height)[:, None, None]
    clouds = _waves(chance, width, 6)[None, :] * _waves(chance, height, 8)[:, None]
    sky: Canvas = (top + (bottom - top) * share + 45 * clouds[:, :, None]).astype(np.float32)
    return sky


def _put_sun(canvas: Canvas, chance: np.random.Generator) -> None:
    height, width, _ = canvas.shape
    x, y = chance.uniform(0.1, 0.9) * width, chance.uniform(0.08, 0.4) * height
    radius = chance.uniform(0.04, 0.1) * height
    rows, columns = np.ogrid[:height, :width]
    canvas[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = chance.uniform(200, 255, 3)


def _put_ridge(canvas: Canvas, chance: np.random.Generator, layer: int) -> None:
    """One range of hills; nearer ones are lower, darker or lighter in turn, with trees along the top."""
    height, width, _ = canvas.shape
    base = height * (0.3 + 0.65 * layer / _LAYERS)
    edge = base + height * 0.13 * _waves(chance, width, _WAVES) + height * 0.012 * np.abs(_waves(chance, width, 90))
    colour = (chance.uniform(0, 130, 3) if layer % 2 else chance.uniform(90, 235, 3)).astype(np.float32)
    top = int(np.clip(edge.min(), 0, height - 1))
    below = np.arange(top, height, dtype=np.float32)[:, None] - edge[None, :].astype(np.float32)
    shade = 1 - 0.5 * np.clip(below / (0.2 * height), 0, 1)
    inside = below > 0
    canvas[top:][inside] = shade[inside][:, None] * colour


def _waves(chance: np.random.Generator, length: int, count: int) -> NDArray[np.float64]:
    """A sum of waves of chance length and height, between about -1 and 1."""
    at = np.linspace(0, 2 * np.pi, length)
    frequencies, phases = chance.uniform(0.5, count, count), chance.uniform(0, 2 * np.pi, count)
    heights = 1 / np.sqrt(frequencies)
    waves: NDArray[np.float64] = heights[:, None] * np.sin(frequencies[:, None] * at + phases[:, None])
    return np.asarray(waves.sum(0) / heights.sum() * 1.6)


def encoded(image: Image.Image, form: str = "JPEG", **how: object) -> bytes:
    """A picture as the bytes of a file."""
    buffer = io.BytesIO()
    settings = {"quality": 90, **how} if form == "JPEG" else how
    image.save(buffer, form, **settings)
    return buffer.getvalue()


DISGUISES: Final[Mapping[str, Callable[[Image.Image], bytes]]] = {
    "recompressed, quality 30": lambda image: encoded(image, quality=30),
    "half the size": lambda image: encoded(image.resize((image.width // 2, image.height // 2))),
    "a quarter of the size": lambda image: encoded(image.resize((image.width // 4, image.height // 4))),
    "mirrored": lambda image: encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "turned by 90 degrees": lambda image: encoded(image.transpose(Image.Transpose.ROTATE_90)),
    "turned upside down": lambda image: encoded(image.transpose(Image.Transpose.ROTATE_180)),
    "without colour": lambda image: encoded(image.convert("L")),
    "saved as PNG, smaller": lambda image: encoded(image.resize((800, 600)), "PNG"),
    "saved as WebP": lambda image: encoded(image, "WEBP", quality=60),
    "squeezed to a square": lambda image: encoded(image.resize((900, 900))),
    "as a CMYK file": lambda image: encoded(image.convert("CMYK")),
    "turned by an EXIF flag": lambda image: _with_orientation(image, 6),
}


def unscreenable(image: Image.Image) -> list[Sample]:
    """Files about which nothing can be told: each must be held, none is an accusation."""
    whole = encoded(image)
    animation = io.BytesIO()
    first, second = hills(990, (400, 300)), hills(991, (400, 300))
    first.save(animation, "GIF", save_all=True, append_images=[second])
    noise = np.random.default_rng(7).integers(0, 256, 4000, dtype=np.uint8).tobytes()
    return [
        Sample("broken off in the middle", "unscreenable", whole[: len(whole) // 2], image),
        Sample("a JPEG in name only", "unscreenable", b"\xff\xd8\xff\xe0" + noise, None),
        Sample("not a picture", "unscreenable", b"hello, this is text", None),
        Sample("empty", "unscreenable", b"", None),
        Sample("over-large: 400 million pixels", "unscreenable", _bomb(), None),
        Sample("an animation that breaks off", "unscreenable", animation.getvalue()[:-1000], first),
        Sample(
            "a flat colour",
            "unscreenable",
            encoded(Image.new("RGB", (640, 480), "teal")),
            Image.new("RGB", (64, 48), "teal"),
        ),
        Sample("encrypted", "unscreenable", b"age-encryption.org/v1\n-> X25519 " + noise, None),
    ]


def _with_orientation(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()


def _bomb() -> bytes:
    """A PNG of 20,000 x 20,000 black pixels in a few kilobytes."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + _BOMB_SIDE // 8)
    body = b"".join(packer.compress(row * 100) for _ in range(_BOMB_SIDE // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", _BOMB_SIDE, _BOMB_SIDE, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    name, body = part
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
