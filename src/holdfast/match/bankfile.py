# SPDX-License-Identifier: Apache-2.0
"""Bank entries as files: CSV and JSON lines, in and out. Good lines are kept, bad lines are listed.

CSV has a header with at least `signal_type,value`; `entry` and `provenance` are optional. JSON
lines are objects with the same names, or with `signals`, a list of {signal_type, value}. Lines
with the same non-empty `entry` become one entry; that name is not kept. What is exported can be
imported again and gives the same signals.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from holdfast.errors import InvalidBankFile, InvalidSignal
from holdfast.match.bank import Entry, fault_in
from holdfast.match.signal import Signal, parse

LONGEST_LINE: Final = 100_000


class Form(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was not taken, and why; the value is not repeated."""

    number: int
    code: str
    because: str


@dataclass(slots=True)
class Reading:
    """What a file holds: entries as (signals, provenance), and the lines that were not taken."""

    items: list[tuple[tuple[Signal, ...], str]] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    group: str
    provenance: str
    signals: tuple[tuple[str, str], ...]


def read(untrusted_lines: Iterable[str], form: Form, *, default_provenance: str) -> Reading:
    """Read a whole file. Duplicates within it count as bad lines after the first.

    Raises InvalidBankFile if it is not such a file at all (no header, no such columns).
    """
    reading = Reading()
    seen: set[Signal] = set()
    groups: dict[str, int] = {}
    rows = _csv_rows(untrusted_lines) if form is Form.CSV else _json_rows(untrusted_lines)
    for row in rows:
        if isinstance(row, BadLine):
            reading.bad.append(row)
            continue
        taken = _take_signals(row, seen, reading.bad)
        if taken:
            _put(reading, groups, row.group, taken, row.provenance or default_provenance)
    return reading


def without_known(reading: Reading, known: set[Signal]) -> Reading:
    """The same reading without signals that the bank already has; each is listed as a duplicate."""
    result = Reading(bad=list(reading.bad))
    for signals, provenance in reading.items:
        fresh = tuple(signal for signal in signals if signal not in known)
        result.bad += [BadLine(0, "input.duplicate", "already in the bank")] * (len(signals) - len(fresh))
        if fresh:
            result.items.append((fresh, provenance))
    return result


def write(entries: Iterable[Entry], form: Form) -> Iterator[str]:
    """The lines of an export, each with its line end."""
    if form is Form.CSV:
        yield "entry,signal_type,value,provenance,state\n"
    for entry in entries:
        yield from (_as_csv(entry) if form is Form.CSV else [_as_json(entry)])


def _put(reading: Reading, groups: dict[str, int], group: str, taken: tuple[Signal, ...], provenance: str) -> None:
    if group and group in groups:
        signals, first_provenance = reading.items[groups[group]]
        reading.items[groups[group]] = (signals + taken, first_provenance)
        return
    if group:
        groups[group] = len(reading.items)
    reading.items.append((taken, provenance))


def _take_signals(row: _Row, seen: set[Signal], bad: list[BadLine]) -> tuple[Signal, ...]:
    taken = []
    for kind, value in row.signals:
        try:
            signal = parse(kind, value)
        except InvalidSignal as fault:
            bad.append(BadLine(row.number, fault.code, str(fault)))
            continue
        if signal in seen:
            bad.append(BadLine(row.number, "input.duplicate", "the same signal stands earlier in the file"))
            continue
        seen.add(signal)
        taken.append(signal)
    return tuple(taken)


def _csv_rows(untrusted_lines: Iterable[str]) -> Iterator[_Row | BadLine]:
    reader = csv.DictReader(untrusted_lines)
    try:
        columns = set(reader.fieldnames or ())
        if not {"signal_type", "value"} <= columns:
            message = "the first line must be a header with signal_type and value"
            raise InvalidBankFile(message)
        for fields in reader:
            yield _checked(reader.line_num, fields, ((fields["signal_type"], fields["value"]),))
    except csv.Error as fault:
        message = f"line {reader.line_num}: {fault}"
        raise InvalidBankFile(message) from fault


def _json_rows(untrusted_lines: Iterable[str]) -> Iterator[_Row | BadLine]:
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
        yield _checked(number, fields, tuple((one.get("signal_type"), one.get("value")) for one in listed))


def _checked(number: int, fields: dict[str, Any], signals: Sequence[tuple[Any, Any]]) -> _Row | BadLine:
    texts = [part for pair in signals for part in pair]
    group, provenance = fields.get("entry") or "", fields.get("provenance") or ""
    if not texts or not all(isinstance(text, str) for text in [*texts, group, provenance]):
        return BadLine(number, "input.line", "signal_type, value, entry and provenance must be text")
    fault = fault_in(provenance) if provenance.strip() else None
    if fault:
        return BadLine(number, "input.line", f"provenance: {fault}")
    return _Row(number, group, provenance.strip(), tuple((kind, value) for kind, value in signals))


def _as_csv(entry: Entry) -> Iterator[str]:
    for signal in entry.signals:
        line = io.StringIO()
        cells = [entry.id, signal.type.value, signal.value, _no_formula(entry.provenance), entry.state.value]
        csv.writer(line, lineterminator="\n").writerow(cells)
        yield line.getvalue()


def _no_formula(text: str) -> str:
    """A spreadsheet must not run what stands in a cell (ASVS 1.2.10)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _as_json(entry: Entry) -> str:
    signals = [{"signal_type": signal.type.value, "value": signal.value} for signal in entry.signals]
    body = {"entry": entry.id, "signals": signals, "provenance": entry.provenance, "state": entry.state.value}
    return json.dumps(body, ensure_ascii=False) + "\n"


def form_of(name: str) -> Form:
    """The form that a file name ends with. Raises InvalidBankFile if it ends with neither."""
    for form in Form:
        if name.lower().endswith(f".{form.value}") or (form is Form.JSONL and name.lower().endswith(".ndjson")):
            return form
    message = "the name must end with .csv or .jsonl"
    raise InvalidBankFile(message)
