# SPDX-License-Identifier: Apache-2.0
"""What the log proves of one held upload, asked for and checked as an outsider would: over HTTP, then offline.

The check is made by the single-file verifier, in a process of its own that is given the bundle and the
log's key and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from holdfast.demo.client import Client
from holdfast.errors import DependencyError
from holdfast.verify import holdfast_verify

_PATIENCE: Final = 60.0
_BETWEEN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Proven:
    """A bundle in a file, the events in it, and what the verifier says."""

    file: Path
    events: tuple[dict[str, Any], ...]
    says: tuple[str, ...]
    good: bool
    command: str


def prove_one(client: Client, screening: str, key: str, file: Path) -> Proven:
    """Fetch the bundle of one screening as soon as a checkpoint covers it, write it to `file`, and have it checked.

    `key` is the log's, as its operator gives it to whoever will check. Raises DependencyError if no bundle comes.
    """
    bundle = _bundle(client, screening)
    file.write_text(json.dumps(bundle, indent=1), encoding="utf-8")
    command = [sys.executable, "-I", str(holdfast_verify.__file__), str(file), "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    says = tuple((done.stdout + done.stderr).splitlines())
    events = tuple(_event(number, one) for number, one in enumerate(bundle["events"], start=1))
    ours = os.path.relpath(Path(sys.executable).with_name("holdfast"))
    return Proven(file.resolve(), events, says, done.returncode == 0, f"{ours} verify {file} --key {key}")


def _bundle(client: Client, screening: str) -> dict[str, Any]:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        reply = client.call("GET", f"/screenings/{screening}/proof")
        if reply.status == 200 and reply.body["kind"] == "holdfast.bundle":  # noqa: PLR2004
            return dict(reply.body)
        time.sleep(_BETWEEN)
    message = f"no checkpoint of the log covered screening {screening} within {_PATIENCE:.0f} seconds"
    raise DependencyError(message)


def _event(number: int, entry: dict[str, Any]) -> dict[str, Any]:
    leaf, opened = json.loads(entry["leaf"]), json.loads(entry["opened"])
    about = {"number": number, "at": leaf["at"], "event": leaf["tag"], "by": opened["actor"]}
    return {**about, "entry": entry["index"], "hashes_in_proof": len(entry["proof"])}
