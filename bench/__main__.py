# SPDX-License-Identifier: Apache-2.0
"""The command `python -m bench [NAME...] [--json] [--out FILE]`.

Promises that stdout holds the result and nothing else, whatever the libraries print, and that a
bench that cannot run ends in one line: exit 2 for a name that is unknown, 1 for anything else.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.backwards import backwards_rows
from bench.canonical import canonical_rows
from bench.crash import crash_rows
from bench.errors import BenchError, UnknownBenchError
from bench.falsepositives import falsepositives_rows
from bench.fidelity import fidelity_rows
from bench.flood import flood_rows
from bench.formats import format_rows
from bench.freshness import freshness_rows
from bench.hashing import hash_rows
from bench.hold import hold_rows
from bench.inserts import inserts_rows
from bench.journal import journal_rows
from bench.matching import match_10m_rows, match_rows
from bench.memory import memory_rows
from bench.pages import pages_rows
from bench.receipts import receipts_rows
from bench.replay import replay_rows
from bench.report import print_table, tell
from bench.reuploads import reuploads_rows
from bench.row import Row, to_json
from bench.screening import screen_rows
from bench.tamper import tamper_rows
from bench.timing import ensure_single_threads
from bench.video import video_rows
from bench.videobombs import videobombs_rows
from bench.videoindex import videoindex_rows

BENCHES: Final[dict[str, Callable[[], list[Row]]]] = {
    "hash": hash_rows,
    "fidelity": fidelity_rows,
    "match": match_rows,
    "screen": screen_rows,
    "freshness": freshness_rows,
    "falsepositives": falsepositives_rows,
    "formats": format_rows,
    "canonical": canonical_rows,
    "memory": memory_rows,
    "videoindex": videoindex_rows,
    "video": video_rows,
    "inserts": inserts_rows,
    "videobombs": videobombs_rows,
    "journal": journal_rows,
    "crash": crash_rows,
    "hold": hold_rows,
    "receipts": receipts_rows,
    "flood": flood_rows,
    "match-10m": match_10m_rows,
    "backwards": backwards_rows,
    "tamper": tamper_rows,
    "replay": replay_rows,
    "reuploads": reuploads_rows,
    "pages": pages_rows,
}
# Long, or in need of what is built from source.
ONLY_BY_NAME: Final = frozenset(
    {"match-10m", "video", "inserts", "tamper", "backwards", "receipts", "flood", "replay", "reuploads", "pages"}
)


def main(arguments: Sequence[str]) -> int:
    """Run the named benches, or all, and write their rows; returns the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        rows = measure(asked.names or [name for name in BENCHES if name not in ONLY_BY_NAME])
    except BenchError as fault:
        tell(f"bench: {fault}")
        return 2 if isinstance(fault, UnknownBenchError) else 1
    if asked.out:
        asked.out.write_text(to_json(rows))
    if asked.json:
        sys.stdout.write(to_json(rows))
    else:
        print_table(rows, Console())
    return 0


def measure(names: Sequence[str]) -> list[Row]:
    """The rows of the named benches, in the order named; nothing is run if one of them is unknown."""
    for name in names:
        if name not in BENCHES:
            message = f"no bench is called {name!r}; there are: {', '.join(BENCHES)}"
            raise UnknownBenchError(message)
    with contextlib.redirect_stdout(sys.stderr):
        return [row for name in names for row in BENCHES[name]()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Holdfast against its peers.")
    names = f"what to measure: {', '.join(BENCHES)} (default: all but {', '.join(ONLY_BY_NAME)})"
    parser.add_argument("names", nargs="*", metavar="NAME", help=names)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON instead of a table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the rows as JSON to FILE")
    return parser


if __name__ == "__main__":
    ensure_single_threads()
    sys.exit(main(sys.argv[1:]))
