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
BANDS: Final = 8
NEAREST_SIDE: Final = 512
LEAST_HASHABLE_SIDE: Final = 5  # the references give a thinner picture no hash at all
MINIMUM_QUALITY: Final = 50  # below it PDQ's authors advise against matching
_CACHED_SIDE: Final = 4096  # a matrix for a longer side is large and rare: made anew, never kept
_MEDIAN_RANK: Final = FREQUENCIES * FREQUENCIES // 2 - 1  # PDQ takes the lower of the two middle values

Floats = NDArray[np.float32]
Band = tuple[int, int, Floats]
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

    def of(self, family: Family, form: Form = Form.AS_IS) -> str:
        """One hash as 64 hexadecimal digits."""
        return to_hex(self.hashes[self.variants.index((family, form))])


_VARIANTS: Final = tuple((family, form) for family in Family for form in Form)


def hash_plane(plane: Plane) -> PdqHashes:
    """All sixteen hashes of a luma plane, and the quality in each family."""
    samples = _samples(plane)
    forms = np.concatenate([_eight_forms(_low_frequencies(block)) for block in samples])
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


def _samples(plane: Plane) -> tuple[Floats, ...]:
    """The 64 x 64 smoothed samples of each family, as if taken from the picture at its full size."""
    height, width = plane.luma.shape
    nearest = max(plane.full_height, plane.full_width) > NEAREST_SIDE
    rows = _banded_rows(plane.full_height, height, nearest=nearest)
    tall = np.empty((BANDS, 2 * GRID // BANDS, width), np.float32)
    for band, (first, last, weights) in enumerate(rows):
        np.matmul(weights, plane.luma[first:last].astype(np.float32), out=tall[band])
    halves = np.split(tall, 2, axis=1)
    return tuple(
        half.reshape(GRID, width) @ _weights(plane.full_width, width, nearest=on_nearest).T
        for half, on_nearest in zip(halves, (False, nearest), strict=True)
    )


def _banded_rows(full: int, scaled: int, *, nearest: bool) -> tuple[Band, ...]:
    cached = scaled <= _CACHED_SIDE
    return (_cut_rows if cached else _cut_rows.__wrapped__)(full, scaled, nearest)


def _weights(full: int, scaled: int, *, nearest: bool) -> Floats:
    cached = scaled <= _CACHED_SIDE
    return (_axis_weights if cached else _axis_weights.__wrapped__)(full, scaled, nearest)


@lru_cache(maxsize=64)
def _cut_rows(full: int, scaled: int, nearest: bool) -> tuple[Band, ...]:  # noqa: FBT001  # a cache key
    """Per band of samples: the first and last plane row it needs, and both families' weights for those rows."""
    families = _weights(full, scaled, nearest=False), _weights(full, scaled, nearest=nearest)
    bands = []
    for top in range(0, GRID, GRID // BANDS):
        both = np.concatenate([weights[top : top + GRID // BANDS] for weights in families])
        used = np.flatnonzero(both.any(axis=0))
        first, last = int(used[0]), int(used[-1]) + 1
        bands.append((first, last, np.ascontiguousarray(both[:, first:last])))
    return tuple(bands)


@lru_cache(maxsize=128)
def _axis_weights(full: int, scaled: int, nearest: bool) -> Floats:  # noqa: FBT001  # a cache key
    """The 64 x scaled matrix that filters and samples one axis of `full` pixels decoded to `scaled`.

    Each weight of a source pixel is moved onto the one or two scaled pixels that cover it.
    """
    size = NEAREST_SIDE if nearest else full
    left = (np.arange(size) * full // size) * scaled / full
    right = left + scaled / full
    first = np.minimum(left.astype(np.int64), scaled - 1)
    last = np.minimum(np.ceil(right).astype(np.int64) - 1, scaled - 1)
    share = np.where(last > first, (last - left) / (right - left), 1.0)
    rest = 1.0 - share
    collapsed = np.zeros((GRID, scaled))
    for row, (used, weights) in zip(collapsed, _filter(size), strict=True):
        np.add.at(row, first[used], weights * share[used])
        np.add.at(row, last[used], weights * rest[used])
    return collapsed.astype(np.float32)


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


def _low_frequencies(samples: Floats) -> Floats:
    return np.asarray(_COSINES @ samples @ _COSINES.T, np.float32)


def _eight_forms(low: Floats) -> Floats:
    """The coefficients of the eight turned and mirrored pictures, in the order of `Form`."""
    across, down = low * _SIGNS[None, :], low * _SIGNS[:, None]
    both = across * _SIGNS[:, None]
    forms = (low, across.T, both, down.T, across, down, low.T, both.T)
    return np.stack([form.reshape(-1) for form in forms])


def _quality(samples: Floats) -> int:
    """PDQ's gradient sum: 0 for a flat picture, 100 for one with plenty to hold on to."""
    down = np.abs(np.trunc((samples[:-1] - samples[1:]) * (100 / 255))).sum()
    across = np.abs(np.trunc((samples[:, :-1] - samples[:, 1:]) * (100 / 255))).sum()
    return min(100, int((down + across) / 90))
