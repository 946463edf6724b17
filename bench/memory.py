# SPDX-License-Identifier: Apache-2.0
"""How much memory hashing one 12 MP JPEG takes beyond what the program needs to be there at all.

Each side runs in a process of its own: import, set the kernel's peak back, hash, ask for the peak.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Final

from bench.corpus import measures, origin, pictures
from bench.derive import SIZES
from bench.report import tell
from bench.row import Row, Value, speed_row

TARGET: Final = 50
STEP: Final = 6
SIDES: Final = {"ours": ("bench.ours", "hashes_of"), "peer": ("bench.peer", "threatexchange_hash")}
_KIB: Final = 1024
_RESET_PEAK: Final = "5"  # see proc(5), clear_refs


def memory_rows() -> list[Row]:
    """One row: mebibytes at the peak, ours and the peer's."""
    chosen = pictures(SIZES[0])[::STEP]
    tell(f"memory: {len(chosen)} pictures")
    ours, peer = (fmean(_measured(side, picture.jpeg) for picture in chosen) for side in SIDES)
    detail: dict[str, Value] = {
        "unit": "MiB of resident memory at the peak, beyond what is resident after imports and one small picture",
        "ours": "JPEG bytes to 16 PDQ hashes",
        "peer": "threatexchange pdq_from_bytes: 1 PDQ hash",
        "taken": f"mean over every {STEP}th picture, each in a process of its own",
    }
    return [speed_row("memory 12 MP", ours=ours, peer=peer, target=TARGET, detail=detail | measures(chosen) | origin())]


def _measured(side: str, jpeg: bytes) -> float:
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(jpeg)
        file.flush()
        command = [sys.executable, "-m", "bench.memory", side, file.name]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _resident(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / _KIB
    raise LookupError(field)


def main() -> None:
    """Measure one side with one picture."""
    side, path = sys.argv[1:]
    module, name = SIDES[side]
    hashing = getattr(importlib.import_module(module), name)
    hashing(pictures(SIZES[2])[0].jpeg)  # each side loads something only when it is used
    jpeg = Path(path).read_bytes()
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    before = _resident("VmRSS")
    hashing(jpeg)
    sys.stdout.write(f"{_resident('VmHWM') - before}\n")


if __name__ == "__main__":
    main()
