# SPDX-License-Identifier: Apache-2.0
"""Asks Thorn's perception, which runs in an environment of its own (`make bench` prepares it)."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from bench.errors import BenchError

PYTHON: Final = Path(__file__).parent.parent / ".venv-perception" / "bin" / "python"
_LENGTH: Final = struct.Struct("<I")


class Perception:
    """A perception that runs."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        """Ask it through these."""
        self._questions = questions
        self._answers = answers

    def hash_of(self, file: bytes) -> str | None:
        """The PDQ hash that perception makes of the bytes of a file, in hexadecimal; None if it cannot read it.

        Raises BenchError if it ended.
        """
        self._questions.write(_LENGTH.pack(len(file)) + file)
        self._questions.flush()
        answer = self._answers.readline().decode().strip()
        if not answer:
            raise BenchError("perception ended before it answered")
        return None if answer == "-" else answer


@contextmanager
def perception() -> Iterator[Perception]:
    """Start it, and end it afterwards. Raises BenchError if its environment is not there."""
    if not PYTHON.exists():
        raise BenchError("Thorn's perception is not installed: run make bench, or make .venv-perception/installed")
    command = [str(PYTHON), str(Path(__file__).with_name("thorn_peer.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Perception(process.stdin, process.stdout)
        process.stdin.close()
