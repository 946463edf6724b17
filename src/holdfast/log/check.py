# SPDX-License-Identifier: Apache-2.0
"""What `holdfast fsck` does: checks by name, each looking for the first place where two accounts differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from holdfast.log.event import Event, event

Progress = Callable[[str, int], None]
"""Told a check's name and how many rows it has looked at, now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where the journal and a table say different things. None means: says nothing of it."""

    check: str
    table: str
    key: str
    column: str
    journal: Any
    found: Any
    mends: bool = False
    """Whether `fsck --fix` can write what the journal says."""


@event("fsck.mended")
@dataclass(frozen=True, slots=True, kw_only=True)
class FsckMended(Event):
    """A row that did not say what the journal says was written anew from the journal."""

    table: str
    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One named examination. It reads only, in the transaction that is open, and holds little in memory."""

    name: str
    differences: Callable[[Progress], Iterator[Difference]]


@dataclass(frozen=True, slots=True)
class Checked:
    """How one check ended: how many rows it looked at, and the first difference if there is one."""

    name: str
    rows: int
    first: Difference | None
