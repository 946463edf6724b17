# SPDX-License-Identifier: Apache-2.0
"""One measured line: ours, the peer's, how they compare, and whether the target is met.

Promises that a row is plain JSON: finite numbers, null where there is no peer, never NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

Value = str | float | bool | None | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True)
class Row:
    """A result. `detail` says what the numbers are, of what, and how they were taken."""

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    target: float
    met: bool
    detail: Mapping[str, Value] = field(default_factory=dict)


def speed_row(name: str, *, ours: float, peer: float, target: float, detail: Mapping[str, Value]) -> Row:
    """A row of two times: the ratio is how many times faster we are, and must reach the target."""
    ratio = peer / ours
    return Row(name, round(ours, 3), round(peer, 3), round(ratio, 2), target, ratio >= target, detail)


def distance_row(
    name: str, bits: Sequence[int], *, most: int, detail: Mapping[str, Value], mean: float | None = None
) -> Row:
    """A row of distances in bits: the largest may be at most `most`, and their mean at most `mean` if given."""
    average = sum(bits) / len(bits)
    met = max(bits) <= most and (mean is None or average <= mean)
    averages: dict[str, Value] = {"mean": round(average, 2), "mean_target": mean}
    return Row(name, max(bits), None, None, most, met, averages | dict(detail))


def to_json(rows: Iterable[Row]) -> str:
    """The rows as one JSON list, one row a line."""
    lines = (json.dumps(asdict(row), ensure_ascii=False, allow_nan=False) for row in rows)
    return "[\n" + ",\n".join(lines) + "\n]\n"
