# SPDX-License-Identifier: Apache-2.0
"""Content: an item at a platform, by the platform's own words for it. Never its bytes.

A screening is of one *version* of an item: what was screened says nothing about the next edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST_REFERENCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Which item, which version of it, on which surface, uploaded by whom.

    `uploader` is the platform's own reference and may identify a person: it is sealed beside
    the screening, never in the journal.
    """

    id: str
    version: str = "1"
    surface: str = "default"
    uploader: str | None = None
    named: bool = True
    """Whether the platform named it. What nobody can name again cannot be asked about again."""
