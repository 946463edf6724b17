# SPDX-License-Identifier: Apache-2.0
"""No process of ours outlives the one that started it, even after kill -9.

A child of ours calls `die_with_parent` first thing. A program that is not ours (PostgreSQL) is
started through this module run as a script, which takes a uid and the parent's death signal for
it and then becomes it. The kernel then sends the signal when the parent dies, however it dies.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent(parent: int, *, by: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to send `by` when `parent` (the pid that started this process) is gone.

    Call it from the main thread, after any change of uid, which takes the request back. Exits at
    once if the parent died before the kernel was asked.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        sys.exit("holdfast: the process that started this one is gone")


def become(uid: int, gid: int) -> None:
    """Give up root for `uid` and `gid`, with no other groups, for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def command(program: list[str], *, by: signal.Signals, uid: int | None = None, gid: int | None = None) -> list[str]:
    """The command line that starts `program` tied to this process, under another uid and gid if both are given.

    Raises ValueError for one without the other: the program would keep rights it was meant to lose.
    """
    if (uid is None) != (gid is None):
        raise ValueError("a uid needs a gid, and a gid a uid")
    ids = [] if uid is None else [f"--uid={uid}", f"--gid={gid}"]
    tied = [f"--parent={os.getpid()}", f"--signal={int(by)}"]
    return [sys.executable, "-I", "-S", __file__, *tied, *ids, "--", *program]


def main() -> None:
    """Become another program, tied to the parent."""
    parser = argparse.ArgumentParser()
    for name in ("--parent", "--signal"):
        parser.add_argument(name, type=int, required=True)
    for name in ("--uid", "--gid"):
        parser.add_argument(name, type=int)
    parser.add_argument("program", nargs="+")
    wanted = parser.parse_args()
    if (wanted.uid is None) != (wanted.gid is None):
        parser.error("--uid needs --gid, and --gid --uid")
    if wanted.uid is not None:
        become(wanted.uid, wanted.gid)
    die_with_parent(wanted.parent, by=signal.Signals(wanted.signal))
    os.execv(wanted.program[0], wanted.program)  # noqa: S606  # becoming the program is the point


if __name__ == "__main__":
    main()
