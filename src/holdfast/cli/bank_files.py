# SPDX-License-Identifier: Apache-2.0
"""`holdfast bank import | imports | roll-back | export`: banks in and out as files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast.cli.output import err, out, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.errors import InvalidBankFile, InvalidRequest
from holdfast.log.text import LONGEST_TEXT
from holdfast.match import bankfile
from holdfast.match.bankfile import Form

Name = Annotated[str, typer.Argument(help="The bank's name.")]
Because = Annotated[str, typer.Option(help="Why; it is in the journal.")]
_MOST_BAD_LINES_SHOWN: Final = 20
_TOLD_EVERY: Final = 100_000


def add_to(app: typer.Typer) -> None:
    """Make these commands part of `holdfast bank`."""
    app.command("import")(import_file)
    app.command("imports")(list_imports)
    app.command("roll-back")(roll_back)
    app.command("export")(export)


def import_file(  # each is one fact about an import
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="CSV (.csv), JSON lines (.jsonl) or a plain list (.txt)."),
    ],
    provenance: Annotated[str, typer.Option(help="Where lines that do not say come from.")] = "",
    signal_type: Annotated[
        str | None, typer.Option("--type", help="For a plain list of bare hashes: what they are, such as pdq.")
    ] = None,
    from_exchange: Annotated[  # noqa: FBT002
        bool, typer.Option("--from-exchange", help="The bank mirrors an exchange, and this file is from there.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Import entries: good lines are kept, bad lines are listed; all of it counts at once, at the end.

    Exit code 1 if any line was refused.
    """
    with using(as_json=as_json) as system:
        form, bank = bankfile.form_of(file.name), system.banks.get(name)
        shown = file.name.encode(errors="replace").decode()  # file names need not be text
        with file.open("rb") as source, _progress(shown, file.stat().st_size) as (read, staged):
            taken = system.imports.run(
                name,
                bankfile.read(_lines(source, read), form, kind=bank.kind, signal_type=signal_type),
                source=shown[:LONGEST_TEXT],
                provenance=provenance or f"import of {shown}"[:LONGEST_TEXT],
                actor=actor(),
                from_exchange=from_exchange,
                progress=lambda taken: staged(taken.entries),
            )
    body = {
        "id": taken.id,
        "added": taken.entries,
        "signals": taken.signals,
        "digest": taken.digest,
        "refused": [asdict(bad) for bad in taken.bad],
        "refused_lines": taken.refused,
    }
    words = f"Added {taken.entries:,} entries; refused {taken.refused:,} lines."
    say(body, words + (f" Import {taken.id}." if taken.id else ""), as_json=as_json)
    if taken.refused:
        if not as_json:
            _show_refused(taken.bad)
        raise typer.Exit(1)


def list_imports(name: Name, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the imports into a bank, the newest first."""
    with using(as_json=as_json) as system:
        every = system.imports.of(name)
    if as_json:
        say_json([_body(asdict(one)) for one in every])
        return
    rows = [
        [one.found.id, one.found.state, f"{one.entries:,}", f"{one.refused:,}", f"{one.begun_at:%F %T}Z", one.begun_by]
        for one in every
    ]
    table(f"Imports into {name}", ["import", "state", "entries", "refused", "begun", "by"], rows)


def roll_back(
    name: Name,
    import_id: Annotated[str, typer.Argument(metavar="IMPORT", help="The import's id.")],
    because: Because,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Take everything that an import brought out of its bank, at once."""
    with using(as_json=as_json) as system:
        after = system.imports.roll_back(name, import_id, because=because, actor=actor())
    say(asdict(after), f"Rolled back {import_id}: nothing of it matches.", as_json=as_json)


def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="Where to write; .csv, .jsonl or .txt. '-' writes to standard output.")],
    form: Annotated[
        Form | None,
        typer.Option(help="Unless the name says it. txt and dataset are python-threatexchange's, of active entries."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Export every entry that was not removed. Such hashes are sensitive: the file is readable by you alone."""
    with using(as_json=as_json) as system:
        bank = system.banks.get(name)
        if str(file) == "-":
            sys.stdout.writelines(bankfile.write(system.banks.entries(name), form or Form.JSONL, bank))
            return
        chosen = form or bankfile.form_of(file.name)
        _write_privately(file, bankfile.write(system.banks.entries(name), chosen, bank))
    say({"written": str(file)}, f"Wrote {file}.", as_json=as_json)


def say(body: Any, words: str, *, as_json: bool) -> None:  # noqa: ANN401  # whatever JSON can hold
    """Tell what was done."""
    if as_json:
        say_json(body)
        return
    out.print(words, highlight=False, markup=False)


@contextmanager
def _progress(what: str, size: int) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """A bar where there is a terminal, else a line now and then: (told of bytes read, told of entries staged)."""
    if not err.is_terminal:
        told = [0]
        yield (lambda _: None), (lambda staged: _tell_staged(staged, told))
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(f"Reading {what}", total=size)
        yield (
            lambda more: bar.update(task, advance=more),
            lambda staged: bar.update(task, description=f"Staged {staged:,}"),
        )


def _tell_staged(staged: int, told: list[int]) -> None:
    """One line for each round number of staged entries."""
    if staged // _TOLD_EVERY > told[0]:
        told[0] = staged // _TOLD_EVERY
        err.print(f"Staged {staged:,} entries.", highlight=False, markup=False)


def _write_privately(file: Path, lines: Iterator[str]) -> None:
    """Write beside the place and rename, readable by this user alone. Raises InvalidRequest if it cannot be."""
    half = file.with_name(f".{file.name}.half")
    try:
        half.touch(mode=0o600)
        with half.open("w", encoding="utf-8") as target:
            target.writelines(lines)
        half.rename(file)
    except OSError as cause:
        half.unlink(missing_ok=True)
        message = f"{file}: {cause.strerror}"
        raise InvalidRequest(message) from cause


def _lines(source: IO[bytes], advance: Callable[[int], None]) -> Iterator[str]:
    first = True
    for raw in source:
        advance(len(raw))
        try:
            yield raw.decode("utf-8-sig" if first else "utf-8")
        except UnicodeDecodeError as fault:
            message = "the file is not UTF-8 text"
            raise InvalidBankFile(message) from fault
        first = False


def _body(summary: dict[str, Any]) -> dict[str, Any]:
    found = summary.pop("found")
    return {**found, **summary, "begun_at": summary["begun_at"].isoformat()}


def _show_refused(bad: list[Any]) -> None:
    shown = bad[:_MOST_BAD_LINES_SHOWN]
    rows = [[str(one.number), one.code, one.because] for one in shown]
    table(f"Refused (first {len(shown)})", ["line", "code", "because"], rows)
