# SPDX-License-Identifier: Apache-2.0
"""How commands speak: tables for people on standard output, one JSON document with --json, errors on standard error.

Exit codes: 0 done; 1 the answer is "no" (screen: something is held; doctor: something is wrong);
2 the command line or its input cannot be used; 3 refused by a rule or unknown; 4 this machine or
its settings must change first; 5 another part failed and asking again may help; 6 asked: a second person
must agree; 70 a fault in Holdfast.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import typer
from django.db import DataError
from django.db import Error as DjangoDatabaseError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast import errors

out: Final = Console()
err: Final = Console(stderr=True)
EXIT_CODES: Final = (
    (errors.InputError, 2),
    (errors.AccessError, 3),
    (errors.NotFound, 3),
    (errors.ConflictError, 3),
    (errors.ConfigurationError, 4),
    (errors.DependencyError, 5),
)


def exit_code(fault: errors.HoldfastError) -> int:
    """The exit code of a kind of error."""
    return next((code for kind, code in EXIT_CODES if isinstance(fault, kind)), 70)


@contextmanager
def errors_in_words(*, as_json: bool = False) -> Iterator[None]:
    """End the command with a sentence, advice and a code instead of a traceback."""
    try:
        yield
    except errors.HoldfastError as fault:
        _end(fault, as_json=as_json)
    except (DataError, UnicodeEncodeError):
        _end(errors.InvalidRequest("a text or number that cannot be stored"), as_json=as_json)
    except DjangoDatabaseError as cause:
        _end(errors.DatabaseUnavailable(type(cause).__name__), as_json=as_json)


def say_json(body: Any) -> None:  # noqa: ANN401  # whatever JSON can hold
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(body, indent=2, ensure_ascii=False) + "\n")


def table(title: str, columns: list[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """A table for people."""
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*[cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row])
    out.print(drawn)


def printable(text: str) -> str:
    """A text that cannot steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _end(fault: errors.HoldfastError, *, as_json: bool) -> NoReturn:
    if as_json:
        body = {
            "error": {"code": fault.stable_code, "detail": str(fault), "advice": fault.advice, "retry": fault.retry}
        }
        say_json(body)
    else:
        err.print(f"[bold red]{fault.sentence}[/]", highlight=False)
        if fault.detail:
            err.print(f"  {fault.detail}", highlight=False, markup=False)
        err.print(f"  {fault.advice}", highlight=False, markup=False)
        err.print(f"  code {fault.stable_code}", style="dim", highlight=False)
    raise typer.Exit(exit_code(fault))
