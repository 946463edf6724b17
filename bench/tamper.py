# SPDX-License-Identifier: Apache-2.0
"""How surely edits behind everyone's back are found in their place, and how fast a log of a million is checked.

Runs on an embedded database of its own. `TAMPER_EDITS` and `TAMPER_ENTRIES` make it shorter.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from bench.report import tell
from bench.row import Row, Value
from bench.tampering import Connection, found, make_edit
from holdfast import bootstrap
from holdfast.adapters.log_folder import LogFolder
from holdfast.check_log import check_log
from holdfast.publish import Publisher
from holdfast.settings import Settings
from holdfast.store.sequencer import Sequencer

EDITS: Final = int(os.environ.get("TAMPER_EDITS", "2000"))
ENTRIES: Final = int(os.environ.get("TAMPER_ENTRIES", "1000000"))
SMALL: Final = 1500
_AT_ONCE: Final = 100_000
SECONDS: Final = 60.0
_SCREENED: Final = """
insert into journal (subject, version, tag, schema, body, actor, at)
select 'screening:scr_' || translate(substr(md5(n::text) || md5('x' || n::text), 1, 24), '0189', 'ghij'), 1,
  'screening.answered', 1, jsonb_build_object('content', 'post-' || n, 'content_version', '1', 'surface', 'photos',
  'verdict', 'no_match', 'reason', null, 'answer', 'publish', 'shadow', false, 'list_version', 7,
  'matches', '[]'::jsonb, 'looked_up_at', '2026-07-01T12:00:00Z'), 'key:abcdefgh', now()
from generate_series(%s::int, %s::int) as n
"""


def tamper_rows() -> list[Row]:
    """Two rows: edits found and located; seconds to check the whole of a large log."""
    with tempfile.TemporaryDirectory(prefix="hf-tamper-") as name:
        place = Path(name)
        place.chmod(0o755)  # the database's own user must reach its folder
        with bootstrap.database(Settings(data=place)) as ready:
            bootstrap.wire(ready)
            bootstrap.prepare_tables(ready)
            folder = LogFolder(place / "log")
            with psycopg.connect(superuser(place), autocommit=True) as connection:
                sign(connection, folder, 1, SMALL)
                edits = _edits_row(connection, folder)
                sign(connection, folder, SMALL + 1, ENTRIES)
                return [edits, _whole_row(connection, folder)]


def superuser(place: Path) -> str:
    """How to reach the embedded database in `place` as someone who may do anything."""
    password = json.loads((place / "postgres" / "secrets.json").read_text())["postgres"]
    return f"host={place / 'postgres' / 'run'} user=postgres password={password} dbname=holdfast"


def sign(connection: Connection, folder: LogFolder, first: int, last: int) -> None:
    """Screenings number `first` to `last`, sequenced and under a signed head."""
    for number in range(first, last + 1, _AT_ONCE):
        connection.execute(_SCREENED, [number, min(number + _AT_ONCE - 1, last)])
    sequencer, publisher = Sequencer(connection), Publisher(connection, folder, lambda: datetime.now(UTC))
    sequencer.lead()
    publisher.begin()
    sequencer.round()
    while publisher.publish():
        tell("tamper: a head is signed")


def _edits_row(connection: Connection, folder: LogFolder) -> Row:
    chance, located = random.Random(6962), 0  # noqa: S311  # repeatable, not secret
    missed: list[str] = []
    for number in range(EDITS):
        with connection.transaction(force_rollback=True):
            edit = make_edit(connection, chance)
            here = found(connection, folder, edit)
        located += here
        missed += [] if here else [edit.what]
        if number % 100 == 0:
            tell(f"tamper: {number} of {EDITS} edits")
    detail: dict[str, Value] = {
        "unit": "edits found and located",
        "edits": EDITS,
        "entries": SMALL,
        "missed": "; ".join(missed[:5]) or None,
        "kinds": "flip, delete, re-date, swap, insert, roll back; of journal rows and of leaves",
    }
    return Row("tamper: edits located", located, None, None, EDITS, located == EDITS, detail)


def _whole_row(connection: Connection, folder: LogFolder) -> Row:
    began, burnt = time.perf_counter(), time.process_time()
    with connection.cursor() as cursor:
        differences = list(check_log(cursor, folder))
    took, burnt = time.perf_counter() - began, time.process_time() - burnt
    detail: dict[str, Value] = {
        "unit": "seconds, everything made anew from the journal and compared",
        "entries": ENTRIES,
        "cpu_seconds_of_this_process": round(burnt, 1),
        "differences": len(differences),
        "load": round(os.getloadavg()[0], 1),
    }
    met = took < SECONDS and not differences
    return Row("tamper: whole log checked", round(took, 1), None, None, SECONDS, met, detail)
