# SPDX-License-Identifier: Apache-2.0
"""Lines of bank files: as they stand in the file, taken, or refused and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from holdfast.log.text import fault_in
from holdfast.match.signal import Signal

LONGEST_LINE: Final = 2_600_000  # characters: the frames of a long video stand on one line


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was not taken, and why; the value is not repeated."""

    number: int
    code: str
    because: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the right form, its signals not yet looked at. Lines of one non-empty `group` are one entry."""

    number: int
    group: str
    provenance: str
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line with at least one good signal."""

    number: int
    group: str
    provenance: str
    signals: tuple[Signal, ...]


def row_of(number: int, group: Any, provenance: Any, signals: tuple[tuple[Any, Any], ...]) -> Row | BadLine:  # noqa: ANN401  # whatever a file holds
    """A row, if everything in it is text that can be kept."""
    texts = [part for pair in signals for part in pair]
    group, provenance = group or "", provenance or ""
    if not texts or not all(isinstance(text, str) for text in [*texts, group, provenance]):
        return BadLine(number, "input.line", "signal_type, value, entry and provenance must be text")
    fault = fault_in(provenance) if provenance.strip() else None
    if fault:
        return BadLine(number, "input.line", f"provenance: {fault}")
    return Row(number, group, provenance.strip(), signals)
