# SPDX-License-Identifier: Apache-2.0
"""Bombs through the real sandbox: what the most expensive child cost."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.bombs import BOMBS
from bench.report import tell
from bench.row import Row, Value
from holdfast.intake.upload import Upload, from_bytes
from holdfast.media.decoder import SandboxedDecoder, ServerOptions, start_server
from holdfast.settings import Settings

_MOST_MIB: Final = 512
_MOST_SECONDS: Final = 20.0


def videobombs_rows() -> list[Row]:
    """Each bomb through the sandbox: the most memory of a child, and its processor time."""
    settings = Settings()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        options = ServerOptions(
            path=Path(folder) / "decoder", spares=2, seconds=10, memory_bytes=settings.decode_memory_bytes
        )
        server = start_server(options)
        try:
            decoder = SandboxedDecoder(options.path, 10, settings.max_pixels)
            rows = [_bomb(name, decoder, server.pid) for name in BOMBS]
        finally:
            server.kill()
            server.wait()
    return rows


def _bomb(name: str, decoder: SandboxedDecoder, server: int) -> Row:
    tell(f"videobombs: {name}")
    content = BOMBS[name]()
    frames = 0

    def see(_frame: object) -> None:
        nonlocal frames
        frames += 1

    with _upload(content) as upload, measured(server) as most:
        outcome = decoder.watch(upload, see)
    detail: dict[str, Value] = {
        "unit": "MiB resident at most; at most 512, and 20 s of processor time",
        "cpu_seconds": round(most["cpu"], 1),
        "bytes": len(content),
        "frames": frames,
        "outcome": str(outcome),
    }
    met = most["mib"] <= _MOST_MIB and most["cpu"] <= _MOST_SECONDS
    return Row(f"bomb: {name}", round(most["mib"]), None, None, _MOST_MIB, met, detail)


@contextmanager
def _upload(content: bytes) -> Iterator[Upload]:
    received = from_bytes(content, len(content))
    assert isinstance(received, Upload)
    with received:
        yield received


@contextmanager
def measured(server: int) -> Iterator[dict[str, float]]:
    """The most memory and processor time of any child while this goes on."""
    most = {"mib": 0.0, "cpu": 0.0}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for task in Path(f"/proc/{server}/task/{server}/children").read_text().split():
                _note(Path("/proc") / task, most)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def _note(process: Path, most: dict[str, float]) -> None:
    try:
        facts = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        times = (process / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return  # it has just ended
    most["mib"] = max(most["mib"], int(facts.get("VmHWM", "0 kB").split()[0]) / 1024)
    most["cpu"] = max(most["cpu"], (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"))
