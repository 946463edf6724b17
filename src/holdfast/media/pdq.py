# SPDX-License-Identifier: Apache-2.0
"""PDQ of a luma plane, in both families that circulate, in all eight orientations, from one plane.

PDQ smooths the picture with two passes of a box filter, keeps 64 x 64 samples, takes the low
16 x 16 cosine coefficients and sets a bit for each above their median. Two families are in use:
the C++ reference first resizes to 512 x 512 by nearest neighbour, python-threatexchange and HMA
hash the full resolution; on ordinary photographs they differ by up to 22 bits of the 31 allowed.

Smoothing and sampling are linear and separable, so the 64 x 64 samples are R @ plane @ C.T with
banded R and C. A plane that was decoded at a fraction of the picture's size keeps the *full-size*
filter: its weights are summed onto the coarser grid, so position is kept and the hash hardly moves
(a plain resize first would move it by up to 40 bits). Rows are done in bands, because each sample
looks at about 1/64 of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.media.plane import Plane

GRID: Final = 64
FREQUENCIES: Final = 16
ROW_BANDS: Final = 16
COLUMN_BANDS: Final = 4
NEAREST_SIDE: Final = 512
LEAST_HASHABLE_SIDE: Final = 5  # the references give a thinner picture no hash at all
MINIMUM_QUALITY: Final = 50  # below it PDQ's authors advise against matching
_LONG_SIDE: Final = 2**14  # the filter for a longer side is large and rare: made anew, never kept
_LONG_PLANE: Final = 4096  # and so are the weights of one that was not scaled down
_MEDIAN_RANK: Final = FREQUENCIES * FREQUENCIES // 2 - 1  # PDQ takes the lower of the two middle values

Floats = NDArray[np.float32]
Band = tuple[int, Floats]  # first pixel; weights of shape (families, samples, pixels)
Hashes = NDArray[np.uint64]  # shape (n, 4): 256 bits each, least significant word first


class Family(StrEnum):
    """Which resolution the filter is defined on."""

    FULL = "full"
    NEAREST_512 = "nearest512"


class Form(StrEnum):
    """How the picture may have been turned or mirrored before it was uploaded."""

    AS_IS = "as_is"
    TURNED_90 = "turned_90"
    TURNED_180 = "turned_180"
    TURNED_270 = "turned_270"
    MIRRORED = "mirrored"
    FLIPPED = "flipped"
    TRANSPOSED = "transposed"
    ANTITRANSPOSED = "antitransposed"


@dataclass(frozen=True, slots=True)
class PdqHashes:
    """The hashes of one plane: hashes[i] is of `variants[i]`; quality 0-100 per family."""

    hashes: Hashes
    variants: tuple[tuple[Family, Form], ...]
    quality: dict[Family, int]

    @property
    def usable(self) -> tuple[bool, ...]:
        """For each family, whether its hashes are good enough to be matched."""
        return tuple(self.quality[family] >= MINIMUM_QUALITY for family in Family)

    def of(self, family: Family, form: Form = Form.AS_IS) -> str:
        """One hash as 64 hexadecimal digits."""
        return to_hex(self.hashes[self.variants.index((family, form))])


_VARIANTS: Final = tuple((family, form) for family in Family for form in Form)


def hash_plane(plane: Plane) -> PdqHashes:
    """All sixteen hashes of a luma plane, and the quality in each family."""
    samples = _samples(plane)
    low = (_COSINES @ samples @ _COSINES.T).reshape(len(Family), -1)
    forms = (low[:, _FORM_ORDER] * _FORM_SIGNS).reshape(len(_VARIANTS), -1)
    medians = np.partition(forms, _MEDIAN_RANK, axis=1)[:, _MEDIAN_RANK : _MEDIAN_RANK + 1]
    packed = np.packbits(forms > medians, axis=1, bitorder="little")
    thin = min(plane.full_height, plane.full_width) < LEAST_HASHABLE_SIDE
    quality = {family: 0 if thin else _quality(block) for family, block in zip(Family, samples, strict=True)}
    return PdqHashes(hashes=packed.view(np.uint64), variants=_VARIANTS, quality=quality)


def from_hex(value: str) -> Hashes:
    """A PDQ hash of 64 hexadecimal digits as four words."""
    return np.frombuffer(bytes.fromhex(value)[::-1], dtype=np.uint64)


def to_hex(words: Hashes) -> str:
    """Four words as 64 hexadecimal digits, most significant first."""
    return words.tobytes()[::-1].hex()


def _samples(plane: Plane) -> Floats:
    """The 64 x 64 smoothed samples of each family, as if taken from the picture at its full size."""
    height, width = plane.luma.shape
    if width > _LONG_PLANE and width > height:
        # The longer side first, so that what stands between the two steps is small.
        turned = Plane(plane.luma.T, plane.full_width, plane.full_height)
        return _samples(turned).transpose(0, 2, 1)
    nearest = max(plane.full_height, plane.full_width) > NEAREST_SIDE
    tall = np.empty((ROW_BANDS, len(Family), GRID // ROW_BANDS, width), np.float32)
    for out, (first, weights) in zip(tall, _bands(plane.full_height, height, ROW_BANDS, nearest=nearest), strict=True):
        used = plane.luma[first : first + weights.shape[-1]].astype(np.float32)
        np.matmul(weights.reshape(-1, len(used)), used, out=out.reshape(-1, width))
    rows = tall.transpose(1, 0, 2, 3).reshape(len(Family), GRID, width)
    samples = np.empty((len(Family), COLUMN_BANDS, GRID // COLUMN_BANDS, GRID), np.float32)
    for at, (first, weights) in enumerate(_bands(plane.full_width, width, COLUMN_BANDS, nearest=nearest)):
        used = rows[:, :, first : first + weights.shape[-1]]
        np.matmul(weights, used.transpose(0, 2, 1), out=samples[:, at])
    return samples.reshape(len(Family), GRID, GRID).transpose(0, 2, 1)


def _bands(full: int, scaled: int, count: int, *, nearest: bool) -> tuple[Band, ...]:
    cached = scaled <= _LONG_PLANE
    return (_cut if cached else _cut.__wrapped__)(full, scaled, count, nearest)


@lru_cache(maxsize=128)
def _cut(full: int, scaled: int, count: int, nearest: bool) -> tuple[Band, ...]:  # noqa: FBT001  # a cache key
    """One axis in `count` bands of samples: the first pixel each needs, and both families' weights from there on."""
    families = _sample_weights(full, scaled, nearest=False), _sample_weights(full, scaled, nearest=nearest)
    bands = []
    for top in range(0, GRID, GRID // count):
        of_band = [rows[top : top + GRID // count] for rows in families]
        first = min(start for rows in of_band for start, _ in rows)
        last = max(start + len(weights) for rows in of_band for start, weights in rows)
        block = np.zeros((len(families), GRID // count, last - first), np.float32)
        for family, rows in enumerate(of_band):
            for row, (start, weights) in enumerate(rows):
                block[family, row, start - first : start - first + len(weights)] = weights
        bands.append((first, block))
    return tuple(bands)


def _sample_weights(full: int, scaled: int, *, nearest: bool) -> list[tuple[int, NDArray[np.float64]]]:
    """For each of the 64 samples of one axis of `full` pixels decoded to `scaled`: first pixel used, and weights.

    Each weight of a source pixel is moved onto the one or two scaled pixels that cover it.
    """
    size = NEAREST_SIDE if nearest else full
    left = (np.arange(size) * full // size) * scaled / full
    right = left + scaled / full
    first = np.minimum(left.astype(np.int64), scaled - 1)
    last = np.minimum(np.ceil(right).astype(np.int64) - 1, scaled - 1)
    share = np.where(last > first, (last - left) / (right - left), 1.0)
    rest = 1.0 - share
    rows = []
    for used, weights in (_filter if size <= _LONG_SIDE else _filter.__wrapped__)(size):
        start = int(first[used.start])
        row = np.zeros(int(last[used.stop - 1]) + 1 - start)
        np.add.at(row, first[used] - start, weights * share[used])
        np.add.at(row, last[used] - start, weights * rest[used])
        rows.append((start, row))
    return rows


@lru_cache(maxsize=16)
def _filter(size: int) -> tuple[tuple[slice, NDArray[np.float64]], ...]:
    """Two box passes over `size` pixels, sampled at the middles of 64 equal parts: pixels used, and weights."""
    window = (size + 2 * GRID - 1) // (2 * GRID)
    ahead = (window + 2) // 2
    at = np.arange(size)
    start, stop = np.maximum(at - (window - ahead), 0), np.minimum(at + ahead, size)
    weight = 1.0 / (stop - start)
    rows = []
    for middle in ((np.arange(GRID) + 0.5) * size / GRID).astype(np.int64):
        # The mean of the first pass's boxes over the second pass's box, added up as steps.
        inner = slice(start[middle], stop[middle])
        low, high = start[inner.start], stop[inner.stop - 1]
        steps = np.zeros(high - low + 1)
        np.add.at(steps, start[inner] - low, weight[inner])
        np.subtract.at(steps, stop[inner] - low, weight[inner])
        rows.append((slice(low, high), np.cumsum(steps[:-1]) / (inner.stop - inner.start)))
    return tuple(rows)


def _cosines() -> Floats:
    frequency, position = np.arange(1, FREQUENCIES + 1)[:, None], np.arange(GRID)[None, :]
    basis: NDArray[np.float64] = np.sqrt(2 / GRID) * np.cos(np.pi / (2 * GRID) * frequency * (2 * position + 1))
    return basis.astype(np.float32)


_COSINES: Final = _cosines()
# Mirroring the picture flips the sign of every odd frequency of that axis.
_SIGNS: Final = np.where(np.arange(1, FREQUENCIES + 1) % 2, -1, 1).astype(np.float32)


def _eight_forms(low: Floats) -> Floats:
    """The coefficients of the eight turned and mirrored pictures, in the order of `Form`."""
    across, down = low * _SIGNS[None, :], low * _SIGNS[:, None]
    both = across * _SIGNS[:, None]
    return np.stack([form.reshape(-1) for form in (low, across.T, both, down.T, across, down, low.T, both.T)])


# Which coefficient stands where in each form, and with which sign: found by sending numbers through.
_NUMBERED: Final = _eight_forms(np.arange(1, FREQUENCIES**2 + 1, dtype=np.float32).reshape(FREQUENCIES, FREQUENCIES))
_FORM_ORDER: Final = (np.abs(_NUMBERED) - 1).astype(np.intp)
_FORM_SIGNS: Final = np.sign(_NUMBERED)


def _quality(samples: Floats) -> int:
    """PDQ's gradient sum: 0 for a flat picture, 100 for one with plenty to hold on to."""
    down = np.abs(np.trunc((samples[:-1] - samples[1:]) * (100 / 255))).sum()
    across = np.abs(np.trunc((samples[:, :-1] - samples[:, 1:]) * (100 / 255))).sum()
    return min(100, int((down + across) / 90))
