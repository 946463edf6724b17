# SPDX-License-Identifier: Apache-2.0
"""pg_dump and pg_restore, streamed: what the database says goes straight to whoever writes it down, and back.

The password goes by the environment, never by the command line, where everybody on the machine could read it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from holdfast.adapters.binaries import Binaries, found
from holdfast.errors import BackupUnusable, DatabaseUnavailable, PostgresMissing

_CHUNK: Final = 1024 * 1024
_PLAIN: Final = ("--no-owner", "--no-privileges")


def dump(url: str, snapshot: str, major: int) -> Iterator[bytes]:
    """Everything in the database as it was at `snapshot`, in pg_dump's custom form, piece by piece.

    Raises DatabaseUnavailable with what pg_dump said if it fails, after the pieces that came.
    """
    conninfo, environment = _connect(url)
    program = [_programs(major).program("pg_dump"), "--format=custom", *_PLAIN, f"--snapshot={snapshot}"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*program, f"--dbname={conninfo}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
        )
        assert process.stdout is not None
        with process, process.stdout as pieces:
            while piece := pieces.read(_CHUNK):
                yield piece
        if process.returncode:
            message = f"pg_dump: {_end_of(said)}"
            raise DatabaseUnavailable(message)


def restore(url: str, pieces: Iterable[bytes], major: int) -> None:
    """Put a dump into an empty database, all of it or nothing. Raises BackupUnusable with what pg_restore said."""
    conninfo, environment = _connect(url)
    program = [_programs(major).program("pg_restore"), *_PLAIN, "--exit-on-error", "--single-transaction"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*program, f"--dbname={conninfo}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environment,
        )
        assert process.stdin is not None
        broken = _feed(process.stdin, pieces)
        if process.wait() or broken:
            message = f"pg_restore: {_end_of(said)}"
            raise BackupUnusable(message)


def _feed(into: IO[bytes], pieces: Iterable[bytes]) -> bool:
    """Write everything; whether the other side closed before the end."""
    try:
        with into:
            for piece in pieces:
                into.write(piece)
    except BrokenPipeError:
        return True
    return False


def _connect(url: str) -> tuple[str, dict[str, str]]:
    """A connection string without its password, and an environment that has nothing but it."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    password = parts.pop("password", "")
    plain = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PGPASSWORD": password}
    return make_conninfo(**parts), plain


def _programs(major: int) -> Binaries:
    """The programs of the server's version, or of the next one after it. Raises PostgresMissing."""
    able = sorted((one for one in found() if one.major >= major), key=lambda one: one.major)
    if not able:
        message = f"pg_dump of PostgreSQL {major} or newer"
        raise PostgresMissing(message)
    return able[0]


def _end_of(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace").strip()[-300:]
