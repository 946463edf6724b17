# SPDX-License-Identifier: Apache-2.0
"""Variants: in which form, and in which picture of the upload, something matched."""

from __future__ import annotations

import re
from typing import Final

_IN_FRAME: Final = re.compile(r"frame ([0-9]+) ")


def in_frame(frame: int, form: str) -> str:
    """The variant of a form of picture number `frame`; the first picture, number 0, goes without saying."""
    return f"frame {frame} {form}" if frame else form


def frame_of(variant: str) -> int:
    """Which picture a variant is of: what `in_frame` was given."""
    found = _IN_FRAME.match(variant)
    return int(found[1]) if found else 0
