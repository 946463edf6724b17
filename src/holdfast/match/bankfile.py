# SPDX-License-Identifier: Apache-2.0
"""Bank entries as files, in and out, line by line: good lines are taken, bad lines are told.

Ours: CSV with a header of at least `signal_type,value` (`entry` and `provenance` are optional), and
JSON lines with the same names, or with `signals`, a list of {signal_type, value}. Lines with the
same non-empty `entry` become one entry; that name is not kept. A video is one value of the type `vpdq`
(`holdfast.match.vpdqfile`). Those of python-threatexchange stand
in `holdfast.match.txfile`. What is exported can be imported again and gives the same signals.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from holdfast.errors import InvalidBankFile, InvalidSignal
from holdfast.match import txfile
from holdfast.match.bank import Bank, BankKind
from holdfast.match.bankline import LONGEST_LINE, BadLine, Line, Row, row_of
from holdfast.match.entry import Entry
from holdfast.match.signal import Signal, SignalType, parse
from holdfast.match.vpdqfile import parse_frames, videos_and_others


class Form(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"
    TXT = "txt"
    """A plain list, as python-threatexchange reads."""
    DATASET = "dataset"
    """The CSV of python-threatexchange's `tx dataset`. Read as CSV: its header tells it apart."""


_SUFFIXES: Final = {".csv": Form.CSV, ".jsonl": Form.JSONL, ".ndjson": Form.JSONL, ".txt": Form.TXT}
_HEADERS: Final = {
    Form.CSV: "entry,signal_type,value,provenance,state,opinion\n",
    Form.DATASET: ",".join(txfile.COLUMNS) + "\n",
}


csv.field_size_limit(LONGEST_LINE)


def read(
    untrusted_lines: Iterable[str],
    form: Form,
    *,
    kind: BankKind = BankKind.KNOWN,
    signal_type: str | None = None,
) -> Iterator[Line | BadLine]:
    """Read a file for a bank of this kind, line by line; `signal_type` is for plain lists of bare hashes.

    Raises InvalidBankFile if it is not such a file at all (no header, no such columns).
    """
    match form:
        case Form.CSV | Form.DATASET:
            rows = _csv_rows(untrusted_lines, kind)
        case Form.JSONL:
            rows = _json_rows(untrusted_lines)
        case Form.TXT:
            rows = txfile.plain_rows(untrusted_lines, signal_type)
    for row in rows:
        if isinstance(row, BadLine):
            yield row
        else:
            yield from _parsed(row)


def write(entries: Iterable[Entry], form: Form, bank: Bank) -> Iterator[str]:
    """The lines of an export of `bank`, each with its line end."""
    if form in _HEADERS:
        yield _HEADERS[form]
    for entry in entries:
        match form:
            case Form.CSV:
                yield from _as_csv(entry)
            case Form.JSONL:
                yield _as_json(entry)
            case Form.TXT:
                yield from txfile.as_plain(entry)
            case Form.DATASET:
                yield from txfile.as_dataset(entry, bank)


def form_of(name: str) -> Form:
    """The form that a file name ends with. Raises InvalidBankFile if it ends with none."""
    for suffix, form in _SUFFIXES.items():
        if name.lower().endswith(suffix):
            return form
    message = "the name must end with .csv, .jsonl or .txt"
    raise InvalidBankFile(message)


def _parsed(row: Row) -> Iterator[Line | BadLine]:
    """What is good of a row, after what is bad of it."""
    good: list[Signal] = []
    for kind, value in row.signals:
        try:
            good += parse_frames(value) if kind.strip().lower() == SignalType.VPDQ else [parse(kind, value)]
        except InvalidSignal as fault:
            yield BadLine(row.number, fault.code, str(fault))
    if good:
        yield Line(row.number, row.group, row.provenance, tuple(good))


def _csv_rows(untrusted_lines: Iterable[str], kind: BankKind) -> Iterator[Row | BadLine]:
    reader = csv.DictReader(untrusted_lines)
    try:
        columns = set(reader.fieldnames or ())
        theirs = {"signal_type", "signal_str"} <= columns
        if not theirs and not {"signal_type", "value"} <= columns:
            message = "the first line must be a header with signal_type and value"
            raise InvalidBankFile(message)
        for fields in reader:
            number = reader.line_num
            if theirs:
                yield txfile.dataset_row(number, fields, kind)
            else:
                pair = (fields["signal_type"], fields["value"])
                yield row_of(number, fields.get("entry"), fields.get("provenance"), (pair,))
    except csv.Error as fault:
        message = f"line {reader.line_num}: {fault}"
        raise InvalidBankFile(message) from fault


def _json_rows(untrusted_lines: Iterable[str]) -> Iterator[Row | BadLine]:
    for number, line in enumerate(untrusted_lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line) if len(line) <= LONGEST_LINE else None
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            yield BadLine(number, "input.line", "not a JSON object on one line")
            continue
        listed = fields.get("signals", [fields])
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            yield BadLine(number, "input.line", "signals must be a list of objects")
            continue
        pairs = tuple((one.get("signal_type"), one.get("value")) for one in listed)
        yield row_of(number, fields.get("entry"), fields.get("provenance"), pairs)


def _as_csv(entry: Entry) -> Iterator[str]:
    for kind, value in videos_and_others(entry.signals):
        line = io.StringIO()
        about = [_no_formula(entry.provenance), entry.state.value, entry.opinion or ""]
        csv.writer(line, lineterminator="\n").writerow([entry.id, kind.value, value, *about])
        yield line.getvalue()


def _no_formula(text: str) -> str:
    """A spreadsheet must not run what stands in a cell (ASVS 1.2.10)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _as_json(entry: Entry) -> str:
    body = {
        "entry": entry.id,
        "signals": [{"signal_type": kind.value, "value": value} for kind, value in videos_and_others(entry.signals)],
        "provenance": entry.provenance,
        "state": entry.state.value,
        "opinion": entry.opinion,
    }
    return json.dumps(body, ensure_ascii=False) + "\n"
