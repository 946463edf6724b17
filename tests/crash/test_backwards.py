# SPDX-License-Identifier: Apache-2.0
"""Kill -9 whoever searches backwards, wherever he is: he who comes next goes on, and finds all of it, once.

`make soak` does it 500 times. What happens is in searchers.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.crash.searchers import KEEPING, POINTS

KILLS = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else len(POINTS) + 2


def test_whoever_is_killed_wherever_every_copy_is_found_and_none_is_found_twice() -> None:
    command = [sys.executable, "-m", "tests.crash.searchers", str(KILLS)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    assert tally["wrong"] == []
    assert tally["differences"] == []
    assert tally["states"] == ["blocked"]
    assert tally["found"] > 20
    assert sum(tally["killed"][point] for point in POINTS if point in tally["killed"]) >= len(POINTS)
    assert all(tally["killed"][point] for point in KEEPING)
