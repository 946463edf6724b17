# SPDX-License-Identifier: Apache-2.0
"""Try each layer of the sandbox for real, in a process that is then thrown away.

Run as `python -m holdfast.media.probe LAYER`: it takes that one layer on, does what the layer must
refuse, and ends with 0 only if it was refused. A layer that kills is a layer that refuses.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

from holdfast.media import sandbox

_NOT_REFUSED: Final = 3
_PROBE_MEMORY: Final = 512 * 1024 * 1024
_SIGSYS: Final = 31


def _rlimits() -> None:
    sandbox.limit_resources(cpu_seconds=5, memory_bytes=_PROBE_MEMORY)
    bytearray(2 * _PROBE_MEMORY)


def _landlock() -> None:
    sandbox.refuse_new_privileges()
    sandbox.restrict_files()
    open("/proc/self/status", "rb").close()  # noqa: PTH123  # the plainest possible open


def _seccomp() -> None:
    sandbox.refuse_new_privileges()
    calls = sandbox.program_of_calls()
    if calls is not None:
        sandbox.restrict_calls(calls)
    socket.socket().close()


_PROBES: Final[Mapping[str, Callable[[], None]]] = {"rlimits": _rlimits, "landlock": _landlock, "seccomp": _seccomp}
LAYERS: Final = frozenset(_PROBES)


def holds(layer: str) -> bool:
    """Whether a layer refuses what it must, on this machine, now."""
    command = [sys.executable, "-m", "holdfast.media.probe", layer]
    ended = subprocess.run(command, capture_output=True, check=False, cwd="/").returncode
    return ended in (0, -_SIGSYS)


def main() -> None:
    """Probe the layer named on the command line."""
    try:
        _PROBES[sys.argv[1]]()
    except (MemoryError, PermissionError):
        return
    sys.exit(_NOT_REFUSED)


if __name__ == "__main__":
    main()
