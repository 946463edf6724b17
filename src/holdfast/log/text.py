# SPDX-License-Identifier: Apache-2.0
"""What makes a text that a person typed usable: as a meaning, a source, a reason, a label or a provenance."""

from __future__ import annotations

import unicodedata
from typing import Final

from holdfast.errors import InvalidRequest

LONGEST_TEXT: Final = 500
LONGEST_STORY: Final = 10_000
_LINES: Final = "\n\r\t"


def fault_in(text: str) -> str | None:
    """What makes a text unusable; None if nothing does."""
    if not 0 < len(text.strip()) <= LONGEST_TEXT:
        return f"between 1 and {LONGEST_TEXT} characters"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text.strip()):
        return "no control characters"
    return None


def check_text(field: str, text: str) -> None:
    """Raise InvalidRequest, naming the field, for a text that cannot be used."""
    fault = fault_in(text)
    if fault:
        message = f"{field}: {fault}"
        raise InvalidRequest(message)


def check_story(field: str, text: str) -> None:
    """Raise InvalidRequest, naming the field, for what somebody tells that cannot be kept. It may have many lines."""
    if len(text) > LONGEST_STORY:
        message = f"{field}: at most {LONGEST_STORY:,} characters"
        raise InvalidRequest(message)
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in text if one not in _LINES):
        message = f"{field}: no control characters"
        raise InvalidRequest(message)
