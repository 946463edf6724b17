# SPDX-License-Identifier: Apache-2.0
"""When to try again: after twice as long each time, at most some minutes, and never all at the same moment."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(minutes=5)


def pause(tries: int, seed: str) -> timedelta:
    """How long to wait after the `tries`-th try (from 1): between half of and all of the doubled time.

    The same `seed` gives the same pause; different ones spread effects that failed together.
    """
    whole: timedelta = min(FIRST * (1 << min(tries - 1, 32)), LONGEST)
    return whole * random.Random(f"{seed}:{tries}").uniform(0.5, 1.0)  # noqa: S311  # spreading, not secrecy
