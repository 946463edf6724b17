# SPDX-License-Identifier: Apache-2.0
"""The failure that Holdfast exists to end, as anybody plays it: `holdfast replay`. `REPLAY_SHARES` makes it smaller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.report import tell
from bench.row import Row, Value
from bench.served import free_port
from holdfast.replay.figures import TARGET


def replay_rows() -> list[Row]:
    """The row `replay`: views after notice with Holdfast, over those as it happened."""
    told = _played()
    story, other = told["story"], told["other_side"]
    ours, theirs = story["with_holdfast"], story["as_it_happened"]
    detail: dict[str, Value] = {
        "unit": "views after notice, with Holdfast and as it happened",
        "seconds_to_hold": ours["seconds_to_hold"],
        "places": ours["places"],
        "places_held": ours["places_held"],
        "reuploads": ours["reuploads"],
        "reuploads_stopped": ours["reuploads_stopped"],
        "reuploads_stopped_as_it_happened": theirs["reuploads_stopped"],
        "photo_hidden_seconds": other["seconds_to_hold"],
        "photo_found_seconds": other["found_after"],
        "photo_restored_seconds": other["restored_after"],
        "photo_places_restored": f"{other['places_restored']} of {other['places']}",
        "judged": story["judged"],
    }
    views = (ours["views_after_notice"], theirs["views_after_notice"])
    return [Row("replay", *views, story["ratio"], TARGET, bool(told["as_promised"]), detail)]


def _played() -> Any:  # noqa: ANN401  # what it says, as JSON
    asked = os.environ.get("REPLAY_SHARES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "DATABASE_"))}
    tell("playing both stories; with all re-shares this takes about twenty minutes")
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as folder:
        Path(folder).chmod(0o755)  # the database's own user must reach its folder
        about = {"HOLDFAST_DATA": f"{folder}/data", "HOLDFAST_LISTEN": f"127.0.0.1:{free_port()}"}
        command = [sys.executable, "-m", "holdfast", "replay", "--json", "--into", f"{folder}/out"]
        more = ["--shares", asked] if asked else []
        done = subprocess.run([*command, *more], env=kept | about, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode not in (0, 1):
            message = f"holdfast replay ended with {done.returncode}"
            raise BenchError(message)
        return json.loads(done.stdout)
