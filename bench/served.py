# SPDX-License-Identifier: Apache-2.0
"""A whole Holdfast, started for a bench as anyone would start it, with a key and a bank of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import BenchError
from holdfast.demo.client import Client

BANK: Final = "bench"
_READY_SECONDS: Final = 120.0
_END_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs, the environment it runs in, and a client that may do everything."""

    environment: dict[str, str]
    client: Client
    pid: int
    """Of the process that starts the others."""

    def command(self, *words: str) -> str:
        """Run one `holdfast` command against it; returns what it said. Raises BenchError with its complaint."""
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"holdfast {words[0]}: {done.stderr.strip() or done.stdout.strip()}"
            raise BenchError(message)
        return done.stdout


@contextmanager
def served(*more_scopes: str, **settings: str) -> Iterator[Served]:
    """Start everything on a free port and an empty database, with these settings; end it and forget it afterwards."""
    place = Path(tempfile.mkdtemp(prefix="hf-bench-"))
    place.chmod(0o755)  # the database's own user must reach its folder
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "DATABASE_"))}
    environment = {**kept, "HOLDFAST_DATA": str(place / "data"), "HOLDFAST_LISTEN": f"127.0.0.1:{free_port()}"}
    environment |= settings
    process = subprocess.Popen([sys.executable, "-m", "holdfast", "serve"], env=environment, stdout=subprocess.DEVNULL)
    try:
        address = environment["HOLDFAST_LISTEN"]
        Client(address, "").wait_until_ready(patience=_READY_SECONDS)
        made = Served(environment, Client(address, ""), process.pid)
        wanted = ("screen", "explain", "banks:read", "banks:write", *more_scopes)
        scopes = [word for scope in wanted for word in ("--scope", scope)]
        key = str(json.loads(made.command("key", "create", "bench", *scopes, "--json"))["key"])
        made.command("bank", "create", BANK, "--meaning", "benign pictures", "--source", "a bench")
        yield Served(environment, Client(address, key), process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_END_SECONDS)
        shutil.rmtree(place, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
