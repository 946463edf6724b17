# SPDX-License-Identifier: Apache-2.0
"""Whom to call: emergency numbers and helplines, as a file that says when somebody last checked them.

The one that is shipped names few countries. Whoever runs Holdfast puts theirs into a file of the same form
(HOLDFAST_HELPLINES_FILE): a number that is wrong is worse than none, so nothing here is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from holdfast.errors import InvalidSetting

SHIPPED: Final = Path(__file__).with_suffix(".json")
_NAME: Final = "HOLDFAST_HELPLINES_FILE"
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()-]{1,24}")
_ADDRESS: Final = re.compile(r"https://[^\s\"<>]+")
_DIALLED: Final = re.compile(r"[^0-9+]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """A number for somebody in danger now, and where it works."""

    number: str
    where: str

    @property
    def dialled(self) -> str:
        """As a telephone dials it."""
        return _DIALLED.sub("", self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpline:
    """Somebody who helps: what for, and how they are reached; at least one way."""

    name: str
    says: str
    phone: str | None = None
    url: str | None = None

    @property
    def dialled(self) -> str:
        """Their number as a telephone dials it; empty if they have none."""
        return _DIALLED.sub("", self.phone or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Helplines:
    """All of them, and when somebody last checked that they are right."""

    checked_on: date
    emergency: tuple[Emergency, ...]
    lines: tuple[Helpline, ...]


def read_helplines(path: Path | None = None) -> Helplines:
    """The table in `path`, or the one that is shipped. Raises InvalidSetting for anything that is not of its form."""
    try:
        return _parsed(json.loads((path or SHIPPED).read_text(encoding="utf-8")))
    except OSError as fault:
        message = f"{_NAME}: {fault.strerror}"
        raise InvalidSetting(message) from None
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        message = f"{_NAME}: {fault}; intake/helplines.json shows the form"
        raise InvalidSetting(message) from None


def _parsed(untrusted_table: Mapping[str, Any]) -> Helplines:
    if set(untrusted_table) != {"checked_on", "emergency", "lines"}:
        message = "the fields are checked_on, emergency and lines"
        raise ValueError(message)
    found = Helplines(
        checked_on=date.fromisoformat(untrusted_table["checked_on"]),
        emergency=tuple(Emergency(**one) for one in untrusted_table["emergency"]),
        lines=tuple(Helpline(**one) for one in untrusted_table["lines"]),
    )
    if not found.emergency:
        message = "emergency: at least one number"
        raise ValueError(message)
    for one in found.lines:
        _check(one)
    for number in found.emergency:
        _check(Helpline(name=number.number, says=number.where, phone=number.number))
    return found


def _check(line: Helpline) -> None:
    """Raise ValueError for a line that nobody could use: it stands in pages as it is."""
    if not all(isinstance(text, str) and text.strip() for text in (line.name, line.says)):
        message = "name and says: a text each"
        raise ValueError(message)
    if not (line.phone or line.url):
        message = f"{line.name}: a phone or a url"
        raise ValueError(message)
    if line.phone and not _PHONE.fullmatch(line.phone):
        message = f"{line.name}: phone: a number as it is dialled"
        raise ValueError(message)
    if line.url and not _ADDRESS.fullmatch(line.url):
        message = f"{line.name}: url: an address that begins with https://"
        raise ValueError(message)
