# SPDX-License-Identifier: Apache-2.0
"""How often each location was opened, by the second.

Each view is one short line, appended before the answer is sent to a file that all processes share and the hour names.
The lines are added up in the table `view` every second, and whenever somebody asks; each line once, as the place
up to which a file was read is written in the same transaction.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from pathlib import Path
from typing import Final

from commons.database import Connection, Value

_KEPT_SECONDS: Final = 2 * 3600.0
"""So long after its last line a file that was read to its end may go: nobody appends to it any more."""


class Views:
    """The views below a folder."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if it is missing."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._hour, self._file = "", -1

    def count(self, location: str, now: float) -> None:
        """Count one view. Only one thread of a process does."""
        hour = time.strftime("%Y-%m-%dT%H", time.gmtime(now))
        if hour != self._hour:
            if self._file >= 0:
                os.close(self._file)
            self._file = os.open(self._folder / hour, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._hour = hour
        os.write(self._file, f"{int(now)} {location}\n".encode())

    def fold(self, transaction: Connection, now: float) -> None:
        """Add up what was appended since."""
        for path in sorted(self._folder.iterdir()):
            begun = transaction.row("select upto from folded where file = ?", path.name)
            upto = begun["upto"] if begun else 0
            size = path.stat().st_size
            if size > upto:
                _add(transaction, path, upto)
            elif path.stat().st_mtime < now - _KEPT_SECONDS:
                path.unlink()
                transaction.rows("delete from folded where file = ?", path.name)

    def waits(self, connection: Connection) -> bool:
        """Whether anything was appended since."""
        known = {row["file"]: row["upto"] for row in connection.rows("select file, upto from folded")}
        return any(path.stat().st_size > known.get(path.name, 0) for path in self._folder.iterdir())


def _add(transaction: Connection, path: Path, upto: int) -> None:
    with path.open("rb") as file:
        file.seek(upto)
        read = file.read()
    whole = read[: read.rfind(b"\n") + 1]
    seen = Counter(line.partition(b" ")[::2] for line in whole.splitlines())
    values: list[tuple[Value, ...]] = [
        (location.decode(), int(second), views) for (second, location), views in seen.items()
    ]
    transaction.many(
        "insert into view (location, second, views) values (?, ?, ?)"
        " on conflict (location, second) do update set views = views + excluded.views",
        values,
    )
    transaction.rows("insert or replace into folded (file, upto) values (?, ?)", path.name, upto + len(whole))


def views_until(connection: Connection, location: str, at: float | None, now: float) -> tuple[int, float]:
    """How often `location` was opened, and until when that is: `now`, or the whole second at or before `at`."""
    until = now if at is None or at >= now else float(math.floor(at))
    last = math.ceil(until)
    found = connection.row(
        "select coalesce(sum(views), 0) as views from view where location = ? and second < ?", location, last
    )
    return (int(found["views"]) if found else 0), until
