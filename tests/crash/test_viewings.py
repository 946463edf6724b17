# SPDX-License-Identifier: Apache-2.0
"""Whoever is killed between event and bytes: an event without bytes there may be, bytes without an event never."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Server
from tests.crash.looker import POINTS

KILLS = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 6 * len(POINTS)


def test_no_byte_gets_out_before_it_is_written_that_it_does(server: Server) -> None:
    command = [sys.executable, "-m", "tests.crash.looker", str(KILLS)]
    root, environment = Path(__file__).parents[2], server.environment
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    assert tally["lives"] == KILLS
    assert tally["pictures"] > 0
    assert tally["bytes_without_event"] == 0
    assert tally["event_without_bytes"] > 0, "somebody was killed just between the two"
    assert tally["never_opened"] > 0, "and somebody before"
    assert tally["differences"] == 0
