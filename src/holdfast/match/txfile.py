# SPDX-License-Identifier: Apache-2.0
"""The files of python-threatexchange (PyTX), in and out.

Plain: `pdq HASH` on each line, as its `local_file` exchange reads and `tx dataset -P -S` prints; or
a hash alone on each line, with the type said beside the file. Dataset: the CSV of `tx dataset -P
--csv`, with the columns signal_type, signal_str, collab, category, tags. A video is one line, its
frames a JSON list (`holdfast.match.vpdqfile`).

PyTX has one name for MD5, `video_md5`, and none for SHA-1 and SHA-256; those keep ours. A bank of
known material takes positive opinions, a benign bank negative ones; what needs verifying first
(an investigation seed) is listed as refused. Only active entries are written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from holdfast.log.text import LONGEST_TEXT
from holdfast.match.bank import Bank, BankKind
from holdfast.match.bankline import LONGEST_LINE, BadLine, Row, row_of
from holdfast.match.entry import Entry, EntryState, Opinion
from holdfast.match.signal import SignalType
from holdfast.match.vpdqfile import videos_and_others

COLUMNS: Final = ("signal_type", "signal_str", "collab", "category", "tags")
_MD5: Final = "video_md5"
_SEED: Final = "INVESTIGATION_SEED"


def category_of(kind: BankKind) -> str:
    """PyTX's word for what a bank of this kind says of its entries."""
    return "NEGATIVE_CLASS" if kind is BankKind.BENIGN else "POSITIVE_CLASS"


def our_type(name: str) -> str:
    """Our name for PyTX's name of a signal type."""
    return SignalType.MD5.value if name.strip().lower() == _MD5 else name


def plain_rows(untrusted_lines: Iterable[str], signal_type: str | None) -> Iterator[Row | BadLine]:
    """Rows of a plain list; with a signal type, each line is a hash of it and nothing else."""
    for number, line in enumerate(untrusted_lines, start=1):
        text = line.strip()
        if not text:
            continue
        kind, _, value = (signal_type, "", text) if signal_type else text.partition(" ")
        if not kind or not value or len(text) > LONGEST_LINE:
            yield BadLine(number, "input.line", "not a signal type, a space and a hash")
            continue
        yield row_of(number, "", "", ((our_type(kind), value),))


def dataset_row(number: int, fields: Mapping[str, Any], wanted: BankKind) -> Row | BadLine:
    """One line of the CSV of `tx dataset`."""
    category = fields.get("category") or ""
    if category and category != category_of(wanted):
        because = f"a {wanted} bank takes the category {category_of(wanted)} only"
        return BadLine(number, "input.category", because)
    kind = fields.get("signal_type")
    told = " ".join(str(fields.get(name) or "") for name in ("collab", "tags")).strip()
    pair = (our_type(kind) if isinstance(kind, str) else kind, fields.get("signal_str"))
    return row_of(number, "", told[:LONGEST_TEXT], (pair,))


def as_plain(entry: Entry) -> Iterator[str]:
    """The lines of one entry in a plain list."""
    if entry.state is EntryState.ACTIVE:
        for kind, value in videos_and_others(entry.signals):
            yield f"{_their_type(kind)} {value}\n"


def as_dataset(entry: Entry, bank: Bank) -> Iterator[str]:
    """The lines of one entry in the CSV of `tx dataset`; a disputed one is a seed, which needs verifying."""
    if entry.state is not EntryState.ACTIVE:
        return
    category = _SEED if entry.opinion is Opinion.DISPUTED else category_of(bank.kind)
    for kind, value in videos_and_others(entry.signals):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(
            [_their_type(kind), value, bank.name, category, entry.opinion or ""]
        )
        yield line.getvalue()


def _their_type(kind: SignalType) -> str:
    return _MD5 if kind is SignalType.MD5 else kind.value
