# SPDX-License-Identifier: Apache-2.0
"""What a decoder may give back: raw luma planes and small integers, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST_SIDE: Final = 2**20  # pixels; no picture that people see is longer


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One picture's brightness: uint8 of shape (height, width), upright, perhaps at a fraction of its size.

    `full_height` and `full_width` are the picture's own size in pixels, upright; the hash is
    computed as if on that size.
    """

    luma: NDArray[np.uint8]
    full_height: int
    full_width: int
