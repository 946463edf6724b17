# SPDX-License-Identifier: Apache-2.0
"""Distances in bits, gathered in groups (a size, or a kind of file) and summed up.

Promises that a picture too plain to be hashed (quality below PDQ's minimum) is counted but not
measured: its hash means nothing on either side.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.peer import PeerHash, distance
from bench.row import Value
from holdfast.media.pdq import MINIMUM_QUALITY


@dataclass(slots=True)
class Tally:
    """Distances by group, and how many pictures of each were left out."""

    groups: dict[str, list[int]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def add(self, group: str, value: str, reference: PeerHash) -> None:
        """Count the bits between a hash and its reference, unless the picture is too plain."""
        bits = self.groups.setdefault(group, [])
        if reference.quality >= MINIMUM_QUALITY:
            bits.append(distance(value, reference.value))
        else:
            self.left_out[group] = self.left_out.get(group, 0) + 1

    @property
    def every(self) -> list[int]:
        """The distances of all groups."""
        return [bits for group in self.groups.values() for bits in group]

    def summary(self) -> dict[str, Value]:
        """Mean, 95th percentile and maximum of each group."""
        return {name: self._of(name, bits) for name, bits in self.groups.items()}

    def _of(self, name: str, bits: list[int]) -> dict[str, Value]:
        return {
            "pictures": len(bits),
            "left_out": self.left_out.get(name, 0),
            "mean": round(float(np.mean(bits)), 2),
            "p95": int(np.percentile(bits, 95, method="higher")),
            "max": max(bits),
        }
