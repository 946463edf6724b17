# SPDX-License-Identifier: Apache-2.0
"""One number that all processes share: it grows whenever what the public may see has changed.

It lies in a file that every process has mapped, so that reading it costs no call. Whoever changes something
commits, then calls `grow`, and only then answers. What a cache has kept is good for the number that was read
before it was made, and for no other (`front.py`).
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from pathlib import Path
from typing import Final

_SIZE: Final = struct.calcsize("Q")


class Epoch:
    """The number in the file at `path`, which is made if it is missing."""

    def __init__(self, path: Path) -> None:
        """Map the file."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.truncate(self._file, _SIZE)
        self._mine = threading.Lock()
        # A cast view reads and writes the eight bytes at once: nobody sees half a number.
        self._number = memoryview(mmap.mmap(self._file, _SIZE)).cast("Q")

    @property
    def now(self) -> int:
        """The number as it stands."""
        return int(self._number[0])

    def grow(self) -> None:
        """Make everything worthless that any cache of any process has kept."""
        with self._mine:  # a file's lock is the process's, not the thread's
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                self._number[0] += 1
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
