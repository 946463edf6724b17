# SPDX-License-Identifier: Apache-2.0
"""A corpus picture at a wanted size, as the JPEG a person might upload. The same bytes every time.

Noise is added to the largest size because it is mostly enlarged, and an enlarged picture would
compress, and so decode, unlike a photograph from a camera. Its seed comes from the picture's name.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import PIL
from PIL import Image

QUALITY: Final = 88
SUBSAMPLING: Final = "4:2:0"


@dataclass(frozen=True, slots=True)
class Size:
    """How many pixels a derived picture has, and how much gaussian noise it is given."""

    name: str
    pixels: int
    noise: float


SIZES: Final = (Size("12 MP", 12_000_000, 2.5), Size("2 MP", 2_000_000, 0.0), Size("0.3 MP", 300_000, 0.0))


def recipe() -> str:
    """Everything the derived bytes depend on, as one line."""
    sizes = "; ".join(f"{size.name} noise sigma {size.noise:g}" for size in SIZES)
    return f"Lanczos to {sizes}; JPEG quality {QUALITY}, {SUBSAMPLING}, baseline, no EXIF; Pillow {PIL.__version__}"


def derive(source: Image.Image, name: str, size: Size) -> bytes:
    """The picture called `name` at `size` as a JPEG without metadata."""
    scaled = resized(source, size)
    noisy = _with_noise(scaled, size.noise, seed=zlib.crc32(name.encode())) if size.noise else scaled
    written = io.BytesIO()
    noisy.save(written, "JPEG", quality=QUALITY, subsampling=SUBSAMPLING)
    return written.getvalue()


def resized(source: Image.Image, size: Size) -> Image.Image:
    """The picture with about `size.pixels` pixels and its own proportions, as RGB."""
    factor = (size.pixels / (source.width * source.height)) ** 0.5
    sides = round(source.width * factor), round(source.height * factor)
    return source.convert("RGB").resize(sides, Image.Resampling.LANCZOS)


def _with_noise(image: Image.Image, sigma: float, seed: int) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    noise = np.random.default_rng(seed).standard_normal(values.shape, dtype=np.float32)
    return Image.fromarray(np.clip(np.rint(values + sigma * noise), 0, 255).astype(np.uint8))
