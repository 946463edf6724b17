# SPDX-License-Identifier: Apache-2.0
"""What a person sees: progress on stderr while it runs, and a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console
from rich.table import Column, Table

from bench.row import Row, Value


def tell(message: str) -> None:
    """One line of progress. Never on stdout, which belongs to the result."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def print_table(rows: Iterable[Row], console: Console) -> None:
    """The rows as a table, and under it each row's detail."""
    rows = list(rows)
    table = Table("name", *(Column(title, justify="right") for title in ("ours", "peer", "ratio", "target")), "met")
    for row in rows:
        numbers = (_number(value) for value in (row.ours, row.peer, row.ratio, row.target))
        table.add_row(row.name, *numbers, "[green]yes[/]" if row.met else "[red]no[/]")
    console.print(table)
    for row in rows:
        console.print(f"\n[bold]{row.name}[/]")
        for name, text in _flat(row.detail):
            console.print(f"  {name}: {text}", highlight=False, markup=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _flat(detail: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Each entry with its text; an entry that is itself a mapping goes on one line."""
    for name, value in detail.items():
        if isinstance(value, Mapping):
            yield name, ", ".join(f"{key} {text}" for key, text in _flat(value))
        else:
            yield name, str(value)
