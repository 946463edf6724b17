# SPDX-License-Identifier: Apache-2.0
"""Kill -9 at every named point of command, lease, call and settlement, and the database under load: nothing is lost.

`make soak` does it 2,000 times. What happens is in bench/crash.py and bench/nursery.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.nursery import POINTS

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
KILLS = 2000 if SOAK else len(POINTS) + 3


def test_whoever_is_killed_wherever_nothing_acknowledged_is_lost_and_nothing_is_done_twice() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "bench.crash", str(KILLS)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    assert set(tally["killed"]) >= set(POINTS)
    assert sum(tally["killed"].values()) == KILLS
    assert tally["database_falls"] >= 2
    assert tally["acknowledged"] > 0
    assert tally["effects"] >= tally["acknowledged"]
    wrong = {name: tally[name] for name in ("lost", "doubled", "left_undone", "out_of_order", "differences")}
    assert wrong == {"lost": 0, "doubled": 0, "left_undone": 0, "out_of_order": 0, "differences": []}
